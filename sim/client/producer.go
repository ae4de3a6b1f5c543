package client

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"barnabas/core/protocol"
	"barnabas/core/record"
	"barnabas/core/task"
	"barnabas/core/wire"
	"barnabas/linearizability"
	"barnabas/sim/ledger"
	"barnabas/sim/plan"
	"barnabas/sim/witness"
)

// ProducerPlan is what one producer does.
type ProducerPlan struct {
	plan.Producer
	Partition ledger.Partition
	Lasting   bool         // an acknowledgement is for good
	StopAt    task.Instant // what was not sent by then is not sent at all
}

// windowMax is how many batches a producer keeps in flight, and as many as a broker remembers.
const windowMax = 5

// Producer is one running producer.
type Producer struct {
	client   *Client
	plan     ProducerPlan
	life     uint64 // of the topic
	number   uint32
	id       int64
	epoch    int16
	sequence int32
	queue    []*batch // in order; the first is the oldest without an answer
	room     *task.Signal
	stopped  bool
	refused  bool // brokers have forgotten it
	known    bool // a batch was acknowledged
	over     bool // nothing more is sent: the topic is deleted
	timeout  time.Duration
}

// batch is one batch until it is acknowledged or given up.
type batch struct {
	values  []ledger.Value
	bytes   []byte
	over    bool
	changed *task.Signal // an answer came
	answers int          // requests under way
	last    outcome
	again   int
	sent    witness.Sent
	open    bool // some request may have had an effect that was not told
	plan    *plan.Send
}

// outcome is how a request ended.
type outcome struct {
	address string
	code    protocol.Error
	why     string // what the broker said of it
	base    int64
	err     error
}

func (c *Client) startProducer(plan ProducerPlan, i uint64) *Producer {
	p := &Producer{
		client: c, plan: plan, life: i, room: task.NewSignal(c.env.Loop), id: record.NoProducer, epoch: -1,
		timeout: time.Second + time.Duration(i%100)*time.Millisecond,
	}
	p.introduce()
	c.env.Loop.Go("produce", p.run)
	return p
}

// introduce tells those who judge of a producer: order and duplicates are promised within it.
func (p *Producer) introduce() {
	hooks := &p.client.options.Hooks
	class := ledger.Class{Partition: p.plan.Partition, Idempotent: p.plan.Idempotent, Lasting: p.plan.Lasting}
	p.number = hooks.Ledger.AddProducer(class)
	class.Idempotent = class.Idempotent && !hooks.Forgetful
	hooks.Witness.AddProducer(class)
}

// Settled says whether the producer has stopped and everything it sent was answered or given up.
func (p *Producer) Settled() bool { return p.stopped && len(p.queue) == 0 }

// Abandon has the producer forget what has no answer and send nothing more: its topic is about to go.
func (p *Producer) Abandon() {
	p.over = true
	p.drop()
}

// Pending describes what has no answer.
func (p *Producer) Pending() string {
	if len(p.queue) == 0 {
		return fmt.Sprintf("producer %d of %s has not stopped", p.number, p.plan.Partition)
	}
	last := p.queue[0].last
	return fmt.Sprintf("producer %d of %s waits for value %s: %v %s %v", p.number, p.plan.Partition, p.queue[0].values[0],
		last.code, last.why, last.err)
}

func (p *Producer) run(t *task.Task) {
	c := p.client
	if p.plan.Idempotent {
		p.initialise(t)
	}
	for i := range p.plan.Sends {
		send := &p.plan.Sends[i]
		t.Sleep(task.Instant(0).Add(send.At))
		for len(p.queue) >= p.window() && !p.over && !p.refused {
			p.room.Wait(t, task.Never)
		}
		if p.refused && !p.over {
			p.beginAnew(t)
		}
		address, topicID := c.leader(t, p.plan.Partition)
		if p.over || c.env.Loop.Now() >= p.plan.StopAt {
			break
		}
		b := p.make(send)
		p.send(b, address, topicID, false)
		c.env.Loop.Go("a batch", func(t *task.Task) { p.deliver(t, b) })
	}
	p.stopped = true
}

// window is how many batches may be in flight. A broker that has never seen a producer takes any sequence for its first
// (as Kafka does for producers without transactions), so until the first batch is acknowledged there is but one.
func (p *Producer) window() int {
	if p.plan.Idempotent && !p.known {
		return 1
	}
	return windowMax
}

