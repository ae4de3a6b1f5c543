// Package kernel runs a simulated world: one thread, one seed, virtual time.
//
// The world is a queue of events in virtual nanoseconds. Ties are broken by a keyed hash, so no order is an accident of
// insertion. A Node is a broker or a client: a loop that is stepped with a list of inputs (rule T1), and a CPU model
// that makes it busy for as long as the step was worth. What falls due while a node is busy or paused waits, and comes
// in one list, cut at a keyed length.
//
// Every delivery goes into the digest: time, node, kind and payload. Two runs of one seed have the same digest, or
// something is not deterministic, which is the worst bug a simulator can have.
//
// What it does not do: it knows no disk, no network and no fault. Those are other packages that schedule events here.
package kernel

import (
	"barnabas/core/env"
	"barnabas/core/task"
)

// The streams of the simulator's randomness; each package has its own range of ten.
const (
	streamTie env.Stream = env.StreamSimulator + iota
	streamCut
	streamPick
	streamCost
	streamWork
	StreamDisk      = env.StreamSimulator + 10
	StreamNetwork   = env.StreamSimulator + 20
	StreamFault     = env.StreamSimulator + 30
	StreamWorkload  = env.StreamSimulator + 40
	StreamSwarm     = env.StreamSimulator + 50
	StreamProbe     = env.StreamSimulator + 60
	StreamSecret    = env.StreamSimulator + 70
	StreamDiskFault = env.StreamSimulator + 80
)

// Kernel is one simulated world.
type Kernel struct {
	Random env.Random
	now    task.Instant
	queue  eventHeap
	count  uint64 // events ever scheduled; also the last key of ties
	calls  uint64 // those of them that are functions
	digest Digest
	nodes  []*Node
	halted bool

	// Delivered counts the inputs and timer wake-ups handed to handlers of nodes.
	Delivered uint64
	// AfterStep, if set, is called after every step of a node: the place of per-event oracles.
	AfterStep func(n *Node)
	// Trace, if set, is called with every delivery before it happens; in is nil for a timer.
	Trace func(e Event, in task.Input)
	// OnList, if set, is called when a step gets more than one input.
	OnList func(n *Node)
	// Perturb, if set, is mixed into every payload: the determinism check plants its faults here, to see itself fail.
	Perturb func() uint64
}

// New returns an empty world at instant zero.
func New(random env.Random) *Kernel {
	return &Kernel{Random: random, digest: newDigest()}
}

// Now returns the present virtual time.
func (k *Kernel) Now() task.Instant { return k.now }

// Digest returns the hash of everything delivered so far and everything noted.
func (k *Kernel) Digest() uint64 { return k.digest.Sum() }

// End kills every process. A parked task is a goroutine, and keeps all of its world in memory until then.
func (k *Kernel) End() {
	for _, n := range k.nodes {
		n.Kill()
	}
}

// Note adds a value to the digest: final states, disk images.
func (k *Kernel) Note(values ...uint64) {
	for _, v := range values {
		k.digest.Add(v)
	}
}

// At has f called at when, or now if when is past. Events of one instant run in the order of a keyed hash.
func (k *Kernel) At(when task.Instant, f func()) {
	k.count++
	k.calls++
	k.queue.push(event{when: max(when, k.now), tie: k.Random.Uint64(streamTie, k.calls), count: k.count, run: f})
}

// Run runs events until the instant; events at it included. It says whether any are left.
func (k *Kernel) Run(until task.Instant) bool {
	for len(k.queue.keys) > 0 && k.queue.keys[0].when <= until && !k.halted {
		e := k.queue.pop()
		k.now = e.when
		if e.node != nil {
			e.node.wake(e)
		} else {
			e.run()
		}
	}
	if k.halted {
		return false
	}
	k.now = max(k.now, until)
	return len(k.queue.keys) > 0
}

// Halt stops the world in the present moment, once and for all.
func (k *Kernel) Halt() { k.halted = true }

// Event is a delivery as the digest knows it.
type Event struct {
	At      task.Instant
	Payload uint64
	Node    int32
	Kind    Kind
}

// event is one thing to come: a function, or an input for a node.
type event struct {
	when  task.Instant
	tie   uint64
	count uint64
	run   func()
	node  *Node
	life  int
	input delivery
}

// eventHeap holds events by (when, tie, count). The heap itself is one of keys, 4-ary: shallower than a binary one, and
// cheaper for queues of this size; the events, which are large, stay where they are until they are taken.
type eventHeap struct {
	keys   []eventKey
	events []event
	free   []int32 // places of events that were taken
}

type eventKey struct {
	when  task.Instant
	tie   uint64
	count uint64
	at    int32
}

func (a *eventKey) before(b *eventKey) bool {
	if a.when != b.when {
		return a.when < b.when
	}
	if a.tie != b.tie {
		return a.tie < b.tie
	}
	return a.count < b.count
}

func (h *eventHeap) push(e event) {
	key := eventKey{e.when, e.tie, e.count, int32(len(h.events))}
	if last := len(h.free) - 1; last >= 0 {
		key.at = h.free[last]
		h.free = h.free[:last]
		h.events[key.at] = e
	} else {
		h.events = append(h.events, e)
	}
	h.keys = append(h.keys, key)
	s, i := h.keys, len(h.keys)-1
	for i > 0 {
		parent := (i - 1) / 4
		if !key.before(&s[parent]) {
			break
		}
		s[i] = s[parent]
		i = parent
	}
	s[i] = key
}

func (h *eventHeap) pop() event {
	s := h.keys
	first, last := s[0].at, len(s)-1
	key := s[last]
	s = s[:last]
	h.keys = s
	for i := 0; last > 0; {
		least, with := i, &key
		for child := 4*i + 1; child <= 4*i+4 && child < last; child++ {
			if s[child].before(with) {
				least, with = child, &s[child]
			}
		}
		if least == i {
			s[i] = key
			break
		}
		s[i] = s[least]
		i = least
	}
	e := h.events[first]
	h.events[first] = event{}
	h.free = append(h.free, first)
	return e
}
