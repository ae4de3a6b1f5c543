package envtest

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"barnabas/core/env"
)

func sentExactlyOnce(t *testing.T, w *NetworkWorld) {
	server, client, _ := w.pair(t, bound(), bound())
	const sends = 50
	var order []int
	during := false
	sendOne := func(i, size int) {
		during = true
		client.conn.Send([][]byte{frame(pattern(i, size))}, func() {
			if during {
				t.Errorf("send %d was called done inside the step that sent it", i)
			}
			order = append(order, i)
		})
	}
	w.Client.Loop.AtStepEnd(func() { during = false })
	for i := range sends {
		w.Client.Do(func() { sendOne(i, i*3000) })
	}
	w.Until(t, "every send being done", func() bool { return len(order) == sends })
	w.Until(t, "every frame", func() bool { return len(server.got) == sends })
	w.Client.Do(func() {
		client.conn.Close()
		sendOne(sends, 10)
	})
	w.Until(t, "the send after the close being done", func() bool { return len(order) == sends+1 })
	w.Until(t, "both ends closing", func() bool { return server.closed == 1 && client.closed == 1 })
	w.Client.Do(func() { sendOne(sends+1, 10) })
	w.Until(t, "the send on the dead connection being done", func() bool { return len(order) == sends+2 })
	w.check(func() {
		if !slices.IsSorted(order) || len(order) != sends+2 {
			t.Errorf("sends were done in the order %v", order)
		}
		if len(server.got) != sends {
			t.Errorf("the server got %d frames, want %d", len(server.got), sends)
		}
	})
}

func sendsOfOneStepKeepOrder(t *testing.T, w *NetworkWorld) {
	server, client, _ := w.pair(t, bound(), bound())
	w.Server.Do(func() {
		server.onFrame = func(f *env.Frame) {
			server.send(slices.Concat(f.Bytes, []byte(" now")))
			late := slices.Concat(f.Bytes, []byte(" later"))
			w.Server.Loop.Later(func() { server.send(late) })
			if string(f.Bytes) == "b" { // a large answer between small ones takes another way out
				server.send(pattern(7, 1<<20))
			}
		}
	})
	w.Client.Do(func() {
		client.send([]byte("a"))
		client.send([]byte("b"))
		client.send([]byte("c"))
	})
	w.Until(t, "all answers", func() bool { return len(client.got) == 7 })
	w.check(func() {
		large := slices.IndexFunc(client.got, func(b []byte) bool { return len(b) == 1<<20 })
		var words []string
		for i, b := range client.got {
			if i != large {
				words = append(words, string(b))
			}
		}
		before := func(a, b string) bool { return slices.Index(words, a) < slices.Index(words, b) }
		for _, word := range []string{"a", "b", "c"} {
			if !before(word+" now", word+" later") {
				t.Errorf("the answers came as %q", words)
			}
		}
		if !before("a now", "b now") || !before("b now", "c now") || !before("b later", "c later") {
			t.Errorf("the answers came as %q", words)
		}
		if large < 0 || !bytes.Equal(client.got[large], pattern(7, 1<<20)) {
			t.Error("the large answer differs")
		}
	})
}

func closeFlushesWhatIsQueued(t *testing.T, w *NetworkWorld) {
	for _, size := range []int{10, 3 << 20} {
		server, client, listener := w.pair(t, bound(), bound())
		sent := 0
		w.Client.Do(func() { client.send(pattern(9, 5000)) }) // the closing side has something unread, or just read
		w.Server.Do(func() {
			for i := range 3 {
				server.conn.Send([][]byte{frame(pattern(i, size))}, func() {
					if server.closed > 0 {
						t.Error("a send was done after OnClose")
					}
					sent++
				})
			}
			server.conn.Close()
		})
		w.Until(t, "both ends closing", func() bool { return server.closed > 0 && client.closed > 0 })
		w.check(func() {
			if len(client.got) != 3 || sent != 3 {
				t.Errorf("size %d: %d frames came, %d sends were done, want 3", size, len(client.got), sent)
			}
			for i, got := range client.got {
				if !bytes.Equal(got, pattern(i, size)) {
					t.Errorf("size %d: frame %d differs", size, i)
				}
			}
			listener.Close()
		})
	}
}

