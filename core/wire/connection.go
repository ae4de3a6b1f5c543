package wire

import (
	"errors"
	"fmt"
	"time"

	"barnabas/core/assert"
	"barnabas/core/env"
	"barnabas/core/mutant"
	"barnabas/core/ordered"
	"barnabas/core/protocol"
	"barnabas/core/task"
)

// Handler decides about a request. It runs on the loop, does not wait, and sees to it that the request is answered once,
// now or later.
type Handler func(*Request)

// Server makes connections of what a listener accepts.
type Server struct {
	loop       *task.Loop
	handle     Handler
	open       map[uint64]*Connection
	pending    []*Connection // have answers to send at the end of the step
	say        func(string)
	serving    bool
	unsaid     int          // complaints
	quietUntil task.Instant // until then no more complaints are said
	probe      env.Probe
	idleMax    time.Duration
	backlog    backlog
	early      []*Connection // have requests from before Serve
	traffic    Traffic
	over       []*Request // encoded in this step, and to be used again
	unused     []*Request
	spare      []*sending
}

// Limits bound what clients may do to a server.
type Limits struct {
	// IdleMax closes a connection that has asked for nothing for so long; negative: never.
	IdleMax time.Duration
	// UnsentBytesMax bounds the answers that have not left, of all connections together; zero or less: no bound.
	UnsentBytesMax int64
}

// NewServer returns a server that hands requests to handle.
func NewServer(e env.Env, limits Limits, handle Handler) *Server {
	s := &Server{
		loop: e.Loop, handle: handle, open: make(map[uint64]*Connection), say: e.Talk.Say, probe: e.Probe, idleMax: limits.IdleMax,
	}
	s.backlog.server, s.backlog.max = s, max(0, limits.UnsentBytesMax)
	return s
}

// Accept takes a connection; give it to env.Network.Listen.
func (s *Server) Accept(c env.Conn) env.ConnHandler {
	connection := &Connection{server: s, conn: c}
	s.open[c.ID()] = connection
	s.traffic.Accepted++
	connection.asked = s.loop.Now()
	connection.watchIdle()
	return connection
}

// Serve begins to hand out requests, and to send answers at the end of every step: after the hooks that were registered
// before, so that what they answer leaves with the same step. Until then connections are taken and their requests wait, so that a broker can hold
// its address while it recovers.
func (s *Server) Serve() {
	s.serving = true
	s.loop.AtStepEnd(s.flush)
	early := s.early
	s.early = nil
	for _, c := range early {
		c.start()
	}
}

// Connections returns how many connections are open.
func (s *Server) Connections() int { return len(s.open) }

// complain tells the operator of a client that does wrong, at most once in a while.
func (s *Server) complain(line string) {
	now := s.loop.Now()
	if now < s.quietUntil {
		s.unsaid++
		return
	}
	if s.unsaid > 0 {
		line += fmt.Sprintf(" (and %d more connections since the last such line)", s.unsaid)
	}
	s.quietUntil, s.unsaid = now.Add(quiet), 0
	s.say(line)
}

// quiet is how long complaints are only counted after one was said.
const quiet = time.Second

// flush sends what the step answered, one send a connection.
func (s *Server) flush() {
	for i, c := range s.pending {
		c.send()
		s.pending[i] = nil
	}
	s.pending = s.pending[:0]
	// Only now: who answered may look at its request until the step is over.
	for i, r := range s.over {
		r.encoded()
		*r = Request{}
		s.unused = append(s.unused, r)
		s.over[i] = nil
	}
	s.over = s.over[:0]
}

// request returns a request with nothing in it.
func (s *Server) request() *Request {
	last := len(s.unused) - 1
	if last < 0 {
		return &Request{}
	}
	r := s.unused[last]
	s.unused = s.unused[:last]
	return r
}

// Connection is one client's connection.
type Connection struct {
	server  *Server
	conn    env.Conn
	waiting ordered.Queue[*env.Frame] // held back by the barrier
	active  ordered.Queue[*Request]   // started, in order; the first is the next to be answered
	out     *sending                  // nil: nothing yet
	release []func()                  // of the answers in out
	queued  bool
	closed  bool
	held    bool // a request holds later ones back
	unsent  int  // bytes of answers that have not left
	crowded bool // it waits until the answers of all leave room
	owes    int  // its place among those whose clients have something to read
	// owesSince is when its client last took something, or had nothing to take.
	owesSince task.Instant
	asked     task.Instant // when the last request came
	idle      *task.Timer
}

// ID returns the connection's number in this process.
func (c *Connection) ID() uint64 { return c.conn.ID() }

// LocalAddress returns the address the client came in on.
func (c *Connection) LocalAddress() string { return c.conn.LocalAddress() }

// watchIdle closes the connection when it is due, or looks again when it may be.
func (c *Connection) watchIdle() {
	if c.server.idleMax < 0 {
		return
	}
	c.idle = c.server.loop.At(c.asked.Add(c.server.idleMax), func() {
		if c.server.loop.Now().Sub(c.asked) < c.server.idleMax || c.active.Len() > 0 {
			c.asked = max(c.asked, c.server.loop.Now().Add(-c.server.idleMax/2))
			c.watchIdle()
			return
		}
		c.server.traffic.Idle++
		c.conn.Close()
		delete(c.server.open, c.conn.ID())
		c.end()
	})
}

