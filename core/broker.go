// Package core is the broker: it opens, wires and runs everything below it.
//
// A Broker is one process's worth of state on one loop. Its start is a story: listen, open the log directory and recover,
// run the metadata quorum and replay its log, register with the controller, and only then lead. Everything it knows of the
// outside comes through env, so the same code runs on a machine and in the simulator.
package core

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"barnabas/core/api"
	"barnabas/core/config"
	"barnabas/core/controller"
	"barnabas/core/env"
	"barnabas/core/metadata"
	"barnabas/core/protocol"
	"barnabas/core/quorum"
	"barnabas/core/replica"
	"barnabas/core/storage"
	"barnabas/core/task"
	"barnabas/core/wire"
)

// Broker is one running broker.
type Broker struct {
	env     env.Env
	options Options
	self    int32

	listeners   []env.Listener
	server      *wire.Server
	handlers    *api.Handlers
	directory   *storage.Directory
	replicas    *replica.Manager
	controller  *controller.Controller
	quorum      *quorum.Quorum
	image       metadata.Image   // what is committed
	settings    *config.Settings // those it was started with, and on top what the image says
	live        bool             // registered: leadership is applied (rule S6)
	incarnation protocol.UUID
	ready       *task.Pending[Started]
	served      bool // produce is accepted
	failure     error
	stopped     *task.Pending[task.Done] // nil before Stop
}

// Started says what came up.
type Started struct {
	Addresses  []string // that are listened on
	Recovery   string   // what the log directory's recovery found, in a line
	Durability string
	ClusterID  string
}

// Open starts a broker on the loop. It returns at once; Ready tells how it went.
func Open(e env.Env, o Options) *Broker {
	b := &Broker{
		env: e, options: o, settings: o.Settings, self: int32(o.Settings.Int("node.id")), ready: task.NewPending[Started](e.Loop),
		incarnation: e.Random.UUID(env.StreamIncarnationID),
	}
	e.Loop.Go("start", func(t *task.Task) {
		started, err := b.start(t)
		b.ready.Complete(started, err)
	})
	return b
}

// Ready completes when produce would be accepted, or with why the broker could not start.
func (b *Broker) Ready() *task.Pending[Started] { return b.ready }

// Image returns the committed metadata this broker knows. It must not be changed.
func (b *Broker) Image() *metadata.Image { return &b.image }

// Replicas returns the broker's replicas; nil before its log directory is open.
func (b *Broker) Replicas() *replica.Manager { return b.replicas }

// Directory returns the broker's log directory; nil before it is open.
func (b *Broker) Directory() *storage.Directory { return b.directory }

// Failure returns why the broker stopped serving, or nil.
func (b *Broker) Failure() error { return b.failure }

func (b *Broker) start(t *task.Task) (Started, error) {
	b.server = wire.NewServer(b.env, wire.Limits{
		IdleMax:        b.options.Settings.Duration("connections.max.idle.ms"),
		UnsentBytesMax: b.options.Settings.Long("queued.max.response.bytes"),
	}, func(r *wire.Request) { b.handlers.Handle(r) })
	if err := b.listen(t); err != nil {
		return Started{}, err
	}
	var err error
	if b.directory, err = storage.Open(t, b.env, StorageOptions(b.options)); err != nil {
		return Started{}, err
	}
	b.directory.OnFailure(b.fail)
	b.replicas = replica.NewManager(b.env, b.directory, b.replicaOptions())
	remote := b.options.Remote
	if remote == nil {
		if err := b.lead(t); err != nil {
			return Started{}, err
		}
		remote = local{b}
	}
	b.handlers = api.NewHandlers(b.env, b.apiOptions(), b.Image, b.replicas, remote)
	b.server.Serve()
	b.served = true
	return b.started(), nil
}

func (b *Broker) listen(t *task.Task) error {
	options := env.ConnOptions{
		FrameBytesMax: b.options.Settings.Int("socket.request.max.bytes"), FramesHeldMax: 64,
		Inspect: wire.NewInspect(b.env.Work, b.options.Settings.Long("decompressed.max.bytes")),
	}
	for _, address := range b.options.Listeners {
		l, err := b.env.Network.Listen(address, options, b.server.Accept).Wait(t)
		if err != nil {
			return err
		}
		b.listeners = append(b.listeners, l)
	}
	return nil
}

