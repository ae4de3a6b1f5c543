package storage

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"barnabas/core/record"
	"barnabas/core/storage/journal"
	"barnabas/core/task"
	"barnabas/sim/simdisk"
)

// many makes a directory of so many logs with a batch each.
func many(logs int) (*rig, *Directory) {
	r := newRig(1, simdisk.Ordered)
	r.options.Journal = JournalOptions{
		SegmentBytes: 8 << 20, BytesMax: 256 << 20, CommitBytesMax: 4 << 20, ArenaBytesMax: 64 << 20, ChunkBytes: 4 << 20,
	}
	r.options.CheckpointBytes = 128 << 20
	d := r.mustOpen()
	for i := 0; i < logs; {
		r.step(func() {
			for range 500 {
				id := [16]byte{0: 7, 14: byte(i >> 8), 15: byte(i)}
				l := d.Create(id, int32(i), fmt.Sprintf("orders-%d", i))
				lead(l, made(0, 1, 0, "v"), 0)
				i++
			}
		})
	}
	r.pass(20 * time.Millisecond)
	return r, d
}

// No step handles more than a share of the logs, or of the rows of one (rule T2), and what was taken in many steps, while logs
// were appended to, cut, made and dropped, is what recovery needs.
func TestACheckpointIsTakenInShares(t *testing.T) {
	const logs = 2000
	r, d := many(logs)
	long := d.Logs().At(7)
	for range 30 {
		r.step(func() {
			for range 600 {
				lead(long, made(0, 1, 0, "v"), 0)
			}
		})
		r.pass(time.Millisecond)
	}
	r.pass(20 * time.Millisecond)
	steps, most, rows, before := 0, 0, 0, 0
	d.watch = func(w *walk) {
		if w.visits == 0 {
			before = 0
		}
		most, rows, steps = max(most, w.visits-before), max(rows, w.rows), steps+1
		before = w.visits
	}
	var number LogNumber
	change := func(at LogNumber) {
		lead(d.Logs().At(at), made(0, 1, 0, "later"), 3)
		d.Logs().At(at + 1).Truncate(0)
		d.Drop(d.Logs().At(at + 2))
		number = d.Create([16]byte{15: 9, 13: byte(at), 14: byte(at >> 8)}, 0, fmt.Sprintf("new-%d", at)).Number
		lead(d.Logs().At(number), made(0, 2, 0, "new"), 0)
	}
	changes := 0
	r.loop.AtStepEnd(func() {
		if p := d.picture; p != nil && p.at > 0 && changes < 12 {
			changes++
			at := LogNumber(100 + 150*changes)
			change(at)
		}
	})
	written := 0
	r.tell(func(s *task.Task) {
		if err := d.writeCheckpoint(s); err != nil {
			t.Error(err)
		}
		written++
	})
	if steps < logs/shareLogs || most > shareLogs || rows > shareRows+shareRows/2 || changes < 12 {
		t.Errorf("%d shares, of up to %d logs and %d rows; %d changes meanwhile", steps, most, rows, changes)
	}
	r.pass(20 * time.Millisecond)
	want := describe(d)
	d.watch = nil
	r.crash(simdisk.PowerLoss)
	if got := describe(r.mustOpen()); got != want {
		t.Errorf("recovered\n%s\nwant\n%s", diffLines(got, want), diffLines(want, got))
	}
	if d := r.directory; d.Recovered.Commits > 200 {
		t.Errorf("redo took %d commits: the checkpoint was not used", d.Recovered.Commits)
	}
}

// describe tells what a directory holds.
func describe(d *Directory) string {
	var text strings.Builder
	for _, l := range d.Logs().All {
		fmt.Fprintf(&text, "%d %s [%d,%d) %v %d\n", l.Number, l.Name, l.Start(), l.End(), l.epochs.starts, l.Bytes())
	}
	return text.String()
}

// diffLines returns the lines of a that b has not.
func diffLines(a, b string) string {
	known := make(map[string]bool)
	for line := range strings.Lines(b) {
		known[line] = true
	}
	var only strings.Builder
	for line := range strings.Lines(a) {
		if !known[line] {
			only.WriteString(line)
		}
	}
	return only.String()
}

// An entry is as of its place in a commit: what a log has already ends within one.
func TestRedoGoesOnWithinACommit(t *testing.T) {
	a, b := journal.Moment{Sequence: 4, Entries: 2}, journal.Moment{Sequence: 4, Entries: 3}
	if !a.Before(b) || b.Before(a) || a.Before(a) || !b.Before(journal.Moment{Sequence: 5}) {
		t.Error("moments are in another order")
	}
	r := newRig(3, simdisk.Ordered)
	d := r.mustOpen()
	l := d.Create(topic, 0, "orders-0")
	r.pass(20 * time.Millisecond)
	var state [][]byte
	r.step(func() {
		boundary := d.journal.Boundary()
		lead(l, made(0, 1, 0, "first"), 0)
		p := d.beginPicture(d.journal.Now, boundary.Next())
		p.take(nil)
		state = p.pieces
		lead(l, made(0, 1, 0, "second"), 0)
		until := d.journal.LastSequence()
		r.loop.Go("checkpoint", func(s *task.Task) {
			if err := d.journal.Checkpoint(s, boundary, until, state, p.oldest); err != nil {
				t.Error(err)
			}
		})
	})
	r.pass(20 * time.Millisecond)
	r.crash(simdisk.PowerLoss)
	if end := r.mustOpen().Logs().At(l.Number).End(); end != record.Offset(2) {
		t.Errorf("the log ends at %d, want 2", end)
	}
}

// The longest step while a checkpoint of 10,000 logs is taken and written, in the best of some tries.
func BenchmarkCheckpointStep(b *testing.B) {
	best := time.Hour
	for b.Loop() {
		b.StopTimer()
		r, d := many(10000)
		var longest time.Duration
		var begun time.Time
		r.loop.AtStepEnd(func() {
			longest = max(longest, time.Since(begun))
			begun = time.Now()
		})
		b.StartTimer()
		r.tell(func(s *task.Task) {
			begun, longest = time.Now(), 0
			if err := d.writeCheckpoint(s); err != nil {
				b.Error(err)
			}
		})
		best = min(best, longest)
	}
	b.ReportMetric(float64(best.Microseconds()), "µs/longest-step")
}
