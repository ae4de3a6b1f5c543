package api_test

import (
	"testing"
	"time"

	"barnabas/core/protocol"
)

func deleteRecords(name string, offset int64) *protocol.DeleteRecordsRequest {
	m := protocol.NewDeleteRecordsRequest()
	m.TimeoutMs = 1000
	m.Topics = []protocol.DeleteRecordsTopic{{Name: name, Partitions: []protocol.DeleteRecordsPartition{{Offset: offset}}}}
	return m
}

// deleted returns the first row of an answer.
func deleted(m protocol.Message) protocol.DeleteRecordsPartitionResult {
	return m.(*protocol.DeleteRecordsResponse).Topics[0].Partitions[0]
}

// earliest asks for the log start.
func (r *rig) earliest(name string) int64 {
	r.t.Helper()
	return r.ask(listOffsets(name, -2), 7).(*protocol.ListOffsetsResponse).Topics[0].Partitions[0].Offset
}

func TestDeleteRecordsVerdictsInEveryVersion(t *testing.T) {
	r := scripted(t)
	r.publish(topic("compacted", 1, []int32{1}, []int32{1}, "cleanup.policy", "compact")...)
	r.publish(topic("both", 1, []int32{1}, []int32{1}, "cleanup.policy", "compact,delete")...)
	r.publish(topic("neither", 1, []int32{1}, []int32{1}, "cleanup.policy", "")...)
	r.publish(topic("__consumer_offsets", 1, []int32{1}, []int32{1})...)
	for _, name := range []string{"led", "both", "neither"} {
		r.produced(name, keyedBatch("a", "b"))
	}
	r.begin(produce("halted", -1, batch("a"), 12), 12) // its follower never comes
	r.pass(10 * time.Millisecond)
	f := func(name, topic string, offset int64, want protocol.Error, low int64) {
		t.Helper()
		for version := int16(0); version <= 2; version++ {
			row := deleted(r.ask(deleteRecords(topic, offset), version))
			if row.ErrorCode != want || row.LowWatermark != low {
				t.Errorf("%s, version %d: %q with low watermark %d, want %q with %d", name, version, row.ErrorCode, row.LowWatermark, want, low)
			}
		}
	}
	f("nothing to do", "led", 0, protocol.ErrNone, 0)
	f("the middle of a batch", "led", 1, protocol.ErrNone, 1)
	f("below the start", "led", 0, protocol.ErrNone, 1)
	f("above the high watermark", "led", 3, protocol.ErrOffsetOutOfRange, -1)
	f("what is not committed", "halted", 1, protocol.ErrOffsetOutOfRange, -1)
	f("a negative offset", "led", -2, protocol.ErrOffsetOutOfRange, -1)
	f("the high watermark", "led", -1, protocol.ErrNone, 2)
	f("a follower", "followed", 0, protocol.ErrNotLeaderOrFollower, -1)
	f("no replica", "elsewhere", 0, protocol.ErrNotLeaderOrFollower, -1)
	f("no leader", "leaderless", 0, protocol.ErrNotLeaderOrFollower, -1)
	f("no topic", "nothing", 0, protocol.ErrUnknownTopicOrPartition, -1)
	f("compacted", "compacted", 0, protocol.ErrPolicyViolation, -1)
	f("compacted and deleted", "both", 1, protocol.ErrNone, 1)
	f("never deleted by itself", "neither", 1, protocol.ErrNone, 1)
	f("internal", "__consumer_offsets", 0, protocol.ErrInvalidTopicException, -1)
	m := deleteRecords("led", 0)
	m.Topics[0].Partitions[0].PartitionIndex = 1
	if row := deleted(r.ask(m, 2)); row.ErrorCode != protocol.ErrUnknownTopicOrPartition {
		t.Errorf("no partition: %q", row.ErrorCode)
	}
}

// What is deleted is gone: for readers, for ListOffsets, and after a power loss.
func TestDeletedRecordsAreGone(t *testing.T) {
	r := newRig(t, nil)
	create := protocol.NewCreateTopicsRequest()
	create.Topics = []protocol.CreatableTopic{{Name: "led", NumPartitions: 1, ReplicationFactor: 1}}
	r.ask(create, 7)
	for _, v := range []string{"a", "b", "c"} {
		r.produced("led", batch(v))
	}
	r.ask(deleteRecords("led", 2), 2)
	for range 2 {
		if row := first(r.ask(fetch("led", 1, 12), 12)); row.ErrorCode != protocol.ErrOffsetOutOfRange || row.LogStartOffset != 2 {
			t.Errorf("a fetch below the start: %q, start %d", row.ErrorCode, row.LogStartOffset)
		}
		if got := r.earliest("led"); got != 2 {
			t.Errorf("earliest is %d, want 2", got)
		}
		if got := r.values("led", 2); len(got) != 1 || got[0] != "c" {
			t.Errorf("left: %q", got)
		}
		r.crash(true)
		r.start()
	}
	// Everything may go, and offsets go on.
	if row := deleted(r.ask(deleteRecords("led", -1), 2)); row.LowWatermark != 3 {
		t.Errorf("low watermark %d, want 3", row.LowWatermark)
	}
	if at := r.produced("led", batch("d")); at != 3 {
		t.Errorf("the next record is at %d, want 3", at)
	}
}

