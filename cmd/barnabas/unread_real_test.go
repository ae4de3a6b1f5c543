package main

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestRealUnreadAnswers has clients ask for more than all answers together may be, and read none of it. A producer beside
// them does not wait, and a consumer does until the slowest of them are closed, with a line.
func TestRealUnreadAnswers(t *testing.T) {
	if testing.Short() {
		t.Skip("waits until the broker's patience ends")
	}
	t.Parallel()
	const most = "12582912"
	b := startBroker(t, t.TempDir(), "--set", "queued.max.response.bytes="+most)
	good := client(t, b, kgo.AllowAutoTopicCreation(), kgo.DefaultProduceTopic("topic"), kgo.ConsumeTopics("topic"),
		kgo.ProducerBatchCompression(kgo.NoCompression()))
	ctx, sent := within(t), 0
	produce := func(bytes int) {
		t.Helper()
		begun := time.Now()
		if err := good.ProduceSync(ctx, kgo.StringRecord(strings.Repeat("x", bytes))).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took > 3*time.Second {
			t.Errorf("a producer waited %v for those who do not read", took)
		}
		sent++
	}
	for range 10 {
		produce(900_000)
	}
	id := dial(t, b).describe("topic").TopicID
	for range 3 {
		r := dial(t, b)
		_ = r.Conn.(*net.TCPConn).SetReadBuffer(4096)
		request := fetchRequest("", id, 0, 0)
		request.SetVersion(18)
		request.MaxBytes = 8_000_000 // two of these are more than may be, and each more than sockets take
		r.send(request)
	}
	for begun := time.Now(); !strings.Contains(b.said(), "queued.max.response.bytes="+most); pause() {
		if time.Since(begun) > patience {
			t.Fatalf("nobody is closed:\n%s", b.said())
		}
		produce(1)
	}
	for got := 0; got < sent; {
		got += good.PollFetches(ctx).NumRecords()
		if ctx.Err() != nil {
			t.Fatalf("the consumer has %d records of %d:\n%s", got, sent, b.said())
		}
	}
}
