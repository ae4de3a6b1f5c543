package sim

import (
	"time"

	"barnabas/core/api"
	"barnabas/core/env"
	"barnabas/core/metadata"
	"barnabas/core/protocol"
	"barnabas/core/record"
	"barnabas/core/task"
	"barnabas/sim/kernel"
)

// script is the controller of worlds with several brokers: an omniscient author of the metadata log, which every broker
// gets batch by batch, each with delays of its own. It does what a controller quorum will do, by the same records: a broker
// that comes back is registered under its new incarnation, and leads only in epochs that begin after that (rule S6).
//
// The ISR is fixed to all replicas: without AlterPartition nobody may leave it.
type script struct {
	world   *world
	log     [][]byte
	image   metadata.Image
	nextID  int64
	sent    map[int32]int // how many batches each broker's present process has been sent
	arrival map[int32]task.Instant
}

const (
	streamPublish env.Stream = kernel.StreamWorkload + 10 + iota
	streamElect
	streamRemote
)

func newScript(w *world) *script {
	return &script{world: w, sent: make(map[int32]int), arrival: make(map[int32]task.Instant)}
}

// create writes the topic and its partition, without a leader, on all brokers.
func (s *script) create(name string) {
	id := protocol.UUID(s.world.kernel.Random.UUID(env.StreamTopicID))
	var all []int32
	for _, b := range s.world.brokers {
		all = append(all, b.id)
	}
	partition := protocol.NewPartitionRecord()
	partition.PartitionId, partition.TopicId, partition.Leader = 0, id, metadata.NoLeader
	partition.LeaderEpoch, partition.PartitionEpoch = 0, 0
	partition.Replicas, partition.Isr = all, all
	s.append(
		protocol.Record{Message: &protocol.TopicRecord{Name: name, TopicId: id}},
		protocol.Record{Message: partition},
	)
}

// append writes one batch and publishes it.
func (s *script) append(records ...protocol.Record) {
	builder := record.NewBuilder(nil, 0, 1)
	for _, r := range records {
		value, err := protocol.AppendRecord(nil, r)
		if err != nil {
			panic(err)
		}
		builder.Append(firstWall, nil, value)
	}
	batch := builder.Finish(s.image.End)
	if err := s.image.ApplyBatch(batch); err != nil {
		panic(err)
	}
	s.image.TakeChanged()
	s.log = append(s.log, batch)
	for _, b := range s.world.brokers {
		if b.up {
			s.publish(b)
		}
	}
}

// publish sends the broker what it has not been sent, in order, each batch after a drawn delay.
func (s *script) publish(b *broker) {
	for ; s.sent[b.id] < len(s.log); s.sent[b.id]++ {
		at := s.sent[b.id]
		batch := s.log[at]
		delay := time.Duration(s.world.kernel.Random.Below(uint64(20*time.Millisecond), streamPublish, uint64(b.id), b.starts, uint64(at)))
		s.arrival[b.id] = max(s.arrival[b.id], s.world.kernel.Now().Add(delay)) + 1
		process := b.process
		b.node.Deliver(s.arrival[b.id], kernel.KindControl, false, kernel.HashBytes(batch), call(func() {
			if err := process.Publish(batch); err != nil {
				s.world.violate("MetadataApplies", err.Error())
			}
		}))
	}
}

// register admits a broker's new process: its partitions lose their leader, it is registered, and then it may be elected.
func (s *script) register(b *broker) {
	s.sent[b.id], s.arrival[b.id] = 0, 0
	if t := s.partition(); t.Leader == b.id {
		s.elect(metadata.NoLeader)
	}
	r := protocol.NewRegisterBrokerRecord()
	r.BrokerId, r.IncarnationId, r.BrokerEpoch = b.id, b.process.Incarnation(), int64(s.image.End)
	r.Fenced = false
	r.EndPoints = []protocol.BrokerEndpoint{{Name: "PLAINTEXT", Host: s.world.network.HostOf(b.node), Port: brokerPort}}
	s.append(protocol.Record{Message: r, Version: 3})
	if s.partition().Leader == metadata.NoLeader {
		s.electSoon()
	}
}

