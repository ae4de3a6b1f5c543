package simnet_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"barnabas/core/env"
	"barnabas/sim/simnet"
)

const hour = time.Hour

func TestPeersOfADeadProcessAreTold(t *testing.T) {
	w := newWorld(1, 2)
	server, client := w.pair(t)
	w.kill(0)
	if !w.within(time.Second, func() bool { return client.closed == 1 }) || !errors.Is(client.err, env.ErrClosed) {
		t.Errorf("the client heard %d ends, %v", client.closed, client.err)
	}
	if server.closed > 0 {
		t.Error("the dead process heard something")
	}
	if err := w.dial(t, 1, "n0:32769", &peer{}); !errors.Is(err, env.ErrRefused) {
		t.Errorf("dialling a dead process gave %v", err)
	}
}

// What a write adds to a chunk that is on its way to a dead process finds the process dead all the same.
func TestHalfOpenIsLearnedByAnySend(t *testing.T) {
	for seed := range uint64(20) {
		w := newWorld(seed, 2)
		w.net.SetFaults(simnet.Faults{HalfOpenPercent: 100, ChunkPercent: 100, DelayMean: 30 * time.Millisecond})
		_, client := w.pair(t)
		send := func() { client.conn.Send([][]byte{frame([]byte("hello?"))}, nil) }
		w.do(1, send)
		w.kill(0)
		w.do(1, send)
		if !w.within(900*time.Millisecond, func() bool { return client.closed > 0 }) {
			t.Errorf("seed %d: not noticed by sending", seed)
		}
	}
}

func TestCloseGivesUpOnAPeerThatDoesNotRead(t *testing.T) {
	w := newWorld(1, 2)
	server, client := w.pair(t)
	server.hold = true
	sent := 0
	w.do(1, func() {
		for i := range 100 {
			client.conn.Send([][]byte{frame(payload(i, 10_000))}, func() { sent++ })
		}
		client.conn.Close()
	})
	if w.within(time.Second, func() bool { return client.closed > 0 }) {
		t.Error("closed before what was queued has left")
	}
	if !w.within(10*time.Second, func() bool { return client.closed > 0 && server.closed > 0 }) {
		t.Fatal("never closed")
	}
	if sent != 100 || client.err != nil || !errors.Is(server.err, env.ErrClosed) {
		t.Errorf("%d sends done; heard %v and %v", sent, client.err, server.err)
	}
}

// What a step sends before it hears of the end leaves, and is done in a later step.
func TestEndInTheStepThatSends(t *testing.T) {
	for seed := range uint64(20) {
		w := newWorld(seed, 2)
		server, client := w.pair(t)
		steps, sent := 0, 0
		w.nodes[0].Loop().AtStepEnd(func() { steps++ })
		server.onFrame = func() {
			step := steps
			server.conn.Send([][]byte{frame(nil)}, func() {
				if sent++; step == steps {
					t.Error("a send was done inside the step that sent it")
				}
			})
		}
		w.do(1, func() {
			client.conn.Send([][]byte{frame([]byte("one")), frame([]byte("two"))}, nil)
			client.conn.Close()
		})
		w.nodes[0].Pause()
		w.within(time.Second, func() bool { return false })
		w.nodes[0].Resume()
		if !w.within(time.Second, func() bool { return server.closed == 1 }) || sent != 2 {
			t.Errorf("seed %d: %d ends, %d sends done", seed, server.closed, sent)
		}
	}
}

