package client

import (
	"fmt"
	"time"

	"barnabas/core/protocol"
	"barnabas/core/task"
	"barnabas/core/wire"
	"barnabas/sim/ledger"
	"barnabas/sim/plan"
	"barnabas/sim/witness"
)

// ConsumerPlan is what one consumer does.
type ConsumerPlan struct {
	plan.Consumer
	Partition ledger.Partition
	LookUps   int // how many offsets it looks up by time, once at the end
	Spots     int // from how many offsets it fetches, once at the end
	StopAt    task.Instant
}

// Consumer is one running consumer: it reads its partition from the start, for ever, and begins at the start of the log
// again when what it would read next is gone.
type Consumer struct {
	client   *Client
	plan     ConsumerPlan
	reader   witness.Reader
	wanderer witness.Reader // what it fetches out of its row is another one's to the witness
	position int64
	from     int64 // the earliest offset of the present row
	atEnd    bool  // the last answer ended at the high watermark
	over     bool
	rereads  uint64
	lookUps  int // done
	wanders  uint64
	spots    int                   // done
	refused  int                   // answers in a row that refused the record at the position
	peers    map[string]*wire.Peer // its own: a long poll holds back what comes after it on its connection
}

func (c *Client) startConsumer(plan ConsumerPlan) *Consumer {
	consumer := &Consumer{
		client: c, plan: plan, peers: make(map[string]*wire.Peer), reader: c.options.Hooks.Witness.AddReader(plan.Partition),
	}
	if plan.Wanders > 0 || plan.Spots > 0 {
		consumer.wanderer = c.options.Hooks.Witness.AddReader(plan.Partition)
	}
	c.env.Loop.Go("consume", consumer.run)
	return consumer
}

// Partition returns what is consumed.
func (c *Consumer) Partition() ledger.Partition { return c.plan.Partition }

// Position returns the offset that is read next.
func (c *Consumer) Position() int64 { return c.position }

// From returns the earliest offset of what was read in a row.
func (c *Consumer) From() int64 { return c.from }

// Reader returns its number for the witness.
func (c *Consumer) Reader() witness.Reader { return c.reader }

// AtEnd says whether the last answer ended at the high watermark.
func (c *Consumer) AtEnd() bool { return c.atEnd }

// Over says whether the consumer was stopped.
func (c *Consumer) Over() bool { return c.over }

// Abandon has the consumer stop: its topic is about to go.
func (c *Consumer) Abandon() { c.over = true }

// recordBytesMin is the least a record of the run takes in a batch.
const recordBytesMin = ledger.ValueBytes + 7

// MayWait says whether the consumer may rightly go on waiting though the log ends at end: what is left may be less than
// it asked for, and it asked to wait for longer than a run lasts.
func (c *Consumer) MayWait(end int64) bool {
	return c.plan.WaitMax > 10*time.Second && (end-c.position)*recordBytesMin < int64(c.plan.BytesMin)
}

func (c *Consumer) run(t *task.Task) {
	for !c.over {
		address, topicID := c.client.leader(t, c.plan.Partition)
		version := c.client.options.FetchVersion
		c.client.options.Hooks.Witness.Poll(c.reader)
		reply, err := c.peer(address).Ask(c.request(topicID, version), version, c.plan.WaitMax+requestTimeout).Wait(t)
		c.client.options.Hooks.Operation()
		if err != nil {
			c.client.options.Hooks.Sometimes("fetch-no-answer")
			c.client.forget(c.plan.Partition, address)
			c.client.backOff(t)
			continue
		}
		code := c.answered(reply.Message.(*protocol.FetchResponse))
		reply.Release()
		switch code {
		case protocol.ErrNone:
			if c.atEnd {
				c.reread()
				c.lookUp(t, address)
				c.lookAtSpots(t, address, topicID)
				c.wander(t, address, topicID)
			}
			continue
		case protocol.ErrOffsetOutOfRange:
			if c.restart(t, address) {
				continue
			}
		case protocol.ErrKafkaStorageError:
			if c.passOver() {
				continue
			}
		}
		c.client.forget(c.plan.Partition, address)
		c.client.backOff(t)
	}
}

// answered takes over what was fetched, and returns the error of the one row there is.
func (c *Consumer) answered(answer *protocol.FetchResponse) protocol.Error {
	switch {
	case c.over:
		return protocol.ErrNone
	case answer.ErrorCode != protocol.ErrNone || len(answer.Responses) != 1 || len(answer.Responses[0].Partitions) != 1:
		return protocol.ErrUnknownServerError
	}
	row := &answer.Responses[0].Partitions[0]
	return c.take(row)
}

