package env

import "barnabas/core/task"

// Work is computing that takes long, apart from the loop: opening compressed records, compressing them anew. It is pure,
// as Inspect is: it reads and writes what it was given, and nothing else.
//
// A few places bound how much of it goes on at once, and so the memory it takes. What is needed for it (a decompressor) is
// kept by place: a place belongs to one user at a time.
type Work interface {
	// Places returns how many places there are.
	Places() int
	// Enter waits for a place and returns its number, counted from 0, which is the caller's until Leave. It is for what
	// runs before the loop; the loop itself never calls it.
	Enter() int
	Leave(place int)
	// Do has f called at a place, apart from the loop, and completes when it has returned. Until then f owns what it was
	// given.
	Do(f func(place int)) *task.Pending[task.Done]
}

// Inline is Work of one place in a world of one thread: it is done before Do returns.
type Inline struct{ Loop *task.Loop }

// Places returns 1.
func (Inline) Places() int { return 1 }

// Enter returns the one place.
func (Inline) Enter() int { return 0 }

// Leave does nothing.
func (Inline) Leave(int) {}

// Do calls f.
func (w Inline) Do(f func(place int)) *task.Pending[task.Done] {
	f(0)
	return task.Completed(w.Loop, task.Done{}, nil)
}
