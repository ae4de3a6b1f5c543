package main

import (
	"flag"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"
)

var overloadMB = flag.Int("overload.megabytes", 192, "how much TestRealOverload sends")

// TestRealOverload sends more than the device takes, several requests ahead on several connections, into a journal that holds a
// fraction of it. A journal that waits for partition logs holds producers back: nobody is answered with an error
// (decision 8), and everything is there in the end, once.
func TestRealOverload(t *testing.T) {
	if testing.Short() {
		t.Skip("writes much")
	}
	const connections, ahead, batchBytes = 4, 5, 512 << 10
	b := startBroker(t, t.TempDir(), "--set", "journal.max.bytes=33554432", "--set", "journal.segment.bytes=4194304",
		"--set", "journal.checkpoint.bytes=4194304")
	id := dial(t, b).describe("overload").TopicID
	records := batch(nobody, strings.Repeat("x", batchBytes))
	rounds := *overloadMB << 20 / batchBytes / connections
	var held time.Duration
	var mutex sync.Mutex
	var work sync.WaitGroup
	var acked atomic.Int64
	begun := time.Now()
	for range connections {
		r := dial(t, b)
		work.Go(func() {
			request := produceRequest("overload", id, records)
			request.SetVersion(13)
			sent := make(chan time.Time, ahead)
			answered := make(chan struct{})
			go func() {
				defer close(answered)
				for at := range sent {
					answer := kmsg.NewPtrProduceResponse()
					answer.SetVersion(13)
					if err := answer.ReadFrom(r.frame()[5:]); err != nil { // correlation id, and no tags
						t.Error(err)
						return
					}
					row := &answer.Topics[0].Partitions[0]
					if row.ErrorCode != 0 {
						t.Errorf("error %d after %v: %v", row.ErrorCode, time.Since(at), *row.ErrorMessage)
					} else {
						acked.Add(1)
					}
					mutex.Lock()
					held = max(held, time.Since(at))
					mutex.Unlock()
				}
			}()
			for range rounds {
				sent <- time.Now()
				r.send(request)
			}
			close(sent)
			<-answered
		})
	}
	work.Wait()
	took := time.Since(begun)
	t.Logf("%d batches of %d KiB in %v, %.0f MB/s; the longest answer took %v", acked.Load(), batchBytes>>10,
		took.Round(time.Millisecond), float64(acked.Load())*batchBytes/1e6/took.Seconds(), held.Round(time.Millisecond))
	if end := endOf(t, b, "overload"); end != acked.Load() || end != int64(rounds*connections) {
		t.Errorf("the log ends at %d, %d of %d were acknowledged", end, acked.Load(), rounds*connections)
	}
}

// endOf is the end offset of partition 0.
func endOf(t *testing.T, b *broker, topic string) int64 {
	t.Helper()
	ends, err := kadm.NewClient(client(t, b)).ListEndOffsets(within(t), topic)
	if err != nil {
		t.Fatal(err)
	}
	end, _ := ends.Lookup(topic, 0)
	return end.Offset
}
