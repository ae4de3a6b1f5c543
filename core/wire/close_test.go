package wire_test

import (
	"encoding/binary"
	"testing"
	"time"

	"barnabas/core/protocol"
)

// framed puts the length before a frame.
func framed(p ...byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(p))), p...)
}

// What can't be understood closes its connection, and that is all: other connections go on, and so does the server.
func TestAMalformedRequestClosesItsConnectionAndNothingElse(t *testing.T) {
	fetch := request(messages()['F'], 1)
	tooOld := requestAt(protocol.NewProduceRequest(), 3, 1)
	binary.BigEndian.PutUint16(tooOld[6:], 2)
	tooNew := requestAt(protocol.NewMetadataRequest(), 13, 1)
	binary.BigEndian.PutUint16(tooNew[6:], 14)
	f := func(name string, frame []byte) {
		t.Helper()
		w := newWorld(t)
		s := w.serve(-1, true)
		good, bad := w.dial(), w.dial()
		good.ask("F")
		bad.send(frame)
		w.pass(5 * time.Second)
		if !bad.closed || len(bad.frames) != 0 {
			t.Fatalf("%s: closed: %t, answers: %d", name, bad.closed, len(bad.frames))
		}
		w.on(w.there, func() { w.answer(w.begun[0]) })
		if good.closed || len(good.got) != 1 || s.Connections() != 1 {
			t.Fatalf("%s: the other connection: closed %t, answers %v; %d open", name, good.closed, good.got, s.Connections())
		}
	}
	f("an empty frame", framed())
	f("one byte", framed(0))
	f("half a header", framed(0, 1, 0, 17, 0, 0, 0, 1))
	f("an unknown API", framed(0x7f, 0xff, 0, 0, 0, 0, 0, 1, 0, 0))
	f("an API that is not served", framed(0, 11, 0, 0, 0, 0, 0, 1, 0, 0))
	f("a version below the least", tooOld)
	f("a version above the greatest", tooNew)
	f("a negative version", framed(0, 3, 0xff, 0xff, 0, 0, 0, 1, 0, 0))
	f("a body cut off", framed(fetch[4:len(fetch)-3]...))
	f("a negative frame length", []byte{0xff, 0xff, 0xff, 0xff, 0, 0})
	f("a frame too long", []byte{0x7f, 0, 0, 0, 0, 0})
	f("an HTTP request", []byte("GET / HTTP/1.1\r\n\r\n"))
}

func TestWhatWasAnsweredBeforeAMalformedRequestStillLeaves(t *testing.T) {
	w := newWorld(t)
	w.serve(-1, true)
	c := w.dial()
	c.ask("F")
	bad := framed(0x7f, 0xff, 0, 0, 0, 0, 0, 2, 0, 0)
	c.send(bad)
	if c.closed {
		t.Fatal("closed before the request ahead of it was answered")
	}
	w.on(w.there, func() { w.answer(w.begun[0]) })
	w.pass(5 * time.Second)
	if len(c.got) != 1 || !c.closed {
		t.Fatalf("answers %v, closed %t", c.got, c.closed)
	}
}

func TestAnAnswerToAClientThatIsGoneIsDropped(t *testing.T) {
	w := newWorld(t)
	s := w.serve(-1, true)
	c := w.dial()
	c.ask("PPM")
	w.on(w.here, c.conn.Close)
	w.pass(time.Second)
	if s.Connections() != 0 || !w.begun[0].Closed() {
		t.Fatalf("%d connections, the request's is closed: %t", s.Connections(), w.begun[0].Closed())
	}
	w.on(w.there, func() {
		w.answer(w.begun[1])
		w.begun[0].AnswerNothing()
	})
	if len(w.begun) != 2 {
		t.Fatal("a request began for a client that is gone")
	}
}

func TestAnIdleConnectionIsClosed(t *testing.T) {
	w := newWorld(t)
	s := w.serve(time.Second, true)
	c := w.dial()
	w.pass(900 * time.Millisecond)
	c.ask("V")
	w.on(w.there, func() { w.answer(w.begun[0]) })
	w.pass(900 * time.Millisecond)
	if c.closed {
		t.Fatal("closed though it had asked for something")
	}
	w.pass(2 * time.Second)
	if !c.closed || s.Connections() != 0 {
		t.Fatalf("closed: %t; %d open", c.closed, s.Connections())
	}
}

func TestAConnectionThatWaitsForAnAnswerIsNotIdle(t *testing.T) {
	w := newWorld(t)
	w.serve(time.Second, true)
	c := w.dial()
	c.ask("F")
	w.pass(10 * time.Second)
	w.on(w.there, func() { w.answer(w.begun[0]) })
	if c.closed || len(c.got) != 1 {
		t.Fatalf("closed: %t, answers %v", c.closed, c.got)
	}
	w.pass(5 * time.Second)
	if !c.closed {
		t.Fatal("not closed when it was idle after that")
	}
}

func TestAConnectionIsNeverIdleWithoutABound(t *testing.T) {
	w := newWorld(t)
	w.serve(-1, true)
	c := w.dial()
	w.pass(time.Hour)
	if c.closed {
		t.Fatal("closed")
	}
}

// A connection may come and be idle before the server serves, as while it recovers.
func TestAConnectionFromBeforeServeMayEndBeforeIt(t *testing.T) {
	w := newWorld(t)
	s := w.serve(time.Second, false)
	c := w.dial()
	c.ask("VV")
	w.on(w.here, c.conn.Close)
	w.pass(time.Second)
	w.on(w.there, s.Serve)
	if len(w.begun) != 0 || s.Connections() != 0 {
		t.Fatalf("%d begun, %d open", len(w.begun), s.Connections())
	}
}
