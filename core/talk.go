package core

import (
	"fmt"

	"barnabas/core/protocol"
)

// tellCreated tells the operator of topics that came to be.
func (b *Broker) tellCreated(m *protocol.CreateTopicsRequest, answer *protocol.CreateTopicsResponse) {
	if m.ValidateOnly {
		return
	}
	for i := range answer.Topics {
		if row := &answer.Topics[i]; row.ErrorCode == protocol.ErrNone {
			b.env.Talk.Say(fmt.Sprintf("topic %s created: partitions %d, replicas %d", row.Name, row.NumPartitions, row.ReplicationFactor))
		}
	}
}

// tellDeleted tells the operator of topics that are gone.
func (b *Broker) tellDeleted(answer *protocol.DeleteTopicsResponse) {
	for i := range answer.Responses {
		if row := &answer.Responses[i]; row.ErrorCode == protocol.ErrNone {
			b.env.Talk.Say(fmt.Sprintf("topic %s deleted", row.Name.Value))
		}
	}
}
