package storage

import (
	"testing"
	"time"

	"barnabas/core/task"
	"barnabas/sim/simdisk"
)

// A cut at a log start that lies inside a batch leaves nothing, wherever in its segment the batch stands: what comes next begins
// at the start, and the rows before it would leave a gap.
func TestACutAtAStartInsideABatchEmptiesTheLog(t *testing.T) {
	r := newRig(22, simdisk.PosixMin)
	d := r.mustOpen()
	r.step(func() {
		l := d.Create(topic, 0, "orders-0")
		for _, count := range []int{1, 2, 3, 2} {
			lead(l, made(0, count, 0, "v"), 0)
		}
	})
	r.pass(time.Second)
	r.step(func() {
		l := d.Find(topic, 0)
		l.MoveStart(5)
		if end := l.Truncate(5); end != 5 || l.Start() != 5 || len(l.tail) != 0 {
			t.Fatalf("the log is [%d,%d) with %d rows", l.Start(), end, len(l.tail))
		}
		lead(l, made(0, 2, 0, "next"), 0)
	})
	r.pass(time.Second)
	for range 2 { // the second start reads what the first has written
		r.crash(simdisk.PowerLoss)
		d = r.mustOpen()
		if l := d.Find(topic, 0); l.Start() != 5 || l.End() != 7 {
			t.Fatalf("the log is [%d,%d), want [5,7)", l.Start(), l.End())
		}
	}
	r.tell(func(s *task.Task) {
		if p := contents(s, d.Find(topic, 0)); head(p).BaseOffset != 5 {
			t.Errorf("it begins with offset %d", head(p).BaseOffset)
		}
	})
}
