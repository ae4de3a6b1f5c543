package net_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	stdnet "net"
	"net/http"
	"strings"
	"testing"
	"time"

	"barnabas/core/env"
	"barnabas/net"
)

// ends says whether the peer closes the connection soon.
func ends(socket stdnet.Conn) bool {
	_ = socket.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, err := io.Copy(io.Discard, socket)
	return err == nil || !strings.Contains(err.Error(), "timeout")
}

func TestAHalfSentFrameIsNotWaitedForForEver(t *testing.T) {
	w := newWorld(t, net.Options{HalfSentTimeout: 50 * time.Millisecond})
	address := w.echoing(t, "127.0.0.1:0").Address()
	for name, part := range map[string]int{"half a length": 2, "a length": 4, "some of it": 100} {
		socket := connect(t, address)
		exchange(t, socket, []byte("a whole one before"))
		_, _ = socket.Write(frame(make([]byte, 1000))[:part])
		if !ends(socket) {
			t.Errorf("%s: the connection stays", name)
		}
	}
}

func TestAnIdleConnectionIsNotHalfSent(t *testing.T) {
	w := newWorld(t, net.Options{HalfSentTimeout: 50 * time.Millisecond})
	socket := connect(t, w.echoing(t, "127.0.0.1:0").Address())
	exchange(t, socket, []byte("one"))
	p := frame(make([]byte, 2000))
	_, _ = socket.Write(p[:1000]) // it has a deadline now
	_, _ = socket.Write(p[1000:])
	got := make([]byte, len(p))
	if _, err := io.ReadFull(socket, got); err != nil || !bytes.Equal(got, p) {
		t.Fatal(err)
	}
	<-time.After(150 * time.Millisecond) // if it had a deadline, this would be beyond it
	exchange(t, socket, []byte("two"))
}

func TestAPeerThatDoesNotReadIsGivenUp(t *testing.T) {
	w := newWorld(t, net.Options{UnreadTimeout: 50 * time.Millisecond})
	server := &handler{}
	listener := w.listen(t, "127.0.0.1:0", func(c env.Conn) env.ConnHandler { server.conn = c; return server })
	socket := connect(t, listener.Address())
	_ = socket.SetReadBuffer(4096)
	exchange(t, socket, []byte("first"))
	w.do(func() { server.conn.Send([][]byte{make([]byte, 64<<20)}, nil) })
	w.until(t, "the end", func() bool { return server.closed > 0 })
	w.do(func() {
		if server.err == nil || !strings.Contains(server.err.Error(), "does not read") {
			t.Errorf("it ended because of %v", server.err)
		}
	})
}

func TestConnectionsOfOneAddressAreBounded(t *testing.T) {
	said := make(chan string, 10)
	w := newWorld(t, net.Options{
		Limits: net.Limits{ConnectionsPerIPMax: 2, OverridesPerIP: map[string]int{"127.0.0.2": 1}},
		Say:    func(line string) { said <- line },
	})
	address := w.echoing(t, "127.0.0.1:0").Address()
	one, two := connect(t, address), connect(t, address)
	exchange(t, one, []byte("one"))
	exchange(t, two, []byte("two"))
	if !ends(connect(t, address)) {
		t.Error("a third connection stays")
	}
	if line := <-said; !strings.Contains(line, "max.connections.per.ip=2 of 127.0.0.1") {
		t.Errorf("it says %q", line)
	}
	_ = one.Close()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); { // when the end was noticed
		if socket, err := stdnet.Dial("tcp", address); err == nil {
			_ = socket.SetDeadline(time.Now().Add(time.Second))
			_, _ = socket.Write(frame([]byte("x")))
			n, err := io.ReadFull(socket, make([]byte, 5))
			_ = socket.Close()
			if n == 5 && err == nil {
				return
			}
		}
	}
	t.Error("no connection takes the place of one that ended")
}

