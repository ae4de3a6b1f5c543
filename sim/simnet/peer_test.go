package simnet_test

import (
	"encoding/binary"
	"testing"

	"barnabas/core/env"
)

// peer keeps what happened to one end of a connection.
type peer struct {
	conn env.Conn
	got  [][]byte
	held []*env.Frame
	hold bool
	echo bool
	// onFrame, if set, is called with each frame.
	onFrame func()
	closed  int
	err     error
}

func (p *peer) OnFrame(f *env.Frame) {
	p.got = append(p.got, append([]byte(nil), f.Bytes...))
	if p.echo {
		p.conn.Send([][]byte{frame(f.Bytes)}, nil)
	}
	if p.onFrame != nil {
		p.onFrame()
	}
	if p.hold {
		p.held = append(p.held, f)
		return
	}
	f.Release()
}

func (p *peer) OnClose(err error) { p.closed, p.err = p.closed+1, err }

func frame(payload []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(payload))), payload...)
}

func payload(number, size int) []byte {
	p := make([]byte, size)
	for i := range p {
		p[i] = byte(number*31 + i*7 + i>>8)
	}
	return p
}

var bound = env.ConnOptions{FrameBytesMax: 8 << 20, FramesHeldMax: 16}

// pair connects node 1 to node 0.
func (w *world) pair(t testing.TB) (server, client *peer) {
	t.Helper()
	server, client = &peer{}, &peer{}
	address := w.listen(t, 0, func(c env.Conn) env.ConnHandler {
		server.conn = c
		return server
	})
	if err := w.dial(t, 1, address, client); err != nil {
		t.Fatal(err)
	}
	return server, client
}

func (w *world) listen(t testing.TB, node int, accept func(env.Conn) env.ConnHandler) (address string) {
	t.Helper()
	return w.listenWith(t, node, bound, accept)
}

func (w *world) listenWith(
	t testing.TB, node int, options env.ConnOptions, accept func(env.Conn) env.ConnHandler,
) (address string) {
	t.Helper()
	var failed error
	w.do(node, func() {
		w.ends[node].Listen("any:0", options, accept).Then(func(l env.Listener, err error) {
			if failed = err; err == nil {
				address = l.Address()
			}
		})
	})
	if !w.within(hour, func() bool { return address != "" || failed != nil }) || failed != nil {
		t.Fatalf("listen: %v", failed)
	}
	return address
}

func (w *world) dial(t testing.TB, node int, address string, p *peer) (failed error) {
	t.Helper()
	done := false
	w.do(node, func() {
		w.ends[node].Dial(address, bound, p).Then(func(c env.Conn, err error) { p.conn, failed, done = c, err, true })
	})
	if !w.within(hour, func() bool { return done }) {
		t.Fatal("no answer to a dial")
	}
	return failed
}
