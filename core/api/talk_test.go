package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"barnabas/core/protocol"
)

// An operator is told of each change of state in a line, and of thousands of them in a few.
func TestOneLineAStateChange(t *testing.T) {
	r := newRig(t, nil)
	said := func(when string, want ...string) {
		t.Helper()
		r.pass(10 * time.Second)
		if !slices.Equal(r.said, want) {
			t.Errorf("%s, it says\n%s", when, strings.Join(r.said, "\n"))
		}
		r.said = nil
	}
	said("at the start")
	m := protocol.NewCreateTopicsRequest()
	m.Topics = []protocol.CreatableTopic{{Name: "t", NumPartitions: 7, ReplicationFactor: 1}}
	r.ask(m, 7)
	said("for a topic", "topic t created: partitions 7, replicas 1",
		"partitions led here: t-0 (epoch 0), t-1 (epoch 0), t-2 (epoch 0), t-3 (epoch 0), t-4 (epoch 0) and 2 more")
	m.Topics = nil
	want := []string{}
	for i := range 100 {
		name := fmt.Sprintf("many%02d", i)
		m.Topics = append(m.Topics, protocol.CreatableTopic{Name: name, NumPartitions: 1, ReplicationFactor: 1})
		if i < 20 {
			want = append(want, "topic "+name+" created: partitions 1, replicas 1")
		}
	}
	r.ask(m, 7)
	said("for many topics", append(want, "… and 80 more such changes at once",
		"partitions led here: many00-0 (epoch 0), many01-0 (epoch 0), many02-0 (epoch 0), many03-0 (epoch 0), many04-0 (epoch 0) and 95 more")...)
	r.ask(deleteTopics("many00"), 6)
	said("for a deletion", "topic many00 deleted")
	r.crash(true)
	r.start()
	said("at the next start", "partitions led here: t-0 (epoch 2), t-1 (epoch 2), t-2 (epoch 2), t-3 (epoch 2), t-4 (epoch 2) and 101 more")
}
