package storage

import (
	"strings"
	"testing"
	"time"

	"barnabas/core/task"
	"barnabas/sim/simdisk"
)

// Who reads a log from its start gets long runs of it, and no byte is read twice: a file is read about as often as runs fit into
// it, whatever the size of its batches.
func TestALogIsReadInLongRuns(t *testing.T) {
	for _, bytes := range []int{300, 9000, 30_000} {
		r := newRig(41, simdisk.PosixMin)
		r.options.Journal.SegmentBytes, r.options.Journal.BytesMax, r.options.CheckpointBytes = 256<<10, 8<<20, 512<<10
		r.options.Journal.ArenaBytesMax = 4 << 20
		d := r.mustOpen()
		var l *Log
		r.step(func() { l = d.Create(topic, 0, "orders-0") })
		const total = 3 << 20
		for n := 0; n < total; n += bytes {
			r.step(func() { lead(l, made(l.End(), 1, 1, strings.Repeat("x", bytes)), 1) })
			if n%(128<<10) < bytes {
				r.pass(100 * time.Millisecond)
			}
		}
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		r.crash(simdisk.ProcessDeath)
		l = r.mustOpen().Find(topic, 0)
		reads := r.machine.Inject(simdisk.Rule{Kinds: simdisk.Of(simdisk.OpReadAt), Files: "*.log", First: 1 << 60})
		var size int64
		r.tell(func(tk *task.Task) { size = int64(len(contents(tk, l))) })
		// Runs of 256 and 512 KiB, then of 1 MiB, and some that are cut short: by what is not filled yet, or does not fit.
		if most := uint64(size>>20) + 8; reads.Met > most || size != l.Bytes() {
			t.Errorf("batches of %d bytes: %d reads for %d bytes of %d, want at most %d", bytes, reads.Met, size, l.Bytes(), most)
		}
	}
}

// A large batch brings its own checksum into its commit's: the commit must be whole for the next start.
func TestALargeBatchIsRecovered(t *testing.T) {
	r := newRig(45, simdisk.PosixMin)
	r.options.Journal.SegmentBytes, r.options.Journal.BytesMax, r.options.Journal.ArenaBytesMax = 256<<10, 8<<20, 4<<20
	r.options.CheckpointBytes = 2 << 20 // none: redo has to read what was journalled
	d := r.mustOpen()
	var l *Log
	r.step(func() { l = d.Create(topic, 0, "orders-0") })
	r.step(func() {
		for _, bytes := range []int{100, 50_000, 300, 20_000} {
			lead(l, made(l.End(), 1, 1, strings.Repeat("y", bytes)), 1)
		}
	})
	r.pass(time.Second)
	r.crash(simdisk.PowerLoss)
	d = r.mustOpen()
	if l = d.Find(topic, 0); l.End() != 4 || len(d.Recovered.Damaged) > 0 || len(l.Doubts()) > 0 {
		t.Errorf("the log ends at %d, want 4; damaged %v", l.End(), d.Recovered.Damaged)
	}
}
