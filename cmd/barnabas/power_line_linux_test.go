package main

import (
	"context"
	"net"
	"sync"
	"syscall"
)

// line is what clients reach the broker by. When the power is cut, so is the line, a moment before: what a client was told
// has then been promised by a broker whose disk still had power.
type line struct {
	mutex sync.RWMutex
	down  bool
	ends  map[*lineEnd]bool
}

// dial connects a client.
func (l *line) dial(ctx context.Context, network, host string) (net.Conn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, host)
	if err != nil {
		return nil, err
	}
	end := &lineEnd{Conn: conn, line: l}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.down {
		conn.Close()
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	if l.ends == nil {
		l.ends = make(map[*lineEnd]bool)
	}
	l.ends[end] = true
	return end, nil
}

// cut has nothing reach a client any more, at once. It returns how to close the connections, which takes longer.
func (l *line) cut() (closeAll func()) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.down = true
	ends := l.ends
	l.ends = nil
	return func() {
		for end := range ends {
			end.Conn.Close()
		}
	}
}

func (l *line) mend() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.down = false
}

// lineEnd is the client's end of a connection.
type lineEnd struct {
	net.Conn
	line *line
}

// Read passes on what comes as long as the line is up.
func (e *lineEnd) Read(p []byte) (int, error) {
	n, err := e.Conn.Read(p)
	e.line.mutex.RLock()
	defer e.line.mutex.RUnlock()
	if e.line.ends[e] {
		return n, err
	}
	return 0, &net.OpError{Op: "read", Err: syscall.ECONNRESET}
}

// Close ends the connection.
func (e *lineEnd) Close() error {
	e.line.mutex.Lock()
	delete(e.line.ends, e)
	e.line.mutex.Unlock()
	return e.Conn.Close()
}