// A deletion that was answered survives a power loss: the answer waits for the commit.
func TestADeletionIsDurableBeforeItIsAnswered(t *testing.T) {
	r := scripted(t)
	r.produced("led", batch("a", "b"))
	r.machine.Limp(r.kernel.Now().Add(time.Minute), 100_000)
	m := deleteRecords("led", 1)
	m.TimeoutMs = 60_000
	q := r.begin(m, 2)
	r.pass(50 * time.Millisecond)
	if q.done {
		t.Fatal("answered before the commit")
	}
	if got := r.earliest("led"); got != 1 {
		t.Errorf("the record is still there: earliest is %d", got)
	}
	r.machine.Limp(0, 1)
	r.until("the answer", func() bool { return q.done })
	if row := deleted(q.answer); row.ErrorCode != protocol.ErrNone || row.LowWatermark != 1 {
		t.Errorf("%+v", row)
	}
}

// A fetch parked at an offset that is deleted says so at once.
func TestAParkedFetchBelowTheNewStartIsAnswered(t *testing.T) {
	r := scripted(t)
	r.produced("led", batch("a"))
	m := fetch("led", 0, 12)
	m.MinBytes, m.MaxWaitMs = 1<<20, 60_000
	q := r.begin(m, 12)
	r.pass(50 * time.Millisecond)
	if q.done {
		t.Fatal("answered too soon")
	}
	r.ask(deleteRecords("led", 1), 2)
	r.pass(50 * time.Millisecond)
	if !q.done || codeIn(q.answer) != protocol.ErrOffsetOutOfRange {
		t.Fatalf("answered: %t", q.done)
	}
}

// registered makes broker 2 known, and fences it.
func (r *rig) registered(fenced bool) {
	m := protocol.NewRegisterBrokerRecord()
	m.BrokerId, m.IncarnationId, m.BrokerEpoch, m.Fenced = 2, protocol.UUID{2}, 1, fenced
	m.EndPoints = []protocol.BrokerEndpoint{{Name: "PLAINTEXT", Host: "n9", Port: 9092}}
	r.publish(protocol.Record{Message: m, Version: 3})
}

// The answer waits for every live replica: until the follower says where its log starts, leaves or is fenced, or the time
// is up.
func TestADeletionWaitsForLiveReplicas(t *testing.T) {
	told := func(r *rig, start int64) protocol.FetchPartitionData {
		m := fetch("halted", 2, 18)
		follow(m, 2, 18)
		m.Topics[0].Partitions[0].LogStartOffset = start
		return first(r.ask(m, 18))
	}
	moved := func(r *rig) {
		change := protocol.NewPartitionChangeRecord()
		change.PartitionId, change.TopicId, change.Leader = 0, idOf("halted"), 2
		r.publish(protocol.Record{Message: change, Version: 1})
	}
	for _, c := range []struct {
		name   string
		fenced bool
		during func(r *rig)
		want   protocol.Error
		low    int64
		took   time.Duration
	}{
		{"a replica that is down", true, nil, protocol.ErrNone, 1, 0},
		{"it says so", false, func(r *rig) { told(r, 1) }, protocol.ErrNone, 1, 100 * time.Millisecond},
		{"it says too little", false, func(r *rig) { told(r, 0) }, protocol.ErrRequestTimedOut, 0, time.Second},
		{"it is fenced", false, func(r *rig) { r.registered(true) }, protocol.ErrNone, 1, 100 * time.Millisecond},
		{"the leader goes", false, moved, protocol.ErrNotLeaderOrFollower, -1, 100 * time.Millisecond},
		{"the topic goes", false, func(r *rig) {
			r.publish(protocol.Record{Message: &protocol.RemoveTopicRecord{TopicId: idOf("halted")}})
		}, protocol.ErrUnknownTopicOrPartition, -1, 100 * time.Millisecond},
	} {
		r := scripted(t)
		r.registered(c.fenced)
		q := r.begin(produce("halted", -1, batch("a", "b"), 12), 12)
		r.pass(20 * time.Millisecond)
		told(r, 0)
		r.until("the produce", func() bool { return q.done })

		began := r.kernel.Now()
		q = r.begin(deleteRecords("halted", 1), 2)
		r.pass(100 * time.Millisecond)
		if c.during != nil {
			c.during(r)
		}
		r.until(c.name, func() bool { return q.done })
		row, took := deleted(q.answer), q.at.Sub(began)
		if row.ErrorCode != c.want || row.LowWatermark != c.low || took < c.took || took > c.took+20*time.Millisecond {
			t.Errorf("%s: %q, low watermark %d after %v; want %q, %d after %v", c.name, row.ErrorCode, row.LowWatermark, took, c.want, c.low, c.took)
		}
	}
}

// A parked fetch of a follower is answered when records are deleted, so that it learns of it; one that knows waits on.
func TestAFollowerLearnsOfDeletionsAtOnce(t *testing.T) {
	for start, soon := range map[int64]bool{0: true, 1: false} {
		r := scripted(t)
		q := r.begin(produce("halted", -1, batch("a", "b"), 12), 12)
		r.pass(20 * time.Millisecond)
		m := fetch("halted", 2, 18)
		follow(m, 2, 18)
		m.MaxWaitMs, m.Topics[0].Partitions[0].LogStartOffset, m.Topics[0].Partitions[0].HighWatermark = 60_000, start, 2
		fetching := r.begin(m, 18)
		r.until("the produce", func() bool { return q.done })
		r.pass(50 * time.Millisecond)
		if fetching.done {
			t.Fatal("answered too soon")
		}
		r.ask(deleteRecords("halted", 1), 2)
		r.pass(50 * time.Millisecond)
		if fetching.done != soon {
			t.Errorf("a follower whose log starts at %d is answered: %t", start, fetching.done)
		}
		if soon && first(fetching.answer).LogStartOffset != 1 {
			t.Errorf("%+v", first(fetching.answer))
		}
	}
}