// refusalsMax is after how many answers that its sequence leaves a gap a producer believes it: the brokers have forgotten what
// it sent, and it begins anew under another id, as clients do (KIP-360). It counts only where brokers may forget. To those who
// judge it is another producer then: a request under the old id may be on its way still, and brokers that know nothing of that
// id take it (decision 4).
const refusalsMax = 20

func (p *Producer) beginAnew(t *task.Task) {
	p.client.options.Hooks.Sometimes("producer-began-anew")
	p.refused, p.known, p.sequence = false, false, 0
	p.introduce()
	p.initialise(t)
}

// drop has the producer forget what has no answer.
func (p *Producer) drop() {
	for _, b := range p.queue {
		b.over = true
		b.changed.Raise()
	}
	p.queue = nil
	p.room.Raise()
}

// initialise gets a producer id.
func (p *Producer) initialise(t *task.Task) {
	c := p.client
	for !p.over {
		address := c.options.Brokers[c.below(uint64(len(c.options.Brokers)), streamBootstrap)]
		request := protocol.NewInitProducerIdRequest()
		request.TransactionalId = protocol.NullString{}
		request.TransactionTimeoutMs, request.ProducerId, request.ProducerEpoch = 60000, -1, -1
		reply, err := c.peer(address, true).Ask(request, 4, requestTimeout).Wait(t)
		c.options.Hooks.Operation()
		if err == nil {
			answer := reply.Message.(*protocol.InitProducerIdResponse)
			p.id, p.epoch = answer.ProducerId, answer.ProducerEpoch
			code := answer.ErrorCode
			reply.Release()
			if code == protocol.ErrNone {
				c.options.Hooks.Ledger.GiveID(p.id)
				return
			}
		}
		c.backOff(t)
	}
}

// make makes a batch and puts it at the end of the queue.
func (p *Producer) make(send *plan.Send) *batch {
	c := p.client
	b := &batch{changed: task.NewSignal(c.env.Loop), plan: send}
	builder := record.NewBuilder(make([]byte, 0, 512), 0, -1)
	if p.plan.Idempotent {
		builder.SetProducer(p.id, p.epoch, p.sequence)
	}
	now := c.options.Hooks.Wall()
	for i := range send.Records {
		v := c.options.Hooks.Ledger.Issue(p.number, now)
		value := make([]byte, ledger.ValueBytes+int(c.draw(send.Bytes, streamBatch, p.plan.ID, p.life, send.ID, i)))
		v.Encode(value)
		builder.Append(now, nil, value)
		b.values = append(b.values, v)
	}
	p.sequence = record.AddSequence(p.sequence, int32(send.Records))
	b.bytes = builder.Finish(0)
	if c.draw(4, streamAgain, p.plan.ID, p.life, send.ID) == 0 {
		b.again = 1 // a producer that is not idempotent gives up after so many retries
	}
	p.queue = append(p.queue, b)
	b.sent = c.options.Hooks.Witness.Send(b.values)
	return b
}

// send sends the batch on one of the two connections.
func (p *Producer) send(b *batch, address string, topicID protocol.UUID, second bool) {
	c := p.client
	request := protocol.NewProduceRequest()
	request.Acks, request.TimeoutMs = p.plan.Acks, int32(p.timeout.Milliseconds())
	data := protocol.TopicProduceData{PartitionData: []protocol.PartitionProduceData{{
		Index: p.plan.Partition.Index, Records: protocol.Records{Bytes: b.bytes},
	}}}
	if p.plan.Version >= 13 {
		data.TopicId = topicID
	} else {
		data.Name = p.plan.Partition.Topic
	}
	request.TopicData = []protocol.TopicProduceData{data}
	b.answers++
	c.options.Hooks.Ledger.Sent(p.plan.Partition, b.values, len(b.bytes))
	asked := c.env.Loop.Now()
	c.peer(address, second).Ask(request, p.plan.Version, requestTimeout).Then(func(reply *wire.Reply, err error) {
		c.options.Hooks.Operation()
		b.answers--
		b.last = outcome{address: address, err: err}
		if err == nil {
			row := &reply.Message.(*protocol.ProduceResponse).Responses[0].PartitionResponses[0]
			b.last.code, b.last.base, b.last.why = row.ErrorCode, row.BaseOffset, row.ErrorMessage.Value
			p.checkRefusal(row, c.env.Loop.Now().Sub(asked))
			reply.Release()
		}
		if err != nil || linearizability.OutcomeOf(int16(b.last.code)) == linearizability.Unknown {
			b.open = true
		}
		p.judge(b)
		b.changed.Raise()
	})
}

