package net

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// entering starts to take n bytes and says through the channel when it has them.
func entering(a *account, n int64, gone chan struct{}) chan struct{} {
	has := make(chan struct{})
	go func() {
		a.enter(n, gone)
		close(has)
	}()
	return has
}

// await returns when one waits. Whoever gets memory gets it within the call that gives it, so that a look at who waits is
// enough from there on.
func (b *budget) await(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); b.waiting.Load() != 1; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("nobody waits")
		}
	}
	b.mu.Lock() // what it does before it waits is done
	defer b.mu.Unlock()
}

func (b *budget) oneWaits() bool { return b.waiting.Load() == 1 }

const large = 200 << 10

func TestABudgetHoldsReadersBack(t *testing.T) {
	b := &budget{max: 3 * large}
	var a [4]account
	for i := range a {
		a[i].budget = b
	}
	a[0].enter(2*large, nil)
	a[1].enter(large, nil)
	over := entering(&a[2], large, nil) // the one that may exceed
	<-over
	second := entering(&a[3], large, nil)
	b.await(t)
	if !b.oneWaits() || b.used.Load() != 4*large {
		t.Fatalf("%d bytes are used of %d", b.used.Load(), b.max)
	}
	a[2].enter(large, nil) // and goes on exceeding, so that its frame gets whole
	a[0].leave(large)
	if !b.oneWaits() {
		t.Error("one got memory while more was used than there is")
	}
	a[2].leave(2 * large)
	<-second
	if used := b.used.Load(); used != 3*large {
		t.Errorf("%d bytes are used", used)
	}
}

func TestSmallFramesPassLargeOnes(t *testing.T) {
	b := &budget{max: 8 * large}
	one, two := account{budget: b}, account{budget: b}
	one.enter(8*large, nil)
	one.enter(large, nil) // exceeds
	entering(&two, large, nil)
	b.await(t)
	one.leave(large)
	small := account{budget: b}
	<-entering(&small, 1000, nil)
	if !b.oneWaits() {
		t.Error("the large one has memory")
	}
}

func TestAWaitEndsWithItsConnection(t *testing.T) {
	b := &budget{max: large}
	one, two, three := account{budget: b}, account{budget: b}, account{budget: b}
	one.enter(large, nil)
	two.enter(large, nil)
	gone := make(chan struct{})
	has := entering(&three, large, gone)
	b.await(t)
	close(gone)
	<-has
	three.leave(large)
	two.leave(large)
	one.leave(large)
	if b.used.Load() != 0 || b.waiting.Load() != 0 || b.over != nil || b.exceeded.Load() {
		t.Errorf("something is left: %d bytes, %d wait, %v", b.used.Load(), b.waiting.Load(), b.over)
	}
}

// Many readers whose frames grow piece by piece, far more than there is memory for, all get through, and never do more than
// the budget and one frame exist.
func TestReadersGetThroughTogether(t *testing.T) {
	const most, frame = 1 << 20, 700 << 10
	b := &budget{max: most}
	var group sync.WaitGroup
	var peak atomic.Int64
	for range 40 {
		group.Go(func() {
			a := &account{budget: b}
			for range 5 {
				held := int64(0)
				for size := int64(100 << 10); ; size = min(size*2, frame) {
					a.enter(size, nil)
					a.leave(held)
					held = size
					for used := b.used.Load(); used > peak.Load(); {
						peak.Store(used)
					}
					if size == frame {
						break
					}
				}
				a.leave(held)
			}
		})
	}
	group.Wait()
	if b.used.Load() != 0 || b.waiting.Load() != 0 || len(b.queue) != 0 {
		t.Errorf("%d bytes, %d waiting, %d queued", b.used.Load(), b.waiting.Load(), len(b.queue))
	}
	// While a reader looks whether there is memory, what it asks for is counted for a moment.
	if peak.Load() > most+41*frame {
		t.Errorf("%d bytes at once", peak.Load())
	}
}
