package task

import "barnabas/core/assert"

// Done is the value of an operation that only succeeds or fails.
type Done struct{}

// Pending is the outcome of an operation that has been started. It completes exactly once, also when nobody waits for
// it. Until then the operation owns the buffers it was given.
type Pending[T any] struct {
	loop   *Loop
	done   bool
	value  T
	err    error
	then   []func(T, error)
	waiter *Task
}

// NewPending returns an outcome that has not come yet.
func NewPending[T any](l *Loop) *Pending[T] { return &Pending[T]{loop: l} }

// Completed returns an outcome that is there already.
func Completed[T any](l *Loop, value T, err error) *Pending[T] {
	return &Pending[T]{loop: l, done: true, value: value, err: err}
}

// Complete sets the outcome. Continuations are queued and the waiting task becomes ready; neither runs in here.
// Requires: called on the loop, once.
func (p *Pending[T]) Complete(value T, err error) {
	assert.That(!p.done, "an operation completes once")
	p.done, p.value, p.err = true, value, err
	for _, f := range p.then {
		p.loop.Later(func() { f(value, err) })
	}
	p.then = nil
	if p.waiter != nil {
		p.loop.makeReady(p.waiter)
		p.waiter = nil
	}
}

// Then has f called with the outcome, once it is there, as a continuation of the loop.
func (p *Pending[T]) Then(f func(T, error)) {
	if p.done {
		value, err := p.value, p.err
		p.loop.Later(func() { f(value, err) })
		return
	}
	p.then = append(p.then, f)
}

// IsDone says whether the outcome is there.
func (p *Pending[T]) IsDone() bool { return p.done }

// Wait suspends the task until the outcome is there, and returns it. At most one task waits for one outcome.
func (p *Pending[T]) Wait(t *Task) (T, error) {
	for !p.done {
		assert.That(p.waiter == nil || p.waiter == t, "one task waits for an outcome")
		p.waiter = t
		t.park()
	}
	return p.value, p.err
}

// Signal wakes one task. It is a level, not an edge: a notification that comes while nobody waits is remembered, so no
// wake-up is lost.
type Signal struct {
	loop   *Loop
	raised bool
	waiter *Task
}

// NewSignal returns a signal that is not raised.
func NewSignal(l *Loop) *Signal { return &Signal{loop: l} }

// Raise wakes the waiting task, or the next one to wait.
func (s *Signal) Raise() {
	s.raised = true
	if s.waiter != nil {
		s.loop.makeReady(s.waiter)
		s.waiter = nil
	}
}

// Wait suspends the task until the signal is raised or the deadline passes, lowers the signal, and says whether it was
// raised.
func (s *Signal) Wait(t *Task, deadline Instant) bool {
	if !s.raised {
		assert.That(s.waiter == nil, "one task waits for a signal")
		s.waiter = t
		var timer *Timer
		if deadline != Never {
			timer = s.loop.At(deadline, func() {
				if s.waiter == t {
					s.waiter = nil
					s.loop.makeReady(t)
				}
			})
		}
		t.park()
		timer.Stop()
	}
	raised := s.raised
	s.raised = false
	return raised
}
