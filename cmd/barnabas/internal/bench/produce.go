package bench

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// produce runs the modes produce and e2e.
func (p *Plan) produce(ctx context.Context) (Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	run := &producing{plan: p, result: Result{Window: p.Duration, Latency: newHistogram()}, payloads: p.payloads()}
	clients, err := makeClients(p.Producers, p.Producer)
	defer closeAll(clients)
	if err != nil {
		return run.result, err
	}
	var readers sync.WaitGroup
	readersDone := func() {}
	if p.Mode == EndToEnd {
		consumers, err := p.consumers()
		defer closeAll(consumers)
		if err != nil {
			return run.result, err
		}
		reading, stop := context.WithCancel(ctx)
		readersDone = func() { stop(); readers.Wait() }
		defer readersDone()
		for _, c := range consumers {
			readers.Go(func() { run.read(reading, c) })
		}
	}
	run.window = p.window()
	begin := time.AfterFunc(p.Warmup, p.Begin)
	defer begin.Stop()
	end := time.AfterFunc(p.Warmup+p.Duration, p.End)
	defer end.Stop()
	var senders sync.WaitGroup
	for _, c := range clients {
		senders.Go(func() { run.send(ctx, c) })
	}
	p.watch(&senders, &run.done)
	run.settle(ctx, clients)
	readersDone()
	return run.finish(ctx)
}

// producing is one run.
type producing struct {
	plan     *Plan
	window   window
	payloads [][]byte
	next     atomic.Int64 // of the schedule
	due      atomic.Int64 // records sent that are due within the window
	seen     atomic.Int64 // of these acknowledged; in e2e, read
	done     atomic.Int64 // records acknowledged at all

	mu     sync.Mutex
	result Result
}

// send sends until the window is over.
func (r *producing) send(ctx context.Context, c *kgo.Client) {
	for {
		n := r.next.Add(1) - 1
		due := time.Now()
		if r.plan.Rate > 0 {
			due = r.window.start.Add(time.Duration(float64(n) / r.plan.Rate * float64(time.Second)))
			if !due.Before(r.window.to) || !sleepUntil(ctx, due) {
				return
			}
		}
		if !due.Before(r.window.to) || ctx.Err() != nil {
			return
		}
		value := r.payloads[n%int64(len(r.payloads))]
		if r.plan.Mode == EndToEnd {
			value = stamp(value, due)
		}
		if r.window.holds(due) {
			r.due.Add(1)
		}
		record := &kgo.Record{Topic: r.plan.Topic, Value: value, Partition: int32(n % int64(r.plan.Partitions))}
		c.Produce(ctx, record, func(_ *kgo.Record, err error) { r.acknowledged(due, len(value), err) })
	}
}

// sleepUntil says whether there still is something to do then.
func sleepUntil(ctx context.Context, due time.Time) bool {
	wait := time.Until(due)
	if wait <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// acknowledged is told how a record fared.
func (r *producing) acknowledged(due time.Time, bytes int, err error) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		if r.result.FirstError == nil && !errors.Is(err, context.Canceled) {
			r.result.FirstError = err
		}
		return
	}
	r.done.Add(1)
	if r.plan.Mode == EndToEnd {
		return // who reads it counts it
	}
	r.count(due, now, bytes)
}

// count counts a record that has arrived where it is to be measured. Requires: the lock.
func (r *producing) count(due, now time.Time, bytes int) {
	if r.window.holds(now) {
		r.result.Records++
		r.result.Bytes += int64(bytes)
	}
	if r.window.holds(due) {
		r.seen.Add(1)
		observe(r.result.Latency, now.Sub(due))
	}
}

// read reads along until ctx ends.
func (r *producing) read(ctx context.Context, c *kgo.Client) {
	for ctx.Err() == nil {
		fetches := c.PollFetches(ctx)
		now := time.Now()
		r.mu.Lock()
		fetches.EachError(func(_ string, _ int32, err error) {
			if r.result.FirstError == nil && !errors.Is(err, context.Canceled) {
				r.result.FirstError = err
			}
		})
		fetches.EachRecord(func(record *kgo.Record) { r.count(stamped(record.Value), now, len(record.Value)) })
		r.mu.Unlock()
	}
}

// settle waits until every record is acknowledged, and read, or it takes too long.
func (r *producing) settle(ctx context.Context, clients []*kgo.Client) {
	ctx, cancel := context.WithTimeout(ctx, settle)
	defer cancel()
	for _, c := range clients {
		_ = c.Flush(ctx) // what is left counts as an error
	}
	for r.plan.Mode == EndToEnd && r.seen.Load() < r.due.Load() && sleepUntil(ctx, time.Now().Add(time.Millisecond)) {
	}
}

func (r *producing) finish(ctx context.Context) (Result, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result.Errors = r.due.Load() - r.seen.Load()
	return r.result, ctx.Err()
}

// watch tells of progress until all is sent.
func (p *Plan) watch(group *sync.WaitGroup, done *atomic.Int64) {
	over := make(chan struct{})
	go func() { group.Wait(); close(over) }()
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-over:
			return
		case <-ticker.C:
			p.Progress(done.Load(), string(p.Mode))
		}
	}
}

func makeClients(n int, newClient func(...kgo.Opt) (*kgo.Client, error)) ([]*kgo.Client, error) {
	var all []*kgo.Client
	for range n {
		c, err := newClient()
		if err != nil {
			return all, err
		}
		all = append(all, c)
	}
	return all, nil
}

func closeAll(clients []*kgo.Client) {
	for _, c := range clients {
		c.Close()
	}
}
