package controller_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"barnabas/core/protocol"
)

func TestATopicIsMadeOrRefusedWithTheReason(t *testing.T) {
	r := newRig(t, 3)
	r.create(topic("taken", 1, 1))
	f := func(asked protocol.CreatableTopic, want protocol.Error) {
		t.Helper()
		before := describe(r.c.Image())
		row := r.create(asked)
		if row.ErrorCode != want {
			t.Errorf("topic %.30q: %q (%s), want %q", asked.Name, row.ErrorCode, row.ErrorMessage.Value, want)
		}
		if want == protocol.ErrNone {
			return
		}
		if !row.ErrorMessage.Valid || row.NumPartitions != -1 || row.ReplicationFactor != -1 || row.Name != asked.Name {
			t.Errorf("topic %.30q: the refusal is %+v", asked.Name, row)
		}
		if describe(r.c.Image()) != before {
			t.Errorf("topic %.30q: the refusal changed something", asked.Name)
		}
	}
	const (
		none    = protocol.ErrNone
		name    = protocol.ErrInvalidTopicException
		replica = protocol.ErrInvalidReplicaAssignment
	)
	f(topic("plain", 1, 1), none)
	f(topic("a.b_c-D9", 1, 1), none)
	f(topic("...", 1, 1), none)
	f(topic(strings.Repeat("n", 249), 1, 1), none)
	f(topic(strings.Repeat("n", 250), 1, 1), name)
	for _, bad := range []string{"", ".", "..", "a b", "a/b", "a\x00", "ü", "a\n", "a:b", "__cluster_metadata"} {
		f(topic(bad, 1, 1), name)
	}
	f(topic("taken", 1, 1), protocol.ErrTopicAlreadyExists)

	f(topic("p0", 0, 1), protocol.ErrInvalidPartitions)
	f(topic("p-2", -2, 1), protocol.ErrInvalidPartitions)
	f(topic("p10001", 10_001, 1), protocol.ErrInvalidPartitions)
	f(topic("p-max", 1<<31-1, 1), protocol.ErrInvalidPartitions)
	f(topic("r3", 1, 3), none)
	f(topic("r4", 1, 4), protocol.ErrInvalidReplicationFactor)
	f(topic("r0", 1, 0), protocol.ErrInvalidReplicationFactor)
	f(topic("r-2", 1, -2), protocol.ErrInvalidReplicationFactor)
	f(topic("r-max", 1, 1<<15-1), protocol.ErrInvalidReplicationFactor)

	f(assigned("m1", []int32{1, 2}, []int32{3, 1}), none)
	f(assigned("m2", []int32{1, 9}), replica)
	f(assigned("m3", []int32{1, 1}), replica)
	f(assigned("m4", []int32{1, 2}, []int32{1}), replica)
	f(assigned("m5", []int32{}), replica)
	gap := assigned("m6", []int32{1}, []int32{1})
	gap.Assignments[1].PartitionIndex = 2
	f(gap, replica)
	gap.Assignments[1].PartitionIndex = -1
	f(gap, replica)
	gap.Assignments[1].PartitionIndex = 0
	f(gap, replica)
	both := assigned("m7", []int32{1})
	both.NumPartitions = 1
	f(both, protocol.ErrInvalidRequest)
	both.NumPartitions, both.ReplicationFactor = -1, 1
	f(both, protocol.ErrInvalidRequest)

	set := func(name string, key string, value protocol.NullString) protocol.CreatableTopic {
		c := topic(name, 1, 1)
		c.Configs = []protocol.CreatableTopicConfig{{Name: key, Value: value}}
		return c
	}
	f(set("c1", "retention.ms", protocol.String("1")), none)
	f(set("c2", "retention.ms", protocol.String("x")), protocol.ErrInvalidConfig)
	f(set("c3", "nothing", protocol.String("1")), protocol.ErrInvalidConfig)
	f(set("c4", "retention.ms", protocol.NullString{}), protocol.ErrInvalidConfig)
	if v, ok := r.c.Image().Setting("c1", "retention.ms"); !ok || v != "1" {
		t.Errorf("the setting of c1 is %q, %t", v, ok)
	}
}

func TestDefaultsAreTheControllers(t *testing.T) {
	r := newRig(t, 1)
	if row := r.create(topic("many", 10_000, 1)); row.ErrorCode != protocol.ErrNone {
		t.Errorf("10000 partitions: %s", row.ErrorMessage.Value)
	}
	row := r.create(topic("t", -1, -1))
	if row.ErrorCode != protocol.ErrNone || row.NumPartitions != 2 || row.ReplicationFactor != 1 {
		t.Errorf("%+v", row)
	}
}

func TestATopicNamedTwiceIsNotMadeAndTheOthersAre(t *testing.T) {
	r := newRig(t, 1)
	var codes []protocol.Error
	for _, row := range r.createAll(false, topic("a", 1, 1), topic("b", 1, 1), topic("a", 2, 1), topic("?", 1, 1), topic("c", 1, 1)) {
		codes = append(codes, row.ErrorCode)
	}
	want := []protocol.Error{
		protocol.ErrInvalidRequest, protocol.ErrNone, protocol.ErrInvalidRequest, protocol.ErrInvalidTopicException, protocol.ErrNone,
	}
	if !slices.Equal(codes, want) {
		t.Errorf("%v, want %v", codes, want)
	}
	var made []string
	for name := range r.c.Image().Topics.All {
		made = append(made, name)
	}
	if !slices.Equal(made, []string{"b", "c"}) {
		t.Errorf("made: %v", made)
	}
}

