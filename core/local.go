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
	commitRows(l.b, records, answer.Topics, func(row *protocol.CreatableTopicResult) (*protocol.Error, *protocol.NullString) {
		return &row.ErrorCode, &row.ErrorMessage
	}, func(error) {
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
	commitRows(l.b, records, answer.Responses, func(row *protocol.DeletableTopicResult) (*protocol.Error, *protocol.NullString) {
		return &row.ErrorCode, &row.ErrorMessage
	}, func(error) {
		l.b.tellDeleted(answer)
		done(answer)
	})
}

// CreatePartitions decides, and answers when the partitions are committed.
func (l local) CreatePartitions(m *protocol.CreatePartitionsRequest, done func(*protocol.CreatePartitionsResponse)) {
	records, answer := l.b.controller.CreatePartitions(m)
	commitRows(l.b, records, answer.Results, func(row *protocol.CreatePartitionsTopicResult) (*protocol.Error, *protocol.NullString) {
		return &row.ErrorCode, &row.ErrorMessage
	}, func(error) {
		l.b.tellGrown(m, answer)
		done(answer)
	})
}

// IncrementalAlterConfigs decides, and answers when the settings are committed and in force here.
func (l local) IncrementalAlterConfigs(m *protocol.IncrementalAlterConfigsRequest, done func(*protocol.IncrementalAlterConfigsResponse)) {
	records, answer := l.b.controller.IncrementalAlterConfigs(m)
	commitRows(l.b, records, answer.Responses,
		func(row *protocol.IncrementalAlterConfigsResourceResponse) (*protocol.Error, *protocol.NullString) {
			return &row.ErrorCode, &row.ErrorMessage
		}, func(err error) {
			l.b.tellAltered(records, err)
			done(answer)
		})
}

// AlterConfigs does the same for the older request.
func (l local) AlterConfigs(m *protocol.AlterConfigsRequest, done func(*protocol.AlterConfigsResponse)) {
	records, answer := l.b.controller.AlterConfigs(m)
	commitRows(l.b, records, answer.Responses, func(row *protocol.AlterConfigsResourceResponse) (*protocol.Error, *protocol.NullString) {
		return &row.ErrorCode, &row.ErrorMessage
	}, func(err error) {
		l.b.tellAltered(records, err)
		done(answer)
	})
}

// commitRows appends what was decided, and calls done when it is committed, or can't be: then the rows of an answer that were
// decided well say so.
func commitRows[Row any](
	b *Broker, records []protocol.Record, rows []Row, outcome func(*Row) (*protocol.Error, *protocol.NullString), done func(error),
) {
	b.quorum.Append(records, func(err error) {
		for i := range rows {
			if code, text := outcome(&rows[i]); err != nil && *code == protocol.ErrNone {
				*code, *text = protocol.ErrKafkaStorageError, protocol.String(err.Error())
			}
		}
		done(err)
	})
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
