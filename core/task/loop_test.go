package task

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"barnabas/core/assert"
)

// notes is what happened, in order.
type notes []string

func (n *notes) add(s string) { *n = append(*n, s) }

func (n *notes) want(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(*n, want) {
		t.Errorf("got  %v\nwant %v", *n, want)
	}
	*n = nil
}

type input func()

func (f input) Happen() { f() }

func inputs(f ...func()) (in []Input) {
	for _, one := range f {
		in = append(in, input(one))
	}
	return in
}

// broken expects an assertion to stop f.
func broken(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		cause := recover()
		if p, ok := cause.(*Panic); ok {
			cause = p.Cause
		}
		if failure, ok := cause.(assert.Failure); !ok || !strings.Contains(failure.Text, want) {
			t.Errorf("stopped with %v, want %q", cause, want)
		}
	}()
	f()
}

func TestAStepHasOneOrder(t *testing.T) {
	var n notes
	l := NewLoop(0, nil)
	l.AtStepEnd(func() { n.add("first hook") })
	l.AtStepEnd(func() { n.add("second hook") })
	l.Go("task", func(*Task) {
		n.add("task")
		l.Later(func() { n.add("continuation of the task") })
	})
	l.At(5, func() {
		n.add("timer")
		l.Later(func() { n.add("continuation of the timer") })
	})
	l.Later(func() { n.add("from between the steps") })
	if !l.Busy() {
		t.Error("a loop with a ready task is not busy")
	}
	l.Step(5, inputs(func() {
		n.add("completion")
		l.Later(func() { n.add("continuation of the completion") })
		l.Go("late", func(*Task) { n.add("late task") })
	}, func() { n.add("second completion") }),
		inputs(func() { n.add("arrival") }, func() { n.add("second arrival") }))
	n.want(t, "from between the steps", "completion", "continuation of the completion", "second completion", "arrival",
		"second arrival", "timer", "continuation of the timer", "task", "continuation of the task", "late task",
		"first hook", "second hook")
	if l.Busy() || l.NextDeadline() != Never {
		t.Error("an idle loop is busy")
	}
}

func TestAContinuationNeverRunsInsideACompletion(t *testing.T) {
	var n notes
	l := NewLoop(0, nil)
	p := NewPending[int](l)
	p.Then(func(v int, err error) { n.add("then") })
	p.Then(func(v int, err error) { n.add("also then") })
	l.Go("waiter", func(t *Task) {
		if v, err := p.Wait(t); v != 7 || err != nil {
			n.add("wrong value")
		}
		n.add("waiter")
	})
	l.Step(0, nil, nil)
	l.Step(1, inputs(func() {
		p.Complete(7, nil)
		n.add("completed")
		p.Then(func(int, error) { n.add("then, when it was there") })
	}), nil)
	n.want(t, "completed", "then", "also then", "then, when it was there", "waiter")
	if !p.IsDone() {
		t.Error("it is not done")
	}
}

// What brings about itself within a step would go on for ever, unseen by all that counts time.
func TestAStepEnds(t *testing.T) {
	broken(t, "a step ends", func() {
		l := NewLoop(0, nil)
		var again func()
		again = func() { l.Later(again) }
		l.Later(again)
		l.Step(1, nil, nil)
	})
	broken(t, "a step ends", func() {
		l := NewLoop(0, nil)
		here, there := NewSignal(l), NewSignal(l)
		play := func(mine, other *Signal) func(*Task) {
			return func(t *Task) {
				for {
					other.Raise()
					mine.Wait(t, Never)
				}
			}
		}
		l.Go("ping", play(here, there))
		l.Go("pong", play(there, here))
		l.Step(1, nil, nil)
	})
}

func TestAnOperationCompletesOnce(t *testing.T) {
	l := NewLoop(0, nil)
	p := NewPending[Done](l)
	p.Complete(Done{}, nil)
	broken(t, "completes once", func() { p.Complete(Done{}, nil) })
	broken(t, "completes once", func() { Completed(l, 1, nil).Complete(2, nil) })
}

func TestOneTaskWaitsForAnOutcome(t *testing.T) {
	l := NewLoop(0, nil)
	p := NewPending[Done](l)
	wait := func(t *Task) { _, _ = p.Wait(t) }
	l.Go("first", wait)
	l.Go("second", wait)
	broken(t, "one task waits", func() { l.Step(0, nil, nil) })
}

