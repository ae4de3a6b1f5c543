package api_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"barnabas/core"
	"barnabas/core/api"
	"barnabas/core/config"
	"barnabas/core/env"
	"barnabas/core/metadata"
	"barnabas/core/protocol"
	"barnabas/core/record"
	"barnabas/core/task"
	"barnabas/core/wire"
	"barnabas/sim/kernel"
	"barnabas/sim/simdisk"
	"barnabas/sim/simnet"
)

// rig is a broker and a client of a simulated world.
type rig struct {
	t        *testing.T
	kernel   *kernel.Kernel
	net      *simnet.Network
	node     *kernel.Node
	machine  *simdisk.Machine
	settings *config.Settings
	remote   api.Controller
	process  *core.Broker
	starts   uint64
	drawn    byte // secrets so far
	client   env.Env
	asker    *kernel.Node
	end      record.Offset // of the scripted metadata
	wrap     func(*rig, env.Disk) env.Disk
	said     []string
	offline  bool // the log directory may go offline
}

// newRig starts a broker with a controller of its own, unless the metadata is scripted.
func newRig(t *testing.T, remote api.Controller, given ...string) *rig {
	t.Helper()
	r := &rig{remote: remote, wrap: func(_ *rig, d env.Disk) env.Disk { return d }}
	r.open(t, given)
	return r
}

// open builds the world, with a disk that wrap makes of the simulated one, and starts the broker.
func (r *rig) open(t *testing.T, given []string) {
	t.Helper()
	k := kernel.New(env.NewRandom(11, 12))
	r.t, r.kernel, r.net = t, k, simnet.New(k)
	r.node, r.asker = r.addNode(), r.addNode()
	r.machine = simdisk.New(k, r.node, simdisk.Plain(simdisk.Ordered))
	pairs := []config.Pair{
		{Name: "journal.segment.bytes", Value: "65536"},
		{Name: "message.max.bytes", Value: "16384"},
		{Name: "journal.commit.max.bytes", Value: "16384"},
		{Name: "arena.max.bytes", Value: "1048576"},
		{Name: "arena.chunk.bytes", Value: "65536"},
	}
	for i := 0; i < len(given); i += 2 {
		pairs = append(pairs, config.Pair{Name: given[i], Value: given[i+1]})
	}
	var err error
	if r.settings, _, err = config.Parse(pairs); err != nil {
		t.Fatal(err)
	}
	r.client = env.Env{Loop: r.asker.Start(), Network: r.net.Endpoint(r.asker), Probe: env.NoProbe{}}
	r.start()
}

func (r *rig) addNode() *kernel.Node {
	n := r.kernel.Add()
	n.EndOfStep = func() { r.net.Flush(n) }
	return n
}

// start starts a process and waits until it is ready.
func (r *rig) start() {
	r.t.Helper()
	r.starts++
	r.node.Start()
	r.process = core.Open(env.Env{
		Loop: r.node.Loop(), Clock: clock{r.node}, Disk: r.wrap(r, r.machine.Disk(r.node.Life())), Network: r.net.Endpoint(r.node),
		Work: r.node.Work(), Random: env.NewRandom(13, r.starts), Secrets: secrets{&r.drawn}, Probe: env.NoProbe{}, Talk: talk{r},
	}, core.Options{
		Settings: r.settings, Listeners: []string{"n0:9092"}, Folder: "data", ClusterID: "cluster", Remote: r.remote,
	})
	var failed error
	r.process.Ready().Then(func(_ core.Started, err error) { failed = err })
	r.until("the start", r.process.Ready().IsDone)
	if failed != nil {
		r.t.Fatal(failed)
	}
}

func (r *rig) crash(power bool) {
	if power {
		r.machine.PowerLost()
	} else {
		r.machine.ProcessDied()
	}
	r.net.ProcessDied(r.node)
	r.node.Kill()
}

func (r *rig) pass(d time.Duration) { r.kernel.Run(r.kernel.Now().Add(d)) }

