package api_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"barnabas/core/protocol"
	"barnabas/core/record"
)

// fetch makes a request for one partition, as a consumer that does not wait.
func fetch(name string, offset int64, version int16) *protocol.FetchRequest {
	m := protocol.NewFetchRequest()
	m.MaxBytes, m.MinBytes, m.MaxWaitMs = 1<<20, 1, 0
	row := protocol.NewFetchPartition()
	row.FetchOffset, row.PartitionMaxBytes = offset, 1<<20
	topic := protocol.FetchTopic{Partitions: []protocol.FetchPartition{row}}
	if version >= 13 {
		topic.TopicId = idOf(name)
	} else {
		topic.Topic = name
	}
	m.Topics = []protocol.FetchTopic{topic}
	return m
}

// first returns the first row of a fetch's answer.
func first(m protocol.Message) protocol.FetchPartitionData {
	return m.(*protocol.FetchResponse).Responses[0].Partitions[0]
}

// valuesOf returns the records of batches.
func valuesOf(batches []byte) (all []string) {
	for len(batches) > 0 {
		h, err := record.Check(batches)
		if err != nil {
			panic(err)
		}
		_ = record.Walk(batches[record.HeaderBytes:h.Length], h.Count, func(r *record.Record) error {
			all = append(all, string(r.Value))
			return nil
		})
		batches = batches[h.Length:]
	}
	return all
}

// values reads a whole partition.
func (r *rig) values(name string, offset int64) (all []string) {
	r.t.Helper()
	for {
		row := first(r.ask(fetch(name, offset, 12), 12))
		if row.ErrorCode != protocol.ErrNone {
			r.t.Fatalf("fetch of %s: %s", name, row.ErrorCode)
		}
		got := valuesOf(row.Records.Bytes)
		if len(got) == 0 {
			return all
		}
		all, offset = append(all, got...), offset+int64(len(got))
	}
}

func TestFetchVerdictsInEveryVersion(t *testing.T) {
	r := scripted(t)
	r.produced("led", batch("a", "b"))
	f := func(name, topic string, offset int64, from int16, want protocol.Error, change func(m *protocol.FetchRequest, p *protocol.FetchPartition, version int16)) {
		t.Helper()
		r.each(name, protocol.KeyFetch, from, want, func(version int16) protocol.Message {
			m := fetch(topic, offset, version)
			if change != nil {
				change(m, &m.Topics[0].Partitions[0], version)
			}
			return m
		})
	}
	type (
		request = protocol.FetchRequest
		part    = protocol.FetchPartition
	)
	f("from the start", "led", 0, 4, protocol.ErrNone, nil)
	f("from the middle of a batch", "led", 1, 4, protocol.ErrNone, nil)
	f("at the end", "led", 2, 4, protocol.ErrNone, nil)
	f("beyond the end", "led", 3, 4, protocol.ErrOffsetOutOfRange, nil)
	f("a negative offset", "led", -1, 4, protocol.ErrOffsetOutOfRange, nil)
	f("a follower", "followed", 0, 4, protocol.ErrNotLeaderOrFollower, nil)
	f("no replica", "elsewhere", 0, 4, protocol.ErrNotLeaderOrFollower, nil)
	f("no leader", "leaderless", 0, 4, protocol.ErrNotLeaderOrFollower, nil)
	f("read committed", "led", 0, 4, protocol.ErrNone, func(m *request, _ *part, _ int16) { m.IsolationLevel = 1 })
	f("an old epoch", "led", 0, 9, protocol.ErrFencedLeaderEpoch, func(_ *request, p *part, _ int16) { p.CurrentLeaderEpoch = 2 })
	f("the present epoch", "led", 0, 9, protocol.ErrNone, func(_ *request, p *part, _ int16) { p.CurrentLeaderEpoch = 3 })
	f("a future epoch", "led", 0, 9, protocol.ErrUnknownLeaderEpoch, func(_ *request, p *part, _ int16) { p.CurrentLeaderEpoch = 4 })
	f("an old epoch at a follower", "followed", 0, 9, protocol.ErrFencedLeaderEpoch, func(_ *request, p *part, _ int16) { p.CurrentLeaderEpoch = 2 })
	f("an unknown partition", "led", 0, 4, protocol.ErrUnknownTopicOrPartition, func(_ *request, p *part, _ int16) { p.Partition = 1 })
	f("a session nobody has", "led", 0, 7, protocol.ErrFetchSessionIdNotFound, func(m *request, _ *part, _ int16) { m.SessionId, m.SessionEpoch = 9, 1 })
	f("a session to be made", "led", 0, 7, protocol.ErrNone, func(m *request, _ *part, _ int16) { m.SessionEpoch = 0 })
	f("from a broker that is no replica", "led", 0, 4, protocol.ErrUnknownTopicOrPartition, func(m *request, _ *part, version int16) { follow(m, 9, version) })
	f("from a follower", "halted", 0, 4, protocol.ErrNone, func(m *request, _ *part, version int16) { follow(m, 2, version) })
	f("a log that diverged", "led", 2, 12, protocol.ErrNone, func(_ *request, p *part, _ int16) { p.LastFetchedEpoch = 1 })
	f("an unknown topic", "nothing", 0, 13, protocol.ErrUnknownTopicId, nil)
	for version := int16(4); version < 13; version++ {
		if code := codeIn(r.ask(fetch("nothing", 0, version), version)); code != protocol.ErrUnknownTopicOrPartition {
			t.Errorf("an unknown topic, version %d: %q", version, code)
		}
	}
}

