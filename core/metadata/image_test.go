package metadata

import (
	"slices"
	"strings"
	"testing"

	"barnabas/core/protocol"
	"barnabas/core/record"
)

var orders = protocol.UUID{1}

func topicRecord() *protocol.TopicRecord {
	return &protocol.TopicRecord{Name: "orders", TopicId: orders}
}

func partitionRecord(id int32) *protocol.PartitionRecord {
	return &protocol.PartitionRecord{
		PartitionId: id, TopicId: orders, Replicas: []int32{1, 2, 3}, Isr: []int32{1, 2}, Leader: 1, LeaderEpoch: 4, PartitionEpoch: 9,
	}
}

func change(set func(*protocol.PartitionChangeRecord)) *protocol.PartitionChangeRecord {
	m := protocol.NewPartitionChangeRecord()
	m.TopicId, m.PartitionId = orders, 0
	set(m)
	return m
}

func setting(name string, value protocol.NullString) *protocol.ConfigRecord {
	return &protocol.ConfigRecord{ResourceType: ResourceTopic, ResourceName: "orders", Name: name, Value: value}
}

func register(id int32, epoch int64) *protocol.RegisterBrokerRecord {
	return &protocol.RegisterBrokerRecord{BrokerId: id, BrokerEpoch: epoch, Fenced: true, LogDirs: []protocol.UUID{{7}}}
}

// built returns the image after the messages.
func built(t *testing.T, messages ...protocol.Message) *Image {
	t.Helper()
	i := &Image{}
	for at, m := range messages {
		if err := i.Apply(protocol.Record{Message: m}, record.Offset(at)); err != nil {
			t.Fatal(err)
		}
	}
	return i
}

