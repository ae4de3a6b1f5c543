package api

import (
	"barnabas/core/protocol"
	"barnabas/core/wire"
)

// describeProducers tells what leaders remember of producers with an id (KIP-664).
//
// Key 61, version 0 (flexible).
//
//   - Producers whose records are gone, or that were silent for producer.id.expiration.ms, are not remembered.
//   - A partition that is named twice is INVALID_REQUEST the second time: an answer may be long.
//   - There are no transactions yet: the coordinator's epoch and the start of the transaction are -1.
func (h *Handlers) describeProducers(r *wire.Request, m *protocol.DescribeProducersRequest) {
	answer := protocol.NewDescribeProducersResponse()
	asked := make(repeats)
	for i := range m.Topics {
		topic := protocol.DescribeProducersTopic{Name: m.Topics[i].Name}
		for _, index := range m.Topics[i].PartitionIndexes {
			topic.Partitions = append(topic.Partitions, h.producersOf(topic.Name, index, asked))
		}
		answer.Topics = append(answer.Topics, topic)
	}
	r.Answer(answer, nil)
}

func (h *Handlers) producersOf(topic string, index int32, asked repeats) protocol.DescribeProducersPartition {
	row := protocol.NewDescribeProducersPartition()
	row.PartitionIndex = index
	if err := asked.add(topic, index); err != nil {
		row.ErrorCode, row.ErrorMessage = codeOf(err)
		return row
	}
	p, err := h.find(topic, protocol.UUID{}, index)
	if err == nil {
		err = p.CheckLeader(-1)
	}
	if err != nil {
		row.ErrorCode, row.ErrorMessage = codeOf(err)
		return row
	}
	for producer := range p.Log.ActiveProducers {
		state := protocol.NewProducerState()
		state.ProducerId, state.ProducerEpoch = producer.ID, int32(producer.Epoch)
		state.LastSequence, state.LastTimestamp = producer.LastSequence, producer.LastTimestamp
		state.CoordinatorEpoch = -1
		row.ActiveProducers = append(row.ActiveProducers, state)
	}
	return row
}
