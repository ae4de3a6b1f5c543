package sim

import (
	"fmt"

	"barnabas/core"
	"barnabas/core/config"
	"barnabas/core/env"
	"barnabas/core/record"
	"barnabas/core/storage"
	"barnabas/core/task"
	"barnabas/sim/kernel"
	"barnabas/sim/ledger"
	"barnabas/sim/plan"
	"barnabas/sim/simdisk"
)

const (
	brokerPort = 9092
	dataFolder = "data"
)

// broker is one broker's place in the world: its machine stays, its processes come and go.
type broker struct {
	world     *world
	id        int32
	node      *kernel.Node
	machine   *simdisk.Machine
	settings  *config.Settings
	process   *core.Broker
	up        bool // ready, in the present process
	made      bool // it was ready once: there is a log directory
	failed    error
	starts    uint64
	chances   [env.Sites]uint64
	secrets   uint64
	watch     watch
	before    ledger.Holding // what the disk held when the present process started
	powerless bool           // the last process ended with the power
	unclean   bool           // the power took what was acknowledged and not synced (durability=replicated)
	shift     int64          // of its wall clock, in milliseconds
	trouble   trouble        // that its disk made
	paused    task.Instant   // until when it stood still last
	aimed     *plan.Fault    // the last crash that was aimed at it
	deposed   *plan.Fault    // that its next cut below what files have belongs to
	onTopic   *plan.Fault    // that happens when a topic is made
	live      *ledger.Reader // of what a process reads
	durable   *ledger.Reader // of what survives for sure
}

func newBroker(w *world, id int32, node *kernel.Node, settings *config.Settings) *broker {
	b := &broker{world: w, id: id, node: node, settings: settings, live: ledger.NewReader(), durable: ledger.NewReader()}
	b.watch.promised, b.watch.led = make(map[logKey]record.Offset), make(map[logKey]ledEpoch)
	b.machine = simdisk.New(w.kernel, node, w.plan.Disks[id-1])
	b.machine.Counted, b.machine.OnCrash = w.count, b.crashed
	node.Crashed = func(cause any, stack string) { w.panicked(fmt.Sprintf("broker %d", b.id), cause, stack) }
	return b
}

// start starts a process on the machine as it is.
func (b *broker) start() {
	w := b.world
	switch {
	case b.starts == 0:
	case b.powerless:
		w.sometimes("start-after-power-loss")
	default:
		w.sometimes("start-after-kill")
	}
	b.starts++
	b.up, b.failed = false, nil
	b.before = b.readDisk()
	b.judgeDisk()
	loop := b.node.Start()
	b.watch.newLife()
	b.trouble.newLife()
	e := env.Env{
		Loop: loop, Clock: clock{b, loop}, Disk: b.machine.Disk(b.node.Life()), Network: w.network.Endpoint(b.node), Work: b.node.Work(),
		Random: w.kernel.Random.Sub(kernel.StreamWorkload+9, uint64(b.id), b.starts), Secrets: secrets{b}, Probe: probe{b}, Talk: talk{b},
	}
	o := core.Options{
		Settings: b.settings, Listeners: []string{fmt.Sprintf("%s:%d", w.network.HostOf(b.node), brokerPort)}, Folder: dataFolder,
	}
	if w.script != nil {
		o.ClusterID = "simulated"
		o.Remote = w.script.remote(b)
	}
	b.process = core.Open(e, o)
	b.process.Ready().Then(func(s core.Started, err error) { b.ready(err) })
}

func (b *broker) ready(err error) {
	if err != nil {
		if !b.gaveUp(err) {
			b.world.violate("BrokerStarts", fmt.Sprintf("broker %d: %v", b.id, err))
			b.comeBack()
		}
		return
	}
	b.up, b.made, b.trouble.refused = true, true, 0
	b.judgeRecovery()
	if b.world.script != nil {
		b.world.script.register(b)
	}
}

// committed is how far a partition was ever committed, and the epoch that wrote the last offset of that.
type committed struct {
	end   record.Offset
	epoch record.LeaderEpoch
}

// isIn says whether the log, which is long enough, has that history and not another one: a disk that was set back may have a
// tail that was cut since. The same epoch at the same offset is the same history before it.
func (c committed) isIn(log *storage.Log) bool {
	return log.Start() >= c.end || log.Epochs().At(c.end-1) == c.epoch
}

