package controller

import (
	"fmt"
	"slices"
	"strings"

	"barnabas/core/env"
	"barnabas/core/metadata"
	"barnabas/core/protocol"
)

// topicNameMax is the longest topic name: a folder's name must hold it, a dash and a partition number.
const topicNameMax = 249

// partitionsMax bounds what one topic may have, so that a request can't ask for more than memory holds.
const partitionsMax = 10_000

// CreateTopics makes topics, each one or none. Records of all of them are one batch.
func (c *Controller) CreateTopics(m *protocol.CreateTopicsRequest) (records []protocol.Record, answer *protocol.CreateTopicsResponse) {
	answer = &protocol.CreateTopicsResponse{}
	count := make(map[string]int)
	for i := range m.Topics {
		count[m.Topics[i].Name]++
	}
	partitions := 0
	for i := range m.Topics {
		asked := &m.Topics[i]
		row := protocol.CreatableTopicResult{}
		row.Default()
		row.Name = asked.Name
		of, err := c.createTopic(asked, count[asked.Name] > 1, &row, i)
		if partitions += int(max(row.NumPartitions, 0)); err == nil && partitions > partitionsMax {
			err = refuse(protocol.ErrPolicyViolation, "more than %d partitions in one request", partitionsMax)
		}
		if err != nil {
			row.ErrorCode, row.ErrorMessage = err.code, protocol.String(err.Error())
			row.NumPartitions, row.ReplicationFactor = -1, -1
		} else if !m.ValidateOnly {
			records = append(records, of...)
		}
		answer.Topics = append(answer.Topics, row)
	}
	return records, answer
}

// refusal is why a topic is not made.
type refusal struct {
	code protocol.Error
	text string
}

func (r *refusal) Error() string { return r.text }

func refuse(code protocol.Error, format string, args ...any) *refusal {
	return &refusal{code, fmt.Sprintf(format, args...)}
}

// checkName says whether a topic may be called so.
func checkName(name string) *refusal {
	if name == "" || name == "." || name == ".." || len(name) > topicNameMax {
		return refuse(protocol.ErrInvalidTopicException, "topic name %q: want 1 to %d characters, and neither . nor ..", name, topicNameMax)
	}
	for _, r := range name {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-') {
			return refuse(protocol.ErrInvalidTopicException, "topic name %q: %q is none of a-z A-Z 0-9 . _ -", name, r)
		}
	}
	if name == "__cluster_metadata" {
		return refuse(protocol.ErrInvalidTopicException, "topic name %q is reserved", name)
	}
	return nil
}

func (c *Controller) createTopic(asked *protocol.CreatableTopic, twice bool, row *protocol.CreatableTopicResult, index int) ([]protocol.Record, *refusal) {
	if twice {
		return nil, refuse(protocol.ErrInvalidRequest, "topic %q is named twice in this request", asked.Name)
	}
	if err := checkName(asked.Name); err != nil {
		return nil, err
	}
	if _, ok := c.image.Topics.Get(asked.Name); ok {
		return nil, refuse(protocol.ErrTopicAlreadyExists, "topic %q already exists", asked.Name)
	}
	if other, ok := c.collides(asked.Name); ok {
		return nil, refuse(protocol.ErrInvalidTopicException, "topic name %q collides with %q: metric names can't tell . from _", asked.Name, other)
	}
	assignments, refused := c.assign(asked)
	if refused != nil {
		return nil, refused
	}
	id := c.newTopicID(index)
	records := []protocol.Record{at(0, &protocol.TopicRecord{Name: asked.Name, TopicId: id})}
	for _, config := range asked.Configs {
		if !config.Value.Valid {
			return nil, refuse(protocol.ErrInvalidConfig, "setting %q of topic %q has no value", config.Name, asked.Name)
		}
		if err := c.options.ValidateConfig(config.Name, config.Value.Value); err != nil {
			return nil, refuse(protocol.ErrInvalidConfig, "topic %q: %v", asked.Name, err)
		}
		records = append(records, at(0, &protocol.ConfigRecord{
			ResourceType: metadata.ResourceTopic, ResourceName: asked.Name, Name: config.Name, Value: config.Value,
		}))
	}
	for i, replicas := range assignments {
		records = append(records, at(partitionVersion, c.newPartition(id, int32(i), replicas)))
	}
	row.TopicId, row.NumPartitions, row.ReplicationFactor = id, int32(len(assignments)), int16(len(assignments[0]))
	row.Configs = []protocol.CreatableTopicConfigs{}
	return records, nil
}