// until lets time pass until something is so.
func (r *rig) until(what string, so func() bool) {
	r.t.Helper()
	for limit := r.kernel.Now().Add(2 * time.Minute); !so(); r.pass(time.Millisecond) {
		if r.kernel.Now() > limit {
			r.t.Fatalf("%s does not come", what)
		}
	}
}

// question is a request on its way.
type question struct {
	rig    *rig
	answer protocol.Message
	err    error
	done   bool
	at     task.Instant // when the answer came
}

// peer returns a connection to the broker.
func (r *rig) peer() *wire.Peer { return wire.NewPeer(r.client, "n0:9092", "test", 8<<20) }

// begin sends a request over a connection of its own and lets it arrive.
func (r *rig) begin(m protocol.Message, version int16) *question {
	return r.askOver(r.peer(), version, m)[0]
}

// askOver sends requests over the connection, one after the other, and lets them arrive.
func (r *rig) askOver(peer *wire.Peer, version int16, messages ...protocol.Message) []*question {
	all := make([]*question, len(messages))
	for i := range all {
		all[i] = &question{rig: r}
	}
	r.asker.Deliver(r.kernel.Now(), kernel.KindControl, false, 0, call(func() {
		for i, m := range messages {
			q := all[i]
			peer.Ask(m, version, time.Minute).Then(func(reply *wire.Reply, err error) { // not released: tests look at it
				q.done, q.err, q.at = true, err, r.kernel.Now()
				if err == nil {
					q.answer = reply.Message
				}
			})
		}
	}))
	return all
}

// ask sends a request and waits for its answer; an answer that can't be decoded fails the test.
func (r *rig) ask(m protocol.Message, version int16) protocol.Message {
	r.t.Helper()
	q := r.begin(m, version)
	r.until(fmt.Sprintf("the answer to %T version %d", m, version), func() bool { return q.done })
	if q.err != nil {
		r.t.Fatalf("%T version %d: %v", m, version, q.err)
	}
	if api, _ := protocol.APIByKey(m.APIKey()); version == api.Max {
		r.errorsHaveMessages(reflect.ValueOf(q.answer))
	}
	return q.answer
}

// errorsHaveMessages wants words beside each error code, where the newest version has a place for them.
func (r *rig) errorsHaveMessages(v reflect.Value) {
	r.t.Helper()
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			r.errorsHaveMessages(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			r.errorsHaveMessages(v.Index(i))
		}
	case reflect.Struct:
		code, text := v.FieldByName("ErrorCode"), v.FieldByName("ErrorMessage")
		if code.IsValid() && text.IsValid() {
			if s, ok := text.Interface().(protocol.NullString); ok && !code.IsZero() && s.Value == "" {
				r.t.Errorf("%s has error %s and no message", v.Type().Name(), code.Interface())
			}
		}
		for i := range v.NumField() {
			r.errorsHaveMessages(v.Field(i))
		}
	}
}

// in has f run within a step of the broker.
func (r *rig) in(f func()) {
	done := false
	r.node.Deliver(r.kernel.Now(), kernel.KindControl, false, 0, call(func() { f(); done = true }))
	r.until("a step", func() bool { return done })
}

// publish gives the broker records of a scripted controller.
func (r *rig) publish(records ...protocol.Record) {
	b := record.NewBuilder(nil, 0, 1)
	for _, x := range records {
		value, err := protocol.AppendRecord(nil, x)
		if err != nil {
			r.t.Fatal(err)
		}
		b.Append(0, nil, value)
	}
	batch := b.Finish(r.end)
	r.end += record.Offset(len(records))
	r.in(func() {
		if err := r.process.Publish(batch); err != nil {
			r.t.Error(err)
		}
	})
}

// topic returns the records of a topic with one partition in leader epoch 3.
func topic(name string, leader int32, replicas, isr []int32, configs ...string) []protocol.Record {
	id := idOf(name)
	p := protocol.NewPartitionRecord()
	p.TopicId, p.PartitionId, p.Leader, p.LeaderEpoch, p.PartitionEpoch = id, 0, leader, 3, 0
	p.Replicas, p.Isr = replicas, isr
	all := []protocol.Record{{Message: &protocol.TopicRecord{Name: name, TopicId: id}}, {Message: p}}
	for i := 0; i < len(configs); i += 2 {
		all = append(all, protocol.Record{Message: &protocol.ConfigRecord{
			ResourceType: metadata.ResourceTopic, ResourceName: name, Name: configs[i], Value: protocol.String(configs[i+1]),
		}})
	}
	return all
}

