package disk

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"barnabas/core/env"
)

// TestTheGateKeepsApart: those of one access go in together, those of the other wait, and nobody overtakes who waits.
func TestTheGateKeepsApart(t *testing.T) {
	for a := range accesses {
		g := newGate()
		g.enter(a)
		g.enter(a)
		g.leave(a)
		var in atomic.Bool
		var hands sync.WaitGroup
		hands.Go(func() {
			g.enter(a.other())
			in.Store(true)
			g.leave(a.other())
		})
		for g.door.TryLock() { // until somebody stands in it
			g.door.Unlock()
			if in.Load() {
				t.Fatalf("access %d is inside, and %d went in", a, a.other())
			}
		}
		g.leave(a)
		hands.Wait()
	}
}

// TestACrowdLetsOthersIn: one direct write must get in though cached ones never end.
func TestACrowdLetsOthersIn(t *testing.T) {
	g := newGate()
	done := make(chan struct{})
	var hands sync.WaitGroup
	g.enter(cached)
	for range 2 {
		hands.Go(func() {
			for {
				g.enter(cached) // before the last one has left, so that one is always inside
				select {
				case <-done:
					g.leave(cached)
					return
				default:
					g.leave(cached)
				}
			}
		})
	}
	hands.Go(func() {
		g.enter(direct)
		g.leave(direct)
		close(done)
	})
	g.leave(cached)
	hands.Wait()
}

// TestWhatASyncCleans: only what was written before it began, and only if it succeeded.
func TestWhatASyncCleans(t *testing.T) {
	write := func(g *gate, call func()) {
		g.enter(cached)
		g.soil()
		call()
		g.leave(cached)
	}
	nothing := func() {}
	well := func() error { return nil }
	for _, c := range []struct {
		name  string
		do    func(g *gate)
		dirty bool
	}{
		{"nothing written", func(*gate) {}, false},
		{"written", func(g *gate) { write(g, nothing) }, true},
		{"synced", func(g *gate) { write(g, nothing); _ = g.sync(well) }, false},
		{"sync failed", func(g *gate) { write(g, nothing); _ = g.sync(func() error { return unix.EIO }) }, true},
		{"in progress", func(g *gate) { write(g, func() { _ = g.sync(well) }) }, true},
		{"written meanwhile", func(g *gate) {
			_ = g.sync(func() error { write(g, nothing); return nil })
		}, true},
		{"ended meanwhile", func(g *gate) {
			g.enter(cached)
			g.soil()
			_ = g.sync(func() error { g.leave(cached); return nil })
		}, true},
		{"beside direct writes", func(g *gate) {
			write(g, nothing)
			g.enter(direct)
			_ = g.sync(func() error { g.leave(direct); return nil })
		}, false},
	} {
		g := newGate()
		c.do(g)
		if g.isDirty() != c.dirty {
			t.Errorf("%s: dirty is %v", c.name, !c.dirty)
		}
	}
}

// TestWantOfSpaceAtASync is a loss, and nothing that passes.
func TestWantOfSpaceAtASync(t *testing.T) {
	err := wrap("sync", "f", newGate().sync(func() error { return unix.ENOSPC }))
	if !errors.Is(err, env.ErrIO) || errors.Is(err, env.ErrNoSpace) || !errors.Is(err, unix.ENOSPC) {
		t.Errorf("got %v", err)
	}
}