// newPartition is the record of a new partition: all of its replicas that may lead are in sync, and the first leads.
func (c *Controller) newPartition(topic protocol.UUID, id int32, replicas []int32) *protocol.PartitionRecord {
	partition := &protocol.PartitionRecord{}
	partition.Default()
	partition.PartitionId, partition.TopicId, partition.LeaderEpoch, partition.PartitionEpoch = id, topic, 0, 0
	partition.Replicas, partition.Isr, partition.Leader = replicas, c.alive(replicas), c.alive(replicas)[0]
	partition.Directories = make([]protocol.UUID, len(replicas))
	for k, replica := range replicas {
		if b, ok := c.image.Brokers.Get(replica); ok && len(b.LogDirs) > 0 {
			partition.Directories[k] = b.LogDirs[0]
		}
	}
	return partition
}

// collides returns a topic whose name differs from this one only in . and _, as Kafka forbids.
func (c *Controller) collides(name string) (string, bool) {
	if !strings.ContainsAny(name, "._") {
		return "", false
	}
	plain := strings.ReplaceAll(name, ".", "_")
	for other := range c.image.Topics.All {
		if strings.ReplaceAll(other, ".", "_") == plain {
			return other, true
		}
	}
	return "", false
}

// alive returns those of the brokers that may lead.
func (c *Controller) alive(ids []int32) []int32 {
	var alive []int32
	for _, id := range ids {
		if b, ok := c.image.Brokers.Get(id); ok && !b.Fenced {
			alive = append(alive, id)
		}
	}
	return alive
}

// newTopicID draws an id nobody has, and none of those Kafka keeps for itself.
func (c *Controller) newTopicID(index int) protocol.UUID {
	for try := uint64(0); ; try++ {
		id := protocol.UUID(c.random.UUID(env.StreamTopicID, uint64(c.image.End), uint64(index), try))
		reserved := id.IsZero() || id == protocol.MetadataTopicID()
		if !reserved && id.String()[0] != '-' && c.image.Topic(id) == nil {
			return id
		}
	}
}

// assign returns the replicas of every partition.
func (c *Controller) assign(asked *protocol.CreatableTopic) ([][]int32, *refusal) {
	if len(asked.Assignments) > 0 {
		return c.manual(asked)
	}
	partitions, factor := asked.NumPartitions, asked.ReplicationFactor
	if partitions == -1 {
		partitions = c.options.NumPartitions
	}
	if factor == -1 {
		factor = c.options.ReplicationFactor
	}
	if partitions < 1 || partitions > partitionsMax {
		return nil, refuse(protocol.ErrInvalidPartitions, "%d partitions: want 1 to %d, or -1 for the default", asked.NumPartitions, partitionsMax)
	}
	return c.spread(int(partitions), int(factor), 0)
}

// spread gives partitions their replicas, going round the brokers that may lead from one place on.
func (c *Controller) spread(partitions, factor, from int) ([][]int32, *refusal) {
	var alive []int32
	for id, b := range c.image.Brokers.All {
		if !b.Fenced {
			alive = append(alive, id)
		}
	}
	if factor < 1 || factor > len(alive) {
		return nil, refuse(protocol.ErrInvalidReplicationFactor, "replication factor %d: %d brokers are available", factor, len(alive))
	}
	all := make([][]int32, partitions)
	for i := range all {
		for k := range factor {
			all[i] = append(all[i], alive[(from+i+k)%len(alive)])
		}
	}
	return all, nil
}

// manual checks an assignment given by the client.
func (c *Controller) manual(asked *protocol.CreatableTopic) ([][]int32, *refusal) {
	if asked.NumPartitions != -1 || asked.ReplicationFactor != -1 {
		return nil, refuse(protocol.ErrInvalidRequest, "topic %q gives an assignment and also partitions or a replication factor", asked.Name)
	}
	all := make([][]int32, len(asked.Assignments))
	for _, a := range asked.Assignments {
		if a.PartitionIndex < 0 || int(a.PartitionIndex) >= len(all) || all[a.PartitionIndex] != nil {
			return nil, refuse(protocol.ErrInvalidReplicaAssignment, "partitions of an assignment are 0 to %d, each once", len(all)-1)
		}
		if len(a.BrokerIds) == 0 || len(a.BrokerIds) != len(asked.Assignments[0].BrokerIds) {
			return nil, refuse(protocol.ErrInvalidReplicaAssignment, "every partition has the same number of replicas, at least one")
		}
		if err := c.checkReplicas(int(a.PartitionIndex), a.BrokerIds); err != nil {
			return nil, err
		}
		all[a.PartitionIndex] = a.BrokerIds
	}
	return all, nil
}

// checkReplicas says what is wrong with a partition's brokers as a client gave them.
func (c *Controller) checkReplicas(partition int, ids []int32) *refusal {
	for k, id := range ids {
		if _, ok := c.image.Brokers.Get(id); !ok || slices.Contains(ids[:k], id) {
			return refuse(protocol.ErrInvalidReplicaAssignment, "partition %d: broker %d is unknown or named twice", partition, id)
		}
	}
	if len(c.alive(ids)) == 0 {
		return refuse(protocol.ErrInvalidReplicaAssignment, "partition %d: all of its brokers are fenced", partition)
	}
	return nil
}
