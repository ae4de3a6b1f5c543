// Package client is the simulator's Kafka client: deterministic, impatient, and speaking real frames.
//
// A Client is a process of the simulated world with a loop of its own. Its producers keep up to five batches in flight on
// one connection and retry on a second one, sometimes before the first has answered; its consumers poll for as long as
// they were told. What happens is told to the ledger, which judges.
//
// What it does not do: it is no library for users. It never gives up an idempotent batch, so that liveness can be judged.
package client

import (
	"maps"
	"time"

	"barnabas/core/env"
	"barnabas/core/protocol"
	"barnabas/core/task"
	"barnabas/core/wire"
	"barnabas/sim/kernel"
	"barnabas/sim/ledger"
	"barnabas/sim/witness"
)

// The streams of the client's draws.
const (
	streamBootstrap env.Stream = kernel.StreamWorkload + iota
	streamAgain
	streamBatch
	streamBackOff
	_
	_
	streamReread
	streamLookUp
	streamDelete
	streamWander
)

// Hooks are how the client tells of what it does.
type Hooks struct {
	Ledger    *ledger.Ledger
	Witness   *witness.Witness
	Violate   func(invariant, detail string) // what a client can see for itself
	Operation func()                         // a request ended, well or badly
	Acked     func()                         // a batch was acknowledged
	Changed   func(kind string)              // an administrator's change took effect
	Made      func()                         // a topic was made
	Once      bool                           // nothing is sent twice: a batch without an answer is given up
	Sometimes func(mark string)              // something worth reaching happened
	Answered  func(request string, code protocol.Error)
	Wall      func() int64 // the client's own clock, in milliseconds
	Forgetful bool         // brokers may forget idempotent producers within a run
	MayForget bool         // … or lose what they remembered of them: with the records, or behind a log start that moved
	Full      bool         // disks may be full for a while
	Trouble   bool         // disks may fail, so that brokers give up for a while
	Damaged   func() bool  // stored records may rightly be refused
}

// Options are one client's plan.
type Options struct {
	ID           uint64
	Brokers      []string // addresses
	Random       env.Random
	Producers    []ProducerPlan
	Consumers    []ConsumerPlan
	Churns       []ChurnPlan
	Deletions    []DeletionPlan
	FetchVersion int16
	Lives        map[ledger.Partition]protocol.UUID // ids of topics that come and go
	Hooks        Hooks
}

// Client is one running client.
type Client struct {
	Producers []*Producer
	Consumers []*Consumer
	Churns    []*Churn

	env     env.Env
	options Options
	peers   map[string]*[2]*wire.Peer
	topics  map[string]*topic
	lives   map[ledger.Partition]protocol.UUID // ids of topics that were made here, and may be deleted
	drawnAt task.Instant                       // when the last draw was made, and how many there were in that moment
	draws   uint64
}

// topic is what the client knows of a topic.
type topic struct {
	id      protocol.UUID
	leaders map[int32]string // addresses; missing: not known
}

// requestTimeout is how long a client waits for an answer beyond what it asked the broker to wait.
const requestTimeout = 4 * time.Second

const frameBytesMax = 64 << 20

// Start starts the client's tasks on the loop of e.
func Start(e env.Env, o Options) *Client {
	c := &Client{
		env: e, options: o, peers: make(map[string]*[2]*wire.Peer), topics: make(map[string]*topic),
		lives: make(map[ledger.Partition]protocol.UUID),
	}
	maps.Copy(c.lives, o.Lives)
	for _, plan := range o.Producers {
		c.Producers = append(c.Producers, c.startProducer(plan, plan.ID))
	}
	for _, plan := range o.Consumers {
		c.Consumers = append(c.Consumers, c.startConsumer(plan))
	}
	for _, plan := range o.Churns {
		c.Churns = append(c.Churns, c.startChurn(plan))
	}
	for _, plan := range o.Deletions {
		c.startDeletion(plan)
	}
	return c
}

// peer returns one of the two connections to a broker.
func (c *Client) peer(address string, second bool) *wire.Peer {
	pair, ok := c.peers[address]
	if !ok {
		pair = &[2]*wire.Peer{}
		for i := range pair {
			pair[i] = wire.NewPeer(c.env, address, "sim", frameBytesMax)
		}
		c.peers[address] = pair
	}
	if second {
		return pair[1]
	}
	return pair[0]
}

// below draws a number below n. Its keys are the moment and how many draws it had before, so that what is gone from the
// plan leaves the draws of later moments as they were.
func (c *Client) below(n uint64, stream env.Stream) uint64 {
	if now := c.env.Loop.Now(); now != c.drawnAt {
		c.drawnAt, c.draws = now, 0
	}
	c.draws++
	return c.options.Random.Below(n, stream, c.options.ID, uint64(c.drawnAt), c.draws)
}

// draw draws a number below n for something that has its own count of draws, so that it changes no other draw.
func (c *Client) draw(n uint64, stream env.Stream, keys ...uint64) uint64 {
	return c.options.Random.Below(n, stream, append([]uint64{c.options.ID}, keys...)...)
}

// backOff waits a drawn while before trying again.
func (c *Client) backOff(t *task.Task) {
	t.Sleep(c.env.Loop.Now().Add(time.Duration(10+c.below(90, streamBackOff)) * time.Millisecond))
}

// leader returns the address of the partition's leader and the topic's id, asking brokers until one knows.
func (c *Client) leader(t *task.Task, p ledger.Partition) (string, protocol.UUID) {
	if id, ok := c.lives[p]; ok {
		return c.options.Brokers[0], id // topics come and go in worlds with one broker only
	}
	for {
		if known := c.topics[p.Topic]; known != nil {
			if address, ok := known.leaders[p.Index]; ok {
				return address, known.id
			}
		}
		c.refresh(t, p.Topic)
		if known := c.topics[p.Topic]; known == nil || known.leaders[p.Index] == "" {
			c.backOff(t)
		}
	}
}

// forget drops what is known of the partition's leader: it turned out to be wrong, or unreachable.
func (c *Client) forget(p ledger.Partition, address string) {
	if known := c.topics[p.Topic]; known != nil && known.leaders[p.Index] == address {
		delete(known.leaders, p.Index)
	}
}

// refresh asks a drawn broker for the topic's metadata; the topic is made if it is not there.
func (c *Client) refresh(t *task.Task, name string) {
	address := c.options.Brokers[c.below(uint64(len(c.options.Brokers)), streamBootstrap)]
	request := protocol.NewMetadataRequest()
	request.Topics = []protocol.MetadataRequestTopic{{Name: protocol.String(name)}}
	request.AllowAutoTopicCreation = true
	reply, err := c.peer(address, true).Ask(request, 12, requestTimeout).Wait(t)
	c.options.Hooks.Operation()
	if err != nil {
		return
	}
	defer reply.Release()
	answer := reply.Message.(*protocol.MetadataResponse)
	addresses := make(map[int32]string)
	for _, b := range answer.Brokers {
		addresses[b.NodeId] = joinAddress(b.Host, b.Port)
	}
	for i := range answer.Topics {
		row := &answer.Topics[i]
		if row.ErrorCode != protocol.ErrNone || row.Name.Value != name {
			continue
		}
		known := &topic{id: row.TopicId, leaders: make(map[int32]string)}
		for _, p := range row.Partitions {
			if address, ok := addresses[p.LeaderId]; ok {
				known.leaders[p.PartitionIndex] = address
			}
		}
		c.topics[name] = known
	}
}
