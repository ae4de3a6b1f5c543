// Package metadata is the image: what the records of __cluster_metadata add up to.
//
// An Image is built by applying committed records in order, and by nothing else. The controller keeps one of its own that
// is ahead by what it has appended and not committed yet; a broker's is what was published to it. Record types and
// encodings are Kafka's own, and nothing of ours is ever among them (rule K2).
package metadata

import (
	"fmt"
	"slices"

	"barnabas/core/ordered"
	"barnabas/core/protocol"
	"barnabas/core/record"
)

// NoLeader is the leader of a partition that has none.
const NoLeader int32 = -1

// Image is the state of the cluster after the records below End.
type Image struct {
	End            record.Offset // after the last applied batch
	Topics         ordered.Map[string, *Topic]
	Brokers        ordered.Map[int32, *Broker]
	Configs        ordered.Map[Resource, *Config]
	Features       ordered.Map[string, int16]
	NextProducerID int64
	Kept           Kept

	open    *transaction // a metadata transaction that has not ended
	byID    map[protocol.UUID]*Topic
	changed []protocol.UUID

	brokersChanged bool // their settings
}

// TakeChanged returns the ids of the topics touched since the last call, in order; an id may come twice, and a topic may
// be gone.
func (i *Image) TakeChanged() []protocol.UUID {
	seen := make(map[protocol.UUID]bool, len(i.changed))
	var changed []protocol.UUID
	for _, id := range i.changed { // there is one for each partition
		if !seen[id] {
			seen[id] = true
			changed = append(changed, id)
		}
	}
	i.changed = nil
	return changed
}

// Topic is one topic.
type Topic struct {
	Name       string
	ID         protocol.UUID
	Partitions ordered.Map[int32, *Partition]
}

// Partition is one partition as the controller sees it.
type Partition struct {
	ID             int32
	TopicID        protocol.UUID
	Topic          string
	Replicas       []int32
	ISR            []int32
	ELR            []int32 // not in sync any more, but with all that was committed: Kafka keeps them (KIP-966)
	LastKnownELR   []int32 // replicas that lost something; not used here
	Leader         int32
	LeaderEpoch    int32
	PartitionEpoch int32
}

// Broker is one registered broker.
type Broker struct {
	ID          int32
	Epoch       int64 // the offset of its registration record
	Incarnation protocol.UUID
	Fenced      bool
	EndPoints   []protocol.BrokerEndpoint
	LogDirs     []protocol.UUID
	Rack        protocol.NullString
}

// Resource types of configs, as on the wire.
const (
	ResourceTopic  int8 = 2
	ResourceBroker int8 = 4
)

// Resource names what has settings: its type's number, a colon, its name.
type Resource string

// ResourceOf returns the resource.
func ResourceOf(kind int8, name string) Resource { return Resource(fmt.Sprintf("%d:%s", kind, name)) }

// Config is the settings of one resource.
type Config struct {
	Values ordered.Map[string, string]
}

// Topic returns the topic with the id, or nil.
func (i *Image) Topic(id protocol.UUID) *Topic { return i.byID[id] }

// Partition returns the partition, or nil.
func (i *Image) Partition(id protocol.UUID, partition int32) *Partition {
	if t := i.byID[id]; t != nil {
		return t.Partitions.At(partition)
	}
	return nil
}

// Setting returns the value of a topic's setting and whether it has one of its own.
func (i *Image) Setting(topic, name string) (string, bool) {
	c, ok := i.Configs.Get(ResourceOf(ResourceTopic, topic))
	if !ok {
		return "", false
	}
	return c.Values.Get(name)
}

// BrokerSetting returns the value that a broker's setting is given here, and whether it is: by the broker's id, or "" for
// what all brokers are given.
func (i *Image) BrokerSetting(broker, name string) (string, bool) {
	c, ok := i.Configs.Get(ResourceOf(ResourceBroker, broker))
	if !ok {
		return "", false
	}
	return c.Values.Get(name)
}

// TakeBrokersChanged says whether brokers' settings were touched since the last call.
func (i *Image) TakeBrokersChanged() bool {
	changed := i.brokersChanged
	i.brokersChanged = false
	return changed
}

// Apply applies one record. Errors: a record that does not fit what came before; an unknown type.
func (i *Image) Apply(r protocol.Record, offset record.Offset) error {
	switch m := r.Message.(type) {
	case *protocol.TopicRecord:
		return i.addTopic(m)
	case *protocol.PartitionRecord:
		return i.addPartition(m)
	case *protocol.PartitionChangeRecord:
		return i.changePartition(m)
	case *protocol.RemoveTopicRecord:
		return i.removeTopic(m)
	case *protocol.ConfigRecord:
		i.setConfig(m)
	case *protocol.ProducerIdsRecord:
		i.NextProducerID = m.NextProducerId
	case *protocol.FeatureLevelRecord:
		i.Features.Set(m.Name, m.FeatureLevel)
	case *protocol.RegisterBrokerRecord:
		i.Brokers.Set(m.BrokerId, &Broker{
			ID: m.BrokerId, Epoch: m.BrokerEpoch, Incarnation: m.IncarnationId, Fenced: m.Fenced,
			EndPoints: m.EndPoints, LogDirs: m.LogDirs, Rack: m.Rack,
		})
	case *protocol.UnregisterBrokerRecord:
		i.Brokers.Delete(m.BrokerId)
	case *protocol.BrokerRegistrationChangeRecord:
		return i.changeBroker(m)
	case *protocol.FenceBrokerRecord:
		return i.fence(m.Id, true)
	case *protocol.UnfenceBrokerRecord:
		return i.fence(m.Id, false)
	case *protocol.ClearElrRecord:
		i.clearELR(m.TopicName)
	case *protocol.NoOpRecord:
	default:
		if known, err := i.Kept.apply(m); known {
			return err
		}
		return fmt.Errorf("metadata record %d at offset %d has no meaning here", r.Message.APIKey(), offset)
	}
	return nil
}

