package api

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"barnabas/core/env"
	"barnabas/core/protocol"
	"barnabas/core/record"
	"barnabas/core/replica"
	"barnabas/core/storage"
	"barnabas/core/task"
	"barnabas/core/wire"
)

// produce appends record batches to partitions this broker leads.
//
// Key 0, versions 3–13 (flexible from 9); advertised from 0 for librdkafka.
//
//   - acks=all answers when the high watermark passes the batch, acks=1 at the leader's stable end, or when the time is up.
//   - A duplicate waits for what the first would have waited for, and answers with its offset (KIP-98, rule S4).
//   - acks=0 has no answer; an error closes the connection, as in Kafka.
//   - When the journal is full only because partition logs lag behind, the request is held, and those after it, so that
//     order is kept and connections are not read: back-pressure, not an error. Held until its time is up it gets
//     KAFKA_STORAGE_ERROR, and nothing of it was appended.
//
// Not here yet: transactions, recompression, LogAppendTime, timestamp bounds, keys on compacted topics.
func (h *Handlers) produce(r *wire.Request, m *protocol.ProduceRequest) {
	p := &produce{handlers: h, request: r, message: m, acks: replica.Acks(m.Acks)}
	p.response.Responses = make([]protocol.TopicProduceResponse, len(m.TopicData))
	for i := range m.TopicData {
		topic := &m.TopicData[i]
		answer := &p.response.Responses[i]
		answer.Name, answer.TopicId = topic.Name, topic.TopicId
		answer.PartitionResponses = make([]protocol.PartitionProduceResponse, len(topic.PartitionData))
		for k := range topic.PartitionData {
			row := &answer.PartitionResponses[k]
			row.Default()
			row.Index, row.LogAppendTimeMs = topic.PartitionData[k].Index, -1
		}
	}
	if h.held.isEmpty() {
		p.run()
	}
	if !p.appended {
		h.held.add(p)
	}
	if p.left > 0 || !p.appended {
		timeout := time.Duration(m.TimeoutMs) * time.Millisecond
		p.timer = h.env.Loop.At(h.env.Loop.Now().Add(timeout), p.expire)
	}
}

// run appends what was not appended yet. When there is no room for something it stops there, and appended stays false.
func (p *produce) run() {
	for i := p.topic; i < len(p.message.TopicData); i++ {
		topic := &p.message.TopicData[i]
		for k := p.row; k < len(topic.PartitionData); k++ {
			row := &p.response.Responses[i].PartitionResponses[k]
			if !p.partition(topic, &topic.PartitionData[k], &p.request.Facts.Records[p.at], row) {
				p.topic, p.row = i, k
				return
			}
			p.at++
		}
		p.row = 0
	}
	p.appended = true
	if p.left == 0 {
		p.finish()
	}
}

// produce is one request until it is answered.
type produce struct {
	handlers *Handlers
	request  *wire.Request
	message  *protocol.ProduceRequest
	acks     replica.Acks
	response protocol.ProduceResponse
	waits    []*replica.Wait
	rows     []*protocol.PartitionProduceResponse // those that wait; nil when they are done
	left     int
	appended bool  // all of it that can be
	topic    int   // where to go on if not: topic, its row, and how many rows were before
	row, at  int   //
	full     error // why it was held
	failed   error // the first error, for acks=0
	timer    *task.Timer
}

// partition appends one row's records. False means that there is no room for them yet.
func (p *produce) partition(topic *protocol.TopicProduceData, data *protocol.PartitionProduceData, facts *record.Facts,
	row *protocol.PartitionProduceResponse,
) bool {
	at, part, err := p.append(p.message, topic, data, facts)
	if errors.Is(err, storage.ErrBusy) {
		p.full = err
		return false
	}
	if err != nil {
		p.fail(row, err, part)
		return true
	}
	row.BaseOffset, row.LogStartOffset = int64(at.Base), int64(part.Log.Start())
	acks := p.acks
	if acks == replica.AcksNone {
		acks = replica.AcksLeader // nobody is told, but the frame is held until then: a slow disk slows the client down
	}
	slot := len(p.rows)
	p.rows = append(p.rows, row)
	p.left++
	wait := part.Await(at, acks, func(err error) {
		p.rows[slot] = nil
		p.left--
		if err != nil {
			p.fail(row, err, part)
		} else if p.appended && p.acks == replica.AcksAll {
			p.handlers.env.Probe.Sometimes(env.MarkProduceAnsweredAtHW)
		}
		if p.left == 0 && p.appended {
			p.finish()
		}
	})
	p.waits = append(p.waits, wait)
	return true
}

// append gives the verdict on one partition's records and appends them.
func (p *produce) append(m *protocol.ProduceRequest, topic *protocol.TopicProduceData,
	data *protocol.PartitionProduceData, facts *record.Facts,
) (replica.Appended, *replica.Partition, error) {
	h := p.handlers
	part, err := h.find(topic.Name, topic.TopicId, data.Index)
	if err != nil {
		return replica.Appended{}, nil, err
	}
	if !part.IsLeader() {
		return replica.Appended{}, part, protocol.ErrNotLeaderOrFollower
	}
	if err := h.verdict(m, part, facts); err != nil {
		return replica.Appended{}, part, err
	}
	at, err := part.Append(data.Records.Bytes, facts.Header, p.acks)
	return at, part, err
}

