package task

import (
	"iter"
	"runtime/debug"

	"barnabas/core/assert"
)

// Task is one strand of sequential work on a loop.
type Task struct {
	loop   *Loop
	name   string
	next   func() (struct{}, bool)
	stop   func()
	yield  func(struct{}) bool
	failed *Panic
	queued bool
	number uint64
}

// killed is what a task that waits panics with when its loop is killed; the task's root swallows it.
type killed struct{}

// Go starts story as a task. It first runs later in the present step, or in the next step when called between steps.
// The name appears in panics.
func (l *Loop) Go(name string, story func(t *Task)) *Task {
	t := &Task{loop: l, name: name, number: l.started}
	l.started++
	if l.dead {
		return t
	}
	t.next, t.stop = iter.Pull(func(yield func(struct{}) bool) {
		t.yield = yield
		defer t.recoverAtRoot()
		story(t)
	})
	l.tasks = append(l.tasks, t)
	l.makeReady(t)
	return t
}

// recoverAtRoot is the only recover of core (rule T3): it keeps the stack of a panic and ends a killed task quietly.
func (t *Task) recoverAtRoot() {
	switch cause := recover().(type) {
	case nil, killed:
	case *Panic:
		t.failed = cause
	default:
		t.failed = &Panic{Task: t.name, Cause: cause, Stack: string(debug.Stack())}
	}
}

// Loop returns the loop the task runs on.
func (t *Task) Loop() *Loop { return t.loop }

// Name returns the name the task was started under.
func (t *Task) Name() string { return t.name }

func (l *Loop) makeReady(t *Task) {
	if l.dead || t.queued {
		return
	}
	t.queued = true
	l.ready = append(l.ready, t)
}

func (l *Loop) resume(t *Task) {
	t.queued = false
	l.current = t
	_, alive := t.next()
	l.current = nil
	if alive {
		return
	}
	for i, other := range l.tasks {
		if other == t {
			l.tasks = append(l.tasks[:i], l.tasks[i+1:]...)
			break
		}
	}
	if t.failed != nil {
		panic(t.failed)
	}
}

// park gives the loop back until somebody makes the task ready. It panics with killed when the loop is killed.
func (t *Task) park() {
	assert.That(t.loop.current == t || t.loop.dead, "only a running task waits")
	if t.loop.dead || !t.yield(struct{}{}) {
		panic(killed{})
	}
}

// Yield lets every other ready task and the next step's inputs go first. Long work calls it between pieces (rule T2).
func (t *Task) Yield() {
	t.loop.At(t.loop.now, func() { t.loop.makeReady(t) })
	t.park()
}

// Sleep waits until the instant.
func (t *Task) Sleep(until Instant) {
	t.loop.At(until, func() { t.loop.makeReady(t) })
	t.park()
}
