package bench

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Mode is what is measured.
type Mode string

// The modes.
const (
	Produce  Mode = "produce"
	EndToEnd Mode = "e2e"
	Consume  Mode = "consume"
)

// Plan is a run.
type Plan struct {
	Mode        Mode
	Topic       string // there, and empty
	Partitions  int
	RecordBytes int  // of each value, at least 8
	Text        bool // values that compress well, instead of random ones
	Producers   int
	Consumers   int
	Rate        float64 // records a second of all producers together; 0: as fast as they may
	Duration    time.Duration
	Warmup      time.Duration
	Prefill     int64 // value bytes to write before consuming
	// Producer and Consumer make a client, with options of ours beside those that the caller knows.
	Producer, Consumer func(...kgo.Opt) (*kgo.Client, error)
	// Progress is told now and then how many records are done, and what for.
	Progress func(records int64, what string)
	// Begin and End are called around what is measured.
	Begin, End func()
}

// Result is what came out.
type Result struct {
	Records    int64 // acknowledged or read within the window
	Bytes      int64 // of their values
	Window     time.Duration
	Errors     int64 // records due in the window that were not acknowledged, or not read
	FirstError error
	Latency    *hdrhistogram.Histogram // in microseconds; nil in mode consume
}

// Latencies are kept from 1 µs to an hour, to three digits.
func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, int64(time.Hour/time.Microsecond), 3)
}

func observe(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(d.Microseconds(), 1), h.HighestTrackableValue())) // bounded, so it can't fail
}

// settle is how long records that were sent are waited for after the window.
const settle = 30 * time.Second

// Run does it. Errors: clients can't be made, or ctx ended.
func Run(ctx context.Context, p Plan) (Result, error) {
	if p.Mode == Consume {
		return p.consume(ctx)
	}
	return p.produce(ctx)
}

// window is when things count.
type window struct{ start, from, to time.Time }

func (p *Plan) window() window {
	start := time.Now()
	return window{start, start.Add(p.Warmup), start.Add(p.Warmup + p.Duration)}
}

func (w window) holds(t time.Time) bool { return !t.Before(w.from) && t.Before(w.to) }

// payloads are values to send in turn. They differ, so that nothing is stored or compressed as one.
func (p *Plan) payloads() [][]byte {
	const count = 64
	random := rand.New(rand.NewPCG(1, 2))
	all := make([][]byte, count)
	for i := range all {
		value := make([]byte, p.RecordBytes)
		for k := range value {
			if p.Text {
				value[k] = "the messenger walks on and on "[(k+i)%30]
			} else {
				value[k] = byte(random.Uint32())
			}
		}
		all[i] = value
	}
	return all
}

// stamp notes in a value when it was due, for consumers to see.
func stamp(value []byte, due time.Time) []byte {
	stamped := append([]byte(nil), value...)
	binary.BigEndian.PutUint64(stamped, uint64(due.UnixNano()))
	return stamped
}

func stamped(value []byte) time.Time { return time.Unix(0, int64(binary.BigEndian.Uint64(value))) }