// mayBeElected says whether the broker holds everything that was committed. One that lost its tail with the power is not
// in sync until it has it again: a controller would have taken it out of the ISR at its unclean registration (rule S10).
func (b *broker) mayBeElected() bool {
	if !b.unclean {
		return true
	}
	for key, c := range b.world.committed {
		p := b.process.Replicas().Find(key.topic, key.partition)
		if p == nil || p.Log.StableEnd() < c.end || !c.isIn(p.Log) || len(p.Log.Doubts()) > 0 {
			return false
		}
	}
	b.world.sometimes("broker-complete-again")
	b.unclean = false
	return true
}

// crash ends the process: kill -9, or with the power.
func (b *broker) crash(power bool) {
	if power {
		b.machine.PowerLost()
		b.unclean = b.unclean || b.settings.String("durability") == "replicated" || b.lies()
		b.trouble.harmed = b.trouble.harmed || b.lies()
		for _, i := range b.trouble.lied {
			i.End()
		}
		b.trouble.lied = nil
	} else {
		b.machine.ProcessDied()
	}
	b.world.network.ProcessDied(b.node)
	b.up = false
	b.process = nil
	b.node.Kill()
	b.powerless = power
	if b.world.down() == len(b.world.brokers) {
		b.world.sometimes("all-brokers-down")
	}
}

// logKey names a partition by the topic's id.
type logKey struct {
	topic     [16]byte
	partition int32
}

// watch remembers what a broker has shown, to see that it never takes it back.
type watch struct {
	led      map[logKey]ledEpoch      // the newest epoch each partition was led in, and by which process
	promised map[logKey]record.Offset // outlives processes
	logs     []seen                   // of the present process
}

// ledEpoch is an epoch in which a process led.
type ledEpoch struct {
	epoch record.LeaderEpoch
	start uint64
}

// seen is what was last seen of one replica.
type seen struct {
	log   *storage.Log
	epoch record.LeaderEpoch
	high  record.Offset
	end   record.Offset
	stab  record.Offset
}

func (s *watch) newLife() { s.logs = s.logs[:0] }

// look judges the broker after a step: what may only grow has grown, and what is promised is backed.
func (b *broker) look() {
	if b.process == nil || b.process.Replicas() == nil {
		return
	}
	i := 0
	for p := range b.process.Replicas().All {
		for i < len(b.watch.logs) && b.watch.logs[i].log != p.Log && b.watch.logs[i].log.Number < p.Log.Number {
			i++
		}
		if i == len(b.watch.logs) || b.watch.logs[i].log != p.Log {
			b.watch.logs = append(b.watch.logs, seen{})
			copy(b.watch.logs[i+1:], b.watch.logs[i:])
			b.watch.logs[i] = seen{log: p.Log, epoch: -1}
		}
		b.lookAt(&b.watch.logs[i], p)
		i++
	}
}

// clock is a broker's wall clock: virtual time since a fixed date, and however far faults have shifted it.
type clock struct {
	broker *broker
	loop   *task.Loop
}

const firstWall = 1_700_000_000_000

func (c clock) Wall() env.Timestamp {
	return env.Timestamp(firstWall + int64(c.loop.Now()/1e6) + c.broker.shift)
}

type secrets struct{ b *broker }

func (s secrets) Fill(p []byte) {
	for i := range p {
		s.b.secrets++
		p[i] = byte(s.b.world.kernel.Random.Uint64(kernel.StreamSecret, uint64(s.b.id), s.b.secrets))
	}
}

type talk struct{ b *broker }

func (t talk) Say(line string) {
	t.b.world.trace(func() string { return fmt.Sprintf("broker %d says: %s", t.b.id, line) })
}

// Fail is a violation, unless the disk entitled the broker to give up.
func (t talk) Fail(reason error) {
	t.b.failed = reason
	if t.b.gaveUp(reason) {
		return
	}
	t.b.world.violate("BrokerFailed", fmt.Sprintf("broker %d: %v", t.b.id, reason))
	t.b.comeBack()
}

// probe takes rare paths: the plan turns some of the sites on, each of which then says yes once in a while.
type probe struct{ b *broker }

const streamChance env.Stream = kernel.StreamProbe + 1

func (p probe) Chance(site env.Site) bool {
	w := p.b.world
	if !w.chances[site] || w.healed {
		return false
	}
	p.b.chances[site]++
	return w.kernel.Random.OneIn(8, streamChance, uint64(p.b.id), uint64(site), p.b.chances[site])
}

func (p probe) Sometimes(mark env.Mark) {
	p.b.world.result.Seen[mark] = true
	p.b.noticed(mark)
}
