package wire_test

import (
	"strings"
	"testing"
	"time"

	"barnabas/core/protocol"
)

// large is an answer to a fetch with so many bytes of records.
func large(bytes int) *protocol.FetchResponse {
	return &protocol.FetchResponse{Responses: []protocol.FetchableTopicResponse{{
		Partitions: []protocol.FetchPartitionData{{Records: protocol.Records{Bytes: make([]byte, bytes)}}},
	}}}
}

// stuck is a connection whose client takes nothing, though more than so many bytes were answered.
func (w *world) stuck(bytes int) *conn {
	w.t.Helper()
	c := w.dialHolding(1)
	c.holds = true
	for range 1 + (bytes+largest-1)/largest { // the first one comes through, then a window of the second
		c.ask("F")
		r := w.begun[len(w.begun)-1]
		w.begun = w.begun[:len(w.begun)-1]
		w.on(w.there, func() { r.Answer(large(largest), nil) })
		w.pass(100 * time.Millisecond)
	}
	return c
}

const largest = 600 << 10

// resume has the client read on.
func (c *conn) resume() {
	c.w.on(c.w.here, func() {
		c.holds = false
		for _, f := range c.held {
			f.Release()
		}
		c.held = nil
	})
}

// Answers that clients do not read hold up everybody's requests but produce, until they are read.
func TestUnreadAnswersAreBoundedTogether(t *testing.T) {
	w := newWorld(t)
	w.unsentMax = 1 << 20
	s := w.serve(-1, true)
	slow := w.stuck(1 << 20)
	if n := s.Unsent(); n < 1<<20 || n > 2<<20 {
		t.Fatalf("%d bytes are unread, %d may be, and an answer more", n, w.unsentMax)
	}
	good := w.dial()
	good.ask("P")
	if got := w.keys(); got != "P" {
		t.Fatalf("%q in progress: a produce waits for nobody's answers", got)
	}
	w.on(w.there, func() { w.answer(w.begun[0]) })
	w.begun = nil
	good.ask("F")
	slow.ask("P")
	if got := w.keys(); got != "" {
		t.Fatalf("%q began where there is no room for answers", got)
	}
	slow.resume()
	w.pass(time.Second)
	if got := w.keys(); got != "FP" && got != "PF" || s.Unsent() != 0 {
		t.Fatalf("%q in progress when all was read, and %d bytes are unread", got, s.Unsent())
	}
	if s.Traffic().Crowded != 1 || s.Traffic().Unread != 0 {
		t.Fatalf("%+v", s.Traffic())
	}
}

// Who reads nothing for a while is closed for the sake of the others, as few as it takes, with a line.
func TestTheSlowestReaderIsClosed(t *testing.T) {
	w := newWorld(t)
	w.unsentMax = 1 << 20
	s := w.serve(-1, true)
	slow := []*conn{w.stuck(largest), w.stuck(largest)}
	good := w.dial()
	good.ask("F")
	w.pass(4 * time.Second)
	if len(w.begun) != 0 || s.Connections() != 3 {
		t.Fatalf("%d began, %d connections, too early", len(w.begun), s.Connections())
	}
	w.pass(2 * time.Second)
	if s.Traffic().Unread != 1 {
		t.Fatalf("%d closed", s.Traffic().Unread)
	}
	if len(w.said) != 1 || !strings.Contains(w.said[0], "has not read") || !strings.Contains(w.said[0], "queued.max.response.bytes=1048576") {
		t.Fatalf("%q", w.said)
	}
	w.on(w.here, func() { slow[0].conn.Close() }) // a real network gives it up after a few seconds
	w.pass(time.Second)
	if w.keys() != "F" || slow[1].closed {
		t.Fatalf("%q in progress after there is room; the other closed: %t", w.keys(), slow[1].closed)
	}
}

// An answer that was waited for (a long poll) waits until there is room.
func TestAnAnswerThatIsWaitedForWaitsForRoom(t *testing.T) {
	w := newWorld(t)
	w.unsentMax = 1 << 20
	w.serve(-1, true)
	polls := w.dial()
	polls.ask("F")
	poll, again := w.begun[0], 0
	room := func() { again++ }
	if poll.Crowded(room) {
		t.Fatal("crowded at the start")
	}
	slow := w.stuck(1 << 20)
	if !poll.Crowded(room) || again != 0 {
		t.Fatalf("not crowded, or %d calls", again)
	}
	slow.resume()
	w.pass(time.Second)
	if again != 1 || poll.Crowded(room) {
		t.Fatalf("%d calls when there is room", again)
	}
}
