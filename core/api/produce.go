package api

import (
	"errors"
	"fmt"
	"time"

	"barnabas/core/env"
	"barnabas/core/mutant"
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
//
//   - A duplicate waits for what the first would have waited for, and answers with its offset (KIP-98, rule S4).
//
//   - acks=0 has no answer; an error closes the connection, as in Kafka.
//
//   - When the journal is full only because partition logs lag behind, the request is held, and those after it, so that
//     order is kept and connections are not read: back-pressure, not an error. Held until its time is up it gets
//     KAFKA_STORAGE_ERROR, and nothing of it was appended.
//
//   - A batch is stored byte for byte, but for base offset and leader epoch, with three exceptions: LogAppendTime, a max
//     timestamp or timestamp type that is not what the records say, and the topic's own compression.type. All of them change
//     the CRC too.
//
// Not here yet: transactions.
func (h *Handlers) produce(r *wire.Request, m *protocol.ProduceRequest) {
	p := h.produces.take(h)
	p.request, p.message, p.acks = r, m, replica.Acks(m.Acks)
	p.prepareAnswer()
	p.begin()
	if p.left > 0 || !p.appended {
		timeout := time.Duration(m.TimeoutMs) * time.Millisecond
		h.env.Loop.Arm(&p.timer, h.env.Loop.Now().Add(timeout), p.expired)
	}
}

// prepareAnswer makes a row for every partition.
func (p *produce) prepareAnswer() {
	topics := p.message.TopicData
	p.response.Responses = again(p.response.Responses, len(topics))
	for i := range topics {
		answer := &p.response.Responses[i]
		answer.Name, answer.TopicId = topics[i].Name, topics[i].TopicId
		answer.PartitionResponses = again(answer.PartitionResponses, len(topics[i].PartitionData))
		for k := range topics[i].PartitionData {
			row := &answer.PartitionResponses[k]
			row.Default()
			row.Index, row.LogAppendTimeMs = topics[i].PartitionData[k].Index, -1
		}
	}
}

// begin appends what there is room for, and holds the rest.
func (p *produce) begin() {
	held := &p.handlers.held
	if held.isEmpty() {
		p.run()
	}
	if !p.appended && !p.packing {
		p.kept = true
		held.add(p)
	}
}

// run appends what was not appended yet. When something can't be appended yet it stops there, and appended stays false.
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
	waits    []*rowWait // of which so many are in use, and so many of them not over
	used     int
	left     int
	appended bool  // all of it that can be
	topic    int   // where to go on if not: topic, its row, and how many rows were before
	row, at  int   //
	full     error // why it was held
	failed   error // the first error, for acks=0
	timer    task.Timer
	expired  func() // expire
	free     func() // over
	kept     bool   // somebody may look at it when it was answered: it is not used again
	packing  bool   // a batch is compressed anew, apart from the loop, which reads the request meanwhile
	late     bool   // the time was up meanwhile
}

// partition appends one row's records. False means that it can't yet: there is no room, or they are compressed first.
func (p *produce) partition(topic *protocol.TopicProduceData, data *protocol.PartitionProduceData, facts *record.Facts,
	row *protocol.PartitionProduceResponse,
) bool {
	at, part, err := p.append(topic, data, facts, row)
	if errors.Is(err, storage.ErrBusy) {
		p.full = err
		return false
	}
	if p.packing {
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
	part.Await(at, acks, p.wait(row, part))
	return true
}

// append gives the verdict on one partition's records and appends them, stamped as the topic wants them. When they must be
// compressed anew first, that is begun, and p is packing.
func (p *produce) append(topic *protocol.TopicProduceData, data *protocol.PartitionProduceData, facts *record.Facts,
	row *protocol.PartitionProduceResponse,
) (replica.Appended, *replica.Partition, error) {
	h := p.handlers
	part, err := h.find(topic.Name, topic.TopicId, data.Index)
	if err != nil {
		return replica.Appended{}, nil, err
	}
	if !part.IsLeader() {
		return replica.Appended{}, part, protocol.ErrNotLeaderOrFollower
	}
	rules, now := &part.Rules, int64(h.env.Clock.Wall())
	if err := verdict(p.request.Header.RequestApiVersion, p.message, rules, facts, now); err != nil {
		return replica.Appended{}, part, err
	}
	if mustRepack(rules, facts) {
		p.repack(&repacking{data: data, facts: facts, codec: rules.Codec, level: rules.Level})
		return replica.Appended{}, part, nil
	}
	if facts.Length > rules.SegmentBytesMax {
		return replica.Appended{}, part, fmt.Errorf("%w: a batch of %d bytes, segment.bytes is %d",
			protocol.ErrRecordListTooLarge, facts.Length, rules.SegmentBytesMax)
	}
	timestamp := facts.MaxSeen
	if rules.LogAppendTime {
		timestamp, row.LogAppendTimeMs = now, now
	}
	record.Stamp(data.Records.Bytes, &facts.Header, rules.LogAppendTime, timestamp)
	at, err := part.Append(data.Records.Bytes, facts.Header, p.acks)
	return at, part, err
}

func (p *produce) fail(row *protocol.PartitionProduceResponse, err error, part *replica.Partition) {
	if p.failed == nil {
		p.failed = err
	}
	row.ErrorCode, row.ErrorMessage = codeOf(err)
	row.BaseOffset, row.LogStartOffset, row.LogAppendTimeMs = -1, -1, -1
	var of *refusal
	if errors.As(err, &of) {
		row.RecordErrors = of.records
	}
	if row.ErrorCode == protocol.ErrNotLeaderOrFollower && part != nil && p.request.Header.RequestApiVersion >= 10 {
		leader, epoch := part.Leader()
		row.CurrentLeader = protocol.ProduceLeaderIdAndEpoch{LeaderId: leader, LeaderEpoch: int32(epoch)}
	}
}

// expire answers what still waits: the batches are in the log and may yet be committed. What was held is not.
func (p *produce) expire() {
	if p.packing {
		p.late = true
		return
	}
	p.handlers.env.Probe.Sometimes(env.MarkProduceTimedOut)
	p.kept = true // a wait that was given up may still be in its queue
	if !p.appended {
		p.giveUp()
	}
	for _, w := range p.waits[:p.used] {
		if w.row != nil {
			w.wait.GiveUp()
			p.fail(w.row, protocol.ErrRequestTimedOut, nil)
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
	case p.kept:
	case mutant.On(mutant.ProduceReusedEarly) && p.request.Arrived < p.handlers.env.Loop.Now():
		defer p.over() // before its answer is encoded, if it comes before an earlier one's
	default:
		p.request.WhenEncoded(p.free)
	}
	switch {
	case p.acks != replica.AcksNone:
		p.request.Answer(&p.response, nil)
	case p.failed != nil:
		p.request.Refuse(fmt.Errorf("produce with acks=0: %w", p.failed))
	default:
		p.request.AnswerNothing()
	}
}
