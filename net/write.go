package net

import (
	"errors"
	"fmt"
	stdnet "net"
	"os"
	"time"
)

// directBytes is how much the loop itself tries to send of one connection after a step. More would keep it from the
// next step for longer than waking a writer takes.
const directBytes = 64 << 10

// batchBytes is about how much a writer sends before it says so, and so how long memory stays with it.
const batchBytes = 1 << 20

// flush sends what the step queued on the connection. On the loop, after the step.
func (c *conn) flush() {
	c.dirty = false
	if len(c.out) > 0 {
		c.flushOut()
	}
	if c.closing {
		c.flushClose()
	}
}

func (c *conn) flushOut() {
	total := c.outBytes
	c.outBytes = 0
	c.mu.Lock()
	busy := c.writing
	c.mu.Unlock()
	written := 0
	if !busy && total <= directBytes {
		var err error
		written, err = c.network.attempt.write(c.raw, c.out)
		if err != nil {
			c.fail(err)
			written = total // nothing of it will ever leave
		}
	}
	if written == total && !busy {
		for i, o := range c.out {
			if o.sent != nil {
				c.network.sents = append(c.network.sents, o.sent)
			}
			c.out[i] = outgoing{}
		}
		c.out = c.out[:0]
		return
	}
	c.handOver(written)
}

// handOver gives the step's output to the writer, the first written bytes of which have left already.
func (c *conn) handOver(written int) {
	out := c.out
	c.out = nil
	c.mu.Lock()
	c.queue = append(c.queue, out...)
	start := !c.writing
	c.writing = true
	c.mu.Unlock()
	if start {
		c.network.group.Go(func() { c.write(written) })
	}
}

// flushClose begins the end of a connection that we close: now, or when the writer is done.
func (c *conn) flushClose() {
	c.mu.Lock()
	first := !c.closeAsked
	c.closeAsked = true
	writing := c.writing
	c.mu.Unlock()
	switch {
	case !first:
	case writing:
		c.silence()
		_ = c.socket.SetWriteDeadline(lingerEnd())
	default:
		c.outputDone()
	}
}

// write is the writer goroutine: it runs until the queue is empty. skip bytes of the first output have left already.
func (c *conn) write(skip int) {
	for {
		batch := c.nextBatch()
		if len(batch) == 0 {
			return
		}
		buffers, sents := gather(batch, skip)
		skip = 0
		if err := c.writeAll(buffers); err != nil {
			c.fail(err)
		}
		if len(sents) > 0 {
			c.network.postSents(sents)
		}
	}
}

// writeAll writes the buffers, as long as the peer takes some of them now and then.
func (c *conn) writeAll(buffers stdnet.Buffers) error {
	for {
		patient := c.expectReading()
		n, err := buffers.WriteTo(c.socket)
		switch {
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return err
		case n == 0 || !patient:
			return fmt.Errorf("the peer does not read: %w", err)
		}
	}
}

// nextBatch takes some of the queue. When there is nothing left the writer is over, and it is too late for another one
// to be found running.
func (c *conn) nextBatch() []outgoing {
	c.mu.Lock()
	if len(c.queue) > 0 {
		defer c.mu.Unlock()
		n, bytes := 0, 0
		for n < len(c.queue) && bytes < batchBytes {
			for _, p := range c.queue[n].parts {
				bytes += len(p)
			}
			n++
		}
		batch := c.queue[:n]
		c.queue = c.queue[n:]
		return batch
	}
	c.queue = nil
	c.writing = false
	if !c.closeAsked && !c.readerGone {
		_ = c.socket.SetWriteDeadline(time.Time{}) // the loop's own writes have none
	}
	closed := c.closeAsked && c.cause == nil
	if c.readerGone {
		c.postEnd()
	}
	c.mu.Unlock()
	if closed {
		c.outputDone()
	}
	return nil
}

// gather lists the parts of a batch without its first skip bytes.
func gather(batch []outgoing, skip int) (buffers stdnet.Buffers, sents []func()) {
	for _, o := range batch {
		for _, p := range o.parts {
			n := min(skip, len(p))
			skip -= n
			if p = p[n:]; len(p) > 0 {
				buffers = append(buffers, p)
			}
		}
		if o.sent != nil {
			sents = append(sents, o.sent)
		}
	}
	return buffers, sents
}
