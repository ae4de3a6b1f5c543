package net

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"barnabas/core/env"
)

// readBytes is how much one read takes at most.
const readBytes = 128 << 10

type readBuffer [readBytes]byte

// readBuffers are shared by all connections: one holds a buffer only from a read until its frames are cut.
var readBuffers = sync.Pool{New: func() any { return new(readBuffer) }}

// reader is the part of a connection that its reader goroutine owns.
type reader struct {
	conn     *conn
	splitter env.Splitter
	room     room
	release  func(f *env.Frame)
	turn     turn
}

func (r *reader) prepare(c *conn) {
	r.conn = c
	r.splitter = env.NewSplitter(c.options.FrameBytesMax, &c.network.memory)
	r.room.max = int64(c.options.FramesHeldMax)
	r.room.token = make(chan struct{}, 1)
	r.release = r.released
	r.turn.prepare()
}

// released gives a delivered frame's memory back. On the loop.
func (r *reader) released(f *env.Frame) {
	r.conn.network.memory.Give(f)
	r.room.leave()
}

// read is the reader goroutine: it reads until the stream ends, then closes the socket when the loop has heard of it.
func (c *conn) read() {
	r := &c.reader
	err := r.untilEnd()
	r.splitter.Drop()
	c.readerEnded(err)
	<-c.over
	_ = c.socket.Close()
	if c.taken {
		c.network.taken.Add(-1)
	}
	c.network.leave(c)
}

// errGone ends the reading of a connection whose frames nobody wants any more.
var errGone = errors.New("no frame is delivered any more")

// untilEnd returns why the stream ended, in the words of env.
func (r *reader) untilEnd() error {
	for {
		var err error
		if gap := r.splitter.Gap(); len(gap) >= readBytes {
			err = r.large(gap)
		} else {
			err = r.small()
		}
		switch {
		case err == nil:
		case errors.Is(err, errGone):
			r.drain()
			return nil
		case errors.Is(err, io.EOF) && r.splitter.Partial():
			return fmt.Errorf("%w inside a frame", env.ErrClosed)
		default:
			return closedError(err)
		}
	}
}

// large reads straight into an unfinished frame.
func (r *reader) large(gap []byte) error {
	n, err := r.turn.into(r.conn, gap)
	if err != nil {
		return err
	}
	b := r.burst()
	if f := r.splitter.Filled(n); f != nil {
		r.add(b, f)
	}
	r.post(b)
	return r.await()
}

// small reads through a shared buffer and delivers the frames that are whole.
func (r *reader) small() error {
	buffer, n, err := r.turn.shared(r.conn)
	if err == nil {
		err = r.cut(buffer[:n])
	}
	if buffer != nil {
		readBuffers.Put(buffer)
	}
	return err
}

func (r *reader) cut(p []byte) error {
	b := r.burst()
	for len(p) > 0 {
		f, rest, err := r.splitter.Next(p)
		if err != nil {
			r.post(b)
			return err
		}
		p = rest
		if f == nil {
			break
		}
		r.add(b, f)
		if r.room.full() {
			r.post(b)
			if err := r.await(); err != nil {
				return err
			}
			b = r.burst()
		}
	}
	r.post(b)
	return r.await()
}

func (r *reader) burst() *burst {
	b := bursts.Get().(*burst)
	b.conn = r.conn
	return b
}

func (r *reader) add(b *burst, f *env.Frame) {
	f.Free = r.release
	if inspect := r.conn.options.Inspect; inspect != nil {
		f.Facts = inspect(f.Bytes, f.Facts)
	}
	r.room.enter()
	b.frames = append(b.frames, f)
}

// post hands the frames to the loop.
func (r *reader) post(b *burst) {
	if len(b.frames) == 0 {
		bursts.Put(b)
		return
	}
	r.conn.network.host.Post(b, false)
}

// await returns when one more frame may be delivered, or errGone when none may.
func (r *reader) await() error {
	if !r.room.wait(r.conn.gone) {
		return errGone
	}
	select {
	case <-r.conn.gone:
		return errGone
	default:
		return nil
	}
}

// drain throws away what the peer still sends, until it closes or the deadline of outputDone passes.
func (r *reader) drain() {
	for {
		buffer, _, err := r.turn.shared(r.conn)
		if buffer != nil {
			readBuffers.Put(buffer)
		}
		if err != nil {
			return
		}
	}
}

// closedError says in the words of env that the peer or the network ended the connection.
func closedError(err error) error {
	switch {
	case errors.Is(err, io.EOF):
		return env.ErrClosed
	case errors.Is(err, env.ErrFrameLength):
		return err
	default:
		return fmt.Errorf("%w: %w", env.ErrClosed, err)
	}
}
