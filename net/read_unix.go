//go:build unix

package net

import (
	"io"
	"syscall"
)

// turn does one read. A buffer is taken from the pool only when there is something to read, so that an idle connection
// holds none.
type turn struct {
	gap    []byte // where to read to; nil: a shared buffer
	buffer *readBuffer
	n      int
	err    error
	try    func(fd uintptr) bool
}

func (t *turn) prepare() { t.try = t.once }

// into reads into p.
func (t *turn) into(c *conn, p []byte) (int, error) {
	t.gap = p
	err := t.run(c)
	t.gap = nil
	return t.n, err
}

// shared reads into a buffer from the pool, which the caller gives back.
func (t *turn) shared(c *conn) (*readBuffer, int, error) {
	err := t.run(c)
	buffer := t.buffer
	t.buffer = nil
	return buffer, t.n, err
}

func (t *turn) run(c *conn) error {
	t.n, t.err = 0, nil
	if err := c.raw.Read(t.try); err != nil {
		return err
	}
	if t.err == nil && t.n == 0 {
		return io.EOF
	}
	return t.err
}

// once tries to read and says whether the turn is over; if not, the runtime waits for the socket and calls again.
func (t *turn) once(fd uintptr) bool {
	p := t.gap
	if p == nil {
		t.buffer = readBuffers.Get().(*readBuffer)
		p = t.buffer[:]
	}
	for {
		n, err := syscall.Read(int(fd), p)
		switch err {
		case nil:
			t.n = n
			return true
		case syscall.EINTR:
		case syscall.EAGAIN:
			if t.buffer != nil {
				readBuffers.Put(t.buffer)
				t.buffer = nil
			}
			return false
		default:
			t.err = err
			return true
		}
	}
}
