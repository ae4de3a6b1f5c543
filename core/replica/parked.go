package replica

import (
	"slices"

	"barnabas/core/env"
	"barnabas/core/mutant"
	"barnabas/core/record"
)

// Wait is one request that waits for an offset to be reached: a produce for an end, a deletion for a start. It may wait
// again when it is over.
type Wait struct {
	offset record.Offset
	done   func(error)
	on     bool
}

// NewWait returns a wait that calls done when it ends, each time.
func NewWait(done func(error)) *Wait { return &Wait{done: done} }

// GiveUp forgets the wait: done is not called any more. Giving up a nil wait, or one that is over, does nothing. What was
// given up must not wait again: it may still be in a queue.
func (w *Wait) GiveUp() {
	if w != nil {
		w.on = false
	}
}

// parked are waits in ascending order of their offsets, so that an advance pops a prefix.
type parked struct {
	rows []*Wait
	head int // rows before are gone
}

// park adds a wait. Offsets mostly come in order; that of a duplicate may belong further ahead.
func (q *parked) park(w *Wait, offset record.Offset) {
	w.offset, w.on = offset, true
	if q.head == len(q.rows) || q.head >= 64 && 2*q.head > len(q.rows) {
		n := copy(q.rows, q.rows[q.head:])
		clear(q.rows[n:])
		q.rows, q.head = q.rows[:n], 0
	}
	q.rows = append(q.rows, w)
	for i := len(q.rows) - 1; i > q.head && q.rows[i-1].offset > offset; i-- {
		q.rows[i-1], q.rows[i] = q.rows[i], q.rows[i-1]
	}
}

// isParked says whether anything waits.
func (q *parked) isParked() bool { return q.head < len(q.rows) }

// reach ends the waits for what is up to the offset, and says whether there were any.
func (q *parked) reach(offset record.Offset) (ended bool) {
	for q.head < len(q.rows) && q.rows[q.head].offset <= offset {
		w := q.rows[q.head]
		q.rows[q.head] = nil
		q.head++
		w.finish(nil)
		ended = true
	}
	return ended
}

// fail ends all waits with the error.
func (q *parked) fail(err error) {
	rows := q.rows[q.head:]
	*q = parked{}
	for _, w := range rows {
		w.finish(err)
	}
}

func (w *Wait) finish(err error) {
	if w.on {
		w.on = false
		w.done(err)
	}
}

// Watcher is a parked fetch, on the lists of all partitions it asked for. It is a level: once notified it looks again at
// everything, and parks anew if it must.
type Watcher struct {
	Notify func()
	over   bool
}

// GiveUp has the watcher never notified again.
func (w *Watcher) GiveUp() { w.over = true }

type watchers struct {
	list  []*Watcher
	limit int // at this length, those that are over are thrown out
}

// watchersMin is the length below which nobody cares.
const watchersMin = 16

// add puts a watcher on the list. Fetches that ended otherwise stay on the lists of quiet partitions until there are as
// many of them as of live ones, so that a list is never much longer than it must be, at amortised constant cost.
func (w *watchers) add(x *Watcher) {
	if len(w.list) >= max(w.limit, watchersMin) {
		w.list = slices.DeleteFunc(w.list, func(x *Watcher) bool { return x.over })
		w.limit = 2 * len(w.list)
	}
	w.list = append(w.list, x)
}

// wakeFor notifies everybody on the list for a reason that a campaign wants to see.
func (w *watchers) wakeFor(probe env.Probe, reason env.Mark) {
	if len(w.list) > 0 {
		probe.Sometimes(reason)
		w.wake()
	}
}

// wake notifies everybody on the list. Who parks again while being notified is on the new list, not on the one walked.
func (w *watchers) wake() {
	if len(w.list) == 0 {
		return
	}
	list := w.list
	w.list = nil
	for _, x := range list {
		if !x.over {
			x.Notify()
		}
	}
	if mutant.On(mutant.LostLongPollWakeup) {
		w.list = nil
	}
}

// Watch has the watcher notified once when consumers may see more, or leadership changed.
func (p *Partition) Watch(x *Watcher) { p.visible.add(x) }

// WatchAppends has the watcher notified once when the log grew (at the end of that step), or when Watch would.
func (p *Partition) WatchAppends(x *Watcher) {
	p.appended.add(x)
	p.visible.add(x)
}
