package simnet_test

import (
	"bytes"
	"testing"
	"time"

	"barnabas/sim/kernel"
	"barnabas/sim/simnet"
)

func TestReleasedFramesAreSpoilt(t *testing.T) {
	w := newWorld(1, 2)
	server, client := w.pair(t)
	server.hold = true
	w.do(1, func() { client.conn.Send([][]byte{frame(payload(1, 5000))}, nil) })
	w.within(hour, func() bool { return len(server.held) == 1 })
	kept := server.held[0].Bytes
	w.do(0, server.held[0].Release)
	if !bytes.Equal(kept, bytes.Repeat([]byte{simnet.Poison}, 5000)) {
		t.Error("a released frame still reads well")
	}
}

func TestBytesAreTakenWhenTheyLeave(t *testing.T) {
	w := newWorld(1, 2)
	server, client := w.pair(t)
	w.do(1, func() {
		part := frame([]byte("before"))
		client.conn.Send([][]byte{part}, nil)
		copy(part[4:], "after!")
	})
	w.within(hour, func() bool { return len(server.got) == 1 })
	if string(server.got[0]) != "after!" {
		t.Errorf("a change before sent does not show: %q", server.got[0])
	}
}

func TestSendBufferFillsWhenThePeerDoesNotRead(t *testing.T) {
	w := newWorld(1, 2)
	server, client := w.pair(t)
	server.hold = true
	const sends = 100 // of 10 KB: more than the window
	sent := 0
	w.do(1, func() {
		for i := range sends {
			client.conn.Send([][]byte{frame(payload(i, 10_000))}, func() { sent++ })
		}
	})
	if w.within(10*time.Second, func() bool { return sent == sends }) {
		t.Fatal("all was sent though the peer does not read")
	}
	if sent < 20 || len(server.got) != bound.FramesHeldMax {
		t.Errorf("%d sends done, %d frames delivered", sent, len(server.got))
	}
	for range sends {
		w.within(time.Second, func() bool { return len(server.held) > 0 })
		w.do(0, func() {
			server.held[0].Release()
			server.held = server.held[1:]
		})
	}
	if !w.within(time.Second, func() bool { return sent == sends && len(server.got) == sends }) {
		t.Errorf("%d sends done, %d frames delivered after all were released", sent, len(server.got))
	}
}

// A chunk that comes after a release, and before the stream goes on, keeps its place behind what waits.
func TestBacklogKeepsItsOrder(t *testing.T) {
	for seed := range uint64(20) {
		w := newWorld(seed, 2)
		server, client := w.pair(t)
		server.hold = true
		const frames = 30
		send := func(i int) {
			w.do(1, func() { client.conn.Send([][]byte{frame(payload(i, 10))}, nil) })
		}
		for i := range frames - 1 {
			send(i)
		}
		w.within(time.Second, func() bool { return false })
		w.nodes[0].Pause()
		w.nodes[0].Deliver(w.kernel.Now(), kernel.KindControl, false, 0, call(func() {
			server.hold = false
			for _, f := range server.held {
				f.Release()
			}
		}))
		send(frames - 1)
		w.within(time.Second, func() bool { return false })
		w.nodes[0].Resume()
		if !w.within(time.Second, func() bool { return len(server.got) == frames }) {
			t.Errorf("seed %d: %d frames came", seed, len(server.got))
		}
		checkPrefix(t, server.got, 10)
	}
}
