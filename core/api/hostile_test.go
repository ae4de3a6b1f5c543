package api_test

import (
	"fmt"
	"strings"
	"testing"

	"barnabas/core/protocol"
)

// A request may ask for more metadata than one commit of the journal can hold. It is refused, and the broker lives.
func TestCreatingMoreThanACommitHoldsIsRefused(t *testing.T) {
	f := func(what string, topics ...protocol.CreatableTopic) {
		t.Helper()
		r := newRig(t, nil)
		m := protocol.NewCreateTopicsRequest()
		m.Topics = topics
		if code := codeIn(r.ask(m, 7)); code == protocol.ErrNone {
			t.Errorf("%s: made", what)
		}
		if row := r.made("after", 1); row.ErrorCode != protocol.ErrNone {
			t.Errorf("%s: afterwards %s", what, row.ErrorMessage.Value)
		}
	}
	f("many partitions", protocol.CreatableTopic{Name: "many", NumPartitions: 2000, ReplicationFactor: 1})
	var many []protocol.CreatableTopic
	for i := range 700 {
		many = append(many, protocol.CreatableTopic{Name: fmt.Sprintf("topic-%d", i), NumPartitions: 1, ReplicationFactor: 1})
	}
	f("many topics", many...)
	long := protocol.CreatableTopicConfig{
		Name: "follower.replication.throttled.replicas", Value: protocol.String(strings.Repeat("1:1,", 8_000) + "1:1"),
	}
	f("a long setting", protocol.CreatableTopic{
		Name: "long", NumPartitions: 1, ReplicationFactor: 1, Configs: []protocol.CreatableTopicConfig{long, long, long},
	})
}

// A start writes a record for every partition of the broker, more than one batch holds.
func TestABrokerOfManyPartitionsStartsAgain(t *testing.T) {
	r := newRig(t, nil)
	for i := range 5 {
		r.made(fmt.Sprint("t", i), 300)
	}
	for range 2 {
		r.crash(true)
		r.start()
	}
	for _, topic := range r.process.Image().Topics.All {
		for _, p := range topic.Partitions.All {
			if p.Leader != 1 || p.LeaderEpoch != 4 {
				t.Fatalf("%+v", *p)
			}
		}
	}
}
