// Package simnet is the simulated Network: byte streams between the nodes of a kernel.
//
// It is like TCP where Kafka's clients and brokers can tell: bytes of one connection arrive in order or not at all, in
// pieces of any size; connections do not wait for each other; a send buffer fills up when the peer does not read; an
// end may learn late, or only by sending, that the other one is gone.
//
//	Send ─ Flush (after the step) → chunk ─ delay → Node.Deliver → splitter → frames → handler
//	                  └ the window is full: the rest waits, and so does its sent ←┘ room again
//
// Everything is decided by keyed draws (connection, direction, number of the chunk), so a run depends on nothing else,
// and one fault less leaves the other draws as they were.
//
// Memory of frames is overwritten when they are released, so that a use after it shows; bytes that were sent are copied
// only when they leave, so that a change before sent shows too.
//
// What it does not do: it decides no fault's time. Partitions, deaths and intensities come from outside.
package simnet

import (
	"strconv"
	"time"

	"barnabas/core/env"
	"barnabas/core/task"
	"barnabas/sim/kernel"
)

// The network's streams of randomness. The last key but one is a connection's direction, see end.key.
const (
	streamDelay env.Stream = kernel.StreamNetwork + iota
	streamLink
	streamLoss
	streamPieces
	streamSent
	streamEnd
	streamConn
	streamDial
)

// Faults are how badly the network behaves. The zero value is a calm local network. N1 and so on are the rows of the
// simulator's fault matrix.
type Faults struct {
	// DelayMin and DelayMean are the least delay of a link, and the mean of what an exponential draw adds (N1). Each link
	// has its own, up to half more or less. Zero: a local network.
	DelayMin, DelayMean time.Duration
	// TailIn is in how many chunks one takes fifty times as long (N1). Zero: none.
	TailIn uint64
	// LossIn is in how many chunks one is lost: the connection stalls until it is sent again, or is reset (N2). Zero:
	// none.
	LossIn uint64
	// ChunkPercent is how many of a hundred writes are split, merged with the one before, or leave in part (N8).
	ChunkPercent uint64
	// SlowPercent is how many of a hundred connection directions have a slow reader (N8).
	SlowPercent uint64
	// HalfOpenPercent is how many of a hundred connections to a dead process go unnoticed until the survivor sends, or for
	// as long as HalfOpenMax (N8). Zero HalfOpenMax: a minute.
	HalfOpenPercent uint64
	HalfOpenMax     time.Duration
}

const (
	calmDelayMin  = 30 * time.Microsecond
	calmDelayMean = 40 * time.Microsecond
	localDelay    = 8 * time.Microsecond // within a node
	tailFactor    = 50
	halfOpenMax   = time.Minute
	halfOpenMin   = time.Second
	stallMin      = 200 * time.Millisecond // a retransmission
	stallSpread   = 3 * time.Second
	lingerTimeout = 3 * time.Second // as in package net
	dialTimeout   = 10 * time.Second
	windowBytes   = 256 << 10 // sent and not yet read, of one direction
	firstPort     = 32768     // for dialling ends and port 0
)

// Network is the network of one world. Make one with New.
type Network struct {
	// Counted, if set, is called each time a fault took effect, with its row of the fault matrix.
	Counted func(kind string)
	// DialTimeout is how long a dial waits for an answer.
	DialTimeout time.Duration

	kernel *kernel.Kernel
	faults Faults
	places []*place // by node
	names  map[string]*place
	memory memory
	chunks chunkPool
	dones  []*sentDone
}

// place is what the network knows of a node: its present process's endpoint and connections.
type place struct {
	network   *Network
	node      *kernel.Node
	name      string
	endpoint  *endpoint
	dirty     []*end // have something to send, or to close
	ends      []*end // of the present process
	listeners []*listener
	lastPort  int
	dials     uint64
	links     []link // to each place, by node
}

// link is one way between two places.
type link struct {
	known     bool
	min, mean time.Duration
	blocked   int
	waiting   []*end // hold chunks back because of a block
}

// New returns the network of a world. Nodes come into it with Endpoint.
func New(k *kernel.Kernel) *Network {
	return &Network{kernel: k, DialTimeout: dialTimeout, names: make(map[string]*place)}
}

// Faults returns the intensities in force.
func (n *Network) Faults() Faults { return n.faults }