// idOf returns the id that a scripted topic has.
func idOf(name string) (id protocol.UUID) {
	copy(id[:], name)
	id[15] = 1
	return id
}

// scripted starts a broker that knows topics of every kind.
func scripted(t *testing.T, given ...string) *rig {
	t.Helper()
	r := newRig(t, nobody{}, given...)
	register := protocol.NewRegisterBrokerRecord()
	register.BrokerId, register.IncarnationId, register.BrokerEpoch, register.Fenced = 1, r.process.Incarnation(), 0, false
	register.EndPoints = []protocol.BrokerEndpoint{{Name: "PLAINTEXT", Host: "n0", Port: 9092}}
	r.publish(protocol.Record{Message: register, Version: 3})
	me, both := []int32{1}, []int32{1, 2}
	r.publish(topic("led", 1, me, me)...)
	r.publish(topic("followed", 2, both, both)...)
	r.publish(topic("elsewhere", 2, []int32{2}, []int32{2})...)
	r.publish(topic("leaderless", metadata.NoLeader, me, me)...)
	r.publish(topic("small", 1, me, me, "max.message.bytes", "100")...)
	r.publish(topic("halted", 1, both, both)...)
	r.publish(topic("strict", 1, both, me, "min.insync.replicas", "2")...)
	return r
}

// batch returns a batch with these values, of which the first has timestamp 1000, the next 1010 and so on.
func batch(values ...string) []byte { return batchAt(1000, values...) }

func batchAt(timestamp int64, values ...string) []byte {
	b := record.NewBuilder(nil, 0, 0)
	for i, v := range values {
		b.Append(timestamp+int64(10*i), nil, []byte(v))
	}
	return b.Finish(0)
}

// keyedBatch returns a batch whose records have keys, as a compacted topic wants them.
func keyedBatch(values ...string) []byte {
	b := record.NewBuilder(nil, 0, 0)
	for i, v := range values {
		b.Append(1000+int64(10*i), []byte("key"), []byte(v))
	}
	return b.Finish(0)
}

// produce makes a request for one partition.
func produce(name string, acks int16, records []byte, version int16) *protocol.ProduceRequest {
	m := protocol.NewProduceRequest()
	m.Acks, m.TimeoutMs = acks, 1000
	row := protocol.TopicProduceData{PartitionData: []protocol.PartitionProduceData{{Records: protocol.Records{Bytes: records}}}}
	if version >= 13 {
		row.TopicId = idOf(name)
	} else {
		row.Name = name
	}
	m.TopicData = []protocol.TopicProduceData{row}
	return m
}

// produced sends a batch to a scripted topic and returns its base offset.
func (r *rig) produced(name string, records []byte) int64 {
	r.t.Helper()
	row := r.ask(produce(name, -1, records, 12), 12).(*protocol.ProduceResponse).Responses[0].PartitionResponses[0]
	if row.ErrorCode != protocol.ErrNone {
		r.t.Fatalf("produce to %s: %s", name, row.ErrorMessage)
	}
	return row.BaseOffset
}

type clock struct{ node *kernel.Node }

func (c clock) Wall() env.Timestamp { return 1_000_000 + env.Timestamp(c.node.Loop().Now()/1e6) }

// secrets are no secrets here: 1, 2, 3…
type secrets struct{ drawn *byte }

func (s secrets) Fill(p []byte) {
	clear(p)
	*s.drawn++
	p[len(p)-1] = *s.drawn
}

type talk struct{ r *rig }

func (t talk) Say(line string) { t.r.said = append(t.r.said, line) }

func (t talk) Fail(reason error) {
	if !t.r.offline {
		t.r.t.Error(reason)
	}
}

type call func()

func (c call) Happen() { c() }

// nobody is a controller that is never asked.
type nobody struct{ api.Controller }