func (i *Image) addTopic(m *protocol.TopicRecord) error {
	if _, ok := i.Topics.Get(m.Name); ok {
		return fmt.Errorf("topic %s is created twice", m.Name)
	}
	t := &Topic{Name: m.Name, ID: m.TopicId}
	i.Topics.Set(m.Name, t)
	if i.byID == nil {
		i.byID = make(map[protocol.UUID]*Topic)
	}
	i.byID[m.TopicId] = t
	i.changed = append(i.changed, m.TopicId)
	return nil
}

func (i *Image) addPartition(m *protocol.PartitionRecord) error {
	t := i.byID[m.TopicId]
	if t == nil {
		return fmt.Errorf("partition %d of topic id %s, which does not exist", m.PartitionId, m.TopicId)
	}
	i.changed = append(i.changed, m.TopicId)
	t.Partitions.Set(m.PartitionId, &Partition{
		ID: m.PartitionId, TopicID: m.TopicId, Topic: t.Name, Replicas: m.Replicas, ISR: m.Isr,
		ELR: m.EligibleLeaderReplicas, LastKnownELR: m.LastKnownElr,
		Leader: m.Leader, LeaderEpoch: m.LeaderEpoch, PartitionEpoch: m.PartitionEpoch,
	})
	return nil
}

// leaderUnchanged is the leader of a PartitionChangeRecord that does not change it.
const leaderUnchanged int32 = -2

// changePartition replaces the partition, so that who holds the old one keeps seeing what it saw.
func (i *Image) changePartition(m *protocol.PartitionChangeRecord) error {
	old := i.Partition(m.TopicId, m.PartitionId)
	if old == nil {
		return fmt.Errorf("a change of partition %d of topic id %s, which does not exist", m.PartitionId, m.TopicId)
	}
	p := *old
	p.PartitionEpoch++
	if m.Isr != nil {
		p.ISR = m.Isr
	}
	if m.EligibleLeaderReplicas != nil {
		p.ELR = m.EligibleLeaderReplicas
	}
	if m.LastKnownElr != nil {
		p.LastKnownELR = m.LastKnownElr
	}
	if m.Replicas != nil {
		p.Replicas = m.Replicas
	}
	if m.Leader != leaderUnchanged {
		p.Leader = m.Leader
		p.LeaderEpoch++
	}
	i.byID[m.TopicId].Partitions.Set(p.ID, &p)
	i.changed = append(i.changed, m.TopicId)
	return nil
}

// clearELR forgets the eligible leader replicas of a topic, or of all with no name. It is a change of each partition that had
// some.
func (i *Image) clearELR(topic string) {
	for name, t := range i.Topics.All {
		if topic != "" && topic != name {
			continue
		}
		for id, old := range t.Partitions.All {
			if len(old.ELR) == 0 && len(old.LastKnownELR) == 0 {
				continue
			}
			p := *old
			p.ELR, p.LastKnownELR = nil, nil
			p.PartitionEpoch++
			t.Partitions.Set(id, &p)
		}
		i.changed = append(i.changed, t.ID)
	}
}

func (i *Image) removeTopic(m *protocol.RemoveTopicRecord) error {
	t := i.byID[m.TopicId]
	if t == nil {
		return fmt.Errorf("topic id %s is removed and does not exist", m.TopicId)
	}
	delete(i.byID, m.TopicId)
	i.changed = append(i.changed, m.TopicId)
	i.Topics.Delete(t.Name)
	i.Configs.Delete(ResourceOf(ResourceTopic, t.Name))
	return nil
}

func (i *Image) setConfig(m *protocol.ConfigRecord) {
	if m.ResourceType == ResourceBroker {
		i.brokersChanged = true
	}
	if t := i.Topics.At(m.ResourceName); t != nil && m.ResourceType == ResourceTopic {
		i.changed = append(i.changed, t.ID)
	}
	key := ResourceOf(m.ResourceType, m.ResourceName)
	c, ok := i.Configs.Get(key)
	if !ok {
		c = &Config{}
		i.Configs.Set(key, c)
	}
	if m.Value.Valid {
		c.Values.Set(m.Name, m.Value.Value)
		return
	}
	c.Values.Delete(m.Name)
	if c.Values.Len() == 0 {
		i.Configs.Delete(key)
	}
}

func (i *Image) changeBroker(m *protocol.BrokerRegistrationChangeRecord) error {
	if m.Fenced == 0 {
		return nil
	}
	return i.fence(m.BrokerId, m.Fenced > 0)
}

func (i *Image) fence(id int32, fenced bool) error {
	old, ok := i.Brokers.Get(id)
	if !ok {
		return fmt.Errorf("broker %d is fenced or unfenced and is not registered", id)
	}
	b := *old
	b.Fenced = fenced
	i.Brokers.Set(id, &b)
	return nil
}

// IsInISR says whether the broker is among the in-sync replicas.
func (p *Partition) IsInISR(broker int32) bool { return slices.Contains(p.ISR, broker) }

// IsEligible says whether the broker may lead: it is in sync, or the partition has no replica in sync and it is one that
// had everything when it left.
func (p *Partition) IsEligible(broker int32) bool {
	return p.IsInISR(broker) || len(p.ISR) == 0 && slices.Contains(p.ELR, broker)
}