func (b *Broker) started() Started {
	s := Started{Durability: durability(b.options.Settings).String(), ClusterID: b.directory.Identity.ClusterID}
	for _, l := range b.listeners {
		s.Addresses = append(s.Addresses, l.Address())
	}
	r := b.directory.Recovered
	switch {
	case r.Fresh:
		s.Recovery = "new log directory"
	case r.Clean:
		s.Recovery = fmt.Sprintf("after a clean stop: %d commits redone", r.Commits)
	default:
		s.Recovery = fmt.Sprintf("after a crash: %d commits redone, unfinished tail dropped: %t", r.Commits, r.TornTail)
	}
	return s
}

// lead runs the metadata quorum of one, and registers this broker with the controller beside it.
func (b *Broker) lead(t *task.Task) error {
	b.controller = controller.New(b.env.Random, controller.Options{
		NumPartitions:     int32(b.options.Settings.Int("num.partitions")),
		ReplicationFactor: int16(b.options.Settings.Int("default.replication.factor")),
		ValidateConfig:    b.options.Settings.ValidateTopicConfig,
		Settings:          b.options.Settings,
	})
	var err error
	if b.quorum, err = quorum.Open(t, b.env, b.directory, b.self, machine{b}); err != nil {
		return err
	}
	if kept := b.image.Kept.String(); kept != "" {
		b.env.Talk.Say("the metadata say more than this version acts on; it is kept, and has no effect here: " + kept)
	}
	if err := b.commit(t, b.controller.Bootstrap()); err != nil {
		return err
	}
	registration := controller.Registration{
		ID: b.self, Incarnation: b.incarnation,
		LogDirs: []protocol.UUID{b.directory.Identity.Directory},
	}
	for i, l := range b.listeners {
		host, port := splitAddress(l.Address())
		if told, set := b.advertisedOf(i); set {
			host, port = splitAddress(told)
		}
		registration.EndPoints = append(registration.EndPoints, protocol.BrokerEndpoint{
			Name: "PLAINTEXT", Host: host, Port: uint16(port),
		})
	}
	records, epoch := b.controller.Register(registration, b.quorum.End())
	if err := b.commit(t, records); err != nil {
		return err
	}
	// The registration is confirmed and replayed: from here on leadership counts (rule S6).
	b.directory.SetBrokerEpoch(epoch)
	b.replicas.DropStrays(&b.image)
	b.live = true
	b.applyImage()
	return b.commit(t, b.controller.Unfence(b.self))
}

// batchRecordsMax is how many records of a start go into one batch: there is one for every partition, and a batch must fit
// into the journal.
const batchRecordsMax = 500

// commit appends records and waits until they are committed.
func (b *Broker) commit(t *task.Task, records []protocol.Record) error {
	for batch := range slices.Chunk(records, batchRecordsMax) {
		committed := task.NewPending[task.Done](b.env.Loop)
		b.quorum.Append(batch, func(err error) { committed.Complete(task.Done{}, err) })
		if _, err := committed.Wait(t); err != nil {
			return err
		}
	}
	return nil
}

// machine is the broker as the metadata log sees it: the controller learns what is appended, the image what is committed.
type machine struct{ b *Broker }

func (m machine) Restored(s quorum.Snapshot) error {
	if err := m.b.controller.Restore(s.Batches, s.End); err != nil {
		return err
	}
	return m.b.image.Restore(s.Batches, s.End)
}

func (m machine) Appended(batch []byte) error  { return m.b.controller.Replay(batch) }
func (m machine) Committed(batch []byte) error { return m.b.Publish(batch) }

// Publish applies a committed batch of the metadata log to the image and, once this broker is registered, to its replicas.
func (b *Broker) Publish(batch []byte) error {
	if err := b.image.ApplyBatch(batch); err != nil {
		return err
	}
	if !b.live && b.options.Remote != nil {
		registered, ok := b.image.Brokers.Get(b.self)
		b.live = ok && registered.Incarnation == b.incarnation && b.replicas != nil
	}
	if b.live {
		b.applyImage()
	}
	return nil
}

// Incarnation returns the id of this process, under which it registers.
func (b *Broker) Incarnation() protocol.UUID { return b.incarnation }

// applyImage makes the replicas what the image says. What it says of brokers' settings is of consequence to all topics.
func (b *Broker) applyImage() {
	changed := b.image.TakeChanged()
	if b.image.TakeBrokersChanged() {
		self := strconv.Itoa(int(b.self))
		b.settings = b.options.Settings.With(
			func(name string) (string, bool) { return b.image.BrokerSetting(self, name) },
			func(name string) (string, bool) { return b.image.BrokerSetting("", name) },
		)
		if b.options.OnSettings != nil {
			b.options.OnSettings(b.settings)
		}
		for _, t := range b.image.Topics.All {
			if !slices.Contains(changed, t.ID) {
				changed = append(changed, t.ID)
			}
		}
	}
	b.replicas.Apply(&b.image, changed)
}

