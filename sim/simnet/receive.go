package simnet

import (
	"fmt"

	"barnabas/core/env"
	"barnabas/sim/kernel"
)

// What describes the chunk by its length and its way, and a frame that begins with it by its API key.
func (c *chunk) What() string {
	text := fmt.Sprintf("%d from %s to %s", len(c.bytes), c.from.local, c.to.local)
	if c.last {
		text += ", the last"
	}
	if len(c.bytes) >= 12 && c.to.number&1 == 1 {
		text += fmt.Sprintf(", perhaps request %d v%d", int16(c.bytes[4])<<8|int16(c.bytes[5]), int16(c.bytes[6])<<8|int16(c.bytes[7]))
	}
	return text
}

// Happen is the arrival of a chunk at its end's process.
func (c *chunk) Happen() {
	e := c.to
	if c.from.tail == c {
		c.from.tail = nil
	}
	e.cut(c)
	e.received += int64(len(c.bytes))
	if len(e.backlog) > 0 || e.full() {
		e.backlog = append(e.backlog, c)
		return
	}
	if !e.read(c) {
		e.backlog = append(e.backlog, c)
	}
}

// cut drops what lies behind the point where the stream was lost.
func (e *end) cut(c *chunk) {
	if left := e.receivedMax - c.start; left < int64(len(c.bytes)) {
		c.bytes = c.bytes[:max(left, 0)]
		c.last = false
	}
}

func (e *end) full() bool { return e.held >= e.options.FramesHeldMax && !e.deaf() }

// deaf says that nobody wants frames any more.
func (e *end) deaf() bool { return e.closing || e.over }

// read takes the chunk's frames. It says whether all of it was taken; if not, the caller lets the rest wait for room.
func (e *end) read(c *chunk) bool {
	for c.at < len(c.bytes) && !e.deaf() {
		if e.full() {
			return false
		}
		f, rest, err := e.splitter.Next(c.bytes[c.at:])
		if err != nil {
			e.receivedMax = 0
			e.recycle(c)
			e.fail(err)
			return true
		}
		c.at = len(c.bytes) - len(rest)
		if f != nil {
			e.deliver(f)
		}
	}
	last := c.last
	e.recycle(c)
	if last && !e.over {
		e.fail(e.endCause())
	}
	return true
}

func (e *end) endCause() error {
	if e.splitter.Partial() {
		return fmt.Errorf("%w inside a frame", env.ErrClosed)
	}
	return env.ErrClosed
}

// recycle gives the chunk back, and its bytes' room to the sender.
func (e *end) recycle(c *chunk) {
	size := len(c.bytes)
	e.place.network.chunks.give(c)
	p := e.peer
	p.inFlight -= size
	if p.outBytes > 0 && !p.dirty {
		p.pump()
	}
}

func (e *end) deliver(f *env.Frame) {
	f.Free = e.free
	if e.options.Inspect != nil {
		f.Facts = e.options.Inspect(f.Bytes, f.Facts)
	}
	e.held++
	e.handler.OnFrame(f)
}

// released takes a frame's memory back and goes on reading if the stream waited for it.
func (e *end) released(f *env.Frame) {
	n := e.place.network
	n.memory.Give(f)
	e.held--
	if len(e.backlog) > 0 && !e.resuming && !e.endpoint.dead {
		e.resuming = true
		e.place.node.Deliver(n.now().Add(localDelay), kernel.KindBytes, false, e.number, (*resume)(e))
	}
}

// resume is an end as the input that goes on reading its backlog.
type resume end

func (in *resume) Happen() {
	e := (*end)(in)
	for len(e.backlog) > 0 {
		c := e.backlog[0]
		e.backlog[0] = nil
		if !e.read(c) {
			e.backlog[0] = c
			break
		}
		if len(e.backlog) > 0 { // if this was the end, nothing is left
			e.backlog = e.backlog[1:]
		}
	}
	e.resuming = false
}
