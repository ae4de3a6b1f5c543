package main

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const killPartitions = 2

// place is where a record was acknowledged to be.
type place struct {
	topic     string
	partition int32
	offset    int64
}

// identity is who sent a record, and as which of its records for that partition.
type identity struct{ writer, number int }

// history is all that producers were told. It stays in memory: this process is not the one that is killed.
type history struct {
	t     *testing.T
	mu    sync.Mutex
	acked map[place]identity
	read  int
	found map[stream]int // after the last verify: the records of each stream
	calm  atomic.Bool    // while a verify reads, writers go on slowly, or it would never catch up
}

// stream is what one writer sends to one partition.
type stream struct {
	writer    int
	partition int32
}

func newHistory(t *testing.T) *history { return &history{t: t, acked: make(map[place]identity)} }

// topics are those in use, with the number of their partitions.
func (h *history) topics() map[string]int32 {
	return map[string]int32{"lasting": killPartitions, "fresh": killPartitions, "leader": killPartitions}
}

func (h *history) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.acked)
}

func (h *history) add(at place, of identity) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if other, taken := h.acked[at]; taken {
		h.t.Errorf("%+v was acknowledged for %+v and for %+v", at, other, of)
	}
	h.acked[at] = of
}

// verify reads every log from its beginning and compares. Producers may go on meanwhile.
func (h *history) verify(b *broker) {
	h.t.Helper()
	h.calm.Store(true)
	defer h.calm.Store(false)
	h.mu.Lock()
	promised := make(map[place]identity, len(h.acked))
	for at, of := range h.acked {
		promised[at] = of
	}
	h.mu.Unlock()
	h.found = make(map[stream]int)
	h.readAll(b, promised)
	for at, of := range promised {
		h.t.Errorf("lost: %+v was acknowledged for %+v, and the log ends before", at, of)
	}
	if h.t.Failed() {
		h.t.FailNow()
	}
}

// readAll reads all logs to where they end now, and takes out of promised what it finds. One consumer reads them side by
// side, since they lie side by side on the disk.
func (h *history) readAll(b *broker, promised map[place]identity) {
	h.t.Helper()
	logs := make(map[string]map[int32]kgo.Offset)
	for topic, partitions := range h.topics() {
		logs[topic] = make(map[int32]kgo.Offset)
		for partition := range partitions {
			logs[topic][partition] = kgo.NewOffset().AtStart()
		}
	}
	c := client(h.t, b, kgo.ConsumePartitions(logs), kgo.AlwaysRetryEOF())
	defer c.Close()
	left := h.ends(c)
	next := make(map[place]int64)
	for len(left) > 0 {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		for _, r := range poll(h.t, ctx, c) {
			log := place{topic: r.Topic, partition: r.Partition}
			if r.Offset != next[log] {
				h.t.Fatalf("%+v: offset %d follows %d", log, r.Offset, next[log]-1)
			}
			next[log]++
			h.check(r, promised)
			if end, ok := left[log]; ok && next[log] >= end {
				delete(left, log)
			}
		}
		cancel()
	}
}

// ends says where logs end now, those that hold anything.
func (h *history) ends(c *kgo.Client) map[place]int64 {
	h.t.Helper()
	left := make(map[place]int64)
	for topic, partitions := range h.topics() {
		ends, err := kadm.NewClient(c).ListEndOffsets(within(h.t), topic)
		for partition := range partitions {
			end, ok := ends.Lookup(topic, partition)
			if err != nil || !ok || end.Err != nil {
				h.t.Fatalf("where %s ends: %+v, %v", topic, end, err)
			}
			if end.Offset > 0 {
				left[place{topic: topic, partition: partition}] = end.Offset
			}
		}
	}
	return left
}

// check compares one record with what was promised, and with the one before of its writer.
func (h *history) check(r *kgo.Record, promised map[place]identity) {
	h.t.Helper()
	h.read++
	of, at := identify(h.t, r), place{r.Topic, r.Partition, r.Offset}
	if want, ok := promised[at]; ok && want != of {
		h.t.Errorf("replaced: %+v was acknowledged for %+v, and holds %+v", at, want, of)
	}
	delete(promised, at)
	if r.Topic == "leader" {
		return // without idempotence a batch may be there twice
	}
	// Each next one, without a gap: none is lost, none is there twice, and none overtook another.
	s := stream{of.writer, r.Partition}
	if of.number != h.found[s] {
		h.t.Fatalf("%+v holds %+v, want number %d", at, of, h.found[s])
	}
	h.found[s]++
}

