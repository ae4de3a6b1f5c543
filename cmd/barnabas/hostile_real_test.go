package main

import (
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// disconnects counts the connections a client loses.
type disconnects struct{ count atomic.Int64 }

func (d *disconnects) OnBrokerDisconnect(kgo.BrokerMetadata, net.Conn) { d.count.Add(1) }

// TestRealHostileBytes sends what no client should, while another client produces: it must lose nothing, not even its
// connection.
func TestRealHostileBytes(t *testing.T) {
	b := startBroker(t, t.TempDir())
	lost := &disconnects{}
	good := client(t, b, kgo.AllowAutoTopicCreation(), kgo.DefaultProduceTopic("topic"), kgo.WithHooks(lost))
	ctx, sent := within(t), int64(0)
	produce := func() {
		t.Helper()
		result := good.ProduceSync(ctx, kgo.StringRecord("value"))
		if r, err := result.First(); err != nil || r.Offset != sent {
			t.Fatalf("the other client: %v, offset %d, want %d", err, r.Offset, sent)
		}
		sent++
	}
	produce()

	metadata := kmsg.NewPtrMetadataRequest()
	metadata.SetVersion(12)
	whole := string(kmsg.NewRequestFormatter().AppendRequest(nil, metadata, 1))
	for _, c := range []struct{ name, bytes string }{
		{"text", "hello, is anybody there?\n"},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"},
		{"greatest frame", "\x7f\xff\xff\xff"},
		{"negative frame", "\xff\xff\xff\xff"},
		{"frame above socket.request.max.bytes", "\x06\x40\x00\x01"},
		{"empty frame", "\x00\x00\x00\x00"},
		{"frame too short for a header", "\x00\x00\x00\x02\x00\x03"},
		{"frame of noise", "\x00\x00\x00\x20" + strings.Repeat("\xa5", 32)},
		{"huge count in a known request", "\x00\x00\x00\x10\x00\x03\x00\x00\x00\x00\x00\x01\xff\xff\x7f\xff\xff\xff\x00\x00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := dial(t, b)
			if _, err := r.Write([]byte(c.bytes)); err != nil {
				t.Fatal(err)
			}
			produce()
			r.closed()
			produce()
		})
	}

	// Half a frame may be a slow client: it is waited for, and completed it is answered. Nobody else waits.
	slow := dial(t, b)
	half := len(whole) / 2
	fmt.Fprint(slow, whole[:half])
	produce()
	fmt.Fprint(slow, whole[half:])
	slow.last = 1
	slow.receive(metadata)

	// A client that goes away in the middle of a frame takes nothing with it.
	gone := dial(t, b)
	fmt.Fprint(gone, whole[:half])
	if err := gone.Conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	gone.closed()
	produce()

	if n := lost.count.Load(); n != 0 {
		t.Errorf("the other client lost %d connections", n)
	}
	if said := b.said(); strings.Contains(said, "panic") || strings.Contains(said, "goroutine") {
		t.Error(said)
	}
}
