package net

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

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
	account  account
	received int64     // of the unfinished frame
	since    time.Time // when it began to come, without what was waited for memory
	begun    bool      // since and received are of it
	watched  bool      // the socket has a deadline
}

func (r *reader) prepare(c *conn) {
	r.conn = c
	r.account.budget = &c.network.budget
	r.splitter = env.NewSplitter(c.options.FrameBytesMax, (*charged)(r))
	r.room.max = int64(c.options.FramesHeldMax)
	r.room.token = make(chan struct{}, 1)
	r.release = r.released
	r.turn.prepare()
}

// released gives a delivered frame's memory back. On the loop.
func (r *reader) released(f *env.Frame) {
	(*charged)(r).Give(f)
	r.room.leave()
}

// charged is the memory of a connection's frames: the network's, on the connection's account.
type charged reader

// Take waits when the budget is used up.
func (m *charged) Take(size int) *env.Frame {
	n := int64(classBytes(size))
	if waited := m.account.enter(n, m.conn.gone); waited > 0 {
		m.since = m.since.Add(waited)
	}
	f := m.conn.network.memory.Take(size)
	f.Charge = n
	return f
}

func (m *charged) Give(f *env.Frame) {
	n := f.Charge
	if sized, ok := f.Facts.(env.Sized); ok && sized.MemoryBytes() > 0 {
		f.Facts = nil // too large to keep
	}
	m.conn.network.memory.Give(f)
	m.account.leave(n)
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
		c.network.giveBack(c.ip)
	}
	c.network.leave(c)
}

// errGone ends the reading of a connection whose frames nobody wants any more.
var errGone = errors.New("no frame is delivered any more")

// untilEnd returns why the stream ended, in the words of env.
func (r *reader) untilEnd() error {
	for {
		var err error
		r.watch()
		if gap := r.splitter.Gap(); len(gap) >= readBytes {
			err = r.large(gap)
		} else {
			err = r.small()
		}
		r.answerStranger(err)
		switch {
		case err == nil:
		case errors.Is(err, errGone):
			r.drain()
			return nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			return fmt.Errorf("%w: %d bytes of a request came in %v and no more", env.ErrClosed, r.received, time.Since(r.since).Round(time.Second))
		case errors.Is(err, io.EOF) && r.splitter.Partial():
			return fmt.Errorf("%w inside a frame", env.ErrClosed)
		default:
			return closedError(err)
		}
	}
}

// watch has an unfinished frame come on: it has a while, and more for every byte that came.
func (r *reader) watch() {
	if !r.splitter.Partial() {
		r.begun = false
		if r.watched {
			r.watched = false
			r.conn.deadline(time.Time{})
		}
		return
	}
	if !r.begun {
		r.begun, r.since, r.received = true, time.Now(), 0
	}
	r.watched = true
	patience := r.conn.network.options.HalfSentTimeout + time.Duration(r.received)*time.Second/slowestBytes
	r.conn.deadline(r.since.Add(patience))
}

// slowestBytes is how many bytes of a frame must come a second, once HalfSentTimeout is over.
const slowestBytes = 16 << 10

// large reads straight into an unfinished frame.
func (r *reader) large(gap []byte) error {
	n, err := r.turn.into(r.conn, gap)
	if err != nil {
		return err
	}
	r.received += int64(n)
	b := r.burst()
	if f := r.splitter.Filled(n); f != nil {
		r.begun = false
		r.add(b, f)
	}
	r.post(b)
	return r.await()
}

// small reads through a shared buffer and delivers the frames that are whole.
func (r *reader) small() error {
	buffer, n, err := r.turn.shared(r.conn)
	r.received += int64(n)
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
		r.begun = false // the next one has its own time
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
		if sized, ok := f.Facts.(env.Sized); ok {
			if n := sized.MemoryBytes(); n > 0 {
				f.Charge += n
				r.account.add(n)
			}
		}
	}
	r.room.enter()
	b.frames = append(b.frames, f)
}

// httpAnswer is for those who point a browser or a health check at the port.
const httpAnswer = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: 60\r\n\r\n" +
	"This port speaks Kafka's protocol. Use a Kafka client here.\n"

// answerStranger tells a peer that speaks HTTP what it has found. Nothing else was sent on the connection before.
func (r *reader) answerStranger(err error) {
	var length *env.LengthError
	if errors.As(err, &length) && length.Speaks() == env.HTTP {
		_ = r.conn.socket.SetWriteDeadline(time.Now().Add(time.Second))
		_, _ = r.conn.socket.Write([]byte(httpAnswer))
		_ = r.conn.socket.CloseWrite()
	}
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
