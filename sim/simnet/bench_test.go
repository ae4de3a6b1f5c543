package simnet_test

import (
	"testing"
	"time"

	"barnabas/core/env"
	"barnabas/core/task"
	"barnabas/sim/kernel"
	"barnabas/sim/simnet"
)

// pong sends every frame back from memory it keeps.
type pong struct {
	conn  env.Conn
	parts [][]byte
	left  *int
}

func (p *pong) OnFrame(f *env.Frame) {
	f.Release()
	if *p.left--; *p.left > 0 {
		p.conn.Send(p.parts, nil)
	}
}

func (p *pong) OnClose(error) {}

// BenchmarkChunk is one chunk from a send to its frame's handler, with the kernel's share.
func BenchmarkChunk(b *testing.B) {
	for _, c := range []struct {
		name   string
		size   int
		faults simnet.Faults
	}{{"100B", 100, simnet.Faults{}}, {"1KB", 1000, simnet.Faults{}}, {"100B/stormy", 100, stormy}} {
		b.Run(c.name, func(b *testing.B) {
			w := newWorld(1, 2)
			w.net.SetFaults(c.faults)
			left := b.N
			parts := [][]byte{frame(payload(0, c.size))}
			server := &pong{parts: parts, left: &left}
			client := &pong{parts: parts, left: &left}
			address := w.listen(b, 0, func(conn env.Conn) env.ConnHandler {
				server.conn = conn
				return server
			})
			w.kernel.AfterStep = nil
			w.do(1, func() {
				w.ends[1].Dial(address, bound, client).Then(func(conn env.Conn, _ error) { client.conn = conn })
			})
			w.kernel.Run(w.kernel.Now().Add(time.Second))
			b.ReportAllocs()
			b.ResetTimer()
			w.do(1, func() { client.conn.Send(parts, nil) })
			for left > 0 {
				w.kernel.Run(w.kernel.Now().Add(time.Second))
			}
		})
	}
}

// BenchmarkKernelOnly is the kernel's share of BenchmarkChunk.
func BenchmarkKernelOnly(b *testing.B) {
	w := newWorld(1, 2)
	w.kernel.AfterStep = nil
	left := b.N
	var ping [2]task.Input
	for i := range ping {
		ping[i] = call(func() {
			if left--; left > 0 {
				w.nodes[1-i].Deliver(w.kernel.Now().Add(70*time.Microsecond), kernel.KindBytes, false, 1, ping[1-i])
			}
		})
	}
	b.ReportAllocs()
	b.ResetTimer()
	w.nodes[0].Deliver(0, kernel.KindBytes, false, 1, ping[0])
	for left > 0 {
		w.kernel.Run(w.kernel.Now().Add(time.Second))
	}
}

// BenchmarkSetUp is the network's share of making a world: 5 brokers that listen, 8 clients that each dial one.
func BenchmarkSetUp(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		w := newWorld(1, 13)
		w.kernel.AfterStep = nil
		for i := range 5 {
			w.ends[i].Listen("any:9092", bound, func(env.Conn) env.ConnHandler { return &pong{} })
		}
		w.kernel.Run(w.kernel.Now().Add(time.Millisecond))
		for i := 5; i < 13; i++ {
			w.ends[i].Dial(w.net.HostOf(w.nodes[i%5])+":9092", bound, &pong{})
		}
		w.kernel.Run(w.kernel.Now().Add(time.Millisecond))
	}
}
