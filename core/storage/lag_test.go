package storage

import (
	"errors"
	"strings"
	"testing"
	"time"

	"barnabas/sim/simdisk"
)

// A log that lacks half of what the arena holds has its producer wait, and told as soon as there is less.
func TestProducersWaitForLogsThatLag(t *testing.T) {
	r := newRig(43, simdisk.PosixMin)
	r.options.Journal.SegmentBytes, r.options.Journal.BytesMax = 1<<20, 64<<20
	r.options.Journal.ArenaBytesMax, r.options.CheckpointBytes = 4<<20, 16<<20
	d := r.mustOpen()
	var l *Log
	r.step(func() { l = d.Create(topic, 0, "orders-0") })
	put := func() error {
		p := made(l.End(), 1, 1, strings.Repeat("x", 100_000))
		_, err := l.AppendAsLeader(p, head(p), 1)
		return err
	}
	var err error
	taken, told := 0, 0
	for ; err == nil && taken < 400; taken++ { // the disk never gets to the files
		r.step(func() { err = put() })
	}
	if !errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), "not in them yet") || taken < 20 || d.BytesUsed() > 8<<20 {
		t.Fatalf("after %d batches and %d bytes of journal: %v", taken, d.BytesUsed(), err)
	}
	r.step(func() { d.AwaitRoom(func() { told++; err = put() }) })
	r.pass(time.Second)
	if told != 1 || err != nil {
		t.Errorf("told %d times that there is room, and then: %v", told, err)
	}
}
