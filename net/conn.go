package net

import (
	stdnet "net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"barnabas/core/env"
)

// conn is one connection. Its end takes these steps, whoever began it: the reader stops delivering, what is queued
// leaves (within lingerTimeout), OnClose is posted once, and only then the socket is closed.
type conn struct {
	network       *Network
	id            uint64
	socket        *stdnet.TCPConn
	raw           syscall.RawConn
	options       env.ConnOptions
	local, remote string
	taken         bool   // by a listener
	ip            string // of the peer, when taken
	reader        reader

	// The loop's alone.
	handler  env.ConnHandler
	out      []outgoing // sent in this step
	outBytes int
	dirty    bool // in network.dirty
	closing  bool // Close was called
	dead     bool // nothing is sent any more

	gone     chan struct{} // closed: no frame is delivered any more
	over     chan struct{} // closed: the socket may be closed
	goneOnce sync.Once
	overOnce sync.Once

	mu         sync.Mutex
	queue      []outgoing // the writer's
	writing    bool       // a writer goroutine runs
	closeAsked bool
	readerGone bool
	endPosted  bool
	cause      error // why it ended, when we did not close it
	ending     bool  // the deadlines are those of the end
}

// outgoing is one Send on its way.
type outgoing struct {
	parts [][]byte
	sent  func()
}

// adopt makes a connection of a socket. l is the listener that took it, or nil.
func (n *Network) adopt(socket *stdnet.TCPConn, options env.ConnOptions, l *listener) (*conn, error) {
	raw, err := socket.SyscallConn()
	if err != nil {
		_ = socket.Close()
		return nil, err
	}
	c := &conn{
		network: n, id: n.ids.Add(1), socket: socket, raw: raw, options: options, taken: l != nil,
		local: socket.LocalAddr().String(), remote: socket.RemoteAddr().String(),
		gone: make(chan struct{}), over: make(chan struct{}),
	}
	if l != nil {
		c.ip = ipOf(socket.RemoteAddr())
	}
	c.reader.prepare(c)
	if !n.enter(c) {
		_ = socket.Close()
		return nil, stdnet.ErrClosed
	}
	return c, nil
}

// start gives the connection its handler and begins to read. On the loop.
func (c *conn) start(handler env.ConnHandler) {
	c.handler = handler
	c.network.group.Go(c.read)
}

// ID tells the connection apart.
func (c *conn) ID() uint64 { return c.id }

// LocalAddress is our end.
func (c *conn) LocalAddress() string { return c.local }

// RemoteAddress is the peer's end.
func (c *conn) RemoteAddress() string { return c.remote }

// Send queues bytes that leave after the step.
func (c *conn) Send(parts [][]byte, sent func()) {
	if c.closing || c.dead {
		if sent != nil {
			c.network.postSents([]func(){sent})
		}
		return
	}
	c.out = append(c.out, outgoing{parts, sent})
	for _, p := range parts {
		c.outBytes += len(p)
	}
	c.soil()
}

// Close ends the connection after what was queued has left.
func (c *conn) Close() {
	if !c.closing && !c.dead {
		c.closing = true
		c.soil()
	}
}

func (c *conn) soil() {
	if !c.dirty {
		c.dirty = true
		c.network.dirty = append(c.network.dirty, c)
	}
}

// outputDone runs when a connection that we close has nothing left to send. The peer is told, and has a while to read
// it: closing at once would destroy what it has not read yet, if we had not read all of its own.
func (c *conn) outputDone() {
	c.silence()
	_ = c.socket.CloseWrite()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ending = true
	_ = c.socket.SetReadDeadline(lingerEnd())
	c.postEnd()
}

// fail ends the connection because a write failed. On the loop or the writer.
func (c *conn) fail(err error) {
	c.mu.Lock()
	if c.cause == nil {
		c.cause = closedError(err)
	}
	c.ending = true
	_ = c.socket.SetReadDeadline(time.Unix(1, 0))
	c.mu.Unlock()
	c.silence()
}

// deadline has reading end at a time, unless the connection is ending anyway.
func (c *conn) deadline(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ending {
		_ = c.socket.SetReadDeadline(at)
	}
}

// expectReading has writing end when the peer takes nothing for too long. It says false when the connection ends anyway, at
// a time of its own.
func (c *conn) expectReading() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closeAsked || c.readerGone {
		return false
	}
	_ = c.socket.SetWriteDeadline(time.Now().Add(c.network.options.UnreadTimeout))
	return true
}

// readerEnded notes that nothing is read any more.
func (c *conn) readerEnded(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.readerGone = true
	if c.cause == nil {
		c.cause = err
	}
	if c.writing {
		_ = c.socket.SetWriteDeadline(lingerEnd())
		return // the writer posts the end
	}
	c.postEnd()
}

// postEnd tells the loop, once. Requires: c.mu is held.
func (c *conn) postEnd() {
	if !c.endPosted {
		c.endPosted = true
		c.network.host.Post((*ended)(c), false)
	}
}

// silence has the reader deliver no more frames, also one that waits for frames to be released.
func (c *conn) silence() { c.goneOnce.Do(func() { close(c.gone) }) }

// release lets the reader close the socket.
func (c *conn) release() { c.overOnce.Do(func() { close(c.over) }) }

// abandon gives the socket up at once, without telling anybody: the network ends.
func (c *conn) abandon() {
	c.silence()
	c.release()
	_ = c.socket.Close()
}

// ended is the connection as the input that tells its handler of the end.
type ended conn

func (e *ended) Happen() {
	c := (*conn)(e)
	if !c.closing {
		c.dead = true
	}
	if len(c.out) > 0 { // sent in this very step, before this input: it leaves first
		c.network.host.Post(e, false)
		return
	}
	c.mu.Lock()
	if c.writing { // the step before left something to the writer, which owns it until it is sent
		c.endPosted = false
		_ = c.socket.SetWriteDeadline(lingerEnd())
		c.mu.Unlock()
		return
	}
	cause := c.cause
	c.mu.Unlock()
	if c.closing {
		cause = nil
	}
	c.dead = true
	c.release()
	c.handler.OnClose(cause)
}

// burst is the frames of one read, as one input.
type burst struct {
	conn   *conn
	frames []*env.Frame
}

func (b *burst) Happen() {
	c := b.conn
	for i, f := range b.frames {
		b.frames[i] = nil
		if c.closing || c.dead {
			f.Release()
		} else {
			c.handler.OnFrame(f)
		}
	}
	b.conn, b.frames = nil, b.frames[:0]
	bursts.Put(b)
}

// bursts holds emptied bursts.
var bursts = sync.Pool{New: func() any { return new(burst) }}

// room counts the frames that are held, and lets the reader wait for fewer.
type room struct {
	max     int64
	held    atomic.Int64
	starved atomic.Bool
	token   chan struct{}
}

// enter counts a frame that is about to be delivered.
func (r *room) enter() { r.held.Add(1) }

// leave counts a frame that was released.
func (r *room) leave() {
	r.held.Add(-1)
	if r.starved.CompareAndSwap(true, false) {
		select {
		case r.token <- struct{}{}:
		default:
		}
	}
}

func (r *room) full() bool { return r.held.Load() >= r.max }

// wait returns when there is room (true) or gone is closed.
func (r *room) wait(gone chan struct{}) bool {
	for r.full() {
		r.starved.Store(true)
		if !r.full() {
			r.starved.Store(false)
			break
		}
		select {
		case <-r.token:
		case <-gone:
			return false
		}
	}
	return true
}

func lingerEnd() time.Time { return time.Now().Add(lingerTimeout) }
