package wire_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
	"time"

	"barnabas/core/env"
	"barnabas/core/protocol"
	"barnabas/core/wire"
)

// other is the serving end of a peer's connections, as bare as they come.
type other struct {
	w     *world
	conns []*otherConn
}

type otherConn struct {
	o      *other
	conn   env.Conn
	asked  []int32 // correlation ids
	closed bool
}

func (c *otherConn) OnFrame(f *env.Frame) {
	c.asked = append(c.asked, int32(binary.BigEndian.Uint32(f.Bytes[4:])))
	f.Release()
}

func (c *otherConn) OnClose(error) { c.closed = true }

// answer answers a Metadata request of version 0 with a correlation id.
func (c *otherConn) answer(correlation int32) {
	c.o.w.t.Helper()
	c.o.w.on(c.o.w.there, func() {
		w := protocol.NewWriter(nil)
		m := protocol.NewMetadataResponse()
		m.Brokers = []protocol.MetadataResponseBroker{{NodeId: correlation, Host: "h", Port: 1}}
		if err := protocol.EncodeResponse(w, 0, correlation, m); err != nil {
			panic(err)
		}
		c.conn.Send(w.Pieces(nil), nil)
	})
}

func (w *world) listen() *other {
	o := &other{w: w}
	w.on(w.there, func() {
		w.env(w.there).Network.Listen(address, env.ConnOptions{FrameBytesMax: 1 << 20, FramesHeldMax: 64},
			func(c env.Conn) env.ConnHandler {
				x := &otherConn{o: o, conn: c}
				o.conns = append(o.conns, x)
				return x
			})
	})
	return o
}

// outcomes are what came of questions: the node id of the answer, or why there was none.
type outcomes []string

func (w *world) asks(p *wire.Peer, all *outcomes, count int, timeout time.Duration) {
	w.t.Helper()
	w.on(w.here, func() {
		for range count {
			at := len(*all)
			*all = append(*all, "")
			m := protocol.NewMetadataRequest()
			m.Topics = []protocol.MetadataRequestTopic{} // all, in version 0
			p.Ask(m, 0, timeout).Then(func(r *wire.Reply, err error) {
				switch {
				case errors.Is(err, wire.ErrPeerSilent):
					(*all)[at] = "silent"
				case err != nil:
					(*all)[at] = "failed"
				default:
					(*all)[at] = fmt.Sprint(r.Message.(*protocol.MetadataResponse).Brokers[0].NodeId)
					r.Release()
				}
			})
		}
	})
}

func (w *world) peer() *wire.Peer { return wire.NewPeer(w.env(w.here), address, "peer", 1<<20) }

func (w *world) want(got outcomes, want ...string) {
	w.t.Helper()
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		w.t.Fatalf("outcomes %q, want %q", got, want)
	}
}

func TestAPeerSendsRequestsWithoutWaitingForAnswers(t *testing.T) {
	w := newWorld(t)
	o := w.listen()
	var all outcomes
	p := w.peer()
	w.asks(p, &all, 3, time.Minute) // while it dials
	w.asks(p, &all, 2, time.Minute)
	if len(o.conns) != 1 || fmt.Sprint(o.conns[0].asked) != "[1 2 3 4 5]" {
		t.Fatalf("%d connections, the first was asked %v", len(o.conns), o.conns[0].asked)
	}
	w.want(all, "", "", "", "", "")
	for id := range int32(5) {
		o.conns[0].answer(id + 1)
	}
	w.want(all, "1", "2", "3", "4", "5")
}

func TestASilentPeerFailsEverythingAskedAndIsDialledAnew(t *testing.T) {
	w := newWorld(t)
	o := w.listen()
	var all outcomes
	p := w.peer()
	w.asks(p, &all, 1, time.Second)
	w.asks(p, &all, 1, time.Minute)
	w.pass(900 * time.Millisecond)
	w.want(all, "", "")
	w.pass(100 * time.Millisecond)
	w.want(all, "silent", "silent")
	w.asks(p, &all, 1, time.Second)
	if len(o.conns) != 2 || !o.conns[0].closed {
		t.Fatalf("%d connections, the first is closed: %t", len(o.conns), o.conns[0].closed)
	}
	o.conns[1].answer(3)
	w.want(all, "silent", "silent", "3")
	w.pass(time.Minute) // the timers of what was answered are off
	w.asks(p, &all, 1, time.Second)
	o.conns[1].answer(4)
	w.want(all, "silent", "silent", "3", "4")
}

