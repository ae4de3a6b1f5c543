package core

import (
	"fmt"

	"barnabas/core/protocol"
)

// local is the controller in this process.
type local struct{ b *Broker }

// CreateTopics decides, and answers when the topics are committed.
func (l local) CreateTopics(m *protocol.CreateTopicsRequest, done func(*protocol.CreateTopicsResponse)) {
	records, answer := l.b.controller.CreateTopics(m)
	l.b.quorum.Append(records, func(err error) {
		for i := range answer.Topics {
			row := &answer.Topics[i]
			failed(err, &row.ErrorCode, &row.ErrorMessage)
		}
		l.b.tellCreated(m, answer)
		done(answer)
	})
}

// DeleteTopics decides, and answers when the removal is committed.
func (l local) DeleteTopics(m *protocol.DeleteTopicsRequest, done func(*protocol.DeleteTopicsResponse)) {
	if !l.b.options.Settings.Bool("delete.topic.enable") {
		answer := &protocol.DeleteTopicsResponse{}
		for i := range m.Topics {
			answer.Responses = append(answer.Responses, protocol.DeletableTopicResult{
				Name: m.Topics[i].Name, TopicId: m.Topics[i].TopicId, ErrorCode: protocol.ErrTopicDeletionDisabled,
				ErrorMessage: protocol.String("delete.topic.enable is false"),
			})
		}
		done(answer)
		return
	}
	records, answer := l.b.controller.DeleteTopics(m)
	l.b.quorum.Append(records, func(err error) {
		for i := range answer.Responses {
			row := &answer.Responses[i]
			failed(err, &row.ErrorCode, &row.ErrorMessage)
		}
		l.b.tellDeleted(answer)
		done(answer)
	})
}

// CreatePartitions decides, and answers when the partitions are committed.
func (l local) CreatePartitions(m *protocol.CreatePartitionsRequest, done func(*protocol.CreatePartitionsResponse)) {
	records, answer := l.b.controller.CreatePartitions(m)
	l.b.quorum.Append(records, func(err error) {
		var lines []string
		for i := range answer.Results {
			row := &answer.Results[i]
			failed(err, &row.ErrorCode, &row.ErrorMessage)
			if row.ErrorCode == protocol.ErrNone && !m.ValidateOnly {
				lines = append(lines, fmt.Sprintf("topic %s has %d partitions now", row.Name, m.Topics[i].Count))
			}
		}
		l.b.tell(lines)
		done(answer)
	})
}

// IncrementalAlterConfigs decides, and answers when the settings are committed and in force here.
func (l local) IncrementalAlterConfigs(m *protocol.IncrementalAlterConfigsRequest, done func(*protocol.IncrementalAlterConfigsResponse)) {
	records, answer := l.b.controller.IncrementalAlterConfigs(m)
	l.b.quorum.Append(records, func(err error) {
		l.b.tellAltered(records, err)
		for i := range answer.Responses {
			row := &answer.Responses[i]
			failed(err, &row.ErrorCode, &row.ErrorMessage)
		}
		done(answer)
	})
}

// AlterConfigs does the same for the older request.
func (l local) AlterConfigs(m *protocol.AlterConfigsRequest, done func(*protocol.AlterConfigsResponse)) {
	records, answer := l.b.controller.AlterConfigs(m)
	l.b.quorum.Append(records, func(err error) {
		l.b.tellAltered(records, err)
		for i := range answer.Responses {
			row := &answer.Responses[i]
			failed(err, &row.ErrorCode, &row.ErrorMessage)
		}
		done(answer)
	})
}

// failed says in a row that was decided well that it could not be committed.
func failed(err error, code *protocol.Error, text *protocol.NullString) {
	if err != nil && *code == protocol.ErrNone {
		*code, *text = protocol.ErrKafkaStorageError, protocol.String(err.Error())
	}
}

// AllocateProducerIDs answers when the block is committed, so that no crash gives an id twice.
func (l local) AllocateProducerIDs(done func(first, end int64, err error)) {
	records, first, end := l.b.controller.AllocateProducerIDs(l.b.self)
	l.b.quorum.Append(records, func(err error) {
		if err != nil {
			err = fmt.Errorf("%w: %w", protocol.ErrKafkaStorageError, err)
		}
		done(first, end, err)
	})
}
