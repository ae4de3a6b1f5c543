package net_test

import (
	"bytes"
	"io"
	"testing"

	"barnabas/core/env"
	"barnabas/net"
)

// one listens for a single connection and returns its handler, with a plain socket at the other end.
func (w *world) one(t *testing.T) (server *handler, socket socket) {
	t.Helper()
	server = &handler{}
	listener := w.listen(t, "127.0.0.1:0", func(c env.Conn) env.ConnHandler {
		server.conn = c
		return server
	})
	plain := connect(t, listener.Address())
	w.until(t, "the connection", func() bool { return server.conn != nil })
	return server, plain
}

type socket interface {
	io.ReadWriteCloser
	CloseWrite() error
}

// What was queued arrives even if the peer had sent more than we have read: closing the socket at once would reset it.
func TestCloseWithUnreadBytesLosesNothing(t *testing.T) {
	w := newWorld(t, net.Options{})
	server, socket := w.one(t)
	answer := bytes.Repeat([]byte("answer"), 300_000)
	w.do(func() {
		server.onFrame = func(f *env.Frame) {
			f.Release()
			server.conn.Send([][]byte{answer}, nil)
			server.conn.Close()
		}
	})
	for range 100 {
		if _, err := socket.Write(frame(make([]byte, 50_000))); err != nil {
			t.Fatalf("the rest is not taken: %v", err)
		}
	}
	_ = socket.CloseWrite()
	got, err := io.ReadAll(socket)
	if err != nil || !bytes.Equal(got, answer) {
		t.Errorf("%d of %d bytes came, %v", len(got), len(answer), err)
	}
}

func TestHalfClosedPeerGetsLargeAnswersToo(t *testing.T) {
	w := newWorld(t, net.Options{})
	socket := connect(t, w.echoing(t, "127.0.0.1:0").Address())
	const frames, size = 20, 300_000
	go func() {
		for i := range frames {
			_, _ = socket.Write(frame(bytes.Repeat([]byte{byte(i)}, size)))
		}
		_ = socket.CloseWrite()
	}()
	got, err := io.ReadAll(socket)
	if err != nil || len(got) != frames*(4+size) {
		t.Errorf("%d of %d bytes came back, %v", len(got), frames*(4+size), err)
	}
}

// We closed it, whatever the peer did at the same time.
func TestWhoClosesHearsNoError(t *testing.T) {
	w := newWorld(t, net.Options{})
	for range 50 {
		server, socket := w.one(t)
		w.do(func() {
			server.onFrame = func(f *env.Frame) {
				f.Release()
				server.conn.Close()
			}
		})
		_, _ = socket.Write(frame([]byte("bye")))
		_ = socket.Close()
		w.until(t, "the end", func() bool { return server.closed == 1 })
		w.do(func() {
			if server.err != nil {
				t.Errorf("the side that closed heard %v", server.err)
			}
		})
	}
}

// A socket that takes only a part of what the loop tries to send gets the rest from the writer.
func TestPartlyTakenSendsGoOn(t *testing.T) {
	w := newWorld(t, net.Options{})
	server, socket := w.one(t)
	const sends, size = 200, 60_001
	done := 0
	for i := range sends {
		w.do(func() {
			p := bytes.Repeat([]byte{byte(i)}, size)
			server.conn.Send([][]byte{p[:size/2], p[size/2:]}, func() { done++ })
		})
	}
	w.do(func() {
		if done == sends {
			t.Error("all was taken at once: nothing is tested")
		}
		server.conn.Close()
	})
	got, err := io.ReadAll(socket)
	if err != nil || len(got) != sends*size {
		t.Fatalf("%d of %d bytes came, %v", len(got), sends*size, err)
	}
	for i := range sends {
		if !bytes.Equal(got[i*size:(i+1)*size], bytes.Repeat([]byte{byte(i)}, size)) {
			t.Fatalf("send %d is not where it belongs", i)
		}
	}
	w.until(t, "all sends being done", func() bool { return done == sends })
}