// restart asks where the log starts, and goes on there if that is beyond the position.
func (c *Consumer) restart(t *task.Task, address string) bool {
	row, ok := c.offsetOf(t, address, earliest)
	if !ok {
		return false
	}
	if row.Offset <= c.position {
		c.client.options.Hooks.Violate("UnexpectedError", fmt.Sprintf("fetch of %s at %d: %v, though its log starts at %d",
			c.plan.Partition, c.position, protocol.ErrOffsetOutOfRange, row.Offset))
		return false
	}
	c.client.options.Hooks.Sometimes("consumer-followed-start")
	c.client.options.Hooks.Ledger.SeeStart(c.plan.Partition, row.Offset)
	c.position, c.from = row.Offset, row.Offset
	c.client.options.Hooks.Witness.Seek(c.reader, c.position)
	return true
}

// offsetOf asks for the offset of a time. ok is false when there is no good answer.
func (c *Consumer) offsetOf(t *task.Task, address string, time int64) (found protocol.ListOffsetsPartitionResponse, ok bool) {
	request := protocol.NewListOffsetsRequest()
	request.ReplicaId = -1
	row := protocol.NewListOffsetsPartition()
	row.PartitionIndex, row.CurrentLeaderEpoch, row.Timestamp = c.plan.Partition.Index, -1, time
	request.Topics = []protocol.ListOffsetsTopic{{Name: c.plan.Partition.Topic, Partitions: []protocol.ListOffsetsPartition{row}}}
	asked := c.client.env.Loop.Now()
	reply, err := c.peer(address).Ask(request, 7, requestTimeout).Wait(t)
	c.client.options.Hooks.Operation()
	if err != nil {
		return found, false
	}
	defer reply.Release()
	answer := reply.Message.(*protocol.ListOffsetsResponse)
	if c.over || len(answer.Topics) != 1 || len(answer.Topics[0].Partitions) != 1 {
		return found, false
	}
	found = answer.Topics[0].Partitions[0]
	if found.ErrorCode == protocol.ErrNone && time == earliest {
		c.client.options.Hooks.Witness.Starts(c.reader, asked, found.Offset)
	}
	return found, found.ErrorCode == protocol.ErrNone
}

// earliest is the timestamp that asks for a log's start.
const earliest = -2

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

// take takes over a row of what was fetched, and returns its error.
func (c *Consumer) take(row *protocol.FetchPartitionData) protocol.Error {
	hooks := &c.client.options.Hooks
	part := c.plan.Partition
	hooks.Answered("fetch", row.ErrorCode)
	switch row.ErrorCode {
	case protocol.ErrNone:
	case protocol.ErrNotLeaderOrFollower, protocol.ErrUnknownTopicOrPartition, protocol.ErrUnknownTopicId, protocol.ErrOffsetOutOfRange:
		return row.ErrorCode
	case protocol.ErrKafkaStorageError:
		if !hooks.Trouble {
			hooks.Violate("UnexpectedError", fmt.Sprintf("fetch of %s at %d: %v, on a sound disk", part, c.position, row.ErrorCode))
		}
		return row.ErrorCode
	default:
		hooks.Violate("UnexpectedError", fmt.Sprintf("fetch of %s at %d: %v", part, c.position, row.ErrorCode))
		return row.ErrorCode
	}
	if row.HighWatermark < c.position && len(row.Records.Bytes) > 0 {
		hooks.Violate("ReadAboveHighWatermark", fmt.Sprintf("%s at %d: high watermark %d", part, c.position, row.HighWatermark))
	}
	if row.LogStartOffset > row.HighWatermark {
		hooks.Violate("StartAboveHighWatermark", fmt.Sprintf("%s starts at %d, high watermark %d", part, row.LogStartOffset, row.HighWatermark))
	}
	hooks.Ledger.SeeStart(part, row.LogStartOffset)
	c.refused = 0
	var err error
	hooks.Witness.Polled(c.reader, func(saw func(offset int64, value []byte)) { err = c.read(row, saw) })
	if err != nil {
		hooks.Violate("CorruptBatch", fmt.Sprintf("%s at %d: %v", part, c.position, err))
	}
	c.atEnd = c.position >= row.HighWatermark
	return protocol.ErrNone
}

// read takes over the records.
func (c *Consumer) read(row *protocol.FetchPartitionData, saw func(offset int64, value []byte)) error {
	hooks, part := &c.client.options.Hooks, c.plan.Partition
	return ledger.ReadBatches(row.Records.Bytes, func(offset int64, value []byte) {
		switch {
		case offset < c.position: // the batch began before the position
			return
		case offset > c.position:
			hooks.Violate("Skipped", fmt.Sprintf("%s: offset %d follows %d", part, offset, c.position-1))
		case offset >= row.HighWatermark:
			hooks.Violate("ReadAboveHighWatermark", fmt.Sprintf("%s: offset %d, high watermark %d", part, offset, row.HighWatermark))
		}
		hooks.Ledger.Read(part, offset, value)
		saw(offset, value)
		c.position = offset + 1
	})
}