// follow makes a fetch that of a follower.
func follow(m *protocol.FetchRequest, id int32, version int16) {
	if version >= 15 {
		m.ReplicaState.ReplicaId, m.ReplicaState.ReplicaEpoch = id, 1
	} else {
		m.ReplicaId = id
	}
}

func TestFetchSaysWhereLogsPart(t *testing.T) {
	r := scripted(t)
	r.produced("led", batch("a", "b"))
	m := fetch("led", 2, 12)
	m.Topics[0].Partitions[0].LastFetchedEpoch = 1
	row := first(r.ask(m, 12))
	if row.DivergingEpoch.Epoch != 1 || row.DivergingEpoch.EndOffset != 0 || len(row.Records.Bytes) > 0 {
		t.Errorf("%+v", row)
	}
	m.Topics[0].Partitions[0].LastFetchedEpoch = 3
	if row := first(r.ask(m, 12)); row.DivergingEpoch.Epoch != -1 || row.DivergingEpoch.EndOffset != -1 {
		t.Errorf("the leader's own epoch: %+v", row)
	}
}

func TestSessionsAreDeclinedWhereThereIsNoPlace(t *testing.T) {
	r := scripted(t, "max.incremental.fetch.session.cache.slots", "0")
	for version := int16(7); version <= 18; version++ {
		m := fetch("led", 0, version)
		m.SessionEpoch = 0
		if id := r.ask(m, version).(*protocol.FetchResponse).SessionId; id != 0 {
			t.Errorf("version %d: session %d", version, id)
		}
	}
}

