package replica_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"barnabas/core"
	"barnabas/core/api"
	"barnabas/core/config"
	"barnabas/core/env"
	"barnabas/core/metadata"
	"barnabas/core/protocol"
	"barnabas/core/record"
	"barnabas/core/replica"
	"barnabas/core/task"
	"barnabas/core/wire"
	"barnabas/sim/kernel"
	"barnabas/sim/simdisk"
	"barnabas/sim/simnet"
)

// cluster is brokers of a simulated world that hold one partition. Its metadata is written by the story.
type cluster struct {
	aloud   bool // what brokers say of partitions is heard
	kernel  *kernel.Kernel
	network *simnet.Network
	brokers []*broker
	client  *kernel.Node
	env     env.Env // of the client
	log     [][]byte
	image   metadata.Image
	topic   protocol.UUID
	sent    int      // produces so far, for their names
	heard   []string // what happened since the last command
	broken  string   // an invariant that did not hold
}

// broker is one machine and what runs on it.
type broker struct {
	cluster  *cluster
	id       int32
	node     *kernel.Node
	machine  *simdisk.Machine
	settings *config.Settings
	process  *core.Broker
	ready    bool
	starts   uint64
	learns   task.Instant  // when the newest metadata arrives
	highest  record.Offset // the high watermark last seen, in one process and epoch
	epoch    record.LeaderEpoch
}

const topicName = "t"

// newCluster starts count brokers that are all replicas, and in sync, of a partition without a leader.
func newCluster(count int, minISR string, topic map[string]string) *cluster {
	k := kernel.New(env.NewRandom(7, 7))
	c := &cluster{kernel: k, network: simnet.New(k), topic: protocol.UUID{1, 2, 3}}
	c.network.DialTimeout = 50 * time.Millisecond
	var all []int32
	for i := range count {
		b := &broker{cluster: c, id: int32(i + 1), node: c.node()}
		b.machine = simdisk.New(k, b.node, simdisk.Plain(simdisk.Ordered))
		b.settings = settings(map[string]string{
			"node.id": fmt.Sprint(b.id), "journal.segment.bytes": "65536", "message.max.bytes": "16384", "journal.commit.max.bytes": "16384",
			"journal.max.bytes": "2097152", "arena.max.bytes": "1048576", "arena.chunk.bytes": "65536",
			"replica.fetch.backoff.ms": "20", "replica.fetch.wait.max.ms": "500", "log.retention.check.interval.ms": "1000",
			"producer.id.expiration.ms": "60000", "producer.id.expiration.check.interval.ms": "1000",
		})
		c.brokers = append(c.brokers, b)
		all = append(all, b.id)
	}
	c.client = c.node()
	c.env = env.Env{Loop: c.client.Start(), Network: c.network.Endpoint(c.client), Probe: env.NoProbe{}}
	k.AfterStep = c.look
	partition := protocol.NewPartitionRecord()
	partition.TopicId, partition.PartitionId, partition.Leader, partition.LeaderEpoch = c.topic, 0, metadata.NoLeader, 0
	partition.PartitionEpoch, partition.Replicas, partition.Isr = 0, all, all
	c.append(
		protocol.Record{Message: &protocol.TopicRecord{Name: topicName, TopicId: c.topic}},
		protocol.Record{Message: partition},
		protocol.Record{Message: &protocol.ConfigRecord{
			ResourceType: metadata.ResourceTopic, ResourceName: topicName,
			Name: "min.insync.replicas", Value: protocol.String(minISR),
		}},
	)
	for _, name := range slices.Sorted(maps.Keys(topic)) {
		c.append(protocol.Record{Message: &protocol.ConfigRecord{
			ResourceType: metadata.ResourceTopic, ResourceName: topicName, Name: name, Value: protocol.String(topic[name]),
		}})
	}
	for _, b := range c.brokers {
		b.start()
	}
	return c
}

func settings(values map[string]string) *config.Settings {
	var pairs []config.Pair
	for name, value := range values {
		pairs = append(pairs, config.Pair{Name: name, Value: value})
	}
	s, _, err := config.Parse(pairs)
	if err != nil {
		panic(err)
	}
	return s
}

func (c *cluster) node() *kernel.Node {
	n := c.kernel.Add()
	n.EndOfStep = func() { c.network.Flush(n) }
	return n
}

func (c *cluster) pass(d time.Duration) { c.kernel.Run(c.kernel.Now().Add(d)) }

func (c *cluster) hear(format string, args ...any) {
	c.heard = append(c.heard, fmt.Sprintf(format, args...))
}

// append writes one batch of metadata, which every broker that is up learns at once.
func (c *cluster) append(records ...protocol.Record) {
	b := record.NewBuilder(nil, 0, 1)
	for _, r := range records {
		value, err := protocol.AppendRecord(nil, r)
		if err != nil {
			panic(err)
		}
		b.Append(0, nil, value)
	}
	batch := b.Finish(c.image.End)
	if err := c.image.ApplyBatch(batch); err != nil {
		panic(err)
	}
	c.log = append(c.log, batch)
	for _, b := range c.brokers {
		if b.ready {
			b.publish(batch)
		}
	}
}

func (c *cluster) partition() *metadata.Partition { return c.image.Partition(c.topic, 0) }

// change changes the partition's leader (-2: not) and its ISR (nil: not).
func (c *cluster) change(leader int32, isr []int32) {
	change := protocol.NewPartitionChangeRecord()
	change.TopicId, change.PartitionId, change.Leader, change.Isr = c.topic, 0, leader, isr
	c.append(protocol.Record{Message: change, Version: 1})
}

