//go:build !unix

package net

// turn does one read. Where a socket can't be asked whether there is something to read, a waiting connection holds a
// buffer.
type turn struct{}

func (t *turn) prepare() {}

// into reads into p.
func (t *turn) into(c *conn, p []byte) (int, error) { return c.socket.Read(p) }

// shared reads into a buffer from the pool, which the caller gives back.
func (t *turn) shared(c *conn) (*readBuffer, int, error) {
	buffer := readBuffers.Get().(*readBuffer)
	n, err := c.socket.Read(buffer[:])
	if n > 0 {
		err = nil
	}
	return buffer, n, err
}
