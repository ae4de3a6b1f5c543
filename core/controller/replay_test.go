package controller_test

import (
	"fmt"
	"testing"

	"barnabas/core/controller"
	"barnabas/core/protocol"

	"pgregory.net/rapid"
)

// Any sequence of verbs leaves a log that another controller replays to the same image, and no producer id is given twice
// on the way, also when the controller is replaced by one that only knows the log.
func TestReplayingTheLogGivesTheSameImage(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newRig(rt, 2)
		var given int64
		name := rapid.SampledFrom([]string{"a", "b", "c", "", "?"})
		broker := rapid.Int32Range(1, 4)
		rt.Repeat(map[string]func(*rapid.T){
			"create": func(rt *rapid.T) {
				asked := topic(name.Draw(rt, "name"), rapid.Int32Range(-1, 4).Draw(rt, "partitions"), rapid.Int16Range(-1, 3).Draw(rt, "factor"))
				if rapid.Bool().Draw(rt, "setting") {
					value := protocol.String(rapid.SampledFrom([]string{"1", "x"}).Draw(rt, "value"))
					asked.Configs = []protocol.CreatableTopicConfig{{Name: "retention.ms", Value: value}}
				}
				r.createAll(rapid.Bool().Draw(rt, "validate only"), asked, topic(name.Draw(rt, "other"), 1, 1))
			},
			"assign": func(rt *rapid.T) {
				replicas := rapid.SliceOfN(broker, 1, 3)
				r.create(assigned(name.Draw(rt, "name"), replicas.Draw(rt, "first"), replicas.Draw(rt, "second")))
			},
			"delete": func(rt *rapid.T) {
				m := protocol.NewDeleteTopicsRequest()
				for range rapid.IntRange(1, 3).Draw(rt, "topics") {
					state := protocol.DeleteTopicState{Name: protocol.String(name.Draw(rt, "name"))}
					if known, ok := r.c.Image().Topics.Get(state.Name.Value); ok && rapid.Bool().Draw(rt, "by id") {
						state = protocol.DeleteTopicState{TopicId: known.ID}
					}
					m.Topics = append(m.Topics, state)
				}
				records, _ := r.c.DeleteTopics(m)
				r.append(records)
			},
			"register": func(rt *rapid.T) { r.register(broker.Draw(rt, "broker")) },
			"unfence":  func(rt *rapid.T) { r.append(r.c.Unfence(broker.Draw(rt, "broker"))) },
			"ids": func(rt *rapid.T) {
				records, first, end := r.c.AllocateProducerIDs(broker.Draw(rt, "broker"))
				r.append(records)
				if first < given || end <= first {
					rt.Fatalf("ids %d to %d, those below %d were given", first, end, given)
				}
				given = end
			},
			"replace": func(rt *rapid.T) { r.c = replayed(rt, r.log) },
			"": func(rt *rapid.T) {
				if got, want := describe(replayed(rt, r.log).Image()), describe(r.c.Image()); got != want {
					rt.Fatalf("replayed:\n%s\nwant:\n%s", got, want)
				}
				judge(rt, r)
			},
		})
	})
}

// replayed returns a controller that knows nothing but the log.
func replayed(t *rapid.T, log [][]byte) *controller.Controller {
	c := fresh()
	for _, batch := range log {
		if err := c.Replay(batch); err != nil {
			t.Fatalf("%v", err)
		}
	}
	return c
}

// judge holds what must be so in every image: leaders are in the ISR, the ISR is among the replicas, epochs fit each other.
func judge(t *rapid.T, r *rig) {
	for name, topic := range r.c.Image().Topics.All {
		for id, p := range topic.Partitions.All {
			if err := func() error {
				switch {
				case p.Leader >= 0 && !p.IsInISR(p.Leader):
					return fmt.Errorf("leader %d is not in the ISR %v", p.Leader, p.ISR)
				case len(p.ISR) == 0 || len(p.ISR) > len(p.Replicas):
					return fmt.Errorf("ISR %v of replicas %v", p.ISR, p.Replicas)
				case p.LeaderEpoch > p.PartitionEpoch:
					return fmt.Errorf("leader epoch %d, partition epoch %d", p.LeaderEpoch, p.PartitionEpoch)
				case id != p.ID || p.Topic != name || p.TopicID != topic.ID:
					return fmt.Errorf("it says it is partition %d of %s", p.ID, p.Topic)
				}
				return nil
			}(); err != nil {
				t.Fatalf("%s-%d: %v", name, id, err)
			}
		}
	}
}