func TestHalfOpen(t *testing.T) {
	for _, c := range []struct {
		name    string
		act     func(w *world, client *peer)
		atMost  time.Duration
		atLeast time.Duration
	}{
		{"Silent", func(*world, *peer) {}, time.Minute, time.Second},
		{"Sending", func(w *world, client *peer) {
			w.do(1, func() { client.conn.Send([][]byte{frame([]byte("hello?"))}, nil) })
		}, 50 * time.Millisecond, 0},
		{"FaultsEnd", func(w *world, _ *peer) { w.net.SetFaults(simnet.Faults{}) }, 50 * time.Millisecond, 0},
		{"Closing", func(w *world, client *peer) { w.do(1, client.conn.Close) }, 50 * time.Millisecond, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(3, 2)
			w.net.SetFaults(simnet.Faults{HalfOpenPercent: 100})
			counted := 0
			w.net.Counted = func(string) { counted++ }
			_, client := w.pair(t)
			w.kill(0)
			if w.within(900*time.Millisecond, func() bool { return client.closed > 0 }) {
				t.Fatal("a half-open connection was noticed at once")
			}
			began := w.kernel.Now()
			c.act(w, client)
			if !w.within(c.atMost, func() bool { return client.closed > 0 }) {
				t.Fatalf("not noticed after %v", c.atMost)
			}
			if took := w.kernel.Now().Sub(began) + 900*time.Millisecond; took < c.atLeast {
				t.Errorf("noticed after %v", took)
			}
			w.within(2*time.Minute, func() bool { return false })
			if client.closed != 1 || counted != 1 {
				t.Errorf("%d ends were heard, %d faults counted", client.closed, counted)
			}
		})
	}
}

// What a dying process had sent arrives in part: all, some, none of it, and cut anywhere.
func TestDeathCutsTheStream(t *testing.T) {
	var none, some, all, inside int
	for seed := range uint64(200) {
		w := newWorld(seed, 2)
		w.net.SetFaults(simnet.Faults{ChunkPercent: seed % 2 * 50, DelayMean: 5 * time.Millisecond})
		server, client := w.pair(t)
		w.do(1, func() {
			for i := range 10 {
				client.conn.Send([][]byte{frame(payload(i, 1000))}, nil)
			}
		})
		w.within(3*time.Millisecond, func() bool { return false })
		w.kill(1)
		if !w.within(hour, func() bool { return server.closed == 1 }) {
			t.Fatal("the server never heard")
		}
		checkPrefix(t, server.got, 1000)
		switch len(server.got) {
		case 0:
			none++
		case 10:
			all++
		default:
			some++
		}
		if seed%2 == 0 && strings.Contains(server.err.Error(), "inside a frame") {
			inside++ // though it was sent as one chunk
		}
	}
	if none == 0 || some == 0 || all == 0 || inside == 0 {
		t.Errorf("none %d, some %d, all %d, cut inside a frame %d: want each", none, some, all, inside)
	}
}

func checkPrefix(t *testing.T, got [][]byte, size int) {
	t.Helper()
	for i, g := range got {
		if !bytes.Equal(g, payload(i, size)) {
			t.Fatalf("frame %d of %d is not the one that was sent", i, len(got))
		}
	}
}

func TestLossStallsOrResets(t *testing.T) {
	var resets, stalls int
	for seed := range uint64(100) {
		w := newWorld(seed, 2)
		w.net.SetFaults(simnet.Faults{LossIn: 20})
		w.net.Counted = func(kind string) {
			if kind != "N2" {
				t.Errorf("counted %s", kind)
			}
		}
		server, client := w.pair(t)
		for i := range 10 {
			w.do(1, func() {
				if client.conn != nil {
					client.conn.Send([][]byte{frame(payload(i, 100))}, nil)
				}
			})
		}
		w.within(5*time.Millisecond, func() bool { return len(server.got) == 10 })
		early := len(server.got)
		w.within(time.Minute, func() bool { return len(server.got) == 10 || server.closed > 0 && client.closed > 0 })
		checkPrefix(t, server.got, 100)
		switch {
		case server.closed > 0:
			resets++
			if client.closed != 1 || !errors.Is(client.err, env.ErrClosed) || !errors.Is(server.err, env.ErrClosed) {
				t.Errorf("a reset was heard %d and %d times, as %v and %v",
					server.closed, client.closed, server.err, client.err)
			}
		case early < 10:
			stalls++
		}
		if server.closed == 0 && len(server.got) != 10 {
			t.Errorf("%d frames came, and no end", len(server.got))
		}
	}
	if resets < 10 || stalls < 10 {
		t.Errorf("%d resets and %d stalls in 100 runs", resets, stalls)
	}
}

