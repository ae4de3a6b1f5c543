package api_test

import (
	"testing"
	"time"

	"barnabas/core/protocol"
)

// A fetch parked at an offset that retention takes says so at once.
func TestAParkedFetchOfWhatExpiresIsAnswered(t *testing.T) {
	r := scripted(t, "log.retention.check.interval.ms", "1000")
	r.publish(topic("brief", 1, []int32{1}, []int32{1}, "retention.ms", "1", "internal.segment.bytes", "1")...)
	r.produced("brief", batch("a"))
	m := fetch("brief", 0, 12)
	m.MinBytes, m.MaxWaitMs = 1<<20, 60_000
	q := r.begin(m, 12)
	r.until("the answer", func() bool { return q.done })
	if row := first(q.answer); row.ErrorCode != protocol.ErrOffsetOutOfRange || row.LogStartOffset != 1 {
		t.Errorf("%q, start %d", row.ErrorCode, row.LogStartOffset)
	}
}

// However many partitions there are, retention looks at each of them in every round.
func TestRetentionLeavesNoPartitionOut(t *testing.T) {
	const partitions = 150
	r := scripted(t, "log.retention.check.interval.ms", "1000")
	records := topic("wide", 1, []int32{1}, []int32{1}, "retention.ms", "1", "internal.segment.bytes", "1")
	for i := range int32(partitions - 1) {
		p := *records[1].Message.(*protocol.PartitionRecord)
		p.PartitionId = i + 1
		records = append(records, protocol.Record{Message: &p})
	}
	r.publish(records...)
	m := produce("wide", -1, batch("a"), 12)
	ask := protocol.NewListOffsetsRequest()
	ask.Topics = []protocol.ListOffsetsTopic{{Name: "wide"}}
	for i := range int32(partitions) {
		row := m.TopicData[0].PartitionData[0]
		row.Index = i
		if i > 0 {
			m.TopicData[0].PartitionData = append(m.TopicData[0].PartitionData, row)
		}
		at := protocol.NewListOffsetsPartition()
		at.PartitionIndex, at.Timestamp = i, -2
		ask.Topics[0].Partitions = append(ask.Topics[0].Partitions, at)
	}
	r.ask(m, 12)
	r.pass(1100 * time.Millisecond)
	for _, row := range r.ask(ask, 7).(*protocol.ListOffsetsResponse).Topics[0].Partitions {
		if row.ErrorCode != protocol.ErrNone || row.Offset != 1 {
			t.Errorf("partition %d: %q, earliest is %d", row.PartitionIndex, row.ErrorCode, row.Offset)
		}
	}
}