// verdict decides from the facts whether a client's records may enter the topic.
func (h *Handlers) verdict(m *protocol.ProduceRequest, part *replica.Partition, f *record.Facts) error {
	switch {
	case m.Acks != int16(replica.AcksAll) && m.Acks != int16(replica.AcksLeader) && m.Acks != int16(replica.AcksNone):
		return fmt.Errorf("%w: acks=%d, want -1, 0 or 1", protocol.ErrInvalidRequiredAcks, m.Acks)
	case m.TransactionalId.Valid:
		return fmt.Errorf("%w: this version does not serve transactions", protocol.ErrInvalidTxnState)
	case errors.Is(f.Err, record.ErrMagic):
		return fmt.Errorf("%w: %w", protocol.ErrUnsupportedForMessageFormat, f.Err)
	case errors.Is(f.Err, record.ErrInvalid):
		return fmt.Errorf("%w: %w", protocol.ErrInvalidRecord, f.Err)
	case f.Err != nil:
		return fmt.Errorf("%w: %w", protocol.ErrCorruptMessage, f.Err)
	case f.Batches != 1:
		return fmt.Errorf("%w: %d record batches for one partition, want exactly one", protocol.ErrInvalidRecord, f.Batches)
	case f.Attributes.IsControl() || f.Attributes.IsTransactional():
		return fmt.Errorf("%w: clients write neither control nor, here, transactional batches", protocol.ErrInvalidRecord)
	case f.Count < 1 || f.Count != f.LastOffsetDelta+1:
		return fmt.Errorf("%w: %d records with last offset delta %d", protocol.ErrInvalidRecord, f.Count, f.LastOffsetDelta)
	case f.Attributes.Codec() > 4:
		return fmt.Errorf("%w: compression codec %d is unknown", protocol.ErrInvalidRecord, f.Attributes.Codec())
	case f.ProducerID != record.NoProducer && (f.BaseSequence < 0 || f.ProducerEpoch < 0):
		return fmt.Errorf("%w: producer %d with epoch %d and sequence %d",
			protocol.ErrInvalidRecord, f.ProducerID, f.ProducerEpoch, f.BaseSequence)
	}
	if most := h.messageBytesMax(part.Topic); f.Length > most {
		return fmt.Errorf("%w: a batch of %d bytes, max.message.bytes is %d", protocol.ErrMessageTooLarge, f.Length, most)
	}
	return nil
}

// messageBytesMax returns max.message.bytes of the topic.
func (h *Handlers) messageBytesMax(topic string) int {
	if v, ok := h.image().Setting(topic, "max.message.bytes"); ok {
		if n, err := strconv.Atoi(v); err == nil {
			return min(n, h.options.MessageBytesMax)
		}
	}
	return h.options.MessageBytesMax
}

func (p *produce) fail(row *protocol.PartitionProduceResponse, err error, part *replica.Partition) {
	if p.failed == nil {
		p.failed = err
	}
	row.ErrorCode, row.ErrorMessage = codeOf(err)
	row.BaseOffset, row.LogStartOffset = -1, -1
	if row.ErrorCode == protocol.ErrNotLeaderOrFollower && part != nil && p.request.Header.RequestApiVersion >= 10 {
		leader, epoch := part.Leader()
		row.CurrentLeader = protocol.ProduceLeaderIdAndEpoch{LeaderId: leader, LeaderEpoch: int32(epoch)}
	}
}

// expire answers what still waits: the batches are in the log and may yet be committed. What was held is not.
func (p *produce) expire() {
	p.handlers.env.Probe.Sometimes(env.MarkProduceTimedOut)
	if !p.appended {
		p.giveUp()
	}
	for i, row := range p.rows {
		if row != nil {
			p.waits[i].GiveUp()
			p.fail(row, protocol.ErrRequestTimedOut, nil)
		}
	}
	p.left = 0
	p.finish()
}

// giveUp refuses the rows that were held.
func (p *produce) giveUp() {
	p.handlers.held.remove(p)
	if p.full == nil {
		p.full = fmt.Errorf("%w: others wait for room in the journal", protocol.ErrKafkaStorageError)
	}
	for i := p.topic; i < len(p.message.TopicData); i++ {
		rows := p.response.Responses[i].PartitionResponses
		for k := p.row; k < len(rows); k++ {
			p.fail(&rows[k], p.full, nil)
		}
		p.row = 0
	}
	p.appended = true
}

func (p *produce) finish() {
	p.timer.Stop()
	switch {
	case p.acks != replica.AcksNone:
		p.request.Answer(&p.response, nil)
	case p.failed != nil:
		p.request.Refuse(fmt.Errorf("produce with acks=0: %w", p.failed))
	default:
		p.request.AnswerNothing()
	}
}
