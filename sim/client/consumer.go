package client

import (
	"fmt"
	"time"

	"barnabas/core/protocol"
	"barnabas/core/task"
	"barnabas/core/wire"
	"barnabas/sim/ledger"
)

// ConsumerPlan is what one consumer does.
type ConsumerPlan struct {
	Partition ledger.Partition
	WaitMax   time.Duration
	BytesMin  int32
	BytesMax  int32
}

// Consumer is one running consumer: it reads its partition from the start, for ever.
type Consumer struct {
	client   *Client
	plan     ConsumerPlan
	position int64
	peers    map[string]*wire.Peer // its own: a long poll holds back what comes after it on its connection
}

func (c *Client) startConsumer(plan ConsumerPlan, _ uint64) *Consumer {
	consumer := &Consumer{client: c, plan: plan, peers: make(map[string]*wire.Peer)}
	c.env.Loop.Go("consume", consumer.run)
	return consumer
}

// Partition returns what is consumed.
func (c *Consumer) Partition() ledger.Partition { return c.plan.Partition }

// Position returns the offset that is read next.
func (c *Consumer) Position() int64 { return c.position }

// recordBytesMin is the least a record of the run takes in a batch.
const recordBytesMin = ledger.ValueBytes + 7

// MayWait says whether the consumer may rightly go on waiting though the log ends at end: what is left may be less than
// it asked for, and it asked to wait for longer than a run lasts.
func (c *Consumer) MayWait(end int64) bool {
	return c.plan.WaitMax > 10*time.Second && (end-c.position)*recordBytesMin < int64(c.plan.BytesMin)
}

func (c *Consumer) run(t *task.Task) {
	for {
		address, topicID := c.client.leader(t, c.plan.Partition)
		version := c.client.options.FetchVersion
		reply, err := c.peer(address).Ask(c.request(topicID, version), version, c.plan.WaitMax+requestTimeout).Wait(t)
		c.client.options.Hooks.Operation()
		if err != nil {
			c.client.forget(c.plan.Partition, address)
			c.client.backOff(t)
			continue
		}
		answer := reply.Message.(*protocol.FetchResponse)
		ok := answer.ErrorCode == protocol.ErrNone && len(answer.Responses) == 1 && len(answer.Responses[0].Partitions) == 1
		if ok {
			ok = c.take(&answer.Responses[0].Partitions[0])
		}
		reply.Release()
		if !ok {
			c.client.forget(c.plan.Partition, address)
			c.client.backOff(t)
		}
	}
}

func (c *Consumer) peer(address string) *wire.Peer {
	p, ok := c.peers[address]
	if !ok {
		p = wire.NewPeer(c.client.env, address, "sim-consumer", frameBytesMax)
		c.peers[address] = p
	}
	return p
}

func (c *Consumer) request(topicID protocol.UUID, version int16) *protocol.FetchRequest {
	request := protocol.NewFetchRequest()
	request.MaxWaitMs, request.MinBytes, request.MaxBytes = int32(c.plan.WaitMax.Milliseconds()), c.plan.BytesMin, c.plan.BytesMax
	if version < 15 {
		request.ReplicaId = -1
	}
	row := protocol.NewFetchPartition()
	row.Partition, row.FetchOffset, row.PartitionMaxBytes = c.plan.Partition.Index, c.position, c.plan.BytesMax
	row.CurrentLeaderEpoch, row.LastFetchedEpoch, row.LogStartOffset = -1, -1, -1
	topic := protocol.FetchTopic{Partitions: []protocol.FetchPartition{row}}
	if version >= 13 {
		topic.TopicId = topicID
	} else {
		topic.Topic = c.plan.Partition.Topic
	}
	request.Topics = []protocol.FetchTopic{topic}
	return request
}

// take takes over what was fetched, and says whether the leader is the right one.
func (c *Consumer) take(row *protocol.FetchPartitionData) bool {
	book := c.client.options.Hooks.Ledger
	switch row.ErrorCode {
	case protocol.ErrNone:
	case protocol.ErrNotLeaderOrFollower, protocol.ErrUnknownTopicOrPartition, protocol.ErrUnknownTopicId:
		return false
	default:
		book.Violate("UnexpectedError", fmt.Sprintf("fetch of %s at %d: %v", c.plan.Partition, c.position, row.ErrorCode))
		return false
	}
	if row.HighWatermark < c.position && len(row.Records.Bytes) > 0 {
		book.Violate("ReadAboveHighWatermark", fmt.Sprintf("%s at %d: high watermark %d", c.plan.Partition, c.position, row.HighWatermark))
	}
	err := ledger.ReadBatches(row.Records.Bytes, func(offset int64, value []byte) {
		switch {
		case offset < c.position: // the batch began before the position
			return
		case offset > c.position:
			book.Violate("Skipped", fmt.Sprintf("%s: offset %d follows %d", c.plan.Partition, offset, c.position-1))
		case offset >= row.HighWatermark:
			book.Violate("ReadAboveHighWatermark", fmt.Sprintf("%s: offset %d, high watermark %d", c.plan.Partition, offset, row.HighWatermark))
		}
		book.Read(c.plan.Partition, offset, value)
		c.position = offset + 1
	})
	if err != nil {
		book.Violate("CorruptBatch", fmt.Sprintf("%s at %d: %v", c.plan.Partition, c.position, err))
	}
	return true
}