// partition returns the one partition of the run.
func (s *script) partition() *metadata.Partition {
	for _, t := range s.image.Topics.All {
		return t.Partitions.At(0)
	}
	return nil
}

// elect gives the partition a leader, or none.
func (s *script) elect(leader int32) {
	p := s.partition()
	change := protocol.NewPartitionChangeRecord()
	change.PartitionId, change.TopicId, change.Leader = p.ID, p.TopicID, leader
	s.append(protocol.Record{Message: change, Version: 1})
}

// electSoon elects after the time a controller needs to notice, one of those that are up then.
func (s *script) electSoon() {
	delay := time.Duration(s.world.kernel.Random.Below(uint64(time.Second), streamElect, uint64(s.world.kernel.Now())))
	s.world.kernel.At(s.world.kernel.Now().Add(delay), func() {
		if s.partition().Leader == metadata.NoLeader || !s.world.broker(s.partition().Leader).up {
			s.electAny()
		}
	})
}

// electAny elects a drawn broker that is up: every replica is in the ISR, so each holds all that was committed.
func (s *script) electAny() {
	var up []int32
	for _, b := range s.world.brokers {
		registered, ok := s.image.Brokers.Get(b.id)
		if b.up && ok && registered.Incarnation == b.process.Incarnation() && b.mayBeElected() {
			up = append(up, b.id)
		}
	}
	if len(up) > 0 {
		s.elect(up[s.world.kernel.Random.Below(uint64(len(up)), streamElect, uint64(s.world.kernel.Now()), 1)])
	} else if s.partition().Leader == metadata.NoLeader {
		s.electSoon() // nobody yet
	}
}

// died is told that a broker's process is gone.
func (s *script) died(b *broker) {
	if s.partition().Leader == b.id {
		s.electSoon()
	}
}

// remote is the controller as one broker process reaches it.
type remote struct {
	script *script
	broker *broker
}

func (s *script) remote(b *broker) api.Controller { return remote{s, b} }

// CreateTopics is refused: this world's metadata is scripted.
func (r remote) CreateTopics(m *protocol.CreateTopicsRequest, done func(*protocol.CreateTopicsResponse)) {
	answer := &protocol.CreateTopicsResponse{}
	for _, t := range m.Topics {
		row := protocol.NewCreatableTopicResult()
		row.Name, row.ErrorCode = t.Name, protocol.ErrNotController
		answer.Topics = append(answer.Topics, row)
	}
	done(answer)
}

// DeleteTopics is refused too.
func (r remote) DeleteTopics(_ *protocol.DeleteTopicsRequest, done func(*protocol.DeleteTopicsResponse)) {
	done(&protocol.DeleteTopicsResponse{})
}

// CreatePartitions is refused too.
func (r remote) CreatePartitions(_ *protocol.CreatePartitionsRequest, done func(*protocol.CreatePartitionsResponse)) {
	done(&protocol.CreatePartitionsResponse{})
}

// IncrementalAlterConfigs is refused too.
func (r remote) IncrementalAlterConfigs(_ *protocol.IncrementalAlterConfigsRequest, done func(*protocol.IncrementalAlterConfigsResponse)) {
	done(&protocol.IncrementalAlterConfigsResponse{})
}

// AlterConfigs is refused too.
func (r remote) AlterConfigs(_ *protocol.AlterConfigsRequest, done func(*protocol.AlterConfigsResponse)) {
	done(&protocol.AlterConfigsResponse{})
}

// AllocateProducerIDs answers after a while with ids nobody has had.
func (r remote) AllocateProducerIDs(done func(first, end int64, err error)) {
	s := r.script
	first := s.nextID
	s.nextID += 1000
	delay := time.Duration(s.world.kernel.Random.Below(uint64(10*time.Millisecond), streamRemote, uint64(first)))
	r.broker.node.Deliver(s.world.kernel.Now().Add(delay), kernel.KindControl, true, uint64(first), call(func() {
		done(first, first+1000, nil)
	}))
}

// call is an input that calls a function.
type call func()

func (c call) Happen() { c() }
