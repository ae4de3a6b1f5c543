package api

import (
	"fmt"
	"slices"
	"time"

	"barnabas/core/env"
	"barnabas/core/protocol"
	"barnabas/core/record"
	"barnabas/core/replica"
	"barnabas/core/task"
	"barnabas/core/wire"
)

// deleteRecords moves the starts of logs, so that the records below are gone.
//
// Key 21, versions 0–2 (flexible from 2).
//
//   - An offset of -1 means the high watermark; beyond it OFFSET_OUT_OF_RANGE.
//   - The records of a topic with cleanup.policy=compact alone stay: POLICY_VIOLATION. Those of internal topics too:
//     INVALID_TOPIC_EXCEPTION.
//   - The answer waits until no live replica would show the records again after a crash (the low watermark), or until the
//     time is up, and has the low watermark. Kafka answers when they are gone from memory.
//   - It needs no room for data in the journal, so a full one can be relieved by it (rule J14).
func (h *Handlers) deleteRecords(r *wire.Request, m *protocol.DeleteRecordsRequest) {
	d := &deleteRecords{handlers: h, request: r}
	d.response.Topics = make([]protocol.DeleteRecordsTopicResult, len(m.Topics))
	for i := range m.Topics {
		topic, answer := &m.Topics[i], &d.response.Topics[i]
		answer.Name = topic.Name
		answer.Partitions = make([]protocol.DeleteRecordsPartitionResult, len(topic.Partitions))
		for k := range topic.Partitions {
			row := &answer.Partitions[k]
			row.PartitionIndex, row.LowWatermark = topic.Partitions[k].PartitionIndex, -1
			if err := d.partition(topic.Name, record.Offset(topic.Partitions[k].Offset), row); err != nil {
				row.ErrorCode, _ = codeOf(err)
			}
		}
	}
	d.begun = true
	if d.left == 0 {
		d.finish()
		return
	}
	timeout := time.Duration(m.TimeoutMs) * time.Millisecond
	d.timer = h.env.Loop.At(h.env.Loop.Now().Add(timeout), d.expire)
}

// deleteRecords is one request until it is answered.
type deleteRecords struct {
	handlers *Handlers
	request  *wire.Request
	response protocol.DeleteRecordsResponse
	waits    []deletion
	left     int
	begun    bool // all rows were looked at
	timer    *task.Timer
}

// deletion is a row and what it waits for.
type deletion struct {
	wait *replica.Wait
	row  *protocol.DeleteRecordsPartitionResult // nil when it is done
}

// partition begins to delete one partition's records.
func (d *deleteRecords) partition(topic string, to record.Offset, row *protocol.DeleteRecordsPartitionResult) error {
	if isInternal(topic) {
		return fmt.Errorf("%w: %s is internal", protocol.ErrInvalidTopicException, topic)
	}
	p, err := d.handlers.find(topic, protocol.UUID{}, row.PartitionIndex)
	if err != nil {
		return err
	}
	policy := d.handlers.topicSettings(topic).List("cleanup.policy")
	if slices.Contains(policy, "compact") && !slices.Contains(policy, "delete") {
		return fmt.Errorf("%w: cleanup.policy of %s is compact", protocol.ErrPolicyViolation, topic)
	}
	if to, err = p.DeleteRecords(to); err != nil {
		return err
	}
	row.LowWatermark = int64(p.LowWatermark())
	probe := d.handlers.env.Probe
	probe.Sometimes(env.MarkDeletionParked)
	slot := len(d.waits)
	d.waits = append(d.waits, deletion{row: row})
	d.left++
	wait := p.AwaitDeleted(to, func(err error) {
		d.waits[slot].row = nil
		d.left--
		if err != nil {
			row.ErrorCode, _ = codeOf(err)
			row.LowWatermark = -1
		} else {
			probe.Sometimes(env.MarkDeletionAnswered)
			row.LowWatermark = int64(p.LowWatermark())
		}
		if d.left == 0 && d.begun {
			d.finish()
		}
	})
	d.waits[slot].wait = wait
	return nil
}

// expire answers what still waits: the records are gone for clients, but not yet for good.
func (d *deleteRecords) expire() {
	for _, w := range d.waits {
		if w.row != nil {
			d.handlers.env.Probe.Sometimes(env.MarkDeletionTimedOut)
			w.wait.GiveUp()
			w.row.ErrorCode = protocol.ErrRequestTimedOut
		}
	}
	d.finish()
}

func (d *deleteRecords) finish() {
	d.timer.Stop()
	d.request.Answer(&d.response, nil)
}

// isInternal says whether the topic holds the cluster's own records.
func isInternal(topic string) bool {
	return topic == "__consumer_offsets" || topic == "__transaction_state" || topic == "__share_group_state"
}