// start starts a process on the machine and registers it, which ends the leadership of the one before.
func (b *broker) start() {
	b.starts++
	b.node.Start()
	e := env.Env{
		Loop: b.node.Loop(), Clock: clock{b.node}, Disk: b.machine.Disk(b.node.Life()),
		Network: b.cluster.network.Endpoint(b.node), Work: b.node.Work(), Random: env.NewRandom(uint64(b.id), b.starts),
		Probe: probe{b}, Talk: talk{b},
	}
	b.process = core.Open(e, core.Options{
		Settings: b.settings, Listeners: []string{b.address()}, Folder: "data", ClusterID: "story", Remote: nobody{},
	})
	b.process.Ready().Then(func(_ core.Started, err error) {
		if err != nil {
			panic(err)
		}
		b.register()
	})
}

func (b *broker) register() {
	c := b.cluster
	if c.partition().Leader == b.id {
		c.change(metadata.NoLeader, nil)
	}
	r := protocol.NewRegisterBrokerRecord()
	r.BrokerId, r.IncarnationId, r.BrokerEpoch, r.Fenced = b.id, b.process.Incarnation(), int64(c.image.End), false
	r.EndPoints = []protocol.BrokerEndpoint{{Name: "PLAINTEXT", Host: c.network.HostOf(b.node), Port: 9092}}
	c.append(protocol.Record{Message: r, Version: 3})
	b.ready = true
	for _, batch := range c.log {
		b.publish(batch)
	}
}

func (b *broker) publish(batch []byte) {
	process := b.process
	b.learns = max(b.learns, b.cluster.kernel.Now()) + 1 // in order
	b.node.Deliver(b.learns, kernel.KindControl, false, 0, call(func() {
		if err := process.Publish(batch); err != nil {
			panic(err)
		}
	}))
}

// crash ends the process, and with power what the machine has not synced.
func (b *broker) crash(power bool) {
	if power {
		b.machine.PowerLost()
	} else {
		b.machine.ProcessDied()
	}
	b.cluster.network.ProcessDied(b.node)
	b.node.Kill()
	b.ready, b.process = false, nil
}

func (b *broker) address() string { return b.cluster.network.HostOf(b.node) + ":9092" }

func (b *broker) partition() *replica.Partition {
	if b.process == nil || b.process.Replicas() == nil {
		return nil
	}
	return b.process.Replicas().Find(b.cluster.topic, 0)
}

// look holds the ends of a replica against each other after every step of its broker.
func (c *cluster) look(n *kernel.Node) {
	if n == c.client {
		return
	}
	b := c.brokers[n.ID]
	p := b.partition()
	if p == nil {
		b.highest, b.epoch = 0, -1
		return
	}
	_, epoch := p.Leader()
	high := p.HighWatermark()
	switch l := p.Log; {
	case l.Start() > l.StableEnd(), l.StableEnd() > l.End(), high > l.StableEnd():
		c.broken = fmt.Sprintf("broker %d: start %d, high watermark %d, stable end %d, end %d",
			b.id, l.Start(), high, l.StableEnd(), l.End())
	case epoch == b.epoch && high < b.highest:
		c.broken = fmt.Sprintf("broker %d: the high watermark fell from %d to %d in epoch %d", b.id, b.highest, high, epoch)
	}
	b.highest, b.epoch = high, epoch
}

// ask sends a request over a connection of its own, so that no request waits for another.
func (c *cluster) ask(to int32, m protocol.Message, version int16, done func(protocol.Message, error)) {
	address := c.brokers[to-1].address()
	c.client.Deliver(c.kernel.Now(), kernel.KindControl, false, 0, call(func() {
		peer := wire.NewPeer(c.env, address, "story", 1<<20)
		peer.Ask(m, version, time.Minute).Then(func(r *wire.Reply, err error) {
			if err != nil {
				done(nil, err)
				return
			}
			done(r.Message, nil)
			r.Release()
			peer.Close()
		})
	}))
}

// probe hears of cuts: how many there were is part of some stories.
type probe struct{ b *broker }

func (p probe) Chance(env.Site) bool { return false }

func (p probe) Sometimes(m env.Mark) {
	if m == env.MarkFollowerTruncated {
		p.b.cluster.hear("%d cuts its log", p.b.id)
	}
}

type clock struct{ node *kernel.Node }

func (c clock) Wall() env.Timestamp { return env.Timestamp(c.node.Loop().Now() / 1e6) }

type talk struct{ b *broker }

func (t talk) Say(line string) {
	if strings.HasPrefix(line, "partitions ") && !t.b.cluster.aloud {
		return
	}
	t.b.cluster.hear("%d says: %s", t.b.id, strings.ReplaceAll(line, t.b.address(), "here"))
}

func (t talk) Fail(reason error) { t.b.cluster.hear("%d fails: %v", t.b.id, reason) }

type call func()

func (c call) Happen() { c() }

// nobody is a controller that is never asked: stories write the metadata.
type nobody struct{ api.Controller }

// values returns the records of batches, in order.
func values(batches []byte) (all []string) {
	for len(batches) > 0 {
		h, err := record.Check(batches)
		if err != nil {
			panic(err)
		}
		if err := record.Walk(batches[record.HeaderBytes:h.Length], h.Count, func(r *record.Record) error {
			all = append(all, string(r.Value))
			return nil
		}); err != nil {
			panic(err)
		}
		batches = batches[h.Length:]
	}
	return slices.Clip(all)
}

func (c *cluster) after(d time.Duration) task.Instant { return c.kernel.Now().Add(d) }