func TestAPartitionChangesByItsRecords(t *testing.T) {
	cases := []struct {
		name   string
		change func(*protocol.PartitionChangeRecord)
		want   Partition
	}{
		{
			"nothing but the partition epoch", func(*protocol.PartitionChangeRecord) {},
			Partition{ISR: []int32{1, 2}, Replicas: []int32{1, 2, 3}, Leader: 1, LeaderEpoch: 4, PartitionEpoch: 10},
		},
		{
			"a leader is a new leader epoch", func(m *protocol.PartitionChangeRecord) { m.Leader = 2 },
			Partition{ISR: []int32{1, 2}, Replicas: []int32{1, 2, 3}, Leader: 2, LeaderEpoch: 5, PartitionEpoch: 10},
		},
		{
			"the same leader, named again, too", func(m *protocol.PartitionChangeRecord) { m.Leader = 1 },
			Partition{ISR: []int32{1, 2}, Replicas: []int32{1, 2, 3}, Leader: 1, LeaderEpoch: 5, PartitionEpoch: 10},
		},
		{
			"no leader", func(m *protocol.PartitionChangeRecord) { m.Leader = NoLeader },
			Partition{ISR: []int32{1, 2}, Replicas: []int32{1, 2, 3}, Leader: NoLeader, LeaderEpoch: 5, PartitionEpoch: 10},
		},
		{
			"the ISR leaves the leader epoch", func(m *protocol.PartitionChangeRecord) { m.Isr = []int32{1} },
			Partition{ISR: []int32{1}, Replicas: []int32{1, 2, 3}, Leader: 1, LeaderEpoch: 4, PartitionEpoch: 10},
		},
		{
			"replicas", func(m *protocol.PartitionChangeRecord) { m.Replicas = []int32{4} },
			Partition{ISR: []int32{1, 2}, Replicas: []int32{4}, Leader: 1, LeaderEpoch: 4, PartitionEpoch: 10},
		},
	}
	for _, c := range cases {
		i := built(t, topicRecord(), partitionRecord(0))
		held := i.Partition(orders, 0)
		if err := i.Apply(protocol.Record{Message: change(c.change)}, 2); err != nil {
			t.Fatal(err)
		}
		got := i.Partition(orders, 0)
		if !slices.Equal(got.ISR, c.want.ISR) || !slices.Equal(got.Replicas, c.want.Replicas) || got.Leader != c.want.Leader ||
			got.LeaderEpoch != c.want.LeaderEpoch || got.PartitionEpoch != c.want.PartitionEpoch || got.Topic != "orders" {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
		if held.PartitionEpoch != 9 || held.Leader != 1 || !held.IsInISR(2) || held.IsInISR(3) {
			t.Errorf("%s: who held the old one sees %+v", c.name, held)
		}
	}
}

func TestWhatDoesNotFitIsAnError(t *testing.T) {
	cases := []struct {
		name    string
		message protocol.Message
	}{
		{"the topic is created twice", topicRecord()},
		{"a partition of no topic", &protocol.PartitionRecord{TopicId: protocol.UUID{2}}},
		{"a change of no partition", change(func(m *protocol.PartitionChangeRecord) { m.PartitionId = 5 })},
		{"a change in no topic", change(func(m *protocol.PartitionChangeRecord) { m.TopicId = protocol.UUID{2} })},
		{"no topic is removed", &protocol.RemoveTopicRecord{TopicId: protocol.UUID{2}}},
		{"no broker is fenced", &protocol.FenceBrokerRecord{Id: 8}},
		{"no broker is unfenced", &protocol.UnfenceBrokerRecord{Id: 8}},
		{"no broker is changed", &protocol.BrokerRegistrationChangeRecord{BrokerId: 8, Fenced: 1}},
		{"no meaning here", &protocol.VotersRecord{}},
	}
	for _, c := range cases {
		i := built(t, topicRecord(), partitionRecord(0))
		if err := i.Apply(protocol.Record{Message: c.message}, 2); err == nil {
			t.Errorf("%s: it was applied", c.name)
		}
	}
}

func TestATopicGoesWithItsSettings(t *testing.T) {
	i := built(t, topicRecord(), partitionRecord(0), setting("retention.ms", protocol.String("5")),
		&protocol.RemoveTopicRecord{TopicId: orders})
	if i.Topic(orders) != nil || i.Partition(orders, 0) != nil || i.Topics.Len() != 0 || i.Configs.Len() != 0 {
		t.Error("something of it is left")
	}
	if _, ok := i.Setting("orders", "retention.ms"); ok {
		t.Error("its setting is left")
	}
	if got := i.TakeChanged(); len(got) != 1 || got[0] != orders {
		t.Errorf("changed: %v", got)
	}
	if len(i.TakeChanged()) != 0 {
		t.Error("changes are taken twice")
	}
}

func TestSettingsAreSetAndTakenBack(t *testing.T) {
	i := built(t, setting("a", protocol.String("1")), setting("b", protocol.String("")), setting("a", protocol.String("2")))
	if v, ok := i.Setting("orders", "a"); v != "2" || !ok {
		t.Errorf("a is %q, %v", v, ok)
	}
	if v, ok := i.Setting("orders", "b"); v != "" || !ok {
		t.Errorf("b is %q, %v", v, ok)
	}
	for _, name := range []string{"a", "b", "never set"} {
		if err := i.Apply(protocol.Record{Message: setting(name, protocol.NullString{})}, 9); err != nil {
			t.Fatal(err)
		}
	}
	if i.Configs.Len() != 0 {
		t.Error("a resource without settings is left")
	}
}

func TestBrokersAreFencedAndReplaced(t *testing.T) {
	i := built(t, register(1, 10), register(2, 11), &protocol.UnfenceBrokerRecord{Id: 1})
	held := i.Brokers.At(1)
	for _, m := range []protocol.Message{
		&protocol.BrokerRegistrationChangeRecord{BrokerId: 1, Fenced: 0}, // no change of fencing
		&protocol.BrokerRegistrationChangeRecord{BrokerId: 2, Fenced: -1},
		&protocol.NoOpRecord{},
	} {
		if err := i.Apply(protocol.Record{Message: m}, 3); err != nil {
			t.Fatal(err)
		}
	}
	if i.Brokers.At(1).Fenced || i.Brokers.At(2).Fenced || i.Brokers.At(2).Epoch != 11 {
		t.Errorf("%+v, %+v", i.Brokers.At(1), i.Brokers.At(2))
	}
	if err := i.Apply(protocol.Record{Message: &protocol.FenceBrokerRecord{Id: 1}}, 4); err != nil || !i.Brokers.At(1).Fenced || held.Fenced {
		t.Errorf("%v: fenced %v, and who held the old one sees %v", err, i.Brokers.At(1).Fenced, held.Fenced)
	}
	if err := i.Apply(protocol.Record{Message: &protocol.UnregisterBrokerRecord{BrokerId: 1}}, 5); err != nil || i.Brokers.Len() != 1 {
		t.Errorf("%v: %d brokers", err, i.Brokers.Len())
	}
}

// batch makes a batch of the metadata log.
func batch(t *testing.T, base record.Offset, attributes record.Attributes, messages ...protocol.Message) []byte {
	b := record.NewBuilder(nil, attributes, 1)
	for _, m := range messages {
		value, err := protocol.AppendRecord(nil, protocol.Record{Message: m})
		if err != nil {
			t.Fatal(err)
		}
		b.Append(0, nil, value)
	}
	return b.Finish(base)
}

func TestBatchesAreAppliedInOrder(t *testing.T) {
	i := &Image{}
	control := record.NewBuilder(nil, record.ControlBatch, 1)
	control.Append(0, []byte{0, 0, 0, 2}, []byte("a leader change"))
	for _, p := range [][]byte{
		control.Finish(0), batch(t, 1, 0, topicRecord(), partitionRecord(0)), batch(t, 3, 0, partitionRecord(1)),
	} {
		if err := i.ApplyBatch(p); err != nil {
			t.Fatal(err)
		}
	}
	if i.End != 4 || i.Topic(orders).Partitions.Len() != 2 {
		t.Errorf("end %d, %+v", i.End, i.Topic(orders))
	}
	for _, gap := range []record.Offset{3, 5} {
		if err := i.ApplyBatch(batch(t, gap, 0, partitionRecord(2))); err == nil || !strings.Contains(err.Error(), "follow") {
			t.Errorf("a batch at %d after %d: %v", gap, i.End, err)
		}
	}
	if err := i.ApplyBatch(batch(t, 4, 0, topicRecord())); err == nil {
		t.Error("a batch that does not fit was applied")
	}
	if err := i.ApplyBatch([]byte("none")); err == nil {
		t.Error("what is no batch was applied")
	}
}