func closeIsHeardOnceAndLast(t *testing.T, w *NetworkWorld) {
	server, client, listener := w.pair(t, bound(), bound())
	w.Client.Do(func() {
		for i := range 20 {
			client.send(pattern(i, 1000))
		}
		client.conn.Close()
		client.conn.Close()
		if client.closed > 0 {
			t.Error("OnClose was called inside Close")
		}
	})
	w.Until(t, "both ends closing", func() bool { return server.closed > 0 && client.closed > 0 })
	w.Server.Do(func() {
		server.conn.Close()
		server.send([]byte("to nobody"))
	})
	other := w.listen(t, "0", bound(), func(c env.Conn) env.ConnHandler { return echoes(&peer{conn: c}) })
	w.settle(t, other)
	w.check(func() {
		if server.closed != 1 || client.closed != 1 {
			t.Errorf("OnClose was called %d and %d times", server.closed, client.closed)
		}
		if client.err != nil {
			t.Errorf("the side that closed heard %v", client.err)
		}
		if !errors.Is(server.err, env.ErrClosed) {
			t.Errorf("the other side heard %v, want %v", server.err, env.ErrClosed)
		}
		if server.late > 0 || len(server.got) != 20 {
			t.Errorf("%d frames came, %d after the end", len(server.got), server.late)
		}
		listener.Close()
	})
}

func noFrameAfterClose(t *testing.T, w *NetworkWorld) {
	server, client, _ := w.pair(t, bound(), bound())
	w.Server.Do(func() {
		server.onFrame = func(*env.Frame) { server.conn.Close() }
	})
	w.Client.Do(func() {
		for i := range 10 {
			client.send(pattern(i, 10))
		}
	})
	w.Until(t, "both ends closing", func() bool { return server.closed > 0 && client.closed > 0 })
	w.check(func() {
		if len(server.got) != 1 {
			t.Errorf("%d frames came, want none after Close", len(server.got))
		}
	})
}

func manyConnectionsEndAtOnce(t *testing.T, w *NetworkWorld) {
	const count = 20
	var servers []*peer
	listener := w.listen(t, "0", bound(), func(c env.Conn) env.ConnHandler {
		p := echoes(&peer{conn: c})
		servers = append(servers, p)
		return p
	})
	clients := make([]*peer, count)
	for i := range clients {
		clients[i] = &peer{}
		w.dial(t, listener.Address(), bound(), clients[i])
	}
	w.Until(t, "all connections", func() bool { return len(servers) == count })
	w.Client.Do(func() {
		for i, c := range clients {
			c.send(pattern(i, 100*i))
			c.conn.Close()
		}
	})
	w.Server.Do(func() {
		for i, s := range servers {
			if i%2 == 0 {
				s.conn.Close()
			}
		}
	})
	all := slices.Concat(clients, servers)
	w.Until(t, "all ends closing", func() bool {
		return !slices.ContainsFunc(all, func(p *peer) bool { return p.closed == 0 })
	})
	w.check(func() {
		for _, p := range all {
			if p.closed != 1 {
				t.Errorf("OnClose was called %d times", p.closed)
			}
		}
	})
}

func partialFrameAtTheEndIsNoFrame(t *testing.T, w *NetworkWorld) {
	server, client, _ := w.pair(t, bound(), bound())
	w.Client.Do(func() {
		client.send([]byte("whole"))
		client.conn.Send([][]byte{frame(pattern(0, 100))[:50]}, nil)
		client.conn.Close()
	})
	w.Until(t, "both ends closing", func() bool { return server.closed > 0 && client.closed > 0 })
	w.check(func() {
		if len(server.got) != 1 || !errors.Is(server.err, env.ErrClosed) {
			t.Errorf("%d frames and %v, want one and %v", len(server.got), server.err, env.ErrClosed)
		}
	})
}

// A peer that sends, then ends its half, still gets what the handler answers at once.
func answersToTheLastFramesLeave(t *testing.T, w *NetworkWorld) {
	server, client, _ := w.pair(t, bound(), bound())
	sent, steps := 0, 0
	w.Server.Loop.AtStepEnd(func() { steps++ })
	w.Server.Do(func() {
		server.onFrame = func(f *env.Frame) {
			step := steps
			server.conn.Send([][]byte{frame(f.Bytes[:0])}, func() {
				if step == steps {
					t.Error("a send was done inside the step that sent it")
				}
				if server.closed > 0 {
					t.Error("a send was done after OnClose")
				}
				sent++
			})
		}
	})
	w.Client.Do(func() {
		for i := range 30 {
			client.send(pattern(i, 10))
		}
		client.conn.Close()
	})
	w.Until(t, "both ends closing", func() bool { return server.closed > 0 && client.closed > 0 })
	w.check(func() {
		if len(server.got) != 30 || sent != 30 {
			t.Errorf("%d frames came and %d answers were done, want 30", len(server.got), sent)
		}
	})
}