// complete checks that all that these writers ever sent is there: each of them saw all its records acknowledged.
func (h *history) complete(writers []*writer) {
	h.t.Helper()
	for _, w := range writers {
		for partition, sent := range w.sent {
			if found := h.found[stream{w.number, int32(partition)}]; found != sent {
				h.t.Errorf("writer %d sent %d records to partition %d, and %d are there", w.number, sent, partition, found)
			}
		}
	}
}

// identify reads a record's value, and checks that it is whole.
func identify(t *testing.T, r *kgo.Record) (of identity) {
	t.Helper()
	if _, err := fmt.Sscanf(string(r.Value[:min(len(r.Value), 40)]), "%d %d", &of.writer, &of.number); err != nil || !bytes.Equal(r.Value, of.value()) {
		t.Fatalf("nobody sent %q: %v", r.Value, err)
	}
	return of
}

// value is a text of its own for every record, some of them long.
func (i identity) value() []byte {
	text := fmt.Appendf(nil, "%d %d ", i.writer, i.number)
	length := 20 + i.number%300
	if i.number%1000 == 999 {
		length = 100_000
	}
	for len(text) < length {
		text = append(text, byte('a'+(i.number+len(text))%26))
	}
	return text
}

// writer is one producer.
type writer struct {
	t       *testing.T
	number  int
	client  *kgo.Client
	history *history
	topic   string
	sent    [killPartitions]int
	acked   atomic.Int64
	enough  chan struct{} // closed to end it
	ended   chan struct{}
	once    sync.Once
	given   atomic.Bool // up: what comes back as failed was not promised
}

func newWriter(t *testing.T, h *history, b *broker, number int, topic string, options ...kgo.Opt) *writer {
	w := &writer{t: t, number: number, history: h, topic: topic, enough: make(chan struct{}), ended: make(chan struct{})}
	w.client = client(t, b, append(options,
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.StopProducerOnDataLossDetected(),
		kgo.ProducerBatchCompression(codecs[number%len(codecs)].codec), kgo.ProducerBatchMaxBytes(200_000),
		// A batch each few records, several on their way, and soon again after the broker is back.
		kgo.MaxBufferedRecords(16), kgo.ProducerLinger(0), kgo.RetryBackoffFn(backoff),
		kgo.AlwaysRetryEOF(), // a broker that dies before its first answer is not one that wants TLS
	)...)
	t.Cleanup(w.abandon)
	go w.run()
	return w
}

func (w *writer) run() {
	defer close(w.ended)
	for i := 0; ; i++ {
		select {
		case <-w.enough:
			return
		default:
		}
		if w.history.calm.Load() {
			time.Sleep(20 * time.Millisecond)
		}
		partition := i % killPartitions
		of := identity{w.number, w.sent[partition]}
		w.sent[partition]++
		w.client.Produce(context.Background(), &kgo.Record{Topic: w.topic, Partition: int32(partition), Value: of.value()}, func(r *kgo.Record, err error) {
			switch {
			case err == nil:
				w.history.add(place{w.topic, r.Partition, r.Offset}, of)
				w.acked.Add(1)
			case !w.given.Load():
				w.t.Errorf("%+v was refused: %v", of, err)
			}
		})
	}
}

// finish sends what is left and holds every record to be acknowledged.
func (w *writer) finish(ctx context.Context) {
	w.t.Helper()
	w.once.Do(func() { close(w.enough) })
	<-w.ended
	if err := w.client.Flush(ctx); err != nil {
		w.t.Fatalf("writer %d: %v", w.number, err)
	}
}

// abandon ends the writer with records on their way.
func (w *writer) abandon() {
	w.given.Store(true)
	w.once.Do(func() { close(w.enough) })
	w.client.Close()
	<-w.ended
}

// backoff is how long a producer waits before it tries again.
func backoff(int) time.Duration { return 20 * time.Millisecond }
