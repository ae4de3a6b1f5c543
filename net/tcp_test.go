package net_test

import (
	"bytes"
	"errors"
	"io"
	stdnet "net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"barnabas/core/env"
	"barnabas/net"
)

func TestLocalhostMeansBothIPVersions(t *testing.T) {
	w := newWorld(t, net.Options{})
	listener := w.echoing(t, "localhost:0")
	name, port, _ := stdnet.SplitHostPort(listener.Address())
	if name != "localhost" || port == "0" {
		t.Errorf("listening at %s", listener.Address())
	}
	exchange(t, connect(t, "127.0.0.1:"+port), []byte("four"))
	if probe, err := stdnet.Listen("tcp", "[::1]:0"); err == nil {
		_ = probe.Close()
		exchange(t, connect(t, "[::1]:"+port), []byte("six"))
	} else {
		t.Logf("this machine has no IPv6 loopback: %v", err)
	}
}

func TestHalfClosedPeerGetsItsAnswers(t *testing.T) {
	w := newWorld(t, net.Options{})
	socket := connect(t, w.echoing(t, "127.0.0.1:0").Address())
	var sent []byte
	for i := range 100 {
		sent = append(sent, frame(bytes.Repeat([]byte{byte(i)}, i))...)
	}
	_, _ = socket.Write(sent)
	_ = socket.CloseWrite()
	got, err := io.ReadAll(socket)
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d of %d bytes came back, %v", len(got), len(sent), err)
	}
}

func TestResetIsHeardOnce(t *testing.T) {
	w := newWorld(t, net.Options{})
	server := &handler{}
	listener := w.listen(t, "127.0.0.1:0", func(c env.Conn) env.ConnHandler { server.conn = c; return server })
	socket := connect(t, listener.Address())
	exchange(t, socket, []byte("first"))
	_ = socket.SetLinger(0)
	_ = socket.Close()
	w.until(t, "the end", func() bool { return server.closed > 0 })
	w.do(func() {
		if !errors.Is(server.err, env.ErrClosed) || !errors.Is(server.err, syscall.ECONNRESET) {
			t.Errorf("heard %v", server.err)
		}
	})
}

// A peer that does not read fills our queue, not our loop; the queue is freed when it goes away.
func TestPeerThatDoesNotRead(t *testing.T) {
	w := newWorld(t, net.Options{})
	server := &handler{}
	listener := w.listen(t, "127.0.0.1:0", func(c env.Conn) env.ConnHandler { server.conn = c; return server })
	lazy := connect(t, listener.Address())
	w.until(t, "the connection", func() bool { return server.conn != nil })
	const sends = 64
	done := 0
	piece := make([]byte, 1<<20)
	w.do(func() {
		for range sends {
			server.conn.Send([][]byte{piece}, func() { done++ })
		}
	})
	exchange(t, connect(t, w.echoing(t, "127.0.0.1:0").Address()), []byte("others are served"))
	w.do(func() {
		if done == sends {
			t.Error("64 MiB were taken by a peer that reads nothing")
		}
	})
	_ = lazy.SetLinger(0)
	_ = lazy.Close()
	w.until(t, "the end", func() bool { return server.closed > 0 })
	w.do(func() {
		if done != sends {
			t.Errorf("%d of %d sends were done at the end", done, sends)
		}
	})
}