func dialRefused(t *testing.T, w *NetworkWorld) {
	listener := w.listen(t, "0", bound(), func(env.Conn) env.ConnHandler { return &peer{} })
	address := listener.Address()
	w.Server.Do(listener.Close)
	p := &peer{}
	if err := w.tryDial(t, address, bound(), p); !errors.Is(err, env.ErrRefused) {
		t.Errorf("dialling a closed port gave %v, want %v", err, env.ErrRefused)
	}
	w.check(func() {
		if p.closed > 0 {
			t.Error("a connection that never was has ended")
		}
	})
	again := w.listen(t, address[strings.LastIndex(address, ":")+1:], bound(), func(env.Conn) env.ConnHandler { return &peer{} })
	w.Server.Do(again.Close)
}

func addressInUse(t *testing.T, w *NetworkWorld) {
	listener := w.listen(t, "0", bound(), func(env.Conn) env.ConnHandler { return &peer{} })
	_, err := w.tryListen(t, listener.Address(), bound(), func(env.Conn) env.ConnHandler { return nil })
	if !errors.Is(err, env.ErrAddressInUse) {
		t.Fatalf("listening twice gave %v, want %v", err, env.ErrAddressInUse)
	}
	if !strings.Contains(err.Error(), listener.Address()) {
		t.Errorf("the error does not name the address: %v", err)
	}
}

func twoListeners(t *testing.T, w *NetworkWorld) {
	say := func(word string) func(c env.Conn) env.ConnHandler {
		return func(c env.Conn) env.ConnHandler {
			p := &peer{conn: c}
			p.send([]byte(word))
			return p
		}
	}
	one, two := w.listen(t, "0", bound(), say("one")), w.listen(t, "0", bound(), say("two"))
	if one.Address() == two.Address() {
		t.Fatalf("both listen at %s", one.Address())
	}
	first, second := &peer{}, &peer{}
	w.dial(t, one.Address(), bound(), first)
	w.dial(t, two.Address(), bound(), second)
	w.Until(t, "both greetings", func() bool { return len(first.got) == 1 && len(second.got) == 1 })
	w.check(func() {
		if string(first.got[0]) != "one" || string(second.got[0]) != "two" {
			t.Errorf("got %q and %q", first.got, second.got)
		}
	})
}

func listenerCloseLeavesConnections(t *testing.T, w *NetworkWorld) {
	server, client, listener := w.pair(t, bound(), bound())
	w.Server.Do(func() {
		echoes(server)
		listener.Close()
		listener.Close()
	})
	w.Client.Do(func() { client.send([]byte("still there")) })
	w.Until(t, "an echo after the listener closed", func() bool { return len(client.got) == 1 })
}

func refusedByAccept(t *testing.T, w *NetworkWorld) {
	listener := w.listen(t, "0", bound(), func(env.Conn) env.ConnHandler { return nil })
	p := &peer{}
	w.dial(t, listener.Address(), bound(), p)
	w.Until(t, "the end", func() bool { return p.closed == 1 })
	w.check(func() {
		if !errors.Is(p.err, env.ErrClosed) {
			t.Errorf("heard %v, want %v", p.err, env.ErrClosed)
		}
	})
}

func addressesAndIDs(t *testing.T, w *NetworkWorld) {
	server, client, listener := w.pair(t, bound(), bound())
	second := &peer{}
	w.dial(t, listener.Address(), bound(), second)
	w.check(func() {
		if client.conn.ID() == second.conn.ID() {
			t.Error("two connections have one id")
		}
		if server.conn.RemoteAddress() != client.conn.LocalAddress() {
			t.Errorf("the server sees %s, the client is %s", server.conn.RemoteAddress(), client.conn.LocalAddress())
		}
		if server.conn.LocalAddress() != client.conn.RemoteAddress() {
			t.Errorf("the server is %s, the client sees %s", server.conn.LocalAddress(), client.conn.RemoteAddress())
		}
		port := listener.Address()[strings.LastIndex(listener.Address(), ":"):]
		if port == ":0" || !strings.HasSuffix(server.conn.LocalAddress(), port) {
			t.Errorf("listening at %s, dialled at %s", listener.Address(), server.conn.LocalAddress())
		}
	})
}
