package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"barnabas/core/protocol"
)

// made creates a topic and returns its row.
func (r *rig) made(name string, partitions int32) protocol.CreatableTopicResult {
	r.t.Helper()
	m := protocol.NewCreateTopicsRequest()
	m.Topics = []protocol.CreatableTopic{{Name: name, NumPartitions: partitions, ReplicationFactor: 1}}
	return r.ask(m, 7).(*protocol.CreateTopicsResponse).Topics[0]
}

func names(m *protocol.MetadataResponse) (all []string) {
	for _, row := range m.Topics {
		all = append(all, fmt.Sprintf("%s:%s", row.Name.Value, strings.SplitN(row.ErrorCode.Error(), ":", 2)[0]))
	}
	return all
}

func TestMetadataOfAllTopicsOrOfThoseAskedFor(t *testing.T) {
	r := newRig(t, nil, "auto.create.topics.enable", "false")
	none := strings.SplitN(protocol.ErrNone.Error(), ":", 2)[0]
	a, b := r.made("a", 2), r.made("b", 1)
	f := func(what string, first int16, topics []protocol.MetadataRequestTopic, want ...string) {
		t.Helper()
		for version := first; version <= 13; version++ {
			m := protocol.NewMetadataRequest()
			m.Topics = topics
			answer := r.ask(m, version).(*protocol.MetadataResponse)
			if got := names(answer); !slices.Equal(got, want) {
				t.Errorf("%s, version %d: %v, want %v", what, version, got, want)
			}
			if len(answer.Brokers) != 1 || answer.Brokers[0].NodeId != 1 || answer.Brokers[0].Host != "n0" || answer.Brokers[0].Port != 9092 {
				t.Errorf("%s, version %d: brokers %+v", what, version, answer.Brokers)
			}
		}
	}
	name := func(n string) protocol.MetadataRequestTopic {
		return protocol.MetadataRequestTopic{Name: protocol.String(n)}
	}
	id := func(u protocol.UUID) protocol.MetadataRequestTopic { return protocol.MetadataRequestTopic{TopicId: u} }
	f("all", 1, nil, "a:"+none, "b:"+none)
	f("none", 1, []protocol.MetadataRequestTopic{})
	f("one", 0, []protocol.MetadataRequestTopic{name("b")}, "b:"+none)
	f("one that is not there", 0, []protocol.MetadataRequestTopic{name("c"), name("a")}, "c:UNKNOWN_TOPIC_OR_PARTITION", "a:"+none)
	f("by id", 12, []protocol.MetadataRequestTopic{id(b.TopicId), id(a.TopicId)}, "b:"+none, "a:"+none)
	f("by an id that is not there", 12, []protocol.MetadataRequestTopic{id(protocol.UUID{9})}, ":UNKNOWN_TOPIC_ID")
	m := protocol.NewMetadataRequest()
	m.Topics = []protocol.MetadataRequestTopic{} // in version 0 that is all
	if got := names(r.ask(m, 0).(*protocol.MetadataResponse)); len(got) != 2 {
		t.Errorf("version 0 of no topics: %v", got)
	}
	partitions := r.ask(minimalMetadata("a"), 12).(*protocol.MetadataResponse).Topics[0].Partitions
	if len(partitions) != 2 || partitions[1].LeaderId != 1 || partitions[1].LeaderEpoch != 0 || len(partitions[1].IsrNodes) != 1 {
		t.Errorf("partitions of a: %+v", partitions)
	}
}

func minimalMetadata(names ...string) *protocol.MetadataRequest {
	m := protocol.NewMetadataRequest()
	for _, n := range names {
		m.Topics = append(m.Topics, protocol.MetadataRequestTopic{Name: protocol.String(n)})
	}
	return m
}

func TestMetadataMakesTopicsWhenClientAndBrokerAllowIt(t *testing.T) {
	f := func(enabled string, allow bool, version int16, want protocol.Error) {
		t.Helper()
		r := newRig(t, nil, "auto.create.topics.enable", enabled, "num.partitions", "3")
		m := minimalMetadata("new", "new")
		m.AllowAutoTopicCreation = allow
		answer := r.ask(m, version).(*protocol.MetadataResponse)
		row := answer.Topics[0]
		if row.ErrorCode != want || (want == protocol.ErrNone) != (len(row.Partitions) == 3) {
			t.Errorf("auto.create.topics.enable=%s, allowed %t, version %d: %q with %d partitions, want %q",
				enabled, allow, version, row.ErrorCode, len(row.Partitions), want)
		}
		if len(answer.Topics) != 1 {
			t.Errorf("asked twice, the topic is answered %d times", len(answer.Topics))
		}
	}
	f("true", true, 13, protocol.ErrNone)
	f("true", true, 4, protocol.ErrNone)
	f("true", true, 0, protocol.ErrNone)
	f("true", true, 3, protocol.ErrNone)
	f("true", false, 13, protocol.ErrUnknownTopicOrPartition)
	f("true", false, 4, protocol.ErrUnknownTopicOrPartition)
	f("false", true, 13, protocol.ErrUnknownTopicOrPartition)
	f("false", true, 0, protocol.ErrUnknownTopicOrPartition)
}