// SetFaults changes how the network behaves from now on. Without half-open connections the present ones are noticed.
func (n *Network) SetFaults(f Faults) {
	n.faults = f
	for _, p := range n.places {
		for i := range p.links {
			p.links[i].known = false
		}
		if f.HalfOpenPercent > 0 {
			continue
		}
		for _, e := range p.ends {
			if e.peer.endpoint.dead {
				e.learn()
			}
		}
	}
}

// Endpoint returns the network as the node's present process sees it. When that process has died it does nothing more.
func (n *Network) Endpoint(node *kernel.Node) env.Network {
	p := n.place(node)
	p.endpoint = &endpoint{place: p, loop: node.Loop()}
	return p.endpoint
}

// Name gives the node a host name to be dialled by, besides n0, n1 and so on.
func (n *Network) Name(node *kernel.Node, host string) { n.names[host] = n.place(node) }

// HostOf returns the name the node is always known by.
func (n *Network) HostOf(node *kernel.Node) string { return n.place(node).name }

func (n *Network) place(node *kernel.Node) *place {
	for len(n.places) <= node.ID {
		id := len(n.places)
		p := &place{network: n, name: "n" + strconv.Itoa(id), lastPort: firstPort}
		n.names[p.name] = p
		n.places = append(n.places, p)
	}
	p := n.places[node.ID]
	p.node = node
	return p
}

// Flush sends what the node's step queued. It belongs into the node's EndOfStep.
func (n *Network) Flush(node *kernel.Node) {
	p := n.place(node)
	for i, e := range p.dirty {
		p.dirty[i] = nil
		e.dirty = false
		e.pump()
	}
	p.dirty = p.dirty[:0]
}

// ProcessDied ends the node's present process: what it still does has no effect, its listeners are gone, and its peers
// learn of it sooner or later. Some of what it had sent is lost. Call before Node.Kill.
func (n *Network) ProcessDied(node *kernel.Node) {
	p := n.place(node)
	if p.endpoint == nil || p.endpoint.dead {
		return
	}
	p.endpoint.dead = true
	for _, e := range p.ends {
		e.peer.bereave()
	}
	clear(p.ends)
	clear(p.dirty)
	p.ends, p.dirty, p.listeners = p.ends[:0], p.dirty[:0], nil
}

// Block has nothing sent from one node to the other arrive: bytes wait, dials find no answer. It nests.
func (n *Network) Block(from, to *kernel.Node) { n.link(n.place(from), n.place(to)).blocked++ }

// Unblock takes one Block back. What waited is sent again.
func (n *Network) Unblock(from, to *kernel.Node) {
	p, q := n.place(from), n.place(to)
	l := n.link(p, q)
	l.blocked--
	if l.blocked > 0 {
		return
	}
	waiting := l.waiting
	l.waiting = nil
	for _, e := range waiting {
		e.relaunch()
	}
}

// Reset breaks every connection between two nodes; bytes on their way are lost.
func (n *Network) Reset(a, b *kernel.Node) {
	q := n.place(b)
	for _, e := range n.place(a).ends {
		if e.peer.place == q {
			e.reset()
		}
	}
}

func (n *Network) link(from, to *place) *link {
	for len(from.links) < len(n.places) {
		from.links = append(from.links, link{})
	}
	l := &from.links[to.node.ID]
	if !l.known {
		n.setLink(l, from, to)
	}
	return l
}

// setLink draws a link's delays: what the faults say, up to half more or less.
func (n *Network) setLink(l *link, from, to *place) {
	l.known = true
	if from == to {
		l.min, l.mean = localDelay, localDelay
		return
	}
	l.min, l.mean = n.faults.DelayMin, n.faults.DelayMean
	if l.min == 0 && l.mean == 0 {
		l.min, l.mean = calmDelayMin, calmDelayMean
	}
	draw := n.kernel.Random.Uint64(streamLink, from.node.Key, to.node.Key)
	l.min = l.min/2 + l.min*time.Duration(draw&0xFF)/0xFF
	l.mean = l.mean/2 + l.mean*time.Duration(draw>>8&0xFF)/0xFF
}

func (n *Network) count(kind string) {
	if n.Counted != nil {
		n.Counted(kind)
	}
}

func (n *Network) now() task.Instant { return n.kernel.Now() }
