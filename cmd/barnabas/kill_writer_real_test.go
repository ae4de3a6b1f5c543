package main

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

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
		kgo.ProducerBatchCompression(codecs[number%len(codecs)].codec), kgo.ProducerBatchMaxBytes(40_000),
		// A batch each few records, several on their way, and soon again after the broker is back.
		kgo.MaxBufferedRecords(16), kgo.ProducerLinger(0), kgo.RetryBackoffFn(backoff),
		kgo.AlwaysRetryEOF(), // a broker that dies before its first answer is not one that wants TLS
	)...)
	h.mutex.Lock()
	h.addWriter(w)
	h.mutex.Unlock()
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
		number := i % killPartitions
		of := identity{w.number, w.sent[number]}
		w.sent[number]++
		at := w.history.send(partition{w.topic, int32(number)}, of)
		w.client.Produce(context.Background(), &kgo.Record{Topic: w.topic, Partition: int32(number), Value: of.value()}, func(r *kgo.Record, err error) {
			switch {
			case err == nil:
				w.history.acknowledge(at, partition{w.topic, r.Partition}, r.Offset, of)
				w.acked.Add(1)
			case !w.given.Load():
				w.t.Errorf("record %+v of %s was refused: %v", of, w.topic, err)
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
