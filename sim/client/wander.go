package client

import (
	"fmt"

	"barnabas/core/protocol"
	"barnabas/core/task"
	"barnabas/sim/ledger"
)

// wander has the consumer, now and then, fetch once from any offset it has been at: readers that begin in the midst of old
// segments go through indexes, which one that reads on never does.
func (c *Consumer) wander(t *task.Task, address string, topicID protocol.UUID) {
	if c.plan.Wanders == 0 || c.client.env.Loop.Now() >= c.plan.StopAt {
		return
	}
	c.wanders++
	if c.client.draw(c.plan.Wanders, streamWander, uint64(c.reader), c.wanders) == 0 {
		c.spot(t, address, topicID, c.wanders<<1)
	}
}

// lookAtSpots fetches from so many drawn offsets, once at the end.
func (c *Consumer) lookAtSpots(t *task.Task, address string, topicID protocol.UUID) {
	for ; c.spots < c.plan.Spots; c.spots++ {
		if c.position <= c.from {
			c.spots = c.plan.Spots
			return
		}
		if !c.spot(t, address, topicID, uint64(c.spots)<<1|1) && !c.client.options.Hooks.Damaged() {
			return
		}
	}
}

// spot fetches once from a drawn offset below the position, and says whether there was an answer. What it is given begins
// there.
func (c *Consumer) spot(t *task.Task, address string, topicID protocol.UUID, key uint64) bool {
	if c.position <= c.from {
		return false
	}
	at := c.from + int64(c.client.draw(uint64(c.position-c.from), streamWander, uint64(c.reader), key, 1))
	version := c.client.options.FetchVersion
	request := c.request(topicID, version)
	request.MinBytes, request.MaxWaitMs = 1, 100
	row := &request.Topics[0].Partitions[0]
	row.FetchOffset, row.PartitionMaxBytes = at, 1+int32(c.client.draw(4000, streamWander, uint64(c.reader), key, 2))
	hooks := &c.client.options.Hooks
	hooks.Witness.Seek(c.wanderer, at)
	hooks.Witness.Poll(c.wanderer)
	reply, err := c.peer(address).Ask(request, version, requestTimeout).Wait(t)
	hooks.Operation()
	if err != nil {
		return false
	}
	defer reply.Release()
	answer := reply.Message.(*protocol.FetchResponse)
	if c.over || answer.ErrorCode != protocol.ErrNone || len(answer.Responses) != 1 || len(answer.Responses[0].Partitions) != 1 {
		return false
	}
	data, part := &answer.Responses[0].Partitions[0], c.plan.Partition
	if data.ErrorCode != protocol.ErrNone {
		return data.ErrorCode == protocol.ErrOffsetOutOfRange // it may have expired since it was read
	}
	hooks.Witness.Polled(c.wanderer, func(saw func(offset int64, value []byte)) {
		next := at
		err = ledger.ReadBatches(data.Records.Bytes, func(offset int64, value []byte) {
			if offset < next {
				return
			}
			if offset > next {
				hooks.Violate("Skipped", fmt.Sprintf("%s: a fetch from offset %d on is given offset %d after %d", part, at, offset, next-1))
			}
			hooks.Ledger.Read(part, offset, value)
			saw(offset, value)
			next = offset + 1
		})
	})
	hooks.Sometimes("consumer-wandered")
	if err != nil {
		hooks.Violate("CorruptBatch", fmt.Sprintf("%s at %d: %v", part, at, err))
	}
	return true
}
