package kernel

import (
	"runtime/debug"
	"time"

	"barnabas/core/task"
)

// Kind is what kind of thing reached a node.
type Kind uint8

// String returns the kind's name.
func (k Kind) String() string {
	return [...]string{"timer", "disk", "bytes", "connection", "control", "work"}[k]
}

// The kinds of deliveries.
const (
	KindTimer Kind = iota
	KindDisk
	KindBytes
	KindConnection
	KindControl
	KindWork
)

// delivery is one input on its way, with what the digest needs of it.
type delivery struct {
	kind       Kind
	completion bool
	payload    uint64
	input      task.Input
}

// Node is one process slot of the world: a broker or a client. Its process may die and be replaced; the slot stays.
type Node struct {
	ID     int
	Key    uint64 // of its draws: its ID, unless it is to keep them when other nodes come and go
	Kernel *Kernel
	// Cost is the CPU time of a step: a base and so much for every input.
	CostBase, CostInput time.Duration
	// ListMax bounds how many inputs one step gets; the cut is keyed below it.
	ListMax int
	// EndOfStep is called after every step, before anything else happens: the place where effects leave.
	EndOfStep func()
	// Crashed is called when a step panicked, with what it panicked with and where. The process is dead then. Nil: the
	// panic goes on.
	Crashed func(cause any, stack string)

	loop      *task.Loop
	life      int // incarnation; deliveries to an older one vanish
	waiting   []delivery
	complete  []task.Input // of the present step; reused
	arrive    []task.Input
	busyUntil task.Instant
	stepAt    task.Instant // when the next step is scheduled, or Never
	paused    bool
}

// Add makes a node without a process.
func (k *Kernel) Add() *Node {
	n := &Node{
		ID: len(k.nodes), Key: uint64(len(k.nodes)), Kernel: k, ListMax: 16, stepAt: task.Never,
		CostBase: 2 * time.Microsecond, CostInput: 3 * time.Microsecond,
	}
	k.nodes = append(k.nodes, n)
	return n
}

// Start gives the node a new process and returns its loop. Requires: no process runs.
func (n *Node) Start() *task.Loop {
	n.life++
	n.waiting = n.waiting[:0]
	n.busyUntil, n.stepAt, n.paused = n.Kernel.now, task.Never, false
	var picks uint64
	var pickedAt task.Instant
	n.loop = task.NewLoop(n.Kernel.now, func(count int) int {
		if n.Kernel.now != pickedAt {
			pickedAt, picks = n.Kernel.now, 0
		}
		picks++
		return int(n.Kernel.Random.Below(uint64(count), streamPick, n.Key, uint64(pickedAt), picks))
	})
	n.Poke()
	return n.loop
}

// Life returns the number of the node's present process; what belongs to an older one is dead.
func (n *Node) Life() int { return n.life }

// Loop returns the loop of the present process, or nil.
func (n *Node) Loop() *task.Loop { return n.loop }

// Alive says whether the node has a process.
func (n *Node) Alive() bool { return n.loop != nil }

// Kill ends the node's process: nothing it began reaches it any more, and nothing it still does has an effect. The
// disk and the network must have been told before, so that they are inert when the process unwinds (rule T3).
func (n *Node) Kill() {
	loop := n.loop
	n.loop = nil
	n.life++
	n.waiting = n.waiting[:0]
	n.stepAt = task.Never
	if loop != nil {
		loop.Kill()
	}
}

// Pause stops the node's steps; inputs and timers go on to fall due.
func (n *Node) Pause() { n.paused = true }

// Resume lets the node step again.
func (n *Node) Resume() {
	n.paused = false
	n.scheduleAt(n.Kernel.now)
}

// Deliver has the input reach the present process at when. payload is its hash for the digest.
func (n *Node) Deliver(when task.Instant, kind Kind, completion bool, payload uint64, in task.Input) {
	k := n.Kernel
	k.count++
	k.queue.push(event{
		when: max(when, k.now), tie: k.Random.Uint64(streamTie, n.Key, uint64(max(when, k.now)), payload), count: k.count,
		node: n, life: n.life, input: delivery{kind, completion, payload, in},
	})
}

// Poke has the node step soon without an input.
func (n *Node) Poke() { n.scheduleAt(n.Kernel.now) }

// wake handles an event of the queue that is the node's own: an input that arrived, or a step that is due.
func (n *Node) wake(e event) {
	if e.life != n.life || n.loop == nil {
		return
	}
	if e.input.input != nil {
		n.waiting = append(n.waiting, e.input)
		n.scheduleAt(n.Kernel.now)
		return
	}
	if e.when == n.stepAt {
		n.stepAt = task.Never
		n.step()
	}
}

// scheduleAt makes sure that the node steps no later than when, or as soon as it is not busy.
func (n *Node) scheduleAt(when task.Instant) {
	when = max(when, n.busyUntil, n.Kernel.now)
	if n.loop == nil || n.paused || when >= n.stepAt {
		return
	}
	n.stepAt = when
	k := n.Kernel
	k.count++
	k.queue.push(event{when: when, tie: k.Random.Uint64(streamTie, n.Key, uint64(when)), count: k.count, node: n, life: n.life})
}

// step gives the process the list of what is waiting, cut at a keyed length.
func (n *Node) step() {
	if n.paused {
		return
	}
	k := n.Kernel
	take := len(n.waiting)
	if take > 1 {
		limit := 1 + int(k.Random.Below(uint64(n.ListMax), streamCut, n.Key, uint64(k.now)))
		take = min(take, limit)
	}
	completions, arrivals := n.complete[:0], n.arrive[:0]
	for _, d := range n.waiting[:take] {
		k.note(n.ID, d.kind, d.payload, d.input)
		if d.completion {
			completions = append(completions, d.input)
		} else {
			arrivals = append(arrivals, d.input)
		}
	}
	left := copy(n.waiting, n.waiting[take:])
	clear(n.waiting[left:])
	n.waiting = n.waiting[:left]
	n.complete, n.arrive = completions, arrivals
	if take > 1 && k.OnList != nil {
		k.OnList(n)
	}
	if take == 0 {
		k.note(n.ID, KindTimer, 0, nil)
	}
	n.busyUntil = k.now.Add(n.CostBase + time.Duration(take)*n.CostInput)
	n.run(completions, arrivals)
	if n.loop == nil {
		return
	}
	if n.EndOfStep != nil {
		n.EndOfStep()
	}
	if k.AfterStep != nil {
		k.AfterStep(n)
	}
	if n.loop == nil {
		return
	}
	if len(n.waiting) > 0 {
		n.scheduleAt(k.now)
	} else if deadline := n.loop.NextDeadline(); deadline != task.Never {
		n.scheduleAt(deadline)
	}
}

func (n *Node) run(completions, arrivals []task.Input) {
	if n.Crashed != nil {
		defer func() {
			if cause := recover(); cause != nil {
				stack := string(debug.Stack())
				n.Kill()
				n.Crashed(cause, stack)
			}
		}()
	}
	n.loop.Step(n.Kernel.now, completions, arrivals)
}

// note counts a delivery and adds it to the digest.
func (k *Kernel) note(node int, kind Kind, payload uint64, in task.Input) {
	k.Delivered++
	if k.Perturb != nil {
		payload ^= k.Perturb()
	}
	k.digest.Add(uint64(k.now))
	k.digest.Add(uint64(node)<<8 | uint64(kind))
	k.digest.Add(payload)
	if k.Trace != nil {
		k.Trace(Event{k.now, payload, int32(node), kind}, in)
	}
}