// The end of an old connection is told late, when the next one may stand already.
func TestTheEndOfAnOldConnectionDoesNotTouchTheNextOne(t *testing.T) {
	w := newWorld(t)
	o := w.listen()
	p := w.peer()
	outcome := ""
	m := protocol.NewMetadataRequest()
	m.Topics = []protocol.MetadataRequestTopic{}
	w.on(w.here, func() {
		p.Ask(m, 0, time.Second).Then(func(*wire.Reply, error) {
			p.Ask(m, 0, time.Minute).Then(func(_ *wire.Reply, err error) { outcome = fmt.Sprint(err) })
		})
	})
	w.pass(10 * time.Second)
	if outcome != "" || len(o.conns) != 2 || !o.conns[0].closed {
		t.Fatalf("the next question ended with %q, %d connections", outcome, len(o.conns))
	}
	o.conns[1].answer(2)
	if outcome != "<nil>" {
		t.Fatalf("the next question ended with %q", outcome)
	}
}

func TestAnAnswerToAnotherRequestEndsTheConnection(t *testing.T) {
	w := newWorld(t)
	o := w.listen()
	var all outcomes
	p := w.peer()
	w.asks(p, &all, 2, time.Minute)
	o.conns[0].answer(2)
	w.want(all, "failed", "failed")
	w.pass(5 * time.Second)
	if !o.conns[0].closed {
		t.Fatal("the connection goes on")
	}
	w.asks(p, &all, 1, time.Minute)
	o.conns[1].answer(3)
	w.want(all, "failed", "failed", "3")
}

func TestAPeerWhoseConnectionEndsFailsWhatWasAskedAndDialsAnew(t *testing.T) {
	w := newWorld(t)
	o := w.listen()
	var all outcomes
	p := w.peer()
	w.asks(p, &all, 2, time.Minute)
	o.conns[0].answer(1)
	w.on(w.there, o.conns[0].conn.Close)
	w.want(all, "1", "failed")
	w.asks(p, &all, 1, time.Minute)
	o.conns[1].answer(3)
	w.want(all, "1", "failed", "3")
	w.net.Reset(w.here, w.there)
	w.pass(time.Second)
	w.asks(p, &all, 1, time.Minute)
	o.conns[2].answer(4)
	w.want(all, "1", "failed", "3", "4")
}

func TestAPeerThatIsNotThereFailsAtOnceAndMayComeLater(t *testing.T) {
	w := newWorld(t)
	var all outcomes
	p := w.peer()
	w.asks(p, &all, 2, time.Minute)
	w.want(all, "failed", "failed")
	o := w.listen()
	w.asks(p, &all, 1, time.Minute)
	o.conns[0].answer(3)
	w.want(all, "failed", "failed", "3")
}

func TestAnAnswerThatComesAfterItsTimeDoesNotMeetALaterQuestion(t *testing.T) {
	w := newWorld(t)
	o := w.listen()
	var all outcomes
	p := w.peer()
	w.asks(p, &all, 1, time.Second)
	w.net.Block(w.there, w.here)
	w.net.Block(w.here, w.there)
	o.conns[0].answer(1) // on its way when the time is up
	w.pass(2 * time.Second)
	w.want(all, "silent")
	w.net.Unblock(w.there, w.here)
	w.net.Unblock(w.here, w.there)
	w.asks(p, &all, 1, time.Minute)
	w.pass(10 * time.Second)
	w.want(all, "silent", "")
	o.conns[1].answer(2)
	w.want(all, "silent", "2")
}

func TestAPeerThatTimesOutWhileItDialsDoesNotKeepTheConnection(t *testing.T) {
	w := newWorld(t)
	o := w.listen()
	var all outcomes
	p := w.peer()
	w.net.SetFaults(slowNetwork())
	w.asks(p, &all, 1, 10*time.Millisecond)
	w.pass(10 * time.Second)
	w.want(all, "silent")
	if len(o.conns) != 1 || !o.conns[0].closed || len(o.conns[0].asked) != 0 {
		t.Fatalf("%d connections; closed: %t, asked %v", len(o.conns), o.conns[0].closed, o.conns[0].asked)
	}
}

func TestAGarbledAnswerFailsAndEndsTheConnection(t *testing.T) {
	w := newWorld(t)
	o := w.listen()
	var all outcomes
	p := w.peer()
	w.asks(p, &all, 1, time.Minute)
	w.on(w.there, func() { o.conns[0].conn.Send([][]byte{{0, 0, 0, 5, 0, 0, 0, 1, 7}}, nil) })
	w.want(all, "failed")
}