func TestValidateOnlySaysWhatWouldHappenAndChangesNothing(t *testing.T) {
	r := newRig(t, 1)
	before := describe(r.c.Image())
	rows := r.createAll(true, topic("a", 3, 1), topic("?", 1, 1))
	if rows[0].ErrorCode != protocol.ErrNone || rows[0].NumPartitions != 3 || rows[1].ErrorCode != protocol.ErrInvalidTopicException {
		t.Errorf("%+v", rows)
	}
	if describe(r.c.Image()) != before {
		t.Error("something was made")
	}
}

func TestPartitionsAreSpreadAndLedByTheirFirstReplica(t *testing.T) {
	r := newRig(t, 3)
	r.create(topic("t", 6, 2))
	leads := make(map[int32]int)
	for i := range int32(6) {
		p := r.partition("t", i)
		leads[p.Leader]++
		if len(p.Replicas) != 2 || p.Replicas[0] == p.Replicas[1] || p.Leader != p.Replicas[0] || !slices.Equal(p.ISR, p.Replicas) ||
			p.LeaderEpoch != 0 || p.PartitionEpoch != 0 {
			t.Errorf("partition %d: %+v", i, *p)
		}
	}
	if fmt.Sprint(leads) != "map[1:2 2:2 3:2]" {
		t.Errorf("partitions led by broker: %v", leads)
	}
	r.create(assigned("m", []int32{3, 1}, []int32{2, 3}))
	if p := r.partition("m", 1); p.Leader != 2 || !slices.Equal(p.Replicas, []int32{2, 3}) {
		t.Errorf("an assignment was not kept: %+v", *p)
	}
}

func TestAFencedBrokerGetsNoNewPartitions(t *testing.T) {
	r := newRig(t, 2)
	r.register(2) // a new incarnation, not unfenced yet
	if row := r.create(topic("t", 1, 2)); row.ErrorCode != protocol.ErrInvalidReplicationFactor {
		t.Errorf("%q", row.ErrorCode)
	}
	r.create(topic("u", 4, 1))
	for i := range int32(4) {
		if p := r.partition("u", i); p.Leader != 1 {
			t.Errorf("partition %d: %+v", i, *p)
		}
	}
}

func TestEveryTopicHasAnIDOfItsOwn(t *testing.T) {
	r := newRig(t, 1)
	seen := make(map[protocol.UUID]bool)
	for i := range 300 {
		for _, row := range r.createAll(i%3 == 0, topic(fmt.Sprint("a", i), 1, 1), topic(fmt.Sprint("b", i), 1, 1)) {
			if i%3 != 0 && seen[row.TopicId] || row.TopicId.IsZero() || row.TopicId == protocol.MetadataTopicID() || row.TopicId.String()[0] == '-' {
				t.Fatalf("id %s", row.TopicId)
			}
			seen[row.TopicId] = i%3 != 0
		}
	}
}

func TestTopicsAreDeletedByNameOrID(t *testing.T) {
	r := newRig(t, 1)
	a, b := r.create(topic("a", 1, 1)), r.create(topic("b", 1, 1))
	r.create(topic("c", 1, 1))
	name := func(n string) protocol.DeleteTopicState { return protocol.DeleteTopicState{Name: protocol.String(n)} }
	id := func(u protocol.UUID) protocol.DeleteTopicState { return protocol.DeleteTopicState{TopicId: u} }
	m := protocol.NewDeleteTopicsRequest()
	m.Topics = []protocol.DeleteTopicState{
		name("a"), id(b.TopicId), name("nothing"), id(protocol.UUID{7}), id(a.TopicId), name("b"), name(""),
	}
	records, answer := r.c.DeleteTopics(m)
	r.append(records)
	want := []protocol.Error{
		protocol.ErrNone, protocol.ErrNone, protocol.ErrUnknownTopicOrPartition, protocol.ErrUnknownTopicId,
		protocol.ErrInvalidRequest, protocol.ErrInvalidRequest, protocol.ErrUnknownTopicOrPartition,
	}
	for i, row := range answer.Responses {
		if row.ErrorCode != want[i] || (want[i] != protocol.ErrNone) != row.ErrorMessage.Valid {
			t.Errorf("row %d: %q (%s), want %q", i, row.ErrorCode, row.ErrorMessage.Value, want[i])
		}
	}
	if row := answer.Responses[1]; row.Name.Value != "b" || row.TopicId != b.TopicId {
		t.Errorf("the row of b: %+v", row)
	}
	if n := r.c.Image().Topics.Len(); n != 1 || r.c.Image().Topic(a.TopicId) != nil {
		t.Errorf("%d topics are left", n)
	}
	if row := r.create(topic("a", 1, 1)); row.ErrorCode != protocol.ErrNone || row.TopicId == a.TopicId {
		t.Errorf("made again: %+v", row)
	}
}

func TestSettingsGoWithTheirTopic(t *testing.T) {
	r := newRig(t, 1)
	with := topic("a", 1, 1)
	with.Configs = []protocol.CreatableTopicConfig{{Name: "retention.ms", Value: protocol.String("5")}}
	r.create(with)
	m := protocol.NewDeleteTopicsRequest()
	m.Topics = []protocol.DeleteTopicState{{Name: protocol.String("a")}}
	records, _ := r.c.DeleteTopics(m)
	r.append(records)
	r.create(topic("a", 1, 1))
	if v, ok := r.c.Image().Setting("a", "retention.ms"); ok {
		t.Errorf("the new topic has the old one's setting %q", v)
	}
}
