package net_test

import (
	"io"
	"testing"

	"barnabas/core/env"
	"barnabas/net"
)

// BenchmarkEcho is one round trip on loopback: a plain client and our server, 1 and 16 frames in flight.
func BenchmarkEcho(b *testing.B) {
	for _, c := range []struct {
		name           string
		size, pipeline int
	}{{"100B", 100, 1}, {"1KB", 1000, 1}, {"100B/16", 100, 16}, {"1KB/16", 1000, 16}, {"100KB", 100_000, 1}} {
		b.Run(c.name, func(b *testing.B) {
			w := newWorld(b, net.Options{})
			answer := frame(make([]byte, c.size))
			parts := [][]byte{answer[:4], answer[4:]}
			listener := w.listen(b, "127.0.0.1:0", func(conn env.Conn) env.ConnHandler {
				return &handler{onFrame: func(f *env.Frame) {
					f.Release()
					conn.Send(parts, nil)
				}}
			})
			socket := connect(b, listener.Address())
			var burst []byte
			for range c.pipeline {
				burst = append(burst, answer...)
			}
			got := make([]byte, len(burst))
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i < b.N; i += c.pipeline {
				_, _ = socket.Write(burst)
				if _, err := io.ReadFull(socket, got); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
		})
	}
}