// checkRefusal looks at what was refused for want of room. A journal that only waits for partition logs holds producers back
// for as long as they have asked for; errors are for what does not go away by itself (decision 8), as a full disk.
func (p *Producer) checkRefusal(row *protocol.PartitionProduceResponse, after time.Duration) {
	hooks := &p.client.options.Hooks
	if row.ErrorCode == protocol.ErrKafkaStorageError && !hooks.Trouble && !hooks.Full && after < p.timeout {
		hooks.Violate("UnexpectedError", fmt.Sprintf("produce to %s: %v after %v of %v, on a sound disk: %s",
			p.plan.Partition, row.ErrorCode, after, p.timeout, row.ErrorMessage.Value))
	}
}

// judge looks at an answer.
func (p *Producer) judge(b *batch) {
	hooks := &p.client.options.Hooks
	o := b.last
	if o.err != nil {
		hooks.Sometimes("produce-no-answer")
		return
	}
	hooks.Answered("produce", o.code)
	switch o.code {
	case protocol.ErrNone:
		p.known = true
		if !b.over || p.plan.Idempotent {
			hooks.Ledger.Ack(b.values, o.base)
			hooks.Witness.Acked(b.sent, o.base)
		}
		if !b.over {
			hooks.Acked()
			p.end(b)
		}
	case protocol.ErrNotLeaderOrFollower, protocol.ErrRequestTimedOut, protocol.ErrUnknownTopicOrPartition,
		protocol.ErrUnknownTopicId, protocol.ErrNotEnoughReplicas, protocol.ErrOutOfOrderSequenceNumber,
		protocol.ErrKafkaStorageError: // there is no room for a while; nothing was appended
	default:
		hooks.Violate("UnexpectedError", fmt.Sprintf("produce to %s: %v", p.plan.Partition, o.code))
		p.end(b)
	}
}

// end takes the batch out of the queue.
func (p *Producer) end(b *batch) {
	b.over = true
	for len(p.queue) > 0 && p.queue[0].over {
		p.queue = p.queue[1:]
	}
	p.room.Raise()
}

// deliver sees to it that the batch is acknowledged, or given up if the producer is one that may.
func (p *Producer) deliver(t *task.Task, b *batch) {
	c := p.client
	if patience := b.plan.Again; patience > 0 {
		if !b.changed.Wait(t, c.env.Loop.Now().Add(patience)) && !b.over {
			p.resend(t, b, true)
		}
	}
	for attempt := 1; !b.over; attempt++ {
		for b.answers > 0 && !b.over {
			b.changed.Wait(t, task.Never)
		}
		if b.over {
			return
		}
		c.forget(p.plan.Partition, b.last.address)
		if b.last.code == protocol.ErrOutOfOrderSequenceNumber && c.options.Hooks.MayForget && attempt > refusalsMax {
			p.refused = true
			p.drop()
			return
		}
		if c.options.Hooks.Once && p.plan.Idempotent && !p.over {
			p.refused = true // the next sequence would leave a gap
			p.drop()
			return
		}
		if p.over || c.options.Hooks.Once || !p.plan.Idempotent && attempt > b.again {
			c.options.Hooks.Sometimes("batch-given-up")
			if !b.open {
				c.options.Hooks.Witness.Failed(b.sent)
			}
			p.end(b)
			return
		}
		c.backOff(t)
		p.resend(t, b, attempt%2 == 1)
	}
}

func (p *Producer) resend(t *task.Task, b *batch, second bool) {
	address, topicID := p.client.leader(t, p.plan.Partition)
	if b.over {
		return
	}
	p.client.options.Hooks.Sometimes("batch-sent-again")
	for _, v := range b.values {
		p.client.options.Hooks.Ledger.Retry(v)
	}
	p.send(b, address, topicID, second)
}

func joinAddress(host string, port int32) string {
	if strings.ContainsRune(host, ':') {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.Itoa(int(port))
}
