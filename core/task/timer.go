package task

import "barnabas/core/assert"

// Timer is one call at one instant.
type Timer struct {
	when     Instant
	sequence uint64
	fire     func()
	at       int // place in the heap, or -1
	heap     *timerHeap
}

// At has fire called in the first step at or after when. Timers due in one step fire by instant, then in the order
// they were set.
func (l *Loop) At(when Instant, fire func()) *Timer {
	l.timerSequence++
	t := &Timer{when: when, sequence: l.timerSequence, fire: fire, heap: &l.timers}
	l.timers.push(t)
	return t
}

// Arm sets a timer that is not set, as At does, without making one. t may be a timer's zero value.
func (l *Loop) Arm(t *Timer, when Instant, fire func()) {
	assert.That(!t.IsSet(), "a timer is set once at a time")
	l.timerSequence++
	*t = Timer{when: when, sequence: l.timerSequence, fire: fire, heap: &l.timers}
	l.timers.push(t)
}

// IsSet says whether the timer will fire.
func (t *Timer) IsSet() bool { return t != nil && t.heap != nil && t.at >= 0 }

// Stop keeps the timer from firing. Stopping a nil timer, or one that has fired, does nothing.
func (t *Timer) Stop() {
	if t.IsSet() {
		t.heap.remove(t.at)
	}
}

// fireTimers fires the timers that were due when it began; one that fire sets for now waits for the next step, so a
// step ends.
func (l *Loop) fireTimers() {
	last := l.timerSequence
	for len(l.timers.items) > 0 {
		t := l.timers.items[0]
		if t.when > l.now || t.sequence > last {
			return
		}
		l.timers.remove(0)
		t.fire()
		l.runContinuations()
	}
}

// timerHeap is a binary heap ordered by (when, sequence).
type timerHeap struct{ items []*Timer }

func (h *timerHeap) deadline() Instant {
	if len(h.items) == 0 {
		return Never
	}
	return h.items[0].when
}

func (h *timerHeap) less(i, j int) bool {
	a, b := h.items[i], h.items[j]
	if a.when != b.when {
		return a.when < b.when
	}
	return a.sequence < b.sequence
}

func (h *timerHeap) swap(i, j int) {
	h.items[i], h.items[j] = h.items[j], h.items[i]
	h.items[i].at, h.items[j].at = i, j
}

func (h *timerHeap) push(t *Timer) {
	t.at = len(h.items)
	h.items = append(h.items, t)
	h.up(t.at)
}

func (h *timerHeap) remove(i int) {
	last := len(h.items) - 1
	gone := h.items[i]
	if i != last {
		h.swap(i, last)
	}
	h.items[last] = nil
	h.items = h.items[:last]
	gone.at = -1
	if i != last {
		h.down(i)
		h.up(i)
	}
}

func (h *timerHeap) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !h.less(i, parent) {
			return
		}
		h.swap(i, parent)
		i = parent
	}
}

func (h *timerHeap) down(i int) {
	for {
		child := 2*i + 1
		if child >= len(h.items) {
			return
		}
		if child+1 < len(h.items) && h.less(child+1, child) {
			child++
		}
		if !h.less(child, i) {
			return
		}
		h.swap(i, child)
		i = child
	}
}
