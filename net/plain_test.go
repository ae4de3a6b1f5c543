package net_test

import (
	"bytes"
	"encoding/binary"
	"io"
	stdnet "net"
	"testing"
	"time"

	"barnabas/core/env"
)

// handler echoes frames, unless told otherwise.
type handler struct {
	conn    env.Conn
	onFrame func(f *env.Frame)
	frames  int
	closed  int
	err     error
}

func (h *handler) OnFrame(f *env.Frame) {
	h.frames++
	if h.onFrame != nil {
		h.onFrame(f)
		return
	}
	h.conn.Send([][]byte{frame(f.Bytes)}, nil)
	f.Release()
}

func (h *handler) OnClose(err error) { h.closed, h.err = h.closed+1, err }

func frame(payload []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(payload))), payload...)
}

var bound = env.ConnOptions{FrameBytesMax: 8 << 20, FramesHeldMax: 64}

// listen takes connections at a free port; each gets a handler of make.
func (w *world) listen(t testing.TB, address string, accept func(c env.Conn) env.ConnHandler) env.Listener {
	t.Helper()
	var listener env.Listener
	var failed error
	w.do(func() {
		w.network.Listen(address, bound, accept).Then(func(l env.Listener, err error) { listener, failed = l, err })
	})
	w.until(t, "listening", func() bool { return listener != nil || failed != nil })
	if failed != nil {
		t.Fatal(failed)
	}
	return listener
}

func (w *world) echoing(t testing.TB, address string) env.Listener {
	t.Helper()
	return w.listen(t, address, func(c env.Conn) env.ConnHandler { return &handler{conn: c} })
}

// connect dials with a plain socket, as a foreign client would.
func connect(t testing.TB, address string) *stdnet.TCPConn {
	t.Helper()
	socket, err := stdnet.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	_ = socket.SetDeadline(time.Now().Add(patience))
	return socket.(*stdnet.TCPConn)
}

func exchange(t testing.TB, socket io.ReadWriter, message []byte) {
	t.Helper()
	if _, err := socket.Write(frame(message)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 4+len(message))
	if _, err := io.ReadFull(socket, got); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, frame(message)) {
		t.Fatal("the echo differs")
	}
}
