package controller_test

import (
	"errors"
	"fmt"
	"strings"

	"barnabas/core/controller"
	"barnabas/core/env"
	"barnabas/core/metadata"
	"barnabas/core/protocol"
	"barnabas/core/record"
)

// fataler is what testing and rapid have in common here.
type fataler interface{ Fatal(...any) }

// rig is a controller and the log of what it decided.
type rig struct {
	t   fataler
	c   *controller.Controller
	log [][]byte
}

func fresh() *controller.Controller {
	return controller.New(env.NewRandom(1, 2), controller.Options{
		NumPartitions: 2, ReplicationFactor: 1,
		ValidateConfig: func(name, value string) error {
			if name != "retention.ms" || value == "x" {
				return errors.New("no such setting or value")
			}
			return nil
		},
	})
}

// newRig returns a controller with so many brokers registered and unfenced, 1 to count.
func newRig(t fataler, count int) *rig {
	r := &rig{t: t, c: fresh()}
	r.append(r.c.Bootstrap())
	for id := range int32(count) {
		r.register(id + 1)
		r.append(r.c.Unfence(id + 1))
	}
	return r
}

func (r *rig) end() record.Offset { return r.c.Image().End }

// append writes records to the log, as the quorum would, and replays them.
func (r *rig) append(records []protocol.Record) {
	if len(records) == 0 {
		return
	}
	b := record.NewBuilder(nil, 0, 1)
	for _, x := range records {
		value, err := protocol.AppendRecord(nil, x)
		if err != nil {
			r.t.Fatal(err)
		}
		b.Append(0, nil, value)
	}
	batch := b.Finish(r.end())
	r.log = append(r.log, batch)
	if err := r.c.Replay(batch); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) register(id int32) (epoch int64) {
	records, epoch := r.c.Register(controller.Registration{
		ID: id, Incarnation: protocol.UUID{byte(id), byte(len(r.log))}, LogDirs: []protocol.UUID{{15: byte(id)}},
		EndPoints: []protocol.BrokerEndpoint{{Name: "PLAINTEXT", Host: "h", Port: 1}},
	}, r.end())
	r.append(records)
	return epoch
}

// create asks for one topic and writes what comes of it.
func (r *rig) create(topic protocol.CreatableTopic) protocol.CreatableTopicResult {
	return r.createAll(false, topic)[0]
}

func (r *rig) createAll(validateOnly bool, topics ...protocol.CreatableTopic) []protocol.CreatableTopicResult {
	m := protocol.NewCreateTopicsRequest()
	m.Topics, m.ValidateOnly = topics, validateOnly
	records, answer := r.c.CreateTopics(m)
	r.append(records)
	return answer.Topics
}

// topic is a request for a topic.
func topic(name string, partitions int32, factor int16) protocol.CreatableTopic {
	return protocol.CreatableTopic{Name: name, NumPartitions: partitions, ReplicationFactor: factor}
}

// assigned is a request for a topic with these replicas, partition by partition.
func assigned(name string, partitions ...[]int32) protocol.CreatableTopic {
	t := topic(name, -1, -1)
	for i, replicas := range partitions {
		t.Assignments = append(t.Assignments, protocol.CreatableReplicaAssignment{PartitionIndex: int32(i), BrokerIds: replicas})
	}
	return t
}

func (r *rig) partition(topic string, partition int32) *metadata.Partition {
	return r.c.Image().Topics.At(topic).Partitions.At(partition)
}

// describe writes an image out, so that two can be compared.
func describe(i *metadata.Image) string {
	var text strings.Builder
	fmt.Fprintf(&text, "end %d, next producer id %d\n", i.End, i.NextProducerID)
	for name, level := range i.Features.All {
		fmt.Fprintf(&text, "feature %s %d\n", name, level)
	}
	for _, b := range i.Brokers.All {
		fmt.Fprintf(&text, "broker %+v\n", *b)
	}
	for name, t := range i.Topics.All {
		fmt.Fprintf(&text, "topic %s %s %t\n", name, t.ID, i.Topic(t.ID) == t)
		for _, p := range t.Partitions.All {
			fmt.Fprintf(&text, "  %+v\n", *p)
		}
	}
	for resource, c := range i.Configs.All {
		for name, value := range c.Values.All {
			fmt.Fprintf(&text, "config %s %s=%s\n", resource, name, value)
		}
	}
	return text.String()
}
