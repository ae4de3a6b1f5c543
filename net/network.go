// Package net is the real Network: Kafka frames over TCP.
//
// A connection has one reader goroutine. It takes as much as one read gives, cuts it into frames, derives their facts
// and posts all of them as one input. What the loop sends is collected per connection and leaves after the step, tried
// at once by the loop itself, so that answers to many requests cost one system call and no wake-up. What the kernel
// does not take at once is left to a writer goroutine, which lives until the queue is empty.
//
//	socket → reader → burst of frames → host's inbox → loop ─ Send ─→ flush → socket
//	                                                              └─ too much, or full → writer → socket
//
// Memory: frames and read buffers are pooled; an idle connection holds neither. What is queued to send is not bounded
// here: whoever sends bounds it by answering in order (rule T4) and by waiting for sent.
//
// What it does not do: it knows no TLS, no request and no answer.
package net

import (
	"context"
	stdnet "net"
	"sync"
	"sync/atomic"
	"time"

	"barnabas/core/assert"
	"barnabas/core/env"
	"barnabas/core/task"
	"barnabas/net/host"
)

// Options are what a network may be given. The zero value works.
type Options struct {
	// Limits bound the connections that listeners take. SetLimits changes them.
	Limits Limits
	// FrameMemoryMax bounds the memory of received frames: beyond it nothing is read, and peers wait. Zero: no bound.
	FrameMemoryMax int64
	// HalfSentTimeout is how long an unfinished frame may take to come, and a second more for each 16 KiB that came. Zero: 30
	// seconds.
	HalfSentTimeout time.Duration
	// UnreadTimeout is how long a peer may take nothing of what it was sent. Zero: a minute.
	UnreadTimeout time.Duration
	// Say is told what operators should know, at most a line in ten seconds of each kind. It is called on the loop.
	Say func(line string)
	// DialTimeout is how long a dial waits for an answer. Zero: ten seconds.
	DialTimeout time.Duration
	// Congestion names the TCP congestion control, on Linux. Empty: the machine's own.
	Congestion string
	// Poison overwrites frames when they are released, so that tests notice a use after it.
	Poison bool
}

const (
	dialTimeout     = 10 * time.Second
	halfSentTimeout = 30 * time.Second
	unreadTimeout   = time.Minute
)

// lingerTimeout bounds how long an ending connection waits for its peer to take what is queued, and then to close.
const lingerTimeout = 3 * time.Second

// Network is env.Network over TCP. Make one with New.
type Network struct {
	host    *host.Host
	options Options
	memory  memory
	budget  budget
	ids     atomic.Uint64
	context context.Context
	cancel  context.CancelFunc
	group   sync.WaitGroup // every goroutine; only the loop's goroutine adds to it

	// The loop's alone.
	dirty   []*conn // have something to send, or to close
	sents   []func()
	attempt attempt

	mu        sync.Mutex
	limits    Limits
	pace      pace
	counts    Counts
	conns     map[*conn]struct{}
	taken     int            // connections that listeners took and that stand
	perIP     map[string]int // the same by address
	refusals  seldom
	delays    seldom
	listeners map[*listener]struct{}
	stopped   bool
}

// New returns the network of the host's loop. It ends with the host. Call before the host runs.
func New(h *host.Host, options Options) *Network {
	if options.DialTimeout == 0 {
		options.DialTimeout = dialTimeout
	}
	n := &Network{
		host: h, options: options,
		conns: make(map[*conn]struct{}), perIP: make(map[string]int), listeners: make(map[*listener]struct{}),
	}
	if options.HalfSentTimeout == 0 {
		n.options.HalfSentTimeout = halfSentTimeout
	}
	if options.UnreadTimeout == 0 {
		n.options.UnreadTimeout = unreadTimeout
	}
	n.limits = options.Limits
	n.memory.poison = options.Poison
	n.budget.max = options.FrameMemoryMax
	n.context, n.cancel = context.WithCancel(context.Background())
	n.attempt.prepare()
	h.AfterStep(n.flush)
	h.AtEnd(n.stop)
	return n
}

// Listen takes connections at address. The host "localhost" means the loopback of both IP versions, on one port.
func (n *Network) Listen(
	address string, options env.ConnOptions, accept func(env.Conn) env.ConnHandler,
) *task.Pending[env.Listener] {
	checkOptions(options)
	pending := task.NewPending[env.Listener](n.host.Loop())
	l := &listener{network: n, options: options, accept: accept}
	n.group.Go(func() {
		err := l.open(address)
		n.host.Post(host.Call(func() {
			if err != nil {
				pending.Complete(nil, err)
				return
			}
			l.start()
			pending.Complete(l, nil)
		}), true)
	})
	return pending
}

// Dial connects to address.
func (n *Network) Dial(address string, options env.ConnOptions, handler env.ConnHandler) *task.Pending[env.Conn] {
	checkOptions(options)
	pending := task.NewPending[env.Conn](n.host.Loop())
	n.group.Go(func() {
		c, err := n.dial(address, options)
		n.host.Post(host.Call(func() {
			if err != nil {
				pending.Complete(nil, err)
				return
			}
			pending.Complete(c, nil)
			c.start(handler)
		}), true)
	})
	return pending
}

func (n *Network) dial(address string, options env.ConnOptions) (*conn, error) {
	dialer := stdnet.Dialer{Timeout: n.options.DialTimeout, Control: n.control}
	socket, err := dialer.DialContext(n.context, "tcp", address)
	if err != nil {
		return nil, dialError(address, err)
	}
	return n.adopt(socket.(*stdnet.TCPConn), options, nil)
}

func checkOptions(options env.ConnOptions) {
	assert.That(options.FrameBytesMax > 0 && options.FramesHeldMax > 0, "a connection's frames are bounded")
}

// flush sends what the step queued. It runs on the loop's goroutine after every step.
func (n *Network) flush() {
	for i, c := range n.dirty {
		n.dirty[i] = nil
		c.flush()
	}
	n.dirty = n.dirty[:0]
	if len(n.sents) > 0 {
		n.postSents(n.sents)
		clear(n.sents)
		n.sents = n.sents[:0]
	}
}

// postSents has the callbacks run as one completion. The slice is the caller's.
func (n *Network) postSents(sents []func()) {
	s := sentInputs.Get().(*sentInput)
	s.callbacks = append(s.callbacks, sents...)
	n.host.Post(s, true)
}

// sentInput is sends that are over, as one input.
type sentInput struct{ callbacks []func() }

// sentInputs holds emptied ones.
var sentInputs = sync.Pool{New: func() any { return new(sentInput) }}

func (s *sentInput) Happen() {
	for i, sent := range s.callbacks {
		sent()
		s.callbacks[i] = nil
	}
	s.callbacks = s.callbacks[:0]
	sentInputs.Put(s)
}

// stop gives every socket up and waits for every goroutine. It runs after the last step.
func (n *Network) stop() {
	n.cancel()
	n.mu.Lock()
	n.stopped = true
	conns, listeners := n.conns, n.listeners
	n.conns, n.listeners = nil, nil
	n.mu.Unlock()
	for l := range listeners {
		l.closeSockets()
	}
	for c := range conns {
		c.abandon()
	}
	n.group.Wait()
}

// enter notes a connection, so that stop finds it. It says whether the network still stands.
func (n *Network) enter(c *conn) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.stopped {
		return false
	}
	n.conns[c] = struct{}{}
	return true
}

func (n *Network) leave(c *conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.conns, c)
}