func TestFetchTakesNoMoreThanItIsAllowedButAlwaysTheFirstBatch(t *testing.T) {
	r := scripted(t)
	one := len(batch("0"))
	for i := range 5 {
		r.produced("led", batch(fmt.Sprint(i)))
		r.produced("small", batch(fmt.Sprint(i)))
	}
	f := func(maxBytes, partitionMax int, offset int64, want ...string) {
		t.Helper()
		m := fetch("led", offset, 12)
		m.MaxBytes, m.Topics[0].Partitions[0].PartitionMaxBytes = int32(maxBytes), int32(partitionMax)
		if got := valuesOf(first(r.ask(m, 12)).Records.Bytes); !slices.Equal(got, want) {
			t.Errorf("max %d, of a partition %d, from %d: %v, want %v", maxBytes, partitionMax, offset, got, want)
		}
	}
	f(1<<20, 1<<20, 0, "0", "1", "2", "3", "4")
	f(1<<20, 1<<20, 3, "3", "4")
	f(1<<20, 1<<20, 5)
	f(1<<20, 2*one, 0, "0", "1")
	f(1<<20, 2*one-1, 0, "0")
	f(1<<20, one-1, 0, "0")
	f(1<<20, 1, 2, "2")
	f(1<<20, 0, 2, "2")
	f(3*one, 1<<20, 1, "1", "2", "3")
	f(1, 1<<20, 1, "1")
	f(0, 1<<20, 1, "1")
	f(2*one, 3*one, 0, "0", "1")

	// The first batch is exempt in the first partition that has one, and in no other.
	r.publish(topic("third", 1, []int32{1}, []int32{1})...)
	r.produced("third", batch("0"))
	two := fetch("led", 5, 12)
	two.MaxBytes = 1
	two.Topics = append(two.Topics, fetch("small", 0, 12).Topics[0], fetch("third", 0, 12).Topics[0])
	answer := r.ask(two, 12).(*protocol.FetchResponse)
	var got [][]string
	for _, topic := range answer.Responses {
		got = append(got, valuesOf(topic.Partitions[0].Records.Bytes))
	}
	if fmt.Sprint(got) != "[[] [0] []]" {
		t.Errorf("three partitions with one byte: %v", got)
	}
	two.MaxBytes = int32(one) + 5 // something is left for the third, but not a batch
	if row := r.ask(two, 12).(*protocol.FetchResponse).Responses[2].Partitions[0]; len(row.Records.Bytes) > 0 {
		t.Errorf("the third partition sends %v beyond the limit", valuesOf(row.Records.Bytes))
	}
}

func TestTheBrokersOwnBoundOnAFetchHolds(t *testing.T) {
	r := scripted(t, "fetch.max.bytes", "1024")
	for range 4 {
		r.produced("led", batch(string(make([]byte, 400))))
	}
	if got := valuesOf(first(r.ask(fetch("led", 0, 12), 12)).Records.Bytes); len(got) != 2 {
		t.Errorf("%d batches of 470 bytes within 1024", len(got))
	}
}

func TestAFetchWaitsForEnoughOrForItsTime(t *testing.T) {
	r := scripted(t)
	one := len(batch("x"))
	f := func(name string, offset int64, minBytes int, wait, want time.Duration, during ...func()) {
		t.Helper()
		m := fetch("led", offset, 12)
		m.MinBytes, m.MaxWaitMs = int32(minBytes), int32(wait.Milliseconds())
		began := r.kernel.Now()
		q := r.begin(m, 12)
		r.pass(100 * time.Millisecond)
		for _, d := range during {
			d()
		}
		r.until(name, func() bool { return q.done })
		took := q.at.Sub(began)
		if q.err != nil || took < want || took > want+10*time.Millisecond {
			t.Errorf("%s: answered after %v, want %v (%v)", name, took, want, q.err)
		}
	}
	x := func() { r.produced("led", batch("x")) }
	const late = 100 * time.Millisecond
	f("nothing, no wait", 0, 1, 0, 0)
	f("nothing, no least", 0, 0, time.Minute, 0)
	f("nothing", 0, 1, time.Second, time.Second)
	f("something comes", 0, 1, time.Minute, late, x)
	f("something is there", 0, 1, time.Minute, 0)
	f("not enough", 0, one+1, time.Second, time.Second)
	f("enough comes", 0, 2*one, time.Minute, late, x)
	f("not enough comes", 2, 2*one, time.Second, time.Second, x)
	f("an error is there at once", 99, 1, time.Minute, 0)
	f("the leader goes", 3, 1, time.Minute, late, func() {
		change := protocol.NewPartitionChangeRecord()
		change.PartitionId, change.TopicId, change.Leader = 0, idOf("led"), 2
		r.publish(protocol.Record{Message: change, Version: 1})
	})
}

