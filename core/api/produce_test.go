package api_test

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"barnabas/core/protocol"
	"barnabas/core/record"
)

// spoilt returns a batch that was changed; the checksum is right again.
func spoilt(change func(p []byte)) []byte {
	p := batch("a", "b")
	change(p)
	binary.BigEndian.PutUint32(p[17:], record.Checksum(p[21:]))
	return p
}

func idempotent(id int64, epoch int16, sequence int32) []byte {
	b := record.NewBuilder(nil, 0, 0)
	b.SetProducer(id, epoch, sequence)
	b.Append(1, nil, []byte("x"))
	return b.Finish(0)
}

func TestProduceVerdictsInEveryVersion(t *testing.T) {
	r := scripted(t)
	f := func(name, topic string, acks int16, records []byte, want protocol.Error) {
		t.Helper()
		r.each(name, protocol.KeyProduce, 3, want, func(version int16) protocol.Message {
			return produce(topic, acks, records, version)
		})
	}
	f("acks=all", "led", -1, batch("a"), protocol.ErrNone)
	f("acks=1", "led", 1, batch("a"), protocol.ErrNone)
	f("a follower", "followed", -1, batch("a"), protocol.ErrNotLeaderOrFollower)
	f("no replica", "elsewhere", -1, batch("a"), protocol.ErrNotLeaderOrFollower)
	f("no leader", "leaderless", 1, batch("a"), protocol.ErrNotLeaderOrFollower)
	f("acks=2", "led", 2, batch("a"), protocol.ErrInvalidRequiredAcks)
	f("acks=-2", "led", -2, batch("a"), protocol.ErrInvalidRequiredAcks)
	f("too large for the topic", "small", 1, batch(string(make([]byte, 200))), protocol.ErrMessageTooLarge)
	f("too large for the broker", "led", 1, batch(string(make([]byte, 20_000))), protocol.ErrMessageTooLarge)
	f("too few in sync", "strict", -1, batch("a"), protocol.ErrNotEnoughReplicas)
	f("too few in sync, but acks=1", "strict", 1, batch("a"), protocol.ErrNone)
	f("not in time", "halted", -1, batch("a"), protocol.ErrRequestTimedOut)
	f("no records", "led", 1, nil, protocol.ErrInvalidRecord)
	f("no bytes", "led", 1, []byte{}, protocol.ErrInvalidRecord)
	f("a batch cut off", "led", 1, batch("a")[:70], protocol.ErrCorruptMessage)
	f("a header cut off", "led", 1, batch("a")[:20], protocol.ErrCorruptMessage)
	wrong := batch("a")
	wrong[len(wrong)-1] ^= 1
	f("a wrong checksum", "led", 1, wrong, protocol.ErrCorruptMessage)
	f("magic 1", "led", 1, spoilt(func(p []byte) { p[16] = 1 }), protocol.ErrUnsupportedForMessageFormat)
	f("two batches", "led", 1, slices.Concat(batch("a"), batch("b")), protocol.ErrInvalidRecord)
	f("a control batch", "led", 1, spoilt(func(p []byte) { p[22] |= 32 }), protocol.ErrInvalidRecord)
	f("a transactional batch", "led", 1, spoilt(func(p []byte) { p[22] |= 16 }), protocol.ErrInvalidRecord)
	f("an unknown codec", "led", 1, spoilt(func(p []byte) { p[22] |= 5 }), protocol.ErrUnsupportedCompressionType)
	f("a count too high", "led", 1, spoilt(func(p []byte) { p[60]++; p[26]++ }), protocol.ErrInvalidRecord)
	f("a last offset delta too high", "led", 1, spoilt(func(p []byte) { p[26]++ }), protocol.ErrInvalidRecord)
	f("a producer without a sequence", "led", 1, idempotent(5, 0, -1), protocol.ErrInvalidRecord)
	f("a producer without an epoch", "led", 1, idempotent(5, -1, 0), protocol.ErrInvalidRecord)
	r.produced("led", idempotent(6, 1, 0))
	f("a repeat", "led", -1, idempotent(6, 1, 0), protocol.ErrNone)
	f("a gap", "led", 1, idempotent(6, 1, 7), protocol.ErrOutOfOrderSequenceNumber)
	f("an old producer epoch", "led", 1, idempotent(6, 0, 1), protocol.ErrInvalidProducerEpoch)
	f("a new producer epoch that does not begin with 0", "led", 1, idempotent(6, 2, 3), protocol.ErrOutOfOrderSequenceNumber)

	unknown := func(version int16) protocol.Message { return produce("nothing", 1, batch("a"), version) }
	for version := int16(3); version <= 13; version++ {
		want := protocol.ErrUnknownTopicOrPartition
		if version >= 13 {
			want = protocol.ErrUnknownTopicId
		}
		if got := codeIn(r.ask(unknown(version), version)); got != want {
			t.Errorf("an unknown topic, version %d: %q, want %q", version, got, want)
		}
	}
	r.each("an unknown partition", protocol.KeyProduce, 3, protocol.ErrUnknownTopicOrPartition, func(version int16) protocol.Message {
		m := produce("led", 1, batch("a"), version)
		m.TopicData[0].PartitionData[0].Index = 1
		return m
	})
	r.each("a transactional id", protocol.KeyProduce, 3, protocol.ErrInvalidTxnState, func(version int16) protocol.Message {
		m := produce("led", 1, batch("a"), version)
		m.TransactionalId = protocol.String("t")
		return m
	})
}

