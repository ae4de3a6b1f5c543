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
	var lines []string
	for i := range answer.Topics {
		if row := &answer.Topics[i]; row.ErrorCode == protocol.ErrNone {
			lines = append(lines, fmt.Sprintf("topic %s created: partitions %d, replicas %d", row.Name, row.NumPartitions, row.ReplicationFactor))
		}
	}
	b.tell(lines)
}

// linesMax are said of one request; of more only their number.
const linesMax = 20

// tell says what one request changed.
func (b *Broker) tell(lines []string) {
	for i, line := range lines {
		if i == linesMax {
			b.env.Talk.Say(fmt.Sprintf("… and %d more such changes at once", len(lines)-i))
			return
		}
		b.env.Talk.Say(line)
	}
}

// tellDeleted tells the operator of topics that are gone.
func (b *Broker) tellDeleted(answer *protocol.DeleteTopicsResponse) {
	var lines []string
	for i := range answer.Responses {
		if row := &answer.Responses[i]; row.ErrorCode == protocol.ErrNone {
			lines = append(lines, fmt.Sprintf("topic %s deleted", row.Name.Value))
		}
	}
	b.tell(lines)
}

// tellGrown tells the operator of topics that have more partitions.
func (b *Broker) tellGrown(m *protocol.CreatePartitionsRequest, answer *protocol.CreatePartitionsResponse) {
	if m.ValidateOnly {
		return
	}
	var lines []string
	for i := range answer.Results {
		if row := &answer.Results[i]; row.ErrorCode == protocol.ErrNone {
			lines = append(lines, fmt.Sprintf("topic %s has %d partitions now", row.Name, m.Topics[i].Count))
		}
	}
	b.tell(lines)
}

// tellAltered tells the operator of settings that changed.
func (b *Broker) tellAltered(records []protocol.Record, err error) {
	var lines []string
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
			lines = append(lines, fmt.Sprintf("%s: %s=%s", of, m.Name, m.Value.Value))
		} else {
			lines = append(lines, fmt.Sprintf("%s: %s is not set any more", of, m.Name))
		}
	}
	b.tell(lines)
}