// More bytes than the limit lets through will never come: what fits is enough (bug 3).
func TestAFetchWhoseLeastIsAboveItsLimitIsAnsweredWithWhatFits(t *testing.T) {
	r := scripted(t)
	for range 4 {
		r.produced("led", batch("x"))
	}
	m := fetch("led", 0, 12)
	one := int32(len(batch("x")))
	m.MinBytes, m.MaxWaitMs, m.Topics[0].Partitions[0].PartitionMaxBytes = 3*one, 60_000, 2*one+5
	q := r.begin(m, 12)
	r.pass(50 * time.Millisecond)
	if !q.done || len(valuesOf(first(q.answer).Records.Bytes)) != 2 {
		t.Fatalf("answered: %t", q.done)
	}
}

func TestAFetchOfADeletedTopicIsAnswered(t *testing.T) {
	r := scripted(t)
	m := fetch("led", 0, 12)
	m.MaxWaitMs = 60_000
	fetching := r.begin(m, 12)
	producing := r.begin(produce("halted", -1, batch("a"), 12), 12)
	r.pass(50 * time.Millisecond)
	r.publish(
		protocol.Record{Message: &protocol.RemoveTopicRecord{TopicId: idOf("led")}},
		protocol.Record{Message: &protocol.RemoveTopicRecord{TopicId: idOf("halted")}},
	)
	r.pass(10 * time.Millisecond)
	if !fetching.done || codeIn(fetching.answer) != protocol.ErrUnknownTopicOrPartition {
		t.Errorf("the fetch: done %t", fetching.done)
	}
	if !producing.done || codeIn(producing.answer) != protocol.ErrNotLeaderOrFollower {
		t.Errorf("the produce: done %t", producing.done)
	}
}

// What no longer fits into memory comes from the journal; batches of one fetch may come from both.
func TestAFetchReadsWhatIsNotInMemoryAnyMore(t *testing.T) {
	r := scripted(t, "arena.max.bytes", "131072", "journal.max.bytes", "4194304")
	var want []string
	for i := range 60 {
		v := fmt.Sprintf("%d-%s", i, string(make([]byte, 10_000)))
		want = append(want, v)
		r.produced("led", batch(v))
	}
	if got := r.values("led", 0); !slices.Equal(got, want) {
		t.Fatalf("%d records, %d were stored", len(got), len(want))
	}
}

// A consumer sees what is committed, a follower everything, and a follower's offset is its promise (rules S2, S4, S5).
func TestAFollowersFetchCommitsWhatIsBelowIt(t *testing.T) {
	for version := int16(4); version <= 18; version++ {
		r := scripted(t)
		producing := r.begin(produce("halted", -1, batch("a"), 12), 12)
		r.pass(50 * time.Millisecond)
		if got := first(r.ask(fetch("halted", 0, version), version)); len(got.Records.Bytes) > 0 || got.HighWatermark != 0 {
			t.Errorf("version %d: a consumer sees %d bytes, high watermark %d", version, len(got.Records.Bytes), got.HighWatermark)
		}
		m := fetch("halted", 0, version)
		follow(m, 2, version)
		if n := len(valuesOf(first(r.ask(m, version)).Records.Bytes)); n != 1 || producing.done {
			t.Errorf("version %d: a follower sees %d records; answered too soon: %t", version, n, producing.done)
		}
		m = fetch("halted", 1, version)
		follow(m, 2, version)
		if row := first(r.ask(m, version)); row.HighWatermark != 1 {
			t.Errorf("version %d: high watermark %d, want 1", version, row.HighWatermark)
		}
		r.pass(10 * time.Millisecond)
		if !producing.done || codeIn(producing.answer) != protocol.ErrNone {
			t.Errorf("version %d: produce is answered: %t", version, producing.done)
		}
		if got := first(r.ask(fetch("halted", 0, version), version)); len(valuesOf(got.Records.Bytes)) != 1 {
			t.Errorf("version %d: a consumer does not see what is committed", version)
		}
	}
}
