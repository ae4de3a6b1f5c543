package controller

import (
	"barnabas/core/metadata"
	"barnabas/core/protocol"
)

// CreatePartitions adds partitions to topics: to each topic all that is asked, or none.
func (c *Controller) CreatePartitions(m *protocol.CreatePartitionsRequest) (records []protocol.Record, answer *protocol.CreatePartitionsResponse) {
	answer = protocol.NewCreatePartitionsResponse()
	named := make(map[string]int)
	for i := range m.Topics {
		named[m.Topics[i].Name]++
	}
	left := partitionsMax
	for i := range m.Topics {
		asked := &m.Topics[i]
		row := protocol.NewCreatePartitionsTopicResult()
		row.Name = asked.Name
		of, err := c.addPartitions(asked, named[asked.Name] > 1, left)
		if err != nil {
			row.ErrorCode, row.ErrorMessage = err.code, protocol.String(err.Error())
		} else if left -= len(of); !m.ValidateOnly {
			records = append(records, of...)
		}
		answer.Results = append(answer.Results, row)
	}
	return records, answer
}

func (c *Controller) addPartitions(asked *protocol.CreatePartitionsTopic, twice bool, most int) ([]protocol.Record, *refusal) {
	if twice {
		return nil, refuse(protocol.ErrInvalidRequest, "topic %q is named twice in this request", asked.Name)
	}
	t, ok := c.image.Topics.Get(asked.Name)
	if !ok {
		return nil, refuse(protocol.ErrUnknownTopicOrPartition, "there is no topic %q", asked.Name)
	}
	count := t.Partitions.Len()
	more := int(asked.Count) - count
	switch {
	case more == 0:
		return nil, refuse(protocol.ErrInvalidPartitions, "topic %q has %d partitions already", asked.Name, count)
	case more < 0:
		return nil, refuse(protocol.ErrInvalidPartitions, "topic %q has %d partitions, and there is no way to %d: partitions are added, never taken away",
			asked.Name, count, asked.Count)
	case int(asked.Count) > partitionsMax || more > most:
		return nil, refuse(protocol.ErrPolicyViolation, "more than %d partitions, of one topic or in one request", partitionsMax)
	}
	assignments, err := c.assignMore(asked, t, more)
	if err != nil {
		return nil, err
	}
	var records []protocol.Record
	for i, replicas := range assignments {
		records = append(records, at(partitionVersion, c.newPartition(t.ID, int32(count+i), replicas)))
	}
	return records, nil
}

// assignMore returns the replicas of the partitions to add: as many each as the topic's first has.
func (c *Controller) assignMore(asked *protocol.CreatePartitionsTopic, t *metadata.Topic, more int) ([][]int32, *refusal) {
	factor := 1
	for _, p := range t.Partitions.All {
		factor = len(p.Replicas)
		break
	}
	if asked.Assignments == nil {
		return c.spread(more, factor, t.Partitions.Len())
	}
	if len(asked.Assignments) != more {
		return nil, refuse(protocol.ErrInvalidReplicaAssignment, "topic %q gets %d partitions more, and %d assignments are given", asked.Name, more, len(asked.Assignments))
	}
	all := make([][]int32, more)
	for i, a := range asked.Assignments {
		if len(a.BrokerIds) != factor {
			return nil, refuse(protocol.ErrInvalidReplicaAssignment, "an assignment has %d replicas, and topic %q has %d of each partition", len(a.BrokerIds), asked.Name, factor)
		}
		if err := c.checkReplicas(t.Partitions.Len()+i, a.BrokerIds); err != nil {
			return nil, err
		}
		all[i] = a.BrokerIds
	}
	return all, nil
}
