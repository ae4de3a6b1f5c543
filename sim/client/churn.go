package client

import (
	"fmt"
	"strconv"

	"barnabas/core/protocol"
	"barnabas/core/task"
	"barnabas/core/wire"
	"barnabas/linearizability"
	"barnabas/sim/ledger"
	"barnabas/sim/plan"
)

// ChurnPlan is a topic of one partition that an administrator makes, has used, deletes, and makes again under its name.
type ChurnPlan struct {
	plan.Churn
	Retention ledger.Retention
	Lasting   bool         // an acknowledgement is for good
	StopAt    task.Instant // the topic that is there then stays
}

// Churn is one running churn.
type Churn struct {
	client   *Client
	plan     ChurnPlan
	life     int
	stopped  bool
	producer *Producer
	consumer *Consumer

	administrator uint32 // as which the witness knows it
	open          bool   // some request since the last beginning may have had an effect that was not told
}

func (c *Client) startChurn(plan ChurnPlan) *Churn {
	churn := &Churn{client: c, plan: plan, administrator: c.options.Hooks.Witness.AddClient()}
	c.env.Loop.Go("churn", churn.run)
	return churn
}

// Settled says whether no topic is being made or deleted any more.
func (c *Churn) Settled() bool { return c.stopped }

// Pending describes what is under way.
func (c *Churn) Pending() string {
	return fmt.Sprintf("topic %s in its life %d is still being made or deleted", c.plan.Topic, c.life)
}

func (c *Churn) run(t *task.Task) {
	book := c.client.options.Hooks.Ledger
	for {
		c.life++
		part := ledger.Partition{Topic: c.plan.Topic, Life: c.life}
		id := c.create(t)
		book.Made(part, id)
		book.Retains(part, c.plan.Retention)
		if c.plan.Retention != ledger.Forever {
			c.client.options.Hooks.Witness.Expires(part)
		}
		c.client.lives[part] = id
		c.client.options.Hooks.Made()
		if c.plan.Idle > 0 {
			t.Sleep(c.client.env.Loop.Now().Add(c.plan.Idle))
		}
		c.use(part)
		if c.life > len(c.plan.Deletes) || max(c.client.env.Loop.Now(), task.Instant(0).Add(c.plan.Deletes[c.life-1])) >= c.plan.StopAt {
			c.stopped = true
			return
		}
		t.Sleep(task.Instant(0).Add(c.plan.Deletes[c.life-1]))
		c.producer.Abandon()
		c.consumer.Abandon()
		book.Gone(part)
		c.delete(t, id)
	}
}

// use starts a producer and a consumer of the topic. Requests name it by its id: by its name they might reach another one.
func (c *Churn) use(part ledger.Partition) {
	producer := ProducerPlan{Producer: c.plan.Producer, Partition: part, Lasting: c.plan.Lasting, StopAt: c.plan.StopAt}
	producer.Version = 13
	for len(producer.Sends) > 0 && task.Instant(0).Add(producer.Sends[0].At) < c.client.env.Loop.Now() {
		producer.Sends = producer.Sends[1:] // they were for the topic before
	}
	c.producer = c.client.startProducer(producer, uint64(c.life))
	c.consumer = c.client.startConsumer(ConsumerPlan{Consumer: c.plan.Consumer, Partition: part, StopAt: c.plan.StopAt})
	c.client.Producers = append(c.client.Producers, c.producer)
	c.client.Consumers = append(c.client.Consumers, c.consumer)
}

// begin begins to make or delete the topic.
func (c *Churn) begin() task.Instant {
	c.open = false
	return c.client.env.Loop.Now()
}

// conflict is the outcome when a topic is there already, or not any more: that of an earlier request whose answer was lost, if
// there is one.
func (c *Churn) conflict() linearizability.Outcome {
	if c.open {
		return linearizability.OK
	}
	return linearizability.Conflict
}

// ask asks the one broker until it answers.
func (c *Churn) ask(t *task.Task, request protocol.Message, version int16) *wire.Reply {
	for {
		reply, err := c.client.peer(c.client.options.Brokers[0], true).Ask(request, version, requestTimeout).Wait(t)
		c.client.options.Hooks.Operation()
		if err == nil {
			return reply
		}
		c.open = true
		c.client.backOff(t)
	}
}

// changed notes what came of making or deleting the topic.
func (c *Churn) changed(kind linearizability.Kind, call task.Instant, id protocol.UUID, outcome linearizability.Outcome) {
	c.client.options.Hooks.Witness.Changed(kind, c.administrator, call, c.plan.Topic, id, outcome)
}

