package kernel

import (
	"time"

	"barnabas/core/task"
)

// Work is env.Work of the node's present process. It is done when it completes, a while later, so that whoever gives up
// too early what it reads is found out.
func (n *Node) Work() Work { return Work{n} }

// Work has one place.
type Work struct{ node *Node }

// Places returns 1.
func (Work) Places() int { return 1 }

// Enter returns the one place.
func (Work) Enter() int { return 0 }

// Leave does nothing.
func (Work) Leave(int) {}

// workMax is the longest that a piece of work takes.
const workMax = 5 * time.Millisecond

// Do has f called after a while.
func (w Work) Do(f func(place int)) *task.Pending[task.Done] {
	n := w.node
	took := time.Duration(n.Kernel.Random.Below(uint64(workMax), streamWork, n.Key, uint64(n.Kernel.now)))
	done := task.NewPending[task.Done](n.loop)
	n.Deliver(n.Kernel.now.Add(took), KindWork, true, 0, worked{f, done})
	return done
}

type worked struct {
	f    func(place int)
	done *task.Pending[task.Done]
}

func (w worked) Happen() {
	w.f(0)
	w.done.Complete(task.Done{}, nil)
}
