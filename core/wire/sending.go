package wire

import "barnabas/core/protocol"

// messageBytes is room for most messages, records apart, so that writing them does not grow a buffer step by step.
const messageBytes = 256

// sending is what leaves with one send, and what is released when it has left.
type sending struct {
	server  *Server
	writer  protocol.Writer
	buffer  []byte
	parts   [][]byte
	release []func()
	sent    func()
	to      *Connection
	bytes   int
}

// sending returns one with nothing in it, to the connection.
func (s *Server) sending(to *Connection) *sending {
	var out *sending
	if last := len(s.spare) - 1; last >= 0 {
		out = s.spare[last]
		s.spare = s.spare[:last]
	} else {
		out = &sending{server: s, buffer: make([]byte, 0, messageBytes)}
		out.sent = out.left
	}
	out.writer.Reset(out.buffer)
	out.to, out.bytes = to, 0
	return out
}

// left is told that the network needs the memory no longer.
func (o *sending) left() {
	runAll(o.release)
	c, bytes := o.to, o.bytes
	full := c.unsent >= unsentMax
	o.over()
	c.server.backlog.leave(c, bytes)
	if full {
		c.start()
	}
}

// keptBytes is how large a buffer may be to be kept for further answers.
const keptBytes = 16 << 10

// over gives the memory up, for the next answers.
func (o *sending) over() {
	if buffer := o.writer.Buffer(); cap(buffer) <= keptBytes {
		o.buffer = buffer[:0]
	}
	clear(o.parts)
	clear(o.release)
	o.to = nil
	o.parts, o.release = o.parts[:0], o.release[:0]
	o.writer.Reset(nil)
	o.server.spare = append(o.server.spare, o)
}
