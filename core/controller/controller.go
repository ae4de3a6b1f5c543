// Package controller decides about metadata: requests in, records and an answer out.
//
// It is a state machine over the image of what has been appended to the metadata log. Its verbs change nothing; records
// do, through Replay, at the leader when they are appended and nowhere else. Answers may be sent when the records are
// committed.
//
// What it does not do yet: heartbeats and sessions of other brokers, ISR changes, elections beyond those of a restart.
package controller

import (
	"fmt"
	"slices"

	"barnabas/core/config"
	"barnabas/core/env"
	"barnabas/core/metadata"
	"barnabas/core/mutant"
	"barnabas/core/protocol"
	"barnabas/core/record"
)

// Options are the controller's defaults for new topics, and what it may finalise.
type Options struct {
	NumPartitions     int32
	ReplicationFactor int16
	// ValidateConfig says whether a topic may have the setting.
	ValidateConfig func(name, value string) error
	// Settings are what the brokers were started with, which what is altered stands upon.
	Settings *config.Settings
}

// The versions its records are written in, and the metadata.version that names them. Kafka 4.3 writes 30.
const (
	metadataVersion     = 30
	partitionVersion    = 1
	registrationVersion = 3
	changeVersion       = 1
	changeVersionELR    = 2 // with eligible leader replicas; only where Kafka has written some
	brokerChangeVersion = 2
)

// producerIDBlock is how many producer ids a broker gets at once, as in Kafka.
const producerIDBlock = 1000

// Controller decides about metadata.
type Controller struct {
	image   metadata.Image
	random  env.Random
	options Options
}

// New returns a controller that knows nothing; replay the log into it.
func New(random env.Random, o Options) *Controller { return &Controller{random: random, options: o} }

// Replay applies a batch of the log.
func (c *Controller) Replay(batch []byte) error {
	err := c.image.ApplyBatch(batch)
	c.image.TakeChanged()
	return err
}

// Restore begins with a snapshot: the state below end. Requires: nothing was replayed before.
func (c *Controller) Restore(batches [][]byte, end record.Offset) error {
	err := c.image.Restore(batches, end)
	c.image.TakeChanged()
	return err
}

// Image returns what has been appended. It must not be changed.
func (c *Controller) Image() *metadata.Image { return &c.image }

func at(version int16, m protocol.Message) protocol.Record {
	return protocol.Record{Message: m, Version: version}
}

// Bootstrap returns the records of a cluster's first start, or none. A metadata transaction that its leader did not end is
// aborted, as Kafka does it.
func (c *Controller) Bootstrap() (records []protocol.Record) {
	if c.image.InTransaction() {
		abort := &protocol.AbortTransactionRecord{Reason: protocol.String("the leader that began it is gone")}
		records = append(records, at(0, abort))
	}
	if _, ok := c.image.Features.Get("metadata.version"); ok {
		return records
	}
	return append(records, at(0, &protocol.FeatureLevelRecord{Name: "metadata.version", FeatureLevel: metadataVersion}))
}

// Registration is a broker's incarnation that asks to take part.
type Registration struct {
	ID          int32
	Incarnation protocol.UUID
	EndPoints   []protocol.BrokerEndpoint
	LogDirs     []protocol.UUID
}

// Register fences the broker's previous incarnation, whose partitions lose their leader, and registers the new one,
// fenced. end is the offset the first record will have; the registration's own is the broker epoch.
func (c *Controller) Register(r Registration, end record.Offset) (records []protocol.Record, epoch int64) {
	records = c.changeLeaders(func(p *metadata.Partition) (int32, bool) {
		return metadata.NoLeader, p.Leader == r.ID && !mutant.On(mutant.EpochNotRaised)
	})
	epoch = int64(end) + int64(len(records))
	register := &protocol.RegisterBrokerRecord{}
	register.Default()
	register.BrokerId, register.IncarnationId, register.BrokerEpoch = r.ID, r.Incarnation, epoch
	register.EndPoints, register.LogDirs, register.Fenced = r.EndPoints, r.LogDirs, true
	register.Features = []protocol.BrokerFeature{{
		Name: "metadata.version", MinSupportedVersion: metadataVersion, MaxSupportedVersion: metadataVersion,
	}}
	return append(records, at(registrationVersion, register)), epoch
}

