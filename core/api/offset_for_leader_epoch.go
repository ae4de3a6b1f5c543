package api

import (
	"barnabas/core/protocol"
	"barnabas/core/record"
	"barnabas/core/wire"
)

// offsetForLeaderEpoch tells where a leader epoch ended here, so that a consumer or follower sees whether it read records
// that are gone (KIP-101, KIP-320).
//
// Key 23, versions 2–4 (flexible from 4).
//
//   - The newest epoch known that is not after the one asked for, and where the next one begins, or the end of the log.
//   - An epoch that nobody here has heard of is answered by epoch -1 and offset -1, which is no error.
func (h *Handlers) offsetForLeaderEpoch(r *wire.Request, m *protocol.OffsetForLeaderEpochRequest) {
	answer := protocol.NewOffsetForLeaderEpochResponse()
	answer.Topics = make([]protocol.OffsetForLeaderTopicResult, len(m.Topics))
	for i := range m.Topics {
		topic, row := &m.Topics[i], &answer.Topics[i]
		row.Topic = topic.Topic
		row.Partitions = make([]protocol.OffsetForLeaderEpochEpochEndOffset, len(topic.Partitions))
		for k := range topic.Partitions {
			h.endOfEpoch(topic.Topic, &topic.Partitions[k], &row.Partitions[k])
		}
	}
	r.Answer(answer, nil)
}

func (h *Handlers) endOfEpoch(topic string, asked *protocol.OffsetForLeaderPartition, row *protocol.OffsetForLeaderEpochEpochEndOffset) {
	row.Default()
	row.Partition = asked.Partition
	p, err := h.find(topic, protocol.UUID{}, asked.Partition)
	if err == nil {
		err = p.CheckLeader(asked.CurrentLeaderEpoch)
	}
	if err != nil {
		row.ErrorCode, _ = codeOf(err)
		return
	}
	epoch, end := p.Log.Epochs().EndOf(record.LeaderEpoch(asked.LeaderEpoch), p.Log.End())
	row.LeaderEpoch, row.EndOffset = int32(epoch), int64(end)
}