// create makes the topic and returns its id. Nobody else makes one of that name, so one that is there already is the
// outcome of a request whose answer was lost.
func (c *Churn) create(t *task.Task) protocol.UUID {
	topic := protocol.NewCreatableTopic()
	topic.Name, topic.NumPartitions, topic.ReplicationFactor = c.plan.Topic, 1, 1
	for _, s := range c.plan.Settings {
		topic.Configs = append(topic.Configs, protocol.CreatableTopicConfig{Name: s.Name, Value: protocol.String(s.Value)})
	}
	request := protocol.NewCreateTopicsRequest()
	request.Topics, request.TimeoutMs = []protocol.CreatableTopic{topic}, 1000
	call := c.begin()
	for {
		reply := c.ask(t, request, 7)
		row := reply.Message.(*protocol.CreateTopicsResponse).Topics[0]
		reply.Release()
		c.client.options.Hooks.Answered("create-topic", row.ErrorCode)
		switch row.ErrorCode {
		case protocol.ErrNone:
			c.changed(linearizability.Create, call, row.TopicId, linearizability.OK)
			return row.TopicId
		case protocol.ErrTopicAlreadyExists:
			outcome := c.conflict()
			if id, ok := c.lookUp(t); ok {
				c.changed(linearizability.Create, call, id, outcome)
				return id
			}
		case protocol.ErrKafkaStorageError, protocol.ErrRequestTimedOut:
			c.open = true
		default:
			c.client.options.Hooks.Violate("UnexpectedError", fmt.Sprintf("create topic %s: %v", c.plan.Topic, row.ErrorCode))
		}
		c.client.backOff(t)
	}
}

// lookUp returns the id of the topic of that name.
func (c *Churn) lookUp(t *task.Task) (protocol.UUID, bool) {
	request := protocol.NewMetadataRequest()
	request.Topics = []protocol.MetadataRequestTopic{{Name: protocol.String(c.plan.Topic)}}
	reply := c.ask(t, request, 12)
	defer reply.Release()
	topics := reply.Message.(*protocol.MetadataResponse).Topics
	if len(topics) != 1 || topics[0].ErrorCode != protocol.ErrNone {
		return protocol.UUID{}, false
	}
	return topics[0].TopicId, true
}

// delete deletes the topic by its id, and sees to it that it is served no more.
func (c *Churn) delete(t *task.Task, id protocol.UUID) {
	request := protocol.NewDeleteTopicsRequest()
	row := protocol.NewDeleteTopicState()
	row.TopicId = id
	request.Topics, request.TimeoutMs = []protocol.DeleteTopicState{row}, 1000
	call := c.begin()
	for {
		reply := c.ask(t, request, 6)
		code := reply.Message.(*protocol.DeleteTopicsResponse).Responses[0].ErrorCode
		reply.Release()
		c.client.options.Hooks.Answered("delete-topic", code)
		switch code {
		case protocol.ErrNone, protocol.ErrUnknownTopicId:
			outcome := linearizability.OK
			if code == protocol.ErrUnknownTopicId {
				outcome = c.conflict()
			}
			c.changed(linearizability.Delete, call, id, outcome)
			c.client.options.Hooks.Changed("C2")
			c.judgeGone(t, id)
			return
		case protocol.ErrKafkaStorageError, protocol.ErrRequestTimedOut:
			c.open = true
		default:
			c.client.options.Hooks.Violate("UnexpectedError", fmt.Sprintf("delete topic %s: %v", c.plan.Topic, code))
		}
		c.client.backOff(t)
	}
}

// judgeGone reads from the topic that was deleted: it must be unknown.
func (c *Churn) judgeGone(t *task.Task, id protocol.UUID) {
	reply := c.ask(t, c.consumer.request(id, 13), 13)
	defer reply.Release()
	answer := reply.Message.(*protocol.FetchResponse)
	if answer.ErrorCode != protocol.ErrNone || len(answer.Responses) != 1 || len(answer.Responses[0].Partitions) != 1 {
		return
	}
	if code := answer.Responses[0].Partitions[0].ErrorCode; code != protocol.ErrUnknownTopicId {
		c.client.options.Hooks.Violate("DeletedTopicServes", "topic "+c.plan.Topic+", life "+strconv.Itoa(c.life)+
			": a fetch after its deletion was confirmed answers "+fmt.Sprint(code))
	}
}