// Unfence lets the broker lead: it gets the partitions without a leader in whose ISR it is. Leader epochs rise with it, so
// a restart never leads on in an old epoch (rule S6).
func (c *Controller) Unfence(id int32) []protocol.Record {
	b, ok := c.image.Brokers.Get(id)
	if !ok || !b.Fenced {
		return nil
	}
	change := &protocol.BrokerRegistrationChangeRecord{}
	change.Default()
	change.BrokerId, change.BrokerEpoch, change.Fenced = id, b.Epoch, -1
	records := []protocol.Record{at(brokerChangeVersion, change)}
	return append(records, c.changeLeaders(func(p *metadata.Partition) (int32, bool) {
		return id, p.Leader == metadata.NoLeader && p.IsEligible(id)
	})...)
}

// changeLeaders returns a change for every partition that choose gives a new leader.
func (c *Controller) changeLeaders(choose func(*metadata.Partition) (int32, bool)) (records []protocol.Record) {
	for _, t := range c.image.Topics.All {
		for _, p := range t.Partitions.All {
			leader, ok := choose(p)
			if !ok {
				continue
			}
			change := &protocol.PartitionChangeRecord{}
			change.Default()
			change.PartitionId, change.TopicId, change.Leader = p.ID, t.ID, leader
			version := int16(changeVersion)
			if leader != metadata.NoLeader && len(p.ISR) == 0 {
				// It brings the partition back, and is in sync with itself.
				change.Isr, change.EligibleLeaderReplicas, version = []int32{leader}, []int32{}, changeVersionELR
			}
			records = append(records, at(version, change))
		}
	}
	return records
}

// AllocateProducerIDs gives the broker the next block of ids.
func (c *Controller) AllocateProducerIDs(broker int32) (records []protocol.Record, first, end int64) {
	first = c.image.NextProducerID
	end = first + producerIDBlock
	epoch := int64(-1)
	if b, ok := c.image.Brokers.Get(broker); ok {
		epoch = b.Epoch
	}
	return []protocol.Record{at(0, &protocol.ProducerIdsRecord{
		BrokerId: broker, BrokerEpoch: epoch, NextProducerId: end - producerIDBlock*int64(mutant.One(mutant.ProducerBlockReused)),
	})}, first, end
}

// DeleteTopics removes topics by name or id.
func (c *Controller) DeleteTopics(m *protocol.DeleteTopicsRequest) (records []protocol.Record, answer *protocol.DeleteTopicsResponse) {
	answer = &protocol.DeleteTopicsResponse{}
	var gone []protocol.UUID
	for i := range m.Topics {
		asked := &m.Topics[i]
		row := protocol.DeletableTopicResult{Name: asked.Name, TopicId: asked.TopicId}
		var t *metadata.Topic
		if asked.Name.Valid {
			t, _ = c.image.Topics.Get(asked.Name.Value)
		} else {
			t = c.image.Topic(asked.TopicId)
		}
		switch {
		case t == nil && asked.Name.Valid:
			row.ErrorCode = protocol.ErrUnknownTopicOrPartition
		case t == nil:
			row.ErrorCode = protocol.ErrUnknownTopicId
		case slices.Contains(gone, t.ID):
			row.ErrorCode = protocol.ErrInvalidRequest
			row.ErrorMessage = protocol.String("the topic is named twice in this request")
		default:
			gone = append(gone, t.ID)
			row.Name, row.TopicId = protocol.String(t.Name), t.ID
			if !mutant.On(mutant.DeletionNotWritten) {
				records = append(records, at(0, &protocol.RemoveTopicRecord{TopicId: t.ID}))
			}
		}
		if row.ErrorCode != protocol.ErrNone && !row.ErrorMessage.Valid {
			row.ErrorMessage = protocol.String(row.ErrorCode.Error())
		}
		answer.Responses = append(answer.Responses, row)
	}
	return records, answer
}

// String describes the controller's state in a line.
func (c *Controller) String() string {
	return fmt.Sprintf("%d topics, %d brokers, end %d", c.image.Topics.Len(), c.image.Brokers.Len(), c.image.End)
}