func TestMetadataDoesNotMakeTopicsWithNamesThatCantBe(t *testing.T) {
	r := newRig(t, nil)
	for i, name := range []string{".", "..", "a b", "a/b", "ä", strings.Repeat("a", 250), "__cluster_metadata"} {
		row := r.ask(minimalMetadata(name, fmt.Sprintf("good-%d", i)), 12).(*protocol.MetadataResponse).Topics
		if row[0].ErrorCode != protocol.ErrInvalidTopicException || row[1].ErrorCode != protocol.ErrNone {
			t.Errorf("topic %.20q: %q, and the good one beside it %q", name, row[0].ErrorCode, row[1].ErrorCode)
		}
	}
	if code := codeIn(r.ask(minimalMetadata(""), 12)); code == protocol.ErrNone {
		t.Errorf("a topic without a name: %q", code)
	}
	if n := r.process.Image().Topics.Len(); n != 7 {
		t.Errorf("%d topics were made", n)
	}
}

func TestTopicsThatWereMadeAreThereAndThoseDeletedAreGone(t *testing.T) {
	r := newRig(t, nil, "auto.create.topics.enable", "false")
	a := r.made("a", 3)
	if a.ErrorCode != protocol.ErrNone || a.NumPartitions != 3 || a.TopicId.IsZero() {
		t.Fatalf("%+v", a)
	}
	if r.made("a", 1).ErrorCode != protocol.ErrTopicAlreadyExists {
		t.Error("a topic was made twice")
	}
	if code := codeIn(r.ask(produce("a", -1, batch("x"), 12), 12)); code != protocol.ErrNone {
		t.Error(code)
	}
	r.crash(true)
	r.start()
	if got := r.values("a", 0); !slices.Equal(got, []string{"x"}) {
		t.Errorf("after a power loss a holds %v", got)
	}
	m := protocol.NewDeleteTopicsRequest()
	m.Topics = []protocol.DeleteTopicState{{TopicId: a.TopicId}}
	if code := codeIn(r.ask(m, 6)); code != protocol.ErrNone {
		t.Error(code)
	}
	again := r.made("a", 1)
	if again.TopicId == a.TopicId {
		t.Error("the new topic has the id of the old one")
	}
	if got := r.values("a", 0); len(got) != 0 {
		t.Errorf("the new topic holds %v", got)
	}
	r.crash(true)
	r.start()
	if got := r.values("a", 0); len(got) != 0 {
		t.Errorf("after a power loss the new topic holds %v", got)
	}
}

func TestTopicsAreNotDeletedWhereThatIsOff(t *testing.T) {
	r := newRig(t, nil, "delete.topic.enable", "false")
	r.made("a", 1)
	r.each("by name", protocol.KeyDeleteTopics, 1, protocol.ErrTopicDeletionDisabled, func(version int16) protocol.Message {
		m := protocol.NewDeleteTopicsRequest()
		if version >= 6 {
			m.Topics = []protocol.DeleteTopicState{{Name: protocol.String("a")}}
		} else {
			m.TopicNames = []string{"a"}
		}
		return m
	})
}

func TestNoProducerIDIsGivenTwice(t *testing.T) {
	r := newRig(t, nil)
	seen := make(map[int64]bool)
	take := func(count int) {
		for i := range count {
			m := protocol.NewInitProducerIdRequest()
			m.TransactionalId = protocol.NullString{}
			answer := r.ask(m, int16(i%6)).(*protocol.InitProducerIdResponse)
			if answer.ErrorCode != protocol.ErrNone || answer.ProducerEpoch != 0 || seen[answer.ProducerId] {
				t.Fatalf("%+v, given before: %t", answer, seen[answer.ProducerId])
			}
			seen[answer.ProducerId] = true
		}
	}
	take(1005) // a block and a little
	for power := range 4 {
		r.crash(power%2 == 0)
		r.start()
		take(3)
	}
}

func TestTransactionsAndGroupsAreDeclined(t *testing.T) {
	r := newRig(t, nil)
	r.each("a transactional id", protocol.KeyInitProducerId, 0, protocol.ErrCoordinatorNotAvailable, func(int16) protocol.Message {
		m := protocol.NewInitProducerIdRequest()
		m.TransactionalId = protocol.String("t")
		return m
	})
	r.each("a group", protocol.KeyFindCoordinator, 0, protocol.ErrCoordinatorNotAvailable, func(version int16) protocol.Message {
		return minimal(protocol.KeyFindCoordinator, version)
	})
}
