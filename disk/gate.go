package disk

import "sync"

// access is a way to a file's bytes.
type access uint8

const (
	cached access = iota // through the page cache
	direct               // past it, with O_DIRECT
	accesses
)

func (a access) other() access { return accesses - 1 - a }

// gate keeps the writes of one access out of a file while those of the other are in it, and knows whether the page cache
// may hold what the device does not.
//
// The kernel throws the cached pages away that a direct write changes, and writes dirty ones out before. When somebody
// dirties such a page in that very moment it can do neither, and what a reader sees from then on is chance.
type gate struct {
	door    sync.Mutex // held by whoever waits to go in: those who come later wait behind, so nobody waits for ever
	mutex   sync.Mutex
	changed *sync.Cond
	inside  [accesses]int
	dirty   bool
	turn    uint64 // moves when a cached write begins and when it ends
}

func newGate() *gate {
	g := &gate{}
	g.changed = sync.NewCond(&g.mutex)
	return g
}

// enter waits until no write of the other access is in progress.
func (g *gate) enter(a access) {
	g.door.Lock()
	defer g.door.Unlock()
	g.mutex.Lock()
	defer g.mutex.Unlock()
	for g.inside[a.other()] > 0 {
		g.changed.Wait()
	}
	g.inside[a]++
}

func (g *gate) leave(a access) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.inside[a]--
	if a == cached {
		g.turn++
	}
	g.changed.Broadcast()
}

// soil notes that a write which is inside is about to change the page cache.
func (g *gate) soil() {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.dirty = true
	g.turn++
}

func (g *gate) isDirty() bool {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return g.dirty
}

// sync makes the call that brings the page cache to the device. If it succeeded, and no cached write was in progress
// meanwhile, the cache holds nothing else any more.
func (g *gate) sync(call func() error) error {
	g.mutex.Lock()
	turn, quiet := g.turn, g.inside[cached] == 0
	g.mutex.Unlock()
	if err := call(); err != nil {
		return syncFailure{err}
	}
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if quiet && g.turn == turn {
		g.dirty = false
	}
	return nil
}
