package core

import (
	"fmt"

	"barnabas/core/metadata"
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

// tellAltered tells the operator of settings that changed.
func (b *Broker) tellAltered(records []protocol.Record, err error) {
	for _, r := range records {
		m, ok := r.Message.(*protocol.ConfigRecord)
		if !ok || err != nil {
			continue
		}
		of := "topic " + m.ResourceName
		switch {
		case m.ResourceType == metadata.ResourceBroker && m.ResourceName == "":
			of = "all brokers"
		case m.ResourceType == metadata.ResourceBroker:
			of = "broker " + m.ResourceName
		}
		if m.Value.Valid {
			b.env.Talk.Say(fmt.Sprintf("%s: %s=%s", of, m.Name, m.Value.Value))
		} else {
			b.env.Talk.Say(fmt.Sprintf("%s: %s is not set any more", of, m.Name))
		}
	}
}