// Of connections that come faster than they may, all are taken, the later ones later.
func TestConnectionsOfASecondAreBounded(t *testing.T) {
	const perSecond, count = 40, 60
	said := make(chan string, 10)
	w := newWorld(t, net.Options{Limits: net.Limits{ConnectionsPerSecond: perSecond}, Say: func(line string) { said <- line }})
	address := w.echoing(t, "127.0.0.1:0").Address()
	begun := time.Now()
	for range count {
		exchange(t, connect(t, address), []byte("x"))
	}
	if took, least := time.Since(begun), (count-perSecond)*time.Second/perSecond; took < least {
		t.Errorf("%d connections were taken in %v, which is to last %v", count, took, least)
	}
	if line := <-said; !strings.Contains(line, "max.connection.creation.rate=40") {
		t.Errorf("it says %q", line)
	}
	if counts := w.network.Counts(); counts.Delayed == 0 || counts.Refused != 0 {
		t.Errorf("%+v", counts)
	}
}

// Limits that change hold for the connections that come from then on.
func TestLimitsChange(t *testing.T) {
	w := newWorld(t, net.Options{})
	address := w.echoing(t, "127.0.0.1:0").Address()
	exchange(t, connect(t, address), []byte("one"))
	w.network.SetLimits(net.Limits{ConnectionsPerIPMax: 1})
	if !ends(connect(t, address)) {
		t.Error("a second connection stays")
	}
	w.network.SetLimits(net.Limits{ConnectionsPerIPMax: -1, OverridesPerIP: map[string]int{"127.0.0.1": 2}})
	exchange(t, connect(t, address), []byte("two"))
	if !ends(connect(t, address)) {
		t.Error("a third connection stays")
	}
	w.network.SetLimits(net.Limits{ConnectionsPerIPMax: -1})
	if !ends(connect(t, address)) {
		t.Error("a connection stays where none may be")
	}
}

// More frames than there is memory for are held back until the loop releases some.
func TestBeyondTheBudgetNothingIsRead(t *testing.T) {
	w := newWorld(t, net.Options{FrameMemoryMax: 1 << 20})
	var held []*env.Frame
	listener := w.listen(t, "127.0.0.1:0", func(c env.Conn) env.ConnHandler {
		return holding{func(f *env.Frame) { held = append(held, f) }}
	})
	const size, count = 256 << 10, 20
	for range count {
		socket := connect(t, listener.Address())
		go func() { _, _ = socket.Write(frame(make([]byte, size))) }()
	}
	number := func() (n int) {
		w.do(func() { n = len(held) })
		return n
	}
	w.until(t, "some frames", func() bool { return len(held) >= 3 })
	<-time.After(50 * time.Millisecond) // for as many as would come
	if n := number(); n > 6 {
		t.Errorf("%d frames of %d KiB are held where a MiB is allowed", n, size>>10)
	}
	got := 0
	for got < count {
		w.until(t, "the next frames", func() bool { return len(held) > 0 })
		w.do(func() {
			for _, f := range held {
				f.Release()
				got++
			}
			held = nil
		})
	}
}

type holding struct{ take func(*env.Frame) }

func (h holding) OnFrame(f *env.Frame) { h.take(f) }
func (holding) OnClose(error)          {}

// A length alone costs little.
func TestClaimsTakeLittleMemory(t *testing.T) {
	w := newWorld(t, net.Options{FrameMemoryMax: 4 << 20})
	address := w.echoing(t, "127.0.0.1:0").Address()
	var claim [4]byte
	binary.BigEndian.PutUint32(claim[:], uint32(bound.FrameBytesMax))
	for range 40 {
		socket := connect(t, address)
		_, _ = socket.Write(claim[:])
	}
	exchange(t, connect(t, address), []byte("passes"))
}

func TestABrowserIsToldWhatThePortSpeaks(t *testing.T) {
	w := newWorld(t, net.Options{})
	socket := connect(t, w.echoing(t, "127.0.0.1:0").Address())
	_, _ = socket.Write([]byte("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"))
	response, err := http.ReadResponse(bufio.NewReader(socket), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), "Kafka") {
		t.Errorf("%s %q, %v", response.Status, body, err)
	}
}
