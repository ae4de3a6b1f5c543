package task

import (
	"errors"
	"strings"
	"testing"
)

func TestKillUnwindsTasksInStartOrder(t *testing.T) {
	var n notes
	l := NewLoop(0, func(n int) int { return n - 1 })
	p := NewPending[Done](l)
	s := NewSignal(l)
	waits := map[string]func(t *Task){
		"pending": func(t *Task) { _, _ = p.Wait(t) },
		"signal":  func(t *Task) { s.Wait(t, 100) },
		"sleep":   func(t *Task) { t.Sleep(100) },
	}
	for _, name := range []string{"pending", "signal", "sleep"} {
		l.Go(name, func(t *Task) {
			defer n.add("unwound " + name)
			waits[name](t)
			n.add("went on " + name)
		})
	}
	l.Step(0, nil, nil)
	l.Go("never begun", func(*Task) { n.add("begun") })
	l.AtStepEnd(func() { n.add("hook") })
	l.Kill()
	n.want(t, "unwound pending", "unwound signal", "unwound sleep")

	l.Kill() // once is enough
	p.Complete(Done{}, nil)
	s.Raise()
	l.Go("after", func(*Task) { n.add("after") })
	l.Step(200, inputs(func() { n.add("input") }), nil)
	n.want(t)
	if !l.Dead() {
		t.Error("the loop is not dead")
	}
}

func TestADeferredFunctionThatWaitsIsUnwoundToo(t *testing.T) {
	var n notes
	l := NewLoop(0, nil)
	l.Go("task", func(t *Task) {
		defer n.add("outer")
		defer func() {
			n.add("inner")
			t.Sleep(5)
			n.add("slept while unwinding")
		}()
		t.Sleep(10)
	})
	l.Step(0, nil, nil)
	l.Kill()
	n.want(t, "inner", "outer")
}

//go:noinline
func theCulprit() { panic(errors.New("it broke")) }

func TestAPanicKeepsItsStack(t *testing.T) {
	l := NewLoop(0, nil)
	l.Go("the task", func(t *Task) {
		t.Sleep(1)
		theCulprit()
	})
	l.Step(0, nil, nil)
	defer func() {
		p, ok := recover().(*Panic)
		if !ok {
			t.Fatal("the step goes on")
		}
		if p.Task != "the task" || p.Cause.(error).Error() != "it broke" || !strings.Contains(p.Stack, "theCulprit") {
			t.Errorf("%+v", p)
		}
		for _, want := range []string{"the task", "it broke", "theCulprit"} {
			if !strings.Contains(p.Error(), want) {
				t.Errorf("the text says nothing of %q", want)
			}
		}
	}()
	l.Step(1, nil, nil)
}

func TestOnlyTheRunningTaskWaits(t *testing.T) {
	l := NewLoop(0, nil)
	var other *Task
	l.Go("first", func(t *Task) {
		other = t
		t.Sleep(10)
	})
	l.Go("second", func(*Task) { other.Sleep(5) })
	broken(t, "only a running task waits", func() { l.Step(0, nil, nil) })
}
