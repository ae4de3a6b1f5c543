package host

import (
	"runtime"

	"barnabas/core/task"
)

// work is env.Work on goroutines, as many at once as there are processors.
type work struct {
	host   *Host
	places chan int
}

func newWork(h *Host) *work {
	n := runtime.GOMAXPROCS(0)
	w := &work{h, make(chan int, n)}
	for i := range n {
		w.places <- i
	}
	return w
}

func (w *work) Places() int     { return cap(w.places) }
func (w *work) Enter() int      { return <-w.places }
func (w *work) Leave(place int) { w.places <- place }

// Do runs f on a goroutine of its own. The host's end does not wait for it: what it completes then reaches nobody.
func (w *work) Do(f func(place int)) *task.Pending[task.Done] {
	done := task.NewPending[task.Done](w.host.loop)
	go func() {
		place := w.Enter()
		f(place)
		w.Leave(place)
		w.host.Post(Call(func() { done.Complete(task.Done{}, nil) }), true)
	}()
	return done
}
