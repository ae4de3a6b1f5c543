package api

import (
	"slices"

	"barnabas/core/metadata"
	"barnabas/core/protocol"
	"barnabas/core/wire"
)

// describePartitionsMax is how many partitions one answer has at most, as in Kafka (max.request.partition.size.limit).
const describePartitionsMax = 2000

// describeTopicPartitions describes topics a page at a time (KIP-966).
//
// Key 75, version 0 (flexible).
//
//   - No names ask for all topics. They are in ascending order, each once, whatever the order of the request.
//   - An answer holds as many partitions as the client and the broker take, at least one. Where it ends in the middle, the
//     next request begins at the cursor it gives; topics before the cursor's are passed over.
//   - If the cursor's topic is gone, the next one follows from its beginning.
func (h *Handlers) describeTopicPartitions(r *wire.Request, m *protocol.DescribeTopicPartitionsRequest) {
	answer := protocol.NewDescribeTopicPartitionsResponse()
	if c := m.Cursor; c != nil && c.PartitionIndex < 0 {
		// There is no code for the whole; Kafka's answer to a request that fails has it in each topic.
		for i := range m.Topics {
			row := protocol.NewDescribeTopicPartitionsResponseTopic()
			row.Name, row.ErrorCode = protocol.String(m.Topics[i].Name), protocol.ErrInvalidRequest
			answer.Topics = append(answer.Topics, row)
		}
		r.Answer(answer, nil)
		return
	}
	page := partitionPage{image: h.image(), left: min(max(int(m.ResponsePartitionLimit), 1), describePartitionsMax), answer: answer}
	for _, name := range page.names(m) {
		first := int32(0)
		if c := m.Cursor; c != nil {
			switch {
			case name < c.TopicName:
				continue
			case name == c.TopicName:
				first = c.PartitionIndex
			}
		}
		if !page.add(name, first, len(m.Topics) == 0) {
			break
		}
	}
	r.Answer(answer, nil)
}

// partitionPage is an answer that is being filled.
type partitionPage struct {
	image  *metadata.Image
	left   int // partitions it has room for
	answer *protocol.DescribeTopicPartitionsResponse
}

func (page *partitionPage) names(m *protocol.DescribeTopicPartitionsRequest) []string {
	var names []string
	if len(m.Topics) == 0 {
		for name := range page.image.Topics.All {
			names = append(names, name)
		}
		return names
	}
	for i := range m.Topics {
		names = append(names, m.Topics[i].Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// add adds a topic's partitions from first on, and says whether there is room for the next topic. If there is none for
// this one, the cursor points to it.
func (page *partitionPage) add(name string, first int32, all bool) bool {
	if page.left == 0 {
		page.answer.NextCursor = &protocol.DescribeTopicPartitionsResponseCursor{TopicName: name, PartitionIndex: first}
		return false
	}
	row := protocol.NewDescribeTopicPartitionsResponseTopic()
	row.Name = protocol.String(name)
	t, known := page.image.Topics.Get(name)
	if !known {
		row.ErrorCode = protocol.ErrUnknownTopicOrPartition
		page.answer.Topics = append(page.answer.Topics, row)
		return true
	}
	row.TopicId, row.IsInternal, row.TopicAuthorizedOperations = t.ID, isInternal(name), topicOperations
	for id, p := range t.Partitions.All {
		if id < first {
			continue
		}
		if page.left == 0 {
			page.answer.NextCursor = &protocol.DescribeTopicPartitionsResponseCursor{TopicName: name, PartitionIndex: id}
			break
		}
		page.left--
		row.Partitions = append(row.Partitions, describePartition(page.image, p))
	}
	page.answer.Topics = append(page.answer.Topics, row)
	return page.answer.NextCursor == nil
}

func describePartition(image *metadata.Image, p *metadata.Partition) protocol.DescribeTopicPartitionsResponsePartition {
	row := protocol.DescribeTopicPartitionsResponsePartition{
		PartitionIndex: p.ID, LeaderId: p.Leader, LeaderEpoch: p.LeaderEpoch, ReplicaNodes: p.Replicas, IsrNodes: p.ISR,
		EligibleLeaderReplicas: orEmpty(p.ELR), LastKnownElr: orEmpty(p.LastKnownELR), OfflineReplicas: offline(image, p),
	}
	if p.Leader == metadata.NoLeader {
		row.ErrorCode = protocol.ErrLeaderNotAvailable
	}
	return row
}

// offline returns the replicas on brokers that are fenced or gone.
func offline(image *metadata.Image, p *metadata.Partition) (ids []int32) {
	for _, replica := range p.Replicas {
		if b, ok := image.Brokers.Get(replica); !ok || b.Fenced {
			ids = append(ids, replica)
		}
	}
	return ids
}

// orEmpty keeps an empty list from being sent as null.
func orEmpty(ids []int32) []int32 {
	if ids == nil {
		return []int32{}
	}
	return ids
}
