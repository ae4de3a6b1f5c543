package storage

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"barnabas/core/record"
	"barnabas/core/storage/segment"
	"barnabas/core/task"
	"barnabas/sim/simdisk"
)

// compacted turns a directory into one whose log Apache Kafka has compacted: batches are missing in the middle of the first
// segment, at its end, and at the second one's beginning. It returns the batches that are left.
func compacted(r *rig, clean bool) (left [][]byte) {
	d := r.mustOpen()
	r.step(func() {
		l := d.Create(topic, 0, "orders-0")
		c := defaultConfig()
		c.SegmentBytes, c.IndexIntervalBytes = 6000, 500
		l.Configure(c)
		for i := range 30 {
			lead(l, made(0, 2, record.LeaderEpoch(i/8), strings.Repeat("v", 300)), record.LeaderEpoch(i/8))
		}
		lead(d.Create([16]byte{15: 1}, 0, "__cluster_metadata-0"), made(0, 1, 0, "metadata"), 0)
	})
	r.pass(time.Second)
	r.step(func() {
		voted := task.NewSignal(d.env.Loop)
		d.Vote([]byte("a vote"), voted.Raise)
	})
	if err := r.stop(); err != nil {
		panic(err)
	}
	segments := slices.Clone(d.Find(topic, 0).segments)
	r.crash(simdisk.PowerLoss)
	for i, s := range segments {
		name := "orders-0/" + segment.FileName{Offset: s.base, Kind: segment.Log}.String()
		text, _ := r.file(name)
		var batches [][]byte
		for p := []byte(text); len(p) > 0; {
			h := head(p)
			batches = append(batches, bytes.Clone(p[:h.Length]))
			p = p[h.Length:]
		}
		switch i {
		case 0:
			batches = slices.Concat(batches[:2], batches[4:len(batches)-1])
		case 1:
			batches = batches[1:]
		}
		left = append(left, batches...)
		if i > 1 {
			continue
		}
		r.rewrite("data/"+name, slices.Concat(batches...))
		for _, kind := range []segment.Kind{segment.OffsetIndex, segment.TimeIndex} { // as good as Kafka's: they are derived
			r.rewrite("data/orders-0/"+segment.FileName{Offset: s.base, Kind: kind}.String(), nil)
		}
	}
	r.rewrite("data/cleaner-offset-checkpoint", segment.EncodeOffsets([]segment.PartitionOffset{{Topic: "orders", Offset: 20}}))
	r.leftByKafka(clean)
	return left
}

// A log that Kafka has compacted is read as it is: who asks for an offset that is gone gets the next batch, also over the end
// of a segment, and nobody asks a disk for ever.
func TestALogWithGapsIsRead(t *testing.T) {
	for _, clean := range []bool{true, false} {
		r := newRig(31, simdisk.PosixMin)
		left := compacted(r, clean)
		if said, err := talkTo(r); err != nil || strings.Contains(said, "CUT") {
			t.Fatalf("clean %t: %v %s", clean, err, said)
		}
		readsGaps(t, r, fmt.Sprintf("clean %t", clean), left)
		l := r.directory.Find(topic, 0)
		more := made(60, 2, 9, "more")
		r.step(func() { lead(l, more, 9) })
		r.pass(time.Second)
		r.crash(simdisk.PowerLoss)
		r.mustOpen()
		readsGaps(t, r, "after a crash", append(left, more))
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		r.crash(simdisk.PowerLoss)
		r.mustOpen()
		readsGaps(t, r, "after a stop", append(left, more))
	}
}

// readsGaps reads the log from each of its offsets, one batch at a time.
func readsGaps(t *testing.T, r *rig, when string, left [][]byte) {
	t.Helper()
	l := r.directory.Find(topic, 0)
	last := head(left[len(left)-1])
	if end := last.EndOffset(); l.Start() != 0 || l.End() != end {
		t.Fatalf("%s: the log is [%d, %d), want [0, %d)", when, l.Start(), l.End(), end)
	}
	for at := l.Start(); at < l.End(); at++ {
		i := slices.IndexFunc(left, func(p []byte) bool { h := head(p); return h.EndOffset() > at })
		r.tell(func(tk *task.Task) {
			for loads := 0; ; loads++ {
				s := &Slice{}
				err := l.Read(s, at, l.End(), 1, true)
				if err == ErrNotInMemory && loads < 5 {
					if _, err = l.Load(at).Wait(tk); err == nil {
						continue
					}
				}
				if err != nil {
					t.Errorf("%s, offset %d, after %d loads: %v", when, at, loads, err)
					return
				}
				if got := slices.Concat(s.Parts...); !bytes.Equal(got, left[i]) {
					t.Errorf("%s, offset %d: %d bytes, want the batch at %d", when, at, len(got), head(left[i]).BaseOffset)
				}
				s.Release()
				return
			}
		})
	}
	if n := len(l.Doubts()); n > 0 {
		t.Errorf("%s: %d ranges are in doubt", when, n)
	}
	if all := read(r, l); !bytes.Equal(all, slices.Concat(left...)) {
		t.Errorf("%s: all of it has %d bytes", when, len(all))
	}
}
