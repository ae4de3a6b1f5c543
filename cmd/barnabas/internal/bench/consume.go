package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// consumers makes clients that share the partitions and read them from their start.
func (p *Plan) consumers() ([]*kgo.Client, error) {
	count := min(p.Consumers, p.Partitions)
	var all []*kgo.Client
	for i := range count {
		from := make(map[int32]kgo.Offset)
		for n := i; n < p.Partitions; n += count {
			from[int32(n)] = kgo.NewOffset().AtStart()
		}
		c, err := p.Consumer(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{p.Topic: from}))
		if err != nil {
			return all, err
		}
		all = append(all, c)
	}
	return all, nil
}

// prefill writes what is to be read, and returns how many records that are.
func (p *Plan) prefill(ctx context.Context) (int64, error) {
	c, err := p.Producer()
	if err != nil {
		return 0, err
	}
	defer c.Close()
	payloads, records := p.payloads(), max(1, p.Prefill/int64(p.RecordBytes))
	failed := make(chan error, 1)
	var done atomic.Int64
	last := time.Now()
	for n := range records {
		record := &kgo.Record{Topic: p.Topic, Value: payloads[n%int64(len(payloads))], Partition: int32(n % int64(p.Partitions))}
		c.Produce(ctx, record, func(_ *kgo.Record, err error) {
			if err == nil {
				done.Add(1)
				return
			}
			select {
			case failed <- err:
			default:
			}
		})
		if now := time.Now(); now.Sub(last) > 200*time.Millisecond {
			last = now
			p.Progress(done.Load(), "written to be read")
		}
	}
	err = c.Flush(ctx)
	select {
	case why := <-failed:
		err = fmt.Errorf("could not write what was to be read: %w", why)
	default:
	}
	return records, err
}

// consume runs the mode consume: all that was written is read once, without a warm-up, since that would be most of it.
func (p *Plan) consume(ctx context.Context) (Result, error) {
	var result Result
	records, err := p.prefill(ctx)
	if err != nil {
		return result, err
	}
	consumers, err := p.consumers()
	defer closeAll(consumers)
	if err != nil {
		return result, err
	}
	reading, stop := context.WithTimeout(ctx, p.Duration)
	defer stop()
	var mu sync.Mutex
	var done atomic.Int64
	var group sync.WaitGroup
	p.Begin()
	start := time.Now()
	last := start
	for _, c := range consumers {
		group.Go(func() {
			for reading.Err() == nil {
				fetches := c.PollFetches(reading)
				now := time.Now()
				mu.Lock()
				fetches.EachError(func(_ string, _ int32, err error) {
					if result.FirstError == nil && reading.Err() == nil && !errors.Is(err, context.Canceled) {
						result.FirstError = err
					}
				})
				before := result.Records
				fetches.EachRecord(func(record *kgo.Record) {
					result.Records++
					result.Bytes += int64(len(record.Value))
				})
				if result.Records > before {
					last = now
				}
				if result.Records >= records || result.FirstError != nil {
					stop()
				}
				done.Store(result.Records)
				mu.Unlock()
			}
		})
	}
	p.watch(&group, &done)
	p.End()
	result.Window = last.Sub(start)
	if ctx.Err() == nil && result.FirstError != nil {
		result.Errors = records - result.Records
	}
	return result, ctx.Err()
}