// settingsOf returns the settings in force of a topic.
func (b *Broker) settingsOf(topic string) config.TopicSettings {
	return b.settings.OfTopic(func(name string) (string, bool) { return b.image.Setting(topic, name) })
}

// fail takes the broker out of service: its only log directory is offline (rules S5, S14).
func (b *Broker) fail(err error) {
	b.failure = err
	if b.replicas != nil {
		b.replicas.Fail()
	}
	if b.quorum != nil {
		b.quorum.Fail(err)
	}
	b.env.Talk.Fail(fmt.Errorf("the log directory %s is offline: %w", b.options.Folder, err))
}

// Stop ends the broker cleanly: no more connections, and everything appended is durable.
// Who asks again is told when the first stop has ended.
func (b *Broker) Stop() *task.Pending[task.Done] {
	done := task.NewPending[task.Done](b.env.Loop)
	if b.stopped != nil {
		b.stopped.Then(done.Complete)
		return done
	}
	b.stopped = done
	b.env.Loop.Go("stop", func(t *task.Task) {
		for _, l := range b.listeners {
			l.Close()
		}
		var err error
		if b.replicas != nil {
			b.replicas.Stop()
		}
		if b.directory != nil {
			err = b.directory.Close(t)
		}
		done.Complete(task.Done{}, err)
	})
	return done
}

func (b *Broker) replicaOptions() replica.Options {
	s := b.options.Settings
	return replica.Options{
		Self: b.self, FetchBytesMax: 10 << 20,
		PartitionBytesMax: s.Int("replica.fetch.max.bytes"), FetchWaitMax: s.Duration("replica.fetch.wait.max.ms"),
		FetchBackoff: s.Duration("replica.fetch.backoff.ms"), RequestTimeout: s.Duration("replica.fetch.wait.max.ms") + fetchPatience,
		FrameBytesMax: s.Int("socket.request.max.bytes"),
		AddressOf: func(id int32) (string, bool) {
			broker, ok := b.image.Brokers.Get(id)
			if !ok || len(broker.EndPoints) == 0 {
				return "", false
			}
			return joinAddress(broker.EndPoints[0].Host, int32(broker.EndPoints[0].Port)), true
		},
		IsAlive: func(id int32) bool {
			broker, ok := b.image.Brokers.Get(id)
			return ok && !broker.Fenced
		},
		MinISROf:          func(topic string) int { return b.settingsOf(topic).Int("min.insync.replicas") },
		LogConfigOf:       func(topic string) storage.LogConfig { return logConfig(b.settingsOf(topic)) },
		RulesOf:           func(topic string) replica.Rules { return rulesOf(b.settingsOf(topic)) },
		RetentionInterval: s.Duration("log.retention.check.interval.ms"), RetentionDelay: s.Duration("log.initial.task.delay.ms"),
		ProducerExpiration: func() time.Duration { return b.settings.Duration("producer.id.expiration.ms") },
		ProducerInterval:   s.Duration("producer.id.expiration.check.interval.ms"),
	}
}

func (b *Broker) apiOptions() api.Options {
	s := b.options.Settings
	return api.Options{
		Self: b.self, ClusterID: b.directory.Identity.ClusterID, AutoCreateTopics: s.Bool("auto.create.topics.enable"),
		NumPartitions: int32(s.Int("num.partitions")), ReplicationFactor: int16(s.Int("default.replication.factor")),
		FetchSessionsMax: s.Int("max.incremental.fetch.session.cache.slots"),
		FetchBytesMax:    s.Int("fetch.max.bytes"), OpenedBytesMax: s.Long("decompressed.max.bytes"), Advertised: b.advertised,
		Settings: func() *config.Settings { return b.settings }, Promise: promise(durability(s), b.env.Disk.Describe()),
	}
}

// Hash feeds the broker's state to add, in a fixed order: two runs of one seed end in the same state.
func (b *Broker) Hash(add func(uint64)) {
	add(uint64(b.image.End))
	if b.directory != nil {
		b.directory.Hash(add)
	}
	if b.replicas == nil {
		return
	}
	for p := range b.replicas.All {
		leader, epoch := p.Leader()
		add(uint64(leader)<<32 | uint64(uint32(epoch)))
		add(uint64(p.HighWatermark()))
	}
}
