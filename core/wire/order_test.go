package wire_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"barnabas/core/protocol"
)

// Rule T4: consecutive Produce requests overlap, any other request is a barrier in both directions. A stage is what is in
// progress at once; it is answered last request first, and the answers come first request first all the same.
func TestConsecutiveProducesOverlapAndAnythingElseIsABarrier(t *testing.T) {
	f := func(asked string, stages ...string) {
		t.Helper()
		w := newWorld(t)
		w.serve(-1, true)
		c := w.dial()
		c.ask(asked)
		for i, stage := range stages {
			if got := w.keys(); got != stage {
				t.Fatalf("%s: stage %d has %q in progress, want %q", asked, i, got, stage)
			}
			begun, before := w.begun, len(c.got)
			w.begun = nil
			for k, r := range slices.Backward(begun) {
				if len(c.got) != before {
					t.Fatalf("%s: an answer left before that of an earlier request", asked)
				}
				w.on(w.there, func() { w.answer(r) })
				if k > 0 && len(w.begun) > 0 {
					t.Fatalf("%s: a request began before stage %d was answered", asked, i)
				}
			}
		}
		for i, id := range c.got {
			if id != int32(i+1) {
				t.Fatalf("%s: answers came in the order %v", asked, c.got)
			}
		}
		if len(c.got) != len(asked) {
			t.Fatalf("%s: %d answers", asked, len(c.got))
		}
	}
	f("P", "P")
	f("PPPPP", "PPPPP")
	f("FF", "F", "F")
	f("PF", "P", "F")
	f("FP", "F", "P")
	f("PPFPP", "PP", "F", "PP")
	f("MPIPPV", "M", "P", "I", "PP", "V")
	f("PPMFVPPPF", "PP", "M", "F", "V", "PPP", "F")
}

func TestConnectionsDoNotWaitForEachOther(t *testing.T) {
	w := newWorld(t)
	w.serve(-1, true)
	a, b := w.dial(), w.dial()
	a.ask("FM")
	b.ask("F")
	if got := w.keys(); got != "FF" {
		t.Fatalf("%q in progress, want one fetch of each", got)
	}
	w.on(w.there, func() { w.answer(w.begun[1]) })
	if len(a.got) != 0 || len(b.got) != 1 {
		t.Fatalf("answers: %v and %v", a.got, b.got)
	}
}

func TestAnswersOfOneStepLeaveTogetherAndInOrder(t *testing.T) {
	w := newWorld(t)
	w.serve(-1, true)
	c := w.dial()
	c.ask("PPP")
	w.on(w.there, func() {
		for _, i := range []int{1, 2, 0} {
			w.answer(w.begun[i])
		}
	})
	if !slices.Equal(c.got, []int32{1, 2, 3}) {
		t.Fatalf("answers came as %v", c.got)
	}
}

func TestRequestsFromBeforeServeWaitForIt(t *testing.T) {
	w := newWorld(t)
	s := w.serve(-1, false)
	c := w.dial()
	c.ask("VM")
	if len(w.begun) != 0 {
		t.Fatal("a request began before Serve")
	}
	w.on(w.there, s.Serve)
	if got := w.keys(); got != "V" {
		t.Fatalf("%q in progress after Serve, want the first request only", got)
	}
	w.on(w.there, func() { w.answer(w.begun[0]) })
	w.on(w.there, func() { w.answer(w.begun[1]) })
	if !slices.Equal(c.got, []int32{1, 2}) {
		t.Fatalf("answers came as %v", c.got)
	}
}

func TestARequestWithoutAnswerSendsNothingAndHoldsNothingBack(t *testing.T) {
	w := newWorld(t)
	w.serve(-1, true)
	c := w.dial()
	c.ask("PPM")
	w.on(w.there, func() { w.begun[0].AnswerNothing() })
	if len(c.frames) != 0 {
		t.Fatal("something was sent for a request without answer")
	}
	w.on(w.there, func() { w.answer(w.begun[1]) })
	w.on(w.there, func() { w.answer(w.begun[2]) })
	if !slices.Equal(c.got, []int32{2, 3}) {
		t.Fatalf("answers came as %v, want those of 2 and 3", c.got)
	}
}

// KIP-511: the client is told our range in a form every client can read, and comes back.
func TestApiVersionsOfAnUnknownVersionIsAnsweredInVersionZero(t *testing.T) {
	w := newWorld(t)
	w.serve(-1, true)
	c := w.dial()
	frame := requestAt(protocol.NewApiVersionsRequest(), 4, 9)
	binary.BigEndian.PutUint16(frame[6:], 99)
	c.send(frame)
	if len(c.frames) != 1 {
		t.Fatalf("%d answers; closed: %t", len(c.frames), c.closed)
	}
	var r protocol.Reader
	r.Reset(c.frames[0], 1<<20)
	id, m, err := protocol.DecodeResponse(&r, protocol.KeyApiVersions, 0)
	if err != nil || id != 9 {
		t.Fatalf("answer to %d: %v", id, err)
	}
	answer := m.(*protocol.ApiVersionsResponse)
	api, _ := protocol.APIByKey(protocol.KeyApiVersions)
	want := protocol.ApiVersion{ApiKey: api.Key, MinVersion: api.Min, MaxVersion: api.Max}
	if answer.ErrorCode != protocol.ErrUnsupportedVersion || len(answer.ApiKeys) != 1 || fmt.Sprint(answer.ApiKeys[0]) != fmt.Sprint(want) {
		t.Fatalf("%+v", answer)
	}
	c.ask("V")
	w.on(w.there, func() { w.answer(w.begun[0]) })
	if len(c.got) != 2 {
		t.Fatal("the connection does not go on")
	}
}

func TestReleaseRunsOnceWhenTheAnswerHasLeftOrNeverWill(t *testing.T) {
	f := func(name string, end func(w *world, c *conn)) {
		t.Helper()
		w := newWorld(t)
		w.serve(-1, true)
		c := w.dial()
		c.ask("PP")
		released := 0
		w.on(w.there, func() { w.begun[1].Answer(protocol.NewProduceResponse(), func() { released++ }) })
		if released != 0 {
			t.Fatalf("%s: released before it was sent", name)
		}
		end(w, c)
		w.pass(time.Second)
		if released != 1 {
			t.Fatalf("%s: released %d times", name, released)
		}
	}
	f("it is sent", func(w *world, _ *conn) { w.on(w.there, func() { w.answer(w.begun[0]) }) })
	f("the client goes", func(w *world, c *conn) { w.on(w.here, c.conn.Close) })
	f("the connection breaks", func(w *world, _ *conn) { w.net.Reset(w.there, w.here) })
	f("the connection is refused", func(w *world, _ *conn) {
		w.on(w.there, func() { w.begun[0].Refuse(protocol.ErrCorruptMessage) })
	})
}