// OnFrame takes one request.
func (c *Connection) OnFrame(f *env.Frame) {
	if c.closed {
		f.Release()
		return
	}
	c.asked = c.server.loop.Now()
	c.server.traffic.received(f)
	c.waiting.Push(f)
	if !c.server.serving {
		c.server.early = append(c.server.early, c)
		return
	}
	c.start()
}

// start begins requests as far as the barrier allows (rule T4).
func (c *Connection) start() {
	for c.waiting.Len() > 0 && !c.closed && !c.held && c.unsent < unsentMax {
		f := c.waiting.First()
		overlaps := isProduce(f)
		if c.active.Len() > 0 && !(overlaps && c.active.Last().Header.RequestApiKey == protocol.KeyProduce) ||
			c.server.backlog.holds(c, overlaps) {
			return
		}
		c.waiting.Pop()
		facts, ok := f.Facts.(*Facts)
		assert.That(ok, "frames of a server are inspected by Inspect")
		r := c.server.request()
		*r = Request{
			Header: facts.Header, Message: facts.Message, Facts: facts, Arrived: c.server.loop.Now(),
			connection: c, frame: f,
		}
		c.active.Push(r)
		c.server.begin(r)
	}
}

// begin answers what can't be decoded and hands the rest to the handler.
func (s *Server) begin(r *Request) {
	err := r.Facts.Err
	if err == nil {
		if mutant.On(mutant.FrameUsedAfterRelease) && r.Header.RequestApiKey == protocol.KeyProduce {
			r.frame.Facts = nil // its bytes alone are given back
			r.frame.Release()
			r.frame = &env.Frame{}
		}
		s.handle(r)
		return
	}
	var unsupported *protocol.UnsupportedError
	if errors.As(err, &unsupported) && unsupported.Known && unsupported.Key == protocol.KeyApiVersions {
		// Body version 0, error 35 and our own range, so that the client can come back with a version we know (KIP-511).
		api, _ := protocol.APIByKey(protocol.KeyApiVersions)
		r.Header.RequestApiVersion = 0
		r.Answer(&protocol.ApiVersionsResponse{
			ErrorCode: protocol.ErrUnsupportedVersion,
			ApiKeys:   []protocol.ApiVersion{{ApiKey: api.Key, MinVersion: api.Min, MaxVersion: api.Max}},
		}, nil)
		return
	}
	r.Refuse(fmt.Errorf("request of %s: %w", r.connection.conn.RemoteAddress(), err))
}

// advance encodes the answers that are due, in order, and starts what they held back.
func (c *Connection) advance() {
	for c.active.Len() > 0 && c.active.First().answered && !c.closed {
		r := c.active.Pop()
		c.server.answered(r)
		if !r.silent {
			c.encode(r)
		}
		if r.release != nil {
			c.release = append(c.release, r.release)
		}
		r.frame.Release()
		r.frame, r.Message, r.Facts = nil, nil, nil
		if r.encoded != nil {
			c.server.over = append(c.server.over, r)
		}
	}
	if !c.queued && !c.closed {
		c.queued = true
		c.server.pending = append(c.server.pending, c)
	}
	c.start()
}

func (c *Connection) encode(r *Request) {
	if c.out == nil {
		c.out = c.server.sending(c)
	}
	before := c.out.writer.Len()
	err := protocol.EncodeResponse(&c.out.writer, r.Header.RequestApiVersion, r.Header.CorrelationId, r.answer)
	assert.That(err == nil, "an answer fits the version it was asked in")
	bytes := c.out.writer.Len() - before
	c.out.bytes += bytes
	c.server.backlog.add(c, bytes)
}

// send lets the encoded answers leave.
func (c *Connection) send() {
	c.queued = false
	out := c.out
	c.out = nil
	switch {
	case out != nil && !c.closed:
		out.release, c.release = c.release, out.release
		out.parts = out.writer.Pieces(out.parts)
		c.server.traffic.sent(out.parts)
		c.conn.Send(out.parts, out.sent) // the network owns it until then
		return
	case out != nil:
		c.server.backlog.leave(c, out.bytes)
		out.over()
	}
	release := c.release
	c.release = nil
	runAll(release)
}

// unsentMax is how much of answers may wait for a client to read them before no more of its requests are begun.
const unsentMax = 4 << 20

func runAll(functions []func()) {
	for _, f := range functions {
		f()
	}
}

// refuse closes the connection from our side, after what was answered before has left.
func (c *Connection) refuse(reason error) {
	c.close(&c.server.traffic.Refused, reason.Error())
}

// close does that, counts it and says why.
func (c *Connection) close(counted *int64, why string) {
	if c.closed {
		return
	}
	*counted++
	c.server.complain("closing a connection: " + why)
	c.send()
	c.conn.Close()
	c.end()
}

// OnClose is told that the connection ended.
func (c *Connection) OnClose(err error) {
	if errors.Is(err, env.ErrFrameLength) {
		c.server.complain(fmt.Sprintf("closing a connection of %s: %v", c.conn.RemoteAddress(), err))
	}
	delete(c.server.open, c.conn.ID())
	c.end()
}

// end gives up everything that was held for the client. Requests still in progress go on; nobody reads their answers.
func (c *Connection) end() {
	if c.closed {
		return
	}
	c.closed = true
	c.idle.Stop()
	for _, f := range c.waiting.Rest() {
		f.Release()
	}
	runAll(c.release)
	c.release = nil
	for _, r := range c.active.Rest() {
		if r.answered { // else when it is
			r.finish()
		}
	}
}
