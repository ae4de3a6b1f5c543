package simnet

import (
	"errors"
	"fmt"
	"math"

	"barnabas/core/env"
	"barnabas/core/task"
	"barnabas/sim/kernel"
)

// end is one process's end of a connection: what it sends, what it has received, and how it ends.
type end struct {
	endpoint      *endpoint
	place         *place
	at            int // in place.ends
	peer          *end
	number        uint64 // the connection's, twice, plus one for the end that was dialled
	options       env.ConnOptions
	handler       env.ConnHandler
	local, remote string
	openAt        task.Instant // when the process hears of the connection

	// Sending.
	out         []outgoing
	skip        int // bytes of out[0] that have left
	outBytes    int // that have not left
	dirty       bool
	sents       []func() // of what has left
	sent        int64    // bytes that have left
	inFlight    int      // of them, not yet read by the peer
	chunks      uint64   // that have left
	tail        *chunk   // the last one, while it is on its way
	lastArrival task.Instant
	stalled     []*chunk // held back by a block
	waitsToPump bool
	slow        uint64 // nanoseconds a byte takes a slow reader; zero: not slow

	// Receiving.
	splitter    env.Splitter
	free        func(*env.Frame)
	held        int
	received    int64 // bytes
	receivedMax int64 // bytes after which the stream is lost
	backlog     []*chunk
	resuming    bool

	// Ending.
	closing bool // Close was called
	ended   bool // the peer has been, or will be, told that nothing more comes
	dying   bool // nothing is sent any more
	over    bool // OnClose was called
	learned bool // a send found the peer gone
	hurried bool // closing, and the time it has for what is queued runs
	cause   error
}

// outgoing is one Send on its way.
type outgoing struct {
	parts [][]byte
	bytes int
	sent  func()
}

var (
	errReset       = fmt.Errorf("%w: connection reset", env.ErrClosed)
	errResetInside = fmt.Errorf("%w inside a frame", errReset)
)

func newEnd(p *endpoint, number uint64, options env.ConnOptions) *end {
	n := p.place.network
	e := &end{
		endpoint: p, place: p.place, at: len(p.place.ends), number: number, options: options,
		receivedMax: math.MaxInt64,
	}
	e.splitter = env.NewSplitter(options.FrameBytesMax, &n.memory)
	e.free = e.released
	p.place.ends = append(p.place.ends, e)
	if n.faults.SlowPercent > 0 {
		draw := n.kernel.Random.Uint64(streamConn, number)
		if percent(draw, n.faults.SlowPercent) {
			e.slow = 1000 + draw>>32%15_000 // 66 KB/s to 1 MB/s
		}
	}
	return e
}

// ID tells the connection apart, also from its other end.
func (e *end) ID() uint64 { return e.number }

// LocalAddress is our end.
func (e *end) LocalAddress() string { return e.local }

// RemoteAddress is the peer's end.
func (e *end) RemoteAddress() string { return e.remote }

// Send queues bytes that leave after the step.
func (e *end) Send(parts [][]byte, sent func()) {
	if e.endpoint.dead {
		return
	}
	if e.closing || e.dying || e.over {
		if sent != nil {
			e.sents = append(e.sents, sent)
			e.deliverSents(1)
		}
		return
	}
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	e.out = append(e.out, outgoing{parts, size, sent})
	e.outBytes += size
	e.soil()
}

// Close ends the connection after what was queued before has left.
func (e *end) Close() {
	if !e.closing && !e.over && !e.endpoint.dead {
		e.closing = true
		e.soil()
	}
}

func (e *end) soil() {
	if !e.dirty {
		e.dirty = true
		e.place.dirty = append(e.place.dirty, e)
	}
}

// tell has the process hear of the end at when.
func (e *end) tell(when task.Instant, cause error) {
	if e.cause == nil {
		e.cause = cause
	}
	e.place.node.Deliver(max(when, e.openAt+1), kernel.KindConnection, false, e.number, (*ending)(e))
}

// ending is an end as the input that ends it.
type ending end

// What describes the end.
func (in *ending) What() string {
	return fmt.Sprintf("%s to %s ends: %v", in.local, in.remote, in.cause)
}

func (in *ending) Happen() { (*end)(in).end() }