func TestWhatIsThereIsNotWaitedFor(t *testing.T) {
	var n notes
	l := NewLoop(0, nil)
	l.Go("task", func(t *Task) {
		if v, _ := Completed(l, 3, nil).Wait(t); v == 3 {
			n.add("went on")
		}
	})
	l.Step(0, nil, nil)
	n.want(t, "went on")
}

func TestASignalIsALevel(t *testing.T) {
	var n notes
	l := NewLoop(0, nil)
	s := NewSignal(l)
	s.Raise()
	s.Raise()
	l.Go("waiter", func(t *Task) {
		for {
			if s.Wait(t, l.Now()+10) {
				n.add("raised")
			} else {
				n.add("deadline")
			}
		}
	})
	l.Step(0, nil, nil)
	n.want(t, "raised") // once, though it was raised twice before anybody waited
	l.Step(9, nil, nil)
	n.want(t)
	l.Step(10, nil, nil)
	n.want(t, "deadline")
	l.Step(11, inputs(s.Raise), nil)
	n.want(t, "raised")
	// Raised in the step of the deadline it counts as raised, and is not there a second time.
	l.Step(21, nil, inputs(s.Raise))
	n.want(t, "raised")
	l.Step(30, nil, nil)
	n.want(t)
	if l.NextDeadline() != 31 {
		t.Errorf("next deadline %d: a timer of an old wait is left", l.NextDeadline())
	}
}

func TestTheDeadlineOfAnOldWaitWakesNobody(t *testing.T) {
	var n notes
	l := NewLoop(0, nil)
	s := NewSignal(l)
	l.Go("waiter", func(t *Task) {
		n.add(fmt.Sprint(s.Wait(t, 10), l.Now()))
		n.add(fmt.Sprint(s.Wait(t, 15), l.Now()))
	})
	l.Step(0, nil, nil)
	l.Step(5, inputs(s.Raise), nil)
	if l.NextDeadline() != 15 {
		t.Errorf("next deadline %d", l.NextDeadline())
	}
	l.Step(10, nil, nil)
	l.Step(15, nil, nil)
	n.want(t, "true 5", "false 15")
}

func TestTimeStandsStillInAStepAndNeverGoesBack(t *testing.T) {
	l := NewLoop(3, nil)
	l.Step(8, inputs(func() {
		if l.Now() != 8 {
			t.Errorf("now %d", l.Now())
		}
	}), nil)
	broken(t, "time does not go back", func() { l.Step(7, nil, nil) })
	broken(t, "inside a step", func() { l.Step(8, inputs(func() { l.Step(9, nil, nil) }), nil) })
}

func TestReadyTasksRunAsTheyArePicked(t *testing.T) {
	for _, c := range []struct {
		name string
		pick func(int) int
		want []string
	}{
		{"in order", nil, []string{"a", "b", "c", "a", "b", "c"}},
		{"the last one first", func(n int) int { return n - 1 }, []string{"c", "b", "a", "a", "b", "c"}}, // they are ready again in the order they yielded
	} {
		var n notes
		l := NewLoop(0, c.pick)
		for _, name := range []string{"a", "b", "c"} {
			l.Go(name, func(t *Task) {
				n.add(t.Name())
				t.Yield()
				n.add(t.Name())
			})
		}
		l.Step(0, nil, nil)
		if len(n) != 3 {
			t.Errorf("%s: a task that yields goes on in the same step: %v", c.name, n)
		}
		if l.NextDeadline() != 0 {
			t.Errorf("%s: yielding tasks ask for a step at %d", c.name, l.NextDeadline())
		}
		l.Step(0, nil, nil)
		n.want(t, c.want...)
	}
}

func TestPickChoosesAmongTwoOrMoreOnly(t *testing.T) {
	var asked []int
	l := NewLoop(0, func(n int) int {
		asked = append(asked, n)
		return 1
	})
	for range 4 {
		l.Go("task", func(*Task) {})
	}
	l.Step(0, nil, nil)
	if !slices.Equal(asked, []int{4, 3, 2}) {
		t.Errorf("asked %v", asked)
	}
}