// What is refused leaves no trace: the next batch gets the next offset.
func TestRefusedBatchesTakeNoOffset(t *testing.T) {
	r := scripted(t)
	if got := r.produced("led", batch("a", "b")); got != 0 {
		t.Fatalf("the first batch is at %d", got)
	}
	r.ask(produce("led", 1, batch("a")[:70], 12), 12)
	r.ask(produce("led", 2, batch("a"), 12), 12)
	r.ask(produce("led", 1, slices.Concat(batch("a"), batch("b")), 12), 12)
	if got := r.produced("led", batch("c")); got != 2 {
		t.Fatalf("the next batch is at %d, want 2", got)
	}
}

// Each partition of a request has its own verdict, and its own records.
func TestOneRefusalLeavesTheOtherPartitionsAlone(t *testing.T) {
	r := scripted(t)
	m := produce("led", -1, batch("a"), 12)
	for _, more := range []*protocol.ProduceRequest{
		produce("followed", -1, batch("b"), 12), produce("small", -1, batch("c", "d"), 12), produce("led", -1, []byte{1}, 12),
		produce("led", -1, batch("e"), 12),
	} {
		m.TopicData = append(m.TopicData, more.TopicData...)
	}
	answer := r.ask(m, 12).(*protocol.ProduceResponse)
	want := []struct {
		code protocol.Error
		base int64
	}{
		{protocol.ErrNone, 0},
		{protocol.ErrNotLeaderOrFollower, -1},
		{protocol.ErrNone, 0},
		{protocol.ErrCorruptMessage, -1},
		{protocol.ErrNone, 1},
	}
	for i, w := range want {
		if row := answer.Responses[i].PartitionResponses[0]; row.ErrorCode != w.code || row.BaseOffset != w.base {
			t.Errorf("row %d: %q at %d, want %q at %d", i, row.ErrorCode, row.BaseOffset, w.code, w.base)
		}
	}
	if got := r.values("led", 0); !slices.Equal(got, []string{"a", "e"}) {
		t.Errorf("the log holds %v", got)
	}
	if leader := answer.Responses[1].PartitionResponses[0].CurrentLeader; leader.LeaderId != 2 || leader.LeaderEpoch != 3 {
		t.Errorf("the refusal names leader %+v", leader)
	}
}

func TestAcksNoneIsNotAnsweredAndAnErrorClosesTheConnection(t *testing.T) {
	r := scripted(t)
	for version := int16(3); version <= 13; version++ {
		good := r.begin(produce("led", 0, batch("a"), version), version)
		bad := r.begin(produce("followed", 0, batch("a"), version), version)
		r.pass(5 * time.Second)
		if good.done {
			t.Errorf("version %d: acks=0 was answered: %v", version, good.err)
		}
		if !bad.done || bad.err == nil {
			t.Errorf("version %d: the connection of a refused produce goes on", version)
		}
	}
	if got := r.values("led", 0); len(got) != 11 {
		t.Errorf("%d records were stored, want 11", len(got))
	}
}
