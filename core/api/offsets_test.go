package api_test

import (
	"math"
	"slices"
	"testing"

	"barnabas/core/protocol"
)

func listOffsets(name string, timestamp int64) *protocol.ListOffsetsRequest {
	m := protocol.NewListOffsetsRequest()
	row := protocol.NewListOffsetsPartition()
	row.Timestamp = timestamp
	m.Topics = []protocol.ListOffsetsTopic{{Name: name, Partitions: []protocol.ListOffsetsPartition{row}}}
	return m
}

func TestListOffsetsFindsTheRecordAtOrAfterATimestamp(t *testing.T) {
	r := scripted(t)
	f := func(name string, timestamp int64, from int16, offset, found int64, epoch int32) {
		t.Helper()
		for version := max(from, 1); version <= 11; version++ {
			row := r.ask(listOffsets("led", timestamp), version).(*protocol.ListOffsetsResponse).Topics[0].Partitions[0]
			want := epoch
			if version < 4 {
				want = -1
			}
			if row.ErrorCode != protocol.ErrNone || row.Offset != offset || row.Timestamp != found || row.LeaderEpoch != want {
				t.Errorf("%s, version %d: %q offset %d timestamp %d epoch %d, want offset %d timestamp %d epoch %d",
					name, version, row.ErrorCode, row.Offset, row.Timestamp, row.LeaderEpoch, offset, found, want)
			}
		}
	}
	f("latest of nothing", -1, 1, 0, -1, 3)
	f("earliest of nothing", -2, 1, 0, -1, 3)
	f("greatest timestamp of nothing", -3, 7, -1, -1, -1)
	f("a timestamp in nothing", 0, 1, -1, -1, -1)
	r.produced("led", batchAt(1000, "0", "1", "2")) // 1000 1010 1020
	r.produced("led", batchAt(5000, "3", "4"))      // 5000 5010
	r.produced("led", batchAt(3000, "5", "6"))      // 3000 3010: older than what is before it
	f("latest", -1, 1, 7, -1, 3)
	f("earliest", -2, 1, 0, -1, 3)
	f("greatest timestamp", -3, 7, 4, 5010, 3)
	f("earliest local", -4, 8, 0, -1, 3)
	f("latest tiered", -5, 9, -1, -1, -1)
	f("earliest pending upload", -6, 11, -1, -1, -1)
	f("before all", 0, 1, 0, 1000, 3)
	f("the first", 1000, 1, 0, 1000, 3)
	f("between two records", 1001, 1, 1, 1010, 3)
	f("the last of a batch", 1020, 1, 2, 1020, 3)
	f("between two batches", 1021, 1, 3, 5000, 3)
	f("hidden behind a newer one", 3000, 1, 3, 5000, 3)
	f("the newest", 5010, 1, 4, 5010, 3)
	f("after all", 5011, 1, -1, -1, -1)
}

func TestListOffsetsVerdictsInEveryVersion(t *testing.T) {
	r := scripted(t)
	f := func(name, topic string, from int16, want protocol.Error, change func(*protocol.ListOffsetsPartition)) {
		t.Helper()
		r.each(name, protocol.KeyListOffsets, from, want, func(int16) protocol.Message {
			m := listOffsets(topic, -1)
			if change != nil {
				change(&m.Topics[0].Partitions[0])
			}
			return m
		})
	}
	f("an unknown topic", "nothing", 1, protocol.ErrUnknownTopicOrPartition, nil)
	f("a follower", "followed", 1, protocol.ErrNotLeaderOrFollower, nil)
	f("no replica", "elsewhere", 1, protocol.ErrNotLeaderOrFollower, nil)
	f("no leader", "leaderless", 1, protocol.ErrNotLeaderOrFollower, nil)
	f("an unknown partition", "led", 1, protocol.ErrUnknownTopicOrPartition, func(p *protocol.ListOffsetsPartition) { p.PartitionIndex = 4 })
	f("an old epoch", "led", 4, protocol.ErrFencedLeaderEpoch, func(p *protocol.ListOffsetsPartition) { p.CurrentLeaderEpoch = 1 })
	f("a future epoch", "led", 4, protocol.ErrUnknownLeaderEpoch, func(p *protocol.ListOffsetsPartition) { p.CurrentLeaderEpoch = 8 })
}

// Until the high watermark has reached the start of its epoch, a new leader does not know what was committed before.
func TestTheLatestOffsetIsNotAvailableAtOnceAfterAnElection(t *testing.T) {
	r := scripted(t)
	r.ask(produce("halted", 1, batch("a"), 12), 12)
	change := protocol.NewPartitionChangeRecord()
	change.PartitionId, change.TopicId, change.Leader = 0, idOf("halted"), 1
	r.publish(protocol.Record{Message: change, Version: 1})
	for version := int16(1); version <= 11; version++ {
		want := protocol.ErrOffsetNotAvailable
		if version < 5 {
			want = protocol.ErrLeaderNotAvailable
		}
		for timestamp, since := range map[int64]int16{-1: 1, -3: 7, 0: 1} { // the record's own is above 0
			if got := codeIn(r.ask(listOffsets("halted", timestamp), version)); version >= since && got != want {
				t.Errorf("timestamp %d, version %d: %q, want %q", timestamp, version, got, want)
			}
		}
		if got := codeIn(r.ask(listOffsets("halted", math.MaxInt64), version)); got != protocol.ErrNone {
			t.Errorf("a time after all records, version %d: %q", version, got)
		}
	}
	m := fetch("halted", 1, 12)
	follow(m, 2, 12)
	r.ask(m, 12)
	for _, timestamp := range []int64{-1, 0} {
		r.each("the follower has caught up", protocol.KeyListOffsets, 1, protocol.ErrNone, func(int16) protocol.Message { return listOffsets("halted", timestamp) })
	}
}

func TestListOffsetsRefusesTimestampsOfLaterVersionsAndRepeats(t *testing.T) {
	r := scripted(t)
	for timestamp, since := range map[int64]int16{-1: 1, -2: 1, -3: 7, -4: 8, -5: 9, -6: 11, -7: 99} {
		for version := int16(1); version <= 11; version++ {
			want := protocol.ErrNone
			if version < since {
				want = protocol.ErrUnsupportedVersion
			}
			if got := codeIn(r.ask(listOffsets("led", timestamp), version)); got != want {
				t.Errorf("timestamp %d in version %d: %q, want %q", timestamp, version, got, want)
			}
		}
	}
	m := listOffsets("led", -1)
	m.Topics[0].Partitions = append(m.Topics[0].Partitions, m.Topics[0].Partitions[0])
	m.Topics = append(m.Topics, m.Topics[0])
	answer := r.ask(m, 11).(*protocol.ListOffsetsResponse)
	got := []protocol.Error{}
	for _, topic := range answer.Topics {
		for _, p := range topic.Partitions {
			got = append(got, p.ErrorCode)
		}
	}
	refused := protocol.ErrInvalidRequest
	if want := []protocol.Error{protocol.ErrNone, refused, refused, refused}; !slices.Equal(got, want) {
		t.Errorf("named four times: %v, want %v", got, want)
	}
}
