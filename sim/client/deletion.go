package client

import (
	"fmt"

	"barnabas/core/protocol"
	"barnabas/core/task"
	"barnabas/sim/ledger"
	"barnabas/sim/plan"
)

// DeletionPlan is an administrator who deletes the oldest records of a partition now and then.
type DeletionPlan struct {
	plan.Deletion
	Partition ledger.Partition
	StopAt    task.Instant
}

func (c *Client) startDeletion(plan DeletionPlan) {
	c.options.Hooks.Witness.Expires(plan.Partition)
	c.env.Loop.Go("delete records", func(t *task.Task) {
		for _, turn := range plan.Turns {
			t.Sleep(task.Instant(0).Add(turn.At))
			if c.env.Loop.Now() >= plan.StopAt {
				return
			}
			c.deleteRecords(t, plan, turn.ID)
		}
	})
}

// deleteRecords asks the leader to delete some of what is acknowledged, once: whether it was done does not matter.
func (c *Client) deleteRecords(t *task.Task, plan DeletionPlan, turn uint64) {
	book := c.options.Hooks.Ledger
	from, end := book.Start(plan.Partition), book.AckedEnd(plan.Partition)
	if end <= from {
		return
	}
	before := from + 1 + int64(c.draw(uint64(end-from), streamDelete, turn))
	address, _ := c.leader(t, plan.Partition)
	row := protocol.NewDeleteRecordsPartition()
	row.PartitionIndex, row.Offset = plan.Partition.Index, before
	request := protocol.NewDeleteRecordsRequest()
	request.TimeoutMs = 1000
	request.Topics = []protocol.DeleteRecordsTopic{{Name: plan.Partition.Topic, Partitions: []protocol.DeleteRecordsPartition{row}}}
	book.AskDelete(plan.Partition, before)
	reply, err := c.peer(address, true).Ask(request, 2, requestTimeout).Wait(t)
	c.options.Hooks.Operation()
	if err != nil {
		c.forget(plan.Partition, address)
		return
	}
	defer reply.Release()
	answer := reply.Message.(*protocol.DeleteRecordsResponse).Topics[0].Partitions[0]
	c.options.Hooks.Answered("delete-records", answer.ErrorCode)
	switch answer.ErrorCode {
	case protocol.ErrNone:
		if answer.LowWatermark < before {
			c.options.Hooks.Violate("UnexpectedError", fmt.Sprintf("%s: records below %d were deleted, and the low watermark is %d",
				plan.Partition, before, answer.LowWatermark))
		}
		book.Deleted(plan.Partition, before)
		c.options.Hooks.Changed("DeleteRecords")
	case protocol.ErrNotLeaderOrFollower, protocol.ErrUnknownTopicOrPartition:
		c.forget(plan.Partition, address)
	case protocol.ErrRequestTimedOut, protocol.ErrKafkaStorageError, protocol.ErrOffsetOutOfRange:
		// Too late; no room; a new leader that does not know yet what is committed.
	default:
		c.options.Hooks.Violate("UnexpectedError", fmt.Sprintf("delete records of %s below %d: %v", plan.Partition, before, answer.ErrorCode))
	}
}