// end is the connection's end as its process sees it. What the step has sent before leaves first.
func (e *end) end() {
	if e.over {
		return
	}
	if !e.closing {
		e.dying = true
	}
	if e.dirty {
		e.place.node.Deliver(e.place.network.now(), kernel.KindConnection, false, e.number, (*ending)(e))
		return
	}
	e.finish()
}

// finish gives everything back and calls OnClose, if there is anybody to call.
func (e *end) finish() {
	e.over, e.dying = true, true
	n := e.place.network
	e.hangUp()
	for _, c := range e.backlog {
		if c != nil { // nil: it is being read
			n.chunks.give(c)
		}
	}
	e.backlog = nil
	if e.cause == errReset && e.splitter.Partial() {
		e.cause = errResetInside
	}
	e.splitter.Drop()
	sents := e.sents
	for _, o := range e.out {
		if o.sent != nil {
			sents = append(sents, o.sent)
		}
	}
	e.sents, e.out, e.outBytes = nil, nil, 0
	e.unlink()
	for _, sent := range sents {
		sent()
	}
	if e.handler == nil {
		return
	}
	if e.closing {
		e.handler.OnClose(nil)
	} else {
		e.handler.OnClose(e.cause)
	}
}

func (e *end) unlink() {
	ends := e.place.ends
	last := ends[len(ends)-1]
	ends[e.at], last.at = last, e.at
	ends[len(ends)-1] = nil
	e.place.ends = ends[:len(ends)-1]
}

// hangUp tells the peer, in the stream's order, that nothing more comes.
func (e *end) hangUp() {
	if e.ended {
		return
	}
	e.ended = true
	if e.peer.over || e.peer.ended && e.peer.closing {
		return
	}
	c := e.place.network.chunks.take(0)
	c.start, c.last = e.sent, true
	e.launch(c)
}

// reset breaks the connection for both ends. Some of what is on its way still arrives.
func (e *end) reset() {
	n := e.place.network
	for i, side := range []*end{e, e.peer} {
		side.ended = true
		if side.endpoint.dead || side.over {
			continue
		}
		side.cutOff()
		draw := n.kernel.Random.Uint64(streamEnd, side.number, uint64(i), e.chunks)
		side.tell(n.now().Add(n.delay(n.link(side.peer.place, side.place), draw)), errReset)
	}
}

// cutOff loses a drawn part of what is on its way to the end.
func (e *end) cutOff() {
	flying := uint64(e.peer.sent - e.received)
	e.receivedMax = e.received + int64(e.place.network.kernel.Random.Below(flying+1, streamEnd, e.number, flying, 7))
}

// bereave is called when the peer's process has died: the end will be told, or it is left half-open.
func (e *end) bereave() {
	n := e.place.network
	if e.endpoint.dead || e.over {
		return
	}
	e.cutOff()
	draw := n.kernel.Random.Uint64(streamEnd, e.number, 1000)
	l := n.link(e.peer.place, e.place)
	half := percent(draw, n.faults.HalfOpenPercent)
	if !half && l.blocked == 0 {
		e.tell(n.now().Add(n.delay(l, draw)), errReset)
		return
	}
	if half {
		n.count("N8")
	}
	longest := n.faults.HalfOpenMax
	if longest == 0 {
		longest = halfOpenMax
	}
	wait := halfOpenMin
	if longest > halfOpenMin {
		wait += nanoseconds(draw>>8, longest-halfOpenMin)
	}
	e.tell(n.now().Add(wait), errReset)
}

// learn has an end whose peer is dead hear of it, because it sent something or because the silence was noticed.
func (e *end) learn() {
	if e.learned || e.over {
		return
	}
	e.learned = true
	n := e.place.network
	there, back := n.link(e.place, e.peer.place), n.link(e.peer.place, e.place)
	if there.blocked+back.blocked > 0 {
		e.learned = false // nobody answers; a later send may find out
		return
	}
	draw := n.kernel.Random.Uint64(streamEnd, e.number, 1001)
	e.tell(n.now().Add(n.delay(there, draw)+n.delay(back, draw>>1)), errReset)
}

// fail ends the connection because the peer sent what can't be a frame.
func (e *end) fail(err error) {
	if e.cause == nil || errors.Is(err, env.ErrFrameLength) {
		e.cause = err
	}
	e.end()
}