func TestBlockStallsAndUnblockGoesOn(t *testing.T) {
	w := newWorld(1, 2)
	server, client := w.pair(t)
	server.echo = true
	w.net.Block(w.nodes[1], w.nodes[0])
	sent := 0
	w.do(1, func() {
		for i := range 5 {
			client.conn.Send([][]byte{frame(payload(i, 100))}, func() { sent++ })
		}
		client.conn.Close()
	})
	if w.within(time.Minute, func() bool { return len(server.got) > 0 || server.closed > 0 }) {
		t.Fatal("bytes came through a block")
	}
	if sent != 5 || client.closed != 1 {
		t.Errorf("%d sends done, %d ends heard on the closing side", sent, client.closed)
	}
	began := w.kernel.Now()
	if err := w.dial(t, 1, server.conn.LocalAddress(), &peer{}); !errors.Is(err, env.ErrNoAnswer) {
		t.Errorf("a dial through a block gave %v", err)
	}
	if took := w.kernel.Now().Sub(began); took < w.net.DialTimeout {
		t.Errorf("the dial gave up after %v", took)
	}
	w.net.Unblock(w.nodes[1], w.nodes[0])
	if !w.within(5*time.Second, func() bool { return server.closed == 1 }) {
		t.Fatal("the end did not come through after the block")
	}
	if len(server.got) != 5 {
		t.Errorf("%d frames came", len(server.got))
	}
	checkPrefix(t, server.got, 100)
}

func TestBlockOfOneWayLeavesTheOther(t *testing.T) {
	w := newWorld(1, 2)
	server, client := w.pair(t)
	w.net.Block(w.nodes[1], w.nodes[0])
	w.do(0, func() { server.conn.Send([][]byte{frame([]byte("down"))}, nil) })
	if !w.within(time.Second, func() bool { return len(client.got) == 1 }) {
		t.Error("the other way is blocked too")
	}
}

func TestTheDeadHaveNoEffect(t *testing.T) {
	w := newWorld(1, 2)
	server, _ := w.pair(t)
	shut, _ := w.pair(t)
	w.do(0, shut.conn.Close)
	old, conn := w.ends[0], server.conn
	address := conn.LocalAddress()
	w.kill(0)
	w.start(0)
	w.within(time.Second, func() bool { return false })
	w.do(0, func() {
		conn.Send([][]byte{frame([]byte("from the grave"))}, func() { t.Error("a dead send was done") })
		conn.Close()
		shut.conn.Send(nil, func() { t.Error("a dead send on a closed connection was done") })
		old.Listen("any:7", bound, nil).Then(func(env.Listener, error) { t.Error("a dead listen was answered") })
		old.Dial(address, bound, &peer{}).Then(func(env.Conn, error) { t.Error("a dead dial was answered") })
	})
	w.within(time.Minute, func() bool { return false })
	if server.closed > 0 {
		t.Error("the dead process heard something")
	}
	listening := false
	w.do(0, func() {
		w.ends[0].Listen(address, bound, nil).Then(func(_ env.Listener, err error) { listening = err == nil })
	})
	if !w.within(time.Second, func() bool { return listening }) {
		t.Error("the new process can't have the old one's port")
	}
}

func TestNamesAndUnknownHosts(t *testing.T) {
	w := newWorld(1, 2)
	w.net.Name(w.nodes[0], "broker-0.example")
	server := &peer{}
	address := w.listen(t, 0, func(c env.Conn) env.ConnHandler { server.conn = c; return server })
	client := &peer{}
	if err := w.dial(t, 1, "broker-0.example"+address[2:], client); err != nil {
		t.Errorf("dialling by another name: %v", err)
	}
	for _, bad := range []string{"nobody:1", "n0", "n0:x", "n0:70000"} {
		if err := w.dial(t, 1, bad, &peer{}); err == nil {
			t.Errorf("dialling %s worked", bad)
		}
	}
	if err := w.dial(t, 0, "localhost"+address[2:], &peer{}); err != nil {
		t.Errorf("dialling oneself: %v", err)
	}
}