// The order holds when small sends follow large ones that the writer is still busy with.
func TestWritersAndTheLoopKeepOneOrder(t *testing.T) {
	w := newWorld(t, net.Options{})
	server := &handler{}
	listener := w.listen(t, "127.0.0.1:0", func(c env.Conn) env.ConnHandler { server.conn = c; return server })
	socket := connect(t, listener.Address())
	w.until(t, "the connection", func() bool { return server.conn != nil })
	const rounds = 200
	go func() {
		for i := range rounds {
			size := 10
			if i%7 == 0 {
				size = 700_000
			}
			w.do(func() { server.conn.Send([][]byte{bytes.Repeat([]byte{byte(i)}, size), {byte(i)}}, nil) })
		}
		w.do(server.conn.Close)
	}()
	got, err := io.ReadAll(socket)
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	for i := range rounds {
		size := 11
		if i%7 == 0 {
			size = 700_001
		}
		if at+size > len(got) || !bytes.Equal(got[at:at+size], bytes.Repeat([]byte{byte(i)}, size)) {
			t.Fatalf("send %d is not where it belongs", i)
		}
		at += size
	}
}

func TestReleasedFramesAreSpoilt(t *testing.T) {
	w := newWorld(t, net.Options{Poison: true})
	server := &handler{}
	server.onFrame = func(f *env.Frame) {
		kept := f.Bytes
		f.Release()
		if !bytes.Equal(kept, bytes.Repeat([]byte{0xDB}, len(kept))) {
			t.Error("a released frame still reads well")
		}
	}
	listener := w.listen(t, "127.0.0.1:0", func(env.Conn) env.ConnHandler { return server })
	socket := connect(t, listener.Address())
	_, _ = socket.Write(append(frame([]byte("one")), frame(make([]byte, 100_000))...))
	w.until(t, "two frames", func() bool { return server.frames == 2 })
}

func TestConnectionsMax(t *testing.T) {
	w := newWorld(t, net.Options{Limits: net.Limits{ConnectionsMax: 2}})
	listener := w.echoing(t, "127.0.0.1:0")
	one, two := connect(t, listener.Address()), connect(t, listener.Address())
	exchange(t, one, []byte("1"))
	exchange(t, two, []byte("2"))
	three := connect(t, listener.Address())
	if n, err := three.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a connection too many is not closed: %d bytes, %v", n, err)
	}
	_ = one.Close()
	for deadline := time.Now().Add(patience); ; { // the place is free once the loop heard of the end
		four := connect(t, listener.Address())
		_, _ = four.Write(frame([]byte("4")))
		if _, err := io.ReadFull(four, make([]byte, 5)); err == nil {
			return
		}
		_ = four.Close()
		if time.Now().After(deadline) {
			t.Fatal("the place of a connection that ended is never free")
		}
	}
}

func TestCongestionControl(t *testing.T) {
	w := newWorld(t, net.Options{Congestion: "reno"})
	exchange(t, connect(t, w.echoing(t, "localhost:0").Address()), []byte("reno"))
	bad := newWorld(t, net.Options{Congestion: "nonesuch"})
	var failed error
	bad.do(func() {
		bad.network.Listen("localhost:0", bound, nil).Then(func(_ env.Listener, err error) { failed = err })
	})
	bad.until(t, "an answer", func() bool { return failed != nil })
	if !strings.Contains(failed.Error(), "nonesuch") {
		t.Errorf("the error does not name the setting: %v", failed)
	}
}

// The host's end leaves no socket and no goroutine, whatever was going on.
func TestEndInTheMiddleOfEverything(t *testing.T) {
	w := newWorld(t, net.Options{})
	var conns []env.Conn
	listener := w.listen(t, "127.0.0.1:0", func(c env.Conn) env.ConnHandler {
		conns = append(conns, c)
		return &handler{conn: c, onFrame: func(*env.Frame) {}} // never releases
	})
	for range 8 {
		socket := connect(t, listener.Address())
		go func() {
			for {
				if _, err := socket.Write(frame(make([]byte, 1000))); err != nil {
					return
				}
			}
		}()
	}
	w.until(t, "the connections", func() bool { return len(conns) == 8 })
	w.do(func() {
		for i, c := range conns {
			c.Send([][]byte{make([]byte, 20<<20)}, nil)
			if i%2 == 0 {
				c.Close()
			}
		}
		w.network.Dial("192.0.2.1:9", bound, &handler{})
	})
}
