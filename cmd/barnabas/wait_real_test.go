package main

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestRealLongPoll has fetches wait at the end of a topic. They must stay silent until there is something, speak as soon
// as there is, and answer when their time is up.
func TestRealLongPoll(t *testing.T) {
	b := startBroker(t, t.TempDir())
	consumer, producer := dial(t, b), dial(t, b)
	id := producer.describe("topic").TopicID

	forever := 10 * time.Minute // far beyond what the test may take
	waiting := fetchRequest("", id, 0, forever)
	waiting.SetVersion(18)
	consumer.send(waiting)
	if !consumer.silentFor(50 * time.Millisecond) {
		t.Fatal("a fetch from an empty topic is answered at once")
	}
	producer.ask(13, produceRequest("", id, batch(nobody, "first")))
	if got := records(t, consumer.receive(waiting)); len(got) == 0 {
		t.Error("the fetch woke up with nothing")
	}

	// It wants more than the first batch brings, so it goes on waiting for the second.
	waiting = fetchRequest("", id, 1, forever)
	size := len(batch(nobody, "again"))
	waiting.MinBytes = int32(size + 1)
	waiting.SetVersion(18)
	consumer.send(waiting)
	producer.ask(13, produceRequest("", id, batch(nobody, "again")))
	if !consumer.silentFor(50 * time.Millisecond) {
		t.Fatal("a fetch is answered with less than it wants at least")
	}
	producer.ask(13, produceRequest("", id, batch(nobody, "again")))
	if got := records(t, consumer.receive(waiting)); len(got) != 2*size {
		t.Errorf("%d bytes, want two batches of %d", len(got), size)
	}

	begun, wait := time.Now(), 100*time.Millisecond
	got := records(t, consumer.ask(18, fetchRequest("", id, 3, wait)))
	if took := time.Since(begun); took < wait || len(got) != 0 {
		t.Errorf("answered after %v with %d bytes, want nothing after %v", took, len(got), wait)
	}
}

// records returns those of the answer's one partition.
func records(t *testing.T, answer kmsg.Response) []byte {
	t.Helper()
	response := answer.(*kmsg.FetchResponse)
	if response.ErrorCode != 0 || len(response.Topics) != 1 || response.Topics[0].Partitions[0].ErrorCode != 0 {
		t.Fatalf("fetch: %+v", response)
	}
	return response.Topics[0].Partitions[0].RecordBatches
}
