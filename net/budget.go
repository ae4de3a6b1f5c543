package net

import (
	"sync"
	"sync/atomic"
	"time"
)

// budget bounds the memory of all received frames together: those that are half there, and those that the loop has not
// released. A reader that finds nothing left waits, so its socket is not read, and TCP holds the peer back.
//
// Half-received frames hold what others wait for, so a budget alone could stop for ever. Therefore one reader at a time
// may exceed it, until its frame was released or dropped: the total is bounded by the budget and one frame. Small frames
// have an eighth more, so that they pass where large ones wait.
type budget struct {
	max     int64 // 0: no bound
	used    atomic.Int64
	waiting atomic.Int32

	mu    sync.Mutex
	queue []*waiter // in the order they came
	over  *account  // who may exceed

	exceeded atomic.Bool // over is not nil
}

// account is what one connection holds.
type account struct {
	budget *budget
	held   atomic.Int64
}

// waiter is a reader that waits for so many bytes.
type waiter struct {
	account *account
	bytes   int64
	ready   chan struct{}
}

// smallBytes is the size of frames that pass where larger ones wait.
const smallBytes = 64 << 10

// enter takes n bytes, or waits for them until gone is closed; then it takes them all the same, since the connection ends.
// It says how long it waited.
func (a *account) enter(n int64, gone <-chan struct{}) (waited time.Duration) {
	b := a.budget
	a.held.Add(n)
	used := b.used.Add(n)
	if b.max == 0 || used <= b.max && b.waiting.Load() == 0 || n <= smallBytes && used <= b.max+b.max/8 {
		return 0
	}
	begun := time.Now()
	b.waiting.Add(1) // before the memory is given back, so that whoever gives some sees it
	b.used.Add(-n)
	b.mu.Lock()
	if b.over == a { // its frame must get whole, so it waits for nobody
		b.used.Add(n)
		b.waiting.Add(-1)
		b.mu.Unlock()
		return 0
	}
	w := &waiter{a, n, make(chan struct{})}
	b.queue = append(b.queue, w)
	b.grant()
	b.mu.Unlock()
	select {
	case <-w.ready:
	case <-gone:
		b.mu.Lock()
		for i, other := range b.queue {
			if other == w {
				b.queue = append(b.queue[:i], b.queue[i+1:]...)
				b.waiting.Add(-1)
				b.used.Add(n)
				break
			}
		}
		b.mu.Unlock()
	}
	return time.Since(begun)
}

// grant gives those that wait what there is, in their order. Requires: b.mu is held.
func (b *budget) grant() {
	for len(b.queue) > 0 {
		w := b.queue[0]
		if b.used.Load()+w.bytes > b.max {
			if b.over != nil {
				return
			}
			b.over = w.account
			b.exceeded.Store(true)
		}
		b.queue[0] = nil
		b.queue = b.queue[1:]
		b.used.Add(w.bytes)
		b.waiting.Add(-1)
		close(w.ready)
	}
}

// add takes n bytes without waiting.
func (a *account) add(n int64) {
	a.held.Add(n)
	a.budget.used.Add(n)
}

// leave gives n bytes back.
func (a *account) leave(n int64) {
	b := a.budget
	empty := a.held.Add(-n) == 0
	b.used.Add(-n)
	if b.waiting.Load() > 0 || empty && b.exceeded.Load() {
		b.settle(a, empty)
	}
}

// settle ends an account's right to exceed when it holds nothing, and gives on what was given back.
func (b *budget) settle(a *account, empty bool) {
	b.mu.Lock()
	if empty && b.over == a {
		b.over = nil
		b.exceeded.Store(false)
	}
	b.grant()
	b.mu.Unlock()
}
