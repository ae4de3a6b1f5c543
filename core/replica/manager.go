package replica

import (
	"strconv"
	"time"

	"barnabas/core/env"
	"barnabas/core/metadata"
	"barnabas/core/ordered"
	"barnabas/core/protocol"
	"barnabas/core/storage"
	"barnabas/core/task"
)

// Options bound replication; they are Kafka's settings of these names.
type Options struct {
	Self               int32
	FetchBytesMax      int           // replica.fetch.response.max.bytes
	PartitionBytesMax  int           // replica.fetch.max.bytes
	FetchWaitMax       time.Duration // replica.fetch.wait.max.ms
	FetchBackoff       time.Duration // replica.fetch.backoff.ms
	RequestTimeout     time.Duration
	AddressOf          func(broker int32) (string, bool)
	FrameBytesMax      int
	BrokerEpochOfImage func() int64
	// IsAlive says whether the broker is registered and not fenced.
	IsAlive func(broker int32) bool
	// MinISROf returns a topic's min.insync.replicas.
	MinISROf func(topic string) int
	// LogConfigOf returns the settings of a topic's logs.
	LogConfigOf        func(topic string) storage.LogConfig
	RulesOf            func(topic string) Rules // for produced batches
	RetentionInterval  time.Duration            // log.retention.check.interval.ms
	RetentionDelay     time.Duration            // log.initial.task.delay.ms
	ProducerExpiration func() time.Duration     // producer.id.expiration.ms
	ProducerInterval   time.Duration            // producer.id.expiration.check.interval.ms
}

// Key names a partition.
type Key struct {
	Topic     protocol.UUID
	Partition int32
}

// Manager holds the replicas of a broker and applies the image to them.
type Manager struct {
	env        env.Env
	options    Options
	self       int32
	directory  *storage.Directory
	partitions map[Key]*Partition
	byNumber   ordered.Map[storage.LogNumber, *Partition]
	fetchers   ordered.Map[int32, *fetcher]
	grown      []*Partition
	deleting   ordered.Map[storage.LogNumber, *Partition] // may have waits for their low watermark
	stopped    bool
	traffic    ordered.Map[string, *Traffic] // by topic and id
	news       news
}

// NewManager returns a manager for the directory's logs. It leads and follows nothing before Apply.
func NewManager(e env.Env, directory *storage.Directory, o Options) *Manager {
	m := &Manager{
		env: e, options: o, self: o.Self, directory: directory, partitions: make(map[Key]*Partition),
	}
	m.news.manager = m
	e.Loop.AtStepEnd(m.wakeGrown)
	m.keepHouse()
	return m
}

// Directory returns the log directory the replicas are in.
func (m *Manager) Directory() *storage.Directory { return m.directory }

// Find returns the replica here, or nil.
func (m *Manager) Find(topic protocol.UUID, partition int32) *Partition {
	return m.partitions[Key{topic, partition}]
}

// All walks the replicas here by the number of their logs.
func (m *Manager) All(yield func(*Partition) bool) {
	for _, p := range m.byNumber.All {
		if !yield(p) {
			return
		}
	}
}

// wakeGrown wakes the fetches of followers, once a step for all that was appended.
func (m *Manager) wakeGrown() {
	for i, p := range m.grown {
		p.grown = false
		m.grown[i] = nil
		p.appended.wakeFor(m.env.Probe, env.MarkFetchWokenByAppend)
	}
	m.grown = m.grown[:0]
}

// Apply makes the replicas of the topics what the image says: made, dropped, leading or following.
func (m *Manager) Apply(image *metadata.Image, topics []protocol.UUID) {
	for _, id := range topics {
		t := image.Topic(id)
		if t == nil {
			m.dropTopic(id)
			continue
		}
		minISR, config, rules := m.options.MinISROf(t.Name), m.options.LogConfigOf(t.Name), m.options.RulesOf(t.Name)
		for _, partition := range t.Partitions.All {
			m.applyPartition(partition, minISR, config, rules)
		}
	}
	m.brokersMayHaveChanged()
}

func (m *Manager) applyPartition(partition *metadata.Partition, minISR int, config storage.LogConfig, rules Rules) {
	key := Key{partition.TopicID, partition.ID}
	p := m.partitions[key]
	if !contains(partition.Replicas, m.self) {
		if p != nil {
			m.drop(p)
		}
		return
	}
	if p == nil {
		p = m.open(key, partition.Topic)
	}
	p.Log.Configure(config)
	p.Rules = rules
	p.apply(partition, minISR)
}

// open finds or makes the partition's log.
func (m *Manager) open(key Key, topic string) *Partition {
	log := m.directory.Find(key.Topic, key.Partition)
	if log == nil {
		log = m.directory.Create(key.Topic, key.Partition, topic+"-"+strconv.Itoa(int(key.Partition)))
	}
	p := &Partition{
		Topic: topic, ID: key.Partition, Log: log, manager: m, traffic: m.trafficOf(topic, key.Topic), leader: metadata.NoLeader, epoch: -1, highWater: log.Start(),
	}
	log.OnStable(p.onStable)
	m.partitions[key] = p
	m.byNumber.Set(log.Number, p)
	return p
}

func (m *Manager) dropTopic(id protocol.UUID) {
	var gone []*Partition
	for _, p := range m.byNumber.All {
		if p.Log.TopicID == id {
			gone = append(gone, p)
		}
	}
	for _, p := range gone {
		m.drop(p)
		m.dropTraffic(p.Topic, id)
	}
}

func (m *Manager) drop(p *Partition) {
	delete(m.partitions, Key{p.Log.TopicID, p.ID})
	m.byNumber.Delete(p.Log.Number)
	p.role = roleNone
	if p.byStable.isParked() || p.byHW.isParked() {
		m.env.Probe.Sometimes(env.MarkProduceLostTopic)
	}
	p.byStable.fail(protocol.ErrNotLeaderOrFollower)
	p.byHW.fail(protocol.ErrNotLeaderOrFollower)
	p.byLow.fail(protocol.ErrUnknownTopicOrPartition)
	m.deleting.Delete(p.Log.Number)
	m.directory.Drop(p.Log)
	p.visible.wakeFor(m.env.Probe, env.MarkFetchWokenByDeletion)
	p.appended.wake()
}

// DropStrays drops logs of topics that the image does not know. Requires: the image holds everything that was committed
// when this broker started.
func (m *Manager) DropStrays(image *metadata.Image) {
	var strays []*storage.Log
	for _, l := range m.directory.Logs().All {
		if l.TopicID != protocol.MetadataTopicID() && image.Partition(l.TopicID, l.Partition) == nil {
			strays = append(strays, l)
		}
	}
	for _, l := range strays {
		m.directory.Drop(l)
	}
}

// Fail answers everything that waits: the log directory is offline.
func (m *Manager) Fail() {
	m.Stop()
	for _, p := range m.byNumber.All {
		p.byStable.fail(protocol.ErrKafkaStorageError)
		p.byHW.fail(protocol.ErrKafkaStorageError)
		p.byLow.fail(protocol.ErrKafkaStorageError)
	}
}

func contains(list []int32, id int32) bool {
	for _, x := range list {
		if x == id {
			return true
		}
	}
	return false
}

// after returns the instant d from now.
func (m *Manager) after(d time.Duration) task.Instant { return m.env.Loop.Now().Add(d) }
