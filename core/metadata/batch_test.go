package metadata

import (
	"slices"
	"strings"
	"testing"

	"barnabas/core/protocol"
	"barnabas/core/record"
)

// batchOf is one batch of the metadata log.
func batchOf(t *testing.T, base record.Offset, messages ...protocol.Message) []byte {
	t.Helper()
	b := record.NewBuilder(nil, 0, 1)
	for _, m := range messages {
		value, err := protocol.AppendRecord(nil, protocol.Record{Message: m})
		if err != nil {
			t.Fatal(err)
		}
		b.Append(0, nil, value)
	}
	return b.Finish(base)
}

func named(name string) *protocol.FeatureLevelRecord {
	return &protocol.FeatureLevelRecord{Name: name, FeatureLevel: 1}
}

// A transaction's records count when it has ended, all together, and those of an aborted one never.
func TestATransactionCountsWhenItEnds(t *testing.T) {
	i := &Image{}
	apply := func(messages ...protocol.Message) {
		t.Helper()
		if err := i.ApplyBatch(batchOf(t, i.End, messages...)); err != nil {
			t.Fatal(err)
		}
	}
	want := func(names ...string) {
		t.Helper()
		var got []string
		for name := range i.Features.All {
			got = append(got, name)
		}
		if !slices.Equal(got, names) {
			t.Fatalf("features %v, want %v", got, names)
		}
	}
	apply(named("a"), &protocol.BeginTransactionRecord{}, named("b"))
	apply(named("c"))
	want("a")
	if !i.InTransaction() {
		t.Fatal("a transaction is open")
	}
	apply(&protocol.EndTransactionRecord{}, named("d"))
	want("a", "b", "c", "d")
	apply(&protocol.BeginTransactionRecord{}, named("e"), &protocol.AbortTransactionRecord{}, named("f"))
	want("a", "b", "c", "d", "f")
	if i.InTransaction() {
		t.Fatal("no transaction is open")
	}
}

func TestTransactionsDoNotNest(t *testing.T) {
	begin := &protocol.BeginTransactionRecord{}
	for name, messages := range map[string][]protocol.Message{
		"two begin":   {begin, begin},
		"none ends":   {&protocol.EndTransactionRecord{}},
		"none is cut": {&protocol.AbortTransactionRecord{}},
	} {
		i := &Image{}
		if err := i.ApplyBatch(batchOf(t, 0, messages...)); err == nil || i.End != 0 {
			t.Errorf("%s: got %v, end %d", name, err, i.End)
		}
	}
}

// What has no effect here yet is kept as it is said, and can be taken back.
func TestWhatIsNotServedIsKept(t *testing.T) {
	acl := &protocol.AccessControlEntryRecord{Id: protocol.UUID{1}, Principal: "User:a"}
	scram := &protocol.UserScramCredentialRecord{Name: "a", Mechanism: 1, Iterations: 4096}
	quota := func(remove bool, names ...protocol.NullString) *protocol.ClientQuotaRecord {
		m := &protocol.ClientQuotaRecord{Key: "consumer_byte_rate", Value: 5, Remove: remove}
		for _, name := range names {
			m.Entity = append(m.Entity, protocol.QuotaEntity{EntityType: "user", EntityName: name})
		}
		return m
	}
	token := &protocol.DelegationTokenRecord{TokenId: "t"}
	i := built(
		t, acl, scram, quota(false, protocol.String("a")), quota(false, protocol.NullString{}), quota(false, protocol.String("default")),
		token, &protocol.RegisterControllerRecord{ControllerId: 3}, &protocol.ZkMigrationStateRecord{},
	)
	if got, want := i.Kept.String(), "ACLs: 1, SCRAM credentials: 1, client quotas: 3, delegation tokens: 1"; got != want {
		t.Errorf("kept %q, want %q", got, want)
	}
	for _, m := range []protocol.Message{
		&protocol.RemoveAccessControlEntryRecord{Id: acl.Id}, &protocol.RemoveUserScramCredentialRecord{Name: "a", Mechanism: 1},
		quota(true, protocol.String("a")), quota(true, protocol.NullString{}), &protocol.RemoveDelegationTokenRecord{TokenId: "t"},
	} {
		if err := i.Apply(protocol.Record{Message: m}, 9); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := i.Kept.String(), "client quotas: 1"; got != want {
		t.Errorf("left %q, want %q", got, want)
	}
	if err := i.Apply(protocol.Record{Message: &protocol.RemoveAccessControlEntryRecord{Id: acl.Id}}, 9); err == nil {
		t.Error("an ACL is removed twice")
	}
}

func TestEligibleReplicasAreCleared(t *testing.T) {
	with := partitionRecord(0)
	with.EligibleLeaderReplicas = []int32{3}
	i := built(t, topicRecord(), with, partitionRecord(1), &protocol.ClearElrRecord{TopicName: "other"})
	if p := i.Partition(orders, 0); len(p.ELR) != 1 || p.PartitionEpoch != 9 {
		t.Errorf("another topic's were cleared: %+v", p)
	}
	if err := i.Apply(protocol.Record{Message: &protocol.ClearElrRecord{}}, 9); err != nil {
		t.Fatal(err)
	}
	if p := i.Partition(orders, 0); len(p.ELR) != 0 || p.PartitionEpoch != 10 {
		t.Errorf("cleared: %+v", p)
	}
	if p := i.Partition(orders, 1); p.PartitionEpoch != 9 {
		t.Errorf("one without any was changed: %+v", p)
	}
}

// An image that begins with a snapshot goes on with the log from the snapshot's end.
func TestAnImageBeginsWithASnapshot(t *testing.T) {
	i := &Image{}
	if err := i.Restore([][]byte{batchOf(t, 0, topicRecord(), partitionRecord(0)), batchOf(t, 2, named("a"))}, 100); err != nil {
		t.Fatal(err)
	}
	if i.End != 100 || i.Partition(orders, 0) == nil || i.Features.At("a") != 1 {
		t.Errorf("restored %+v", i)
	}
	if err := i.ApplyBatch(batchOf(t, 99, named("b"))); err == nil {
		t.Error("a batch below the snapshot's end was applied")
	}
	if err := i.ApplyBatch(batchOf(t, 100, named("b"))); err != nil {
		t.Error(err)
	}
	if err := i.Restore(nil, 200); err == nil {
		t.Error("an image was restored twice")
	}
	if err := (&Image{}).Restore([][]byte{batchOf(t, 0, &protocol.BeginTransactionRecord{})}, 5); err == nil || !strings.Contains(err.Error(), "transaction") {
		t.Errorf("got %v", err)
	}
}
