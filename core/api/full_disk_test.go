package api_test

import (
	"strings"
	"testing"
	"time"

	"barnabas/core/protocol"
)

// The disk is full: produce says so with the reason, everything else goes on, and so does produce when there is room
// again, be it because records were deleted (rule J14). A start on a full disk works (rule J15).
func TestAFullDiskRefusesProduceOnly(t *testing.T) {
	r := newRig(t, nil, "journal.max.bytes", "1048576", "log.segment.delete.delay.ms", "0", "internal.log.segment.bytes", "65536")
	for _, name := range []string{"led", "other"} {
		if code := r.create(name); code != protocol.ErrNone {
			t.Fatal(code)
		}
	}
	r.produced("other", batch("x"))
	large := batch(string(make([]byte, 8000)))
	put := func() protocol.PartitionProduceResponse {
		return r.ask(produce("led", -1, large, 12), 12).(*protocol.ProduceResponse).Responses[0].PartitionResponses[0]
	}
	stored := 0
	for ; stored < 20; stored++ {
		if row := put(); row.ErrorCode != protocol.ErrNone {
			t.Fatalf("%+v", row)
		}
	}
	r.machine.SetCapacity(r.machine.Used())
	refused := put()
	for again := false; stored < 400; refused = put() {
		if refused.ErrorCode == protocol.ErrNone {
			stored++
			again = false
			continue
		}
		if again {
			break // what partition logs could take is in them, and the journal is not freed by waiting
		}
		again = true
		r.pass(time.Second)
	}
	if refused.ErrorCode != protocol.ErrKafkaStorageError || !strings.Contains(refused.ErrorMessage.Value, "full") {
		t.Fatalf("%d batches of 8 kB went to a full disk, then %q: %s", stored, refused.ErrorCode, refused.ErrorMessage.Value)
	}
	r.each("the disk is full", protocol.KeyProduce, 3, protocol.ErrKafkaStorageError, func(version int16) protocol.Message {
		m := produce("led", -1, large, version)
		if version >= 13 {
			m.TopicData[0].TopicId = r.process.Image().Topics.At("led").ID
		}
		return m
	})
	if got := r.values("led", 0); len(got) != stored {
		t.Errorf("%d records can be read, %d were stored", len(got), stored)
	}
	if code := r.create("more"); code != protocol.ErrNone {
		t.Errorf("a topic can't be created: %s", code)
	}
	if code := codeIn(r.ask(deleteTopics("other"), 6)); code != protocol.ErrNone {
		t.Errorf("a topic can't be deleted: %s", code)
	}
	r.crash(true)
	r.start()
	if got := r.values("led", 0); len(got) != stored {
		t.Errorf("%d records can be read after a start on a full disk, %d were stored", len(got), stored)
	}
	if row := deleted(r.ask(deleteRecords("led", -1), 2)); row.ErrorCode != protocol.ErrNone || row.LowWatermark != int64(stored) {
		t.Errorf("records can't be deleted: %q, low watermark %d", row.ErrorCode, row.LowWatermark)
	}
	r.pass(10 * time.Second)
	if row := put(); row.ErrorCode != protocol.ErrNone {
		t.Errorf("produce does not go on after records were deleted: %q %s", row.ErrorCode, row.ErrorMessage.Value)
	}
	r.machine.SetCapacity(0)
	r.pass(10 * time.Second)
	for range 50 {
		if row := put(); row.ErrorCode != protocol.ErrNone {
			t.Fatalf("there is room again: %q %s", row.ErrorCode, row.ErrorMessage.Value)
		}
	}
	full, room := 0, 0
	for _, line := range r.said {
		full += strings.Count(line, "the disk is full")
		if room += strings.Count(line, "there is room on the disk again"); room > full {
			t.Fatalf("%q", r.said)
		}
	}
	if full == 0 || room == 0 || full > 5 {
		t.Errorf("it says so %d times, and %d times that there is room: %q", full, room, r.said)
	}
}

// create makes a topic with one partition.
func (r *rig) create(name string) protocol.Error {
	r.t.Helper()
	m := protocol.NewCreateTopicsRequest()
	m.Topics = []protocol.CreatableTopic{{Name: name, NumPartitions: 1, ReplicationFactor: 1}}
	return codeIn(r.ask(m, 7))
}
