package envtest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"barnabas/core/env"
)

// Network runs the suite against a kind of world; open makes a fresh one and cleans it up with the test.
func Network(t *testing.T, open func(t *testing.T) *NetworkWorld) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, w *NetworkWorld)
	}{
		{"Echo", echo},
		{"PipelinedFramesInOrder", pipelinedFramesInOrder},
		{"FrameSplitOverManyChunks", frameSplitOverManyChunks},
		{"EmptyFrame", emptyFrame},
		{"FrameTooLongCloses", frameTooLongCloses},
		{"NegativeLengthCloses", negativeLengthCloses},
		{"FramesHeldStopReading", framesHeldStopReading},
		{"InspectsFactsComeWithTheFrame", inspectsFactsComeWithTheFrame},
		{"LargeFramesBothWaysAtOnce", largeFramesBothWaysAtOnce},
		{"SentExactlyOnce", sentExactlyOnce},
		{"SendsOfOneStepKeepOrder", sendsOfOneStepKeepOrder},
		{"CloseFlushesWhatIsQueued", closeFlushesWhatIsQueued},
		{"CloseIsHeardOnceAndLast", closeIsHeardOnceAndLast},
		{"NoFrameAfterClose", noFrameAfterClose},
		{"ManyConnectionsEndAtOnce", manyConnectionsEndAtOnce},
		{"PartialFrameAtTheEndIsNoFrame", partialFrameAtTheEndIsNoFrame},
		{"AnswersToTheLastFramesLeave", answersToTheLastFramesLeave},
		{"DialRefused", dialRefused},
		{"AddressInUse", addressInUse},
		{"TwoListeners", twoListeners},
		{"ListenerCloseLeavesConnections", listenerCloseLeavesConnections},
		{"RefusedByAccept", refusedByAccept},
		{"AddressesAndIDs", addressesAndIDs},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

// echoes sends every frame back.
func echoes(p *peer) *peer {
	p.onFrame = func(f *env.Frame) { p.send(bytes.Clone(f.Bytes)) }
	return p
}

func echo(t *testing.T, w *NetworkWorld) {
	server, client, _ := w.pair(t, bound(), bound())
	w.Server.Do(func() { echoes(server) })
	for i, size := range []int{1, 100, 10_000, 300_000} {
		w.Client.Do(func() { client.send(pattern(i, size)) })
		w.Until(t, "the echo", func() bool { return len(client.got) == i+1 })
		w.check(func() {
			if !bytes.Equal(client.got[i], pattern(i, size)) {
				t.Errorf("the echo of %d bytes differs", size)
			}
		})
	}
}

func pipelinedFramesInOrder(t *testing.T, w *NetworkWorld) {
	server, client, _ := w.pair(t, bound(), bound())
	const frames = 500
	for step := range 10 {
		w.Client.Do(func() {
			for i := range frames / 10 {
				number := step*frames/10 + i
				client.send(pattern(number, number))
			}
		})
	}
	w.Until(t, "all frames", func() bool { return len(server.got) == frames })
	w.check(func() {
		for i, got := range server.got {
			if !bytes.Equal(got, pattern(i, i)) {
				t.Fatalf("frame %d differs", i)
			}
		}
	})
}

func frameSplitOverManyChunks(t *testing.T, w *NetworkWorld) {
	server, client, _ := w.pair(t, bound(), bound())
	stream := slices.Concat(frame(pattern(1, 10)), frame(pattern(2, 5)), frame(pattern(3, 7)))
	for i := range stream {
		w.Client.Do(func() { client.conn.Send([][]byte{stream[i : i+1]}, nil) })
	}
	w.Until(t, "three frames", func() bool { return len(server.got) == 3 })
	w.check(func() {
		if !bytes.Equal(slices.Concat(server.got...), slices.Concat(pattern(1, 10), pattern(2, 5), pattern(3, 7))) {
			t.Error("the frames differ")
		}
	})
}

func emptyFrame(t *testing.T, w *NetworkWorld) {
	server, client, _ := w.pair(t, bound(), bound())
	w.Client.Do(func() {
		client.send(nil)
		client.send([]byte("after"))
		client.send(nil)
	})
	w.Until(t, "three frames", func() bool { return len(server.got) == 3 })
	w.check(func() {
		if len(server.got[0]) != 0 || string(server.got[1]) != "after" || len(server.got[2]) != 0 {
			t.Errorf("got %q", server.got)
		}
	})
}

func frameTooLongCloses(t *testing.T, w *NetworkWorld) {
	options := bound()
	options.FrameBytesMax = 100
	server, client, _ := w.pair(t, options, bound())
	w.Client.Do(func() {
		client.send(pattern(0, 100))
		client.send(pattern(1, 101))
		client.send(pattern(2, 1))
	})
	outOfBounds(t, w, server, client, 1)
}

func negativeLengthCloses(t *testing.T, w *NetworkWorld) {
	server, client, _ := w.pair(t, bound(), bound())
	w.Client.Do(func() {
		client.conn.Send([][]byte{binary.BigEndian.AppendUint32(nil, 0xFFFFFFFF), frame([]byte("never"))}, nil)
	})
	outOfBounds(t, w, server, client, 0)
}

// outOfBounds waits for both ends of a connection whose server got some good frames, then a bad length.
func outOfBounds(t *testing.T, w *NetworkWorld, server, client *peer, frames int) {
	t.Helper()
	w.Until(t, "both ends closing", func() bool { return server.closed > 0 && client.closed > 0 })
	w.check(func() {
		if !errors.Is(server.err, env.ErrFrameLength) {
			t.Errorf("the server heard %v, want %v", server.err, env.ErrFrameLength)
		}
		if !errors.Is(client.err, env.ErrClosed) {
			t.Errorf("the client heard %v, want %v", client.err, env.ErrClosed)
		}
		if len(server.got) != frames {
			t.Errorf("the server got %d frames, want %d", len(server.got), frames)
		}
	})
}

func framesHeldStopReading(t *testing.T, w *NetworkWorld) {
	options := bound()
	options.FramesHeldMax = 3
	server, client, listener := w.pair(t, options, bound())
	first := server
	w.Server.Do(func() { server.hold = true })
	const frames = 10
	w.Client.Do(func() {
		for i := range frames {
			client.send(pattern(i, 50+i))
		}
	})
	w.Until(t, "the frames that may be held", func() bool { return len(first.got) == 3 })
	other := w.listen(t, "0", bound(), func(c env.Conn) env.ConnHandler { return echoes(&peer{conn: c}) })
	w.settle(t, other)
	for released := range frames {
		w.Server.Do(func() {
			if want := min(released+3, frames); len(first.got) != want {
				t.Errorf("%d frames came with %d released, want %d", len(first.got), released, want)
			}
			first.releaseOne()
		})
		want := min(released+4, frames)
		w.Until(t, "one more frame after a release", func() bool { return len(first.got) >= want })
	}
	w.check(func() {
		for i, got := range first.got {
			if !bytes.Equal(got, pattern(i, 50+i)) {
				t.Errorf("frame %d differs", i)
			}
		}
		listener.Close()
	})
}

func inspectsFactsComeWithTheFrame(t *testing.T, w *NetworkWorld) {
	options := bound()
	options.Inspect = func(frame []byte, _ env.Facts) env.Facts {
		sum := 0
		for _, b := range frame {
			sum += int(b)
		}
		return sum
	}
	server, client, _ := w.pair(t, options, bound())
	w.Client.Do(func() {
		client.send([]byte{1, 2, 3})
		client.send([]byte{200, 100})
	})
	w.Until(t, "two frames", func() bool { return len(server.got) == 2 })
	w.check(func() {
		if server.facts[0] != 6 || server.facts[1] != 300 {
			t.Errorf("the facts are %v, want 6 and 300", server.facts)
		}
	})
}

func largeFramesBothWaysAtOnce(t *testing.T, w *NetworkWorld) {
	server, client, _ := w.pair(t, bound(), bound())
	const frames, size = 4, 4 << 20
	w.Server.Do(func() {
		for i := range frames {
			server.send(pattern(i, size))
		}
	})
	w.Client.Do(func() {
		for i := range frames {
			client.send(pattern(100+i, size))
		}
	})
	w.Until(t, "all frames on both sides", func() bool {
		return len(server.got) == frames && len(client.got) == frames
	})
	w.check(func() {
		for i := range frames {
			if !bytes.Equal(client.got[i], pattern(i, size)) || !bytes.Equal(server.got[i], pattern(100+i, size)) {
				t.Errorf("frame %d differs", i)
			}
		}
	})
}
