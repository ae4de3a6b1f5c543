package task

import (
	"fmt"
	"time"

	"barnabas/core/assert"
)

// Instant is a point of monotonic time in nanoseconds since the host's own zero. It never goes back.
type Instant int64

// Add returns the instant d later.
func (i Instant) Add(d time.Duration) Instant { return i + Instant(d) }

// Sub returns the time from j to i.
func (i Instant) Sub(j Instant) time.Duration { return time.Duration(i - j) }

// Never is later than every instant.
const Never Instant = 1<<63 - 1

// Input is one thing that happened outside the loop and now reaches it.
type Input interface {
	// Happen applies the input to the loop's state. It runs inside a step and does not wait.
	Happen()
}

// Loop orders everything of one broker. It is not safe for concurrent use: its host calls it from one goroutine.
type Loop struct {
	now           Instant
	ready         []*Task
	tasks         []*Task // every live task, in start order
	continuations []func()
	timers        timerHeap
	timerSequence uint64
	hooks         []func()
	pick          func(n int) int // which of n ready tasks goes next; nil means first in first out
	dead          bool
	stepping      bool
	current       *Task
	started       uint64
}

// NewLoop returns a loop whose time is now. pick chooses among n ready tasks (n ≥ 2); nil takes the first.
func NewLoop(now Instant, pick func(n int) int) *Loop {
	return &Loop{now: now, pick: pick}
}

// Now returns the time of the present step. It stands still within a step.
func (l *Loop) Now() Instant { return l.now }

// Dead says whether the loop was killed.
func (l *Loop) Dead() bool { return l.dead }

// AtStepEnd registers a hook that runs at the end of every step, in the order of registration. Hooks make effects leave;
// they may not wait and may not make tasks ready.
func (l *Loop) AtStepEnd(hook func()) { l.hooks = append(l.hooks, hook) }

// Later queues f to run in this step, or at the start of the next one when called between steps.
func (l *Loop) Later(f func()) { l.continuations = append(l.continuations, f) }

// Step handles what happened until now: completions, arrivals, due timers, ready tasks, hooks (rule T1).
// A panic of a task comes out of Step as a *Panic with the task's own stack.
func (l *Loop) Step(now Instant, completions, arrivals []Input) {
	if l.dead {
		return
	}
	assert.That(!l.stepping, "a step does not start inside a step")
	assert.That(now >= l.now, "time does not go back")
	l.stepping = true
	l.now = now
	l.happen(completions)
	l.happen(arrivals)
	l.fireTimers()
	l.runReady()
	for _, hook := range l.hooks {
		hook()
	}
	l.stepping = false
}

// happen applies inputs one by one; each one's continuations run before the next input, so that input order is the
// only order.
func (l *Loop) happen(inputs []Input) {
	l.runContinuations()
	for _, in := range inputs {
		in.Happen()
		l.runContinuations()
	}
}

// stepMost is how much one input may bring about within a step. What brings about itself again and again would otherwise go on
// until there is no memory left, and time stands still meanwhile.
const stepMost = 1 << 22

func (l *Loop) runContinuations() {
	for i := 0; i < len(l.continuations); i++ {
		assert.That(i < stepMost, "a step ends")
		l.continuations[i]()
		l.continuations[i] = nil
	}
	l.continuations = l.continuations[:0]
}

func (l *Loop) runReady() {
	l.runContinuations()
	for n := 0; len(l.ready) > 0 && !l.dead; n++ {
		assert.That(n < stepMost, "a step ends")
		at := 0
		if l.pick != nil && len(l.ready) > 1 {
			at = l.pick(len(l.ready))
		}
		t := l.ready[at]
		l.ready = append(l.ready[:at], l.ready[at+1:]...)
		l.resume(t)
		l.runContinuations()
	}
}

// Busy says whether a step now would find work without any input: continuations or tasks queued between steps.
func (l *Loop) Busy() bool { return len(l.continuations) > 0 || len(l.ready) > 0 }

// NextDeadline returns when the earliest timer is due, or Never.
func (l *Loop) NextDeadline() Instant {
	if l.Busy() {
		return l.now
	}
	return l.timers.deadline()
}

// Kill ends the loop: nothing runs on it any more (rule T3). The host first makes the loop's world inert, so that what
// the unwinding tasks' deferred functions do has no effect. Tasks unwind in start order.
func (l *Loop) Kill() {
	if l.dead {
		return
	}
	l.dead = true
	for len(l.tasks) > 0 {
		t := l.tasks[0]
		l.tasks = l.tasks[1:]
		t.stop()
	}
	l.ready, l.continuations, l.hooks, l.timers = nil, nil, nil, timerHeap{}
}

// Panic is what a step panics with when one of its tasks did: the cause and the stack where it happened, which
// iter.Pull would lose.
type Panic struct {
	Task  string
	Cause any
	Stack string
}

func (p *Panic) Error() string { return fmt.Sprintf("task %s: %v\n%s", p.Task, p.Cause, p.Stack) }
