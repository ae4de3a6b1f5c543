package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"barnabas/core/config"
	"barnabas/core/env"
	"barnabas/core/record"
	"barnabas/core/task"
	"barnabas/sim/client"
	"barnabas/sim/kernel"
	"barnabas/sim/ledger"
	"barnabas/sim/simdisk"
	"barnabas/sim/simnet"
)

// settleTime is how long after the last fault everything must have settled.
const settleTime = 30 * time.Second

// auditTime is how long reading everything once more may take, on the slowest disk with the smallest fetches.
const auditTime = 5 * time.Minute

// standstill is how long a consumer may go without a record it could have before it counts as stuck.
const standstill = 5 * time.Second

// violationsMax is how many violations of one run are kept; the first is what matters.
const violationsMax = 20

// world is one run.
type world struct {
	options   Options
	plan      plan
	kernel    *kernel.Kernel
	network   *simnet.Network
	script    *script
	brokers   []*broker
	clients   []*client.Client
	auditor   *client.Client
	ledger    *ledger.Ledger
	committed map[logKey]record.Offset
	faults    map[string]uint64
	result    Result
	healed    bool
	positions int64        // of all consumers together, when last looked at
	movedAt   task.Instant // when that last changed
}

// Run runs one seed, or runs it twice, and returns what it found.
func Run(o Options) Result {
	r := run(o)
	if o.Twice {
		if again := run(o); again.Digest != r.Digest {
			r.Violations = append(r.Violations, Violation{
				"DigestMismatch", "the same seed ran differently the second time", task.Instant(r.Virtual),
			})
		}
	}
	return r
}

func run(o Options) Result {
	began := wallClock()
	random := env.NewRandom(o.Seed, 0xba12aba5)
	w := &world{
		options: o, plan: draw(o, random), kernel: kernel.New(random),
		committed: make(map[logKey]record.Offset), faults: make(map[string]uint64), result: Result{Seed: o.Seed},
	}
	w.ledger = ledger.New(w.violate)
	w.build()
	end := task.Instant(0).Add(o.Virtual)
	w.runUntil(end)
	w.heal()
	w.settle(end.Add(settleTime), w.unsettled)
	w.audit()
	w.settle(w.kernel.Now().Add(auditTime), w.unaudited)
	w.finish()
	w.kernel.End()
	w.result.Wall = max(wallClock().Sub(began), 1)
	return w.result
}

// build makes nodes and starts their processes.
func (w *world) build() {
	o := w.options
	w.network = simnet.New(w.kernel)
	w.network.SetFaults(w.plan.network)
	w.network.Counted = w.count
	settings := w.settings()
	if w.plan.brokers > 1 {
		w.script = newScript(w)
	}
	for i := range w.plan.brokers {
		node := w.node()
		b := &broker{world: w, id: int32(i + 1), node: node, settings: settings[i]}
		b.watch.promised, b.watch.led = make(map[logKey]record.Offset), make(map[logKey]ledEpoch)
		b.machine = simdisk.New(w.kernel, node, w.plan.disks(w.kernel.Random, uint64(i)))
		b.machine.Counted = w.count
		node.Crashed = func(cause any, stack string) { w.panicked(fmt.Sprintf("broker %d", b.id), cause, stack) }
		w.brokers = append(w.brokers, b)
	}
	if w.script != nil {
		w.script.create(w.plan.partitions[0].Topic)
	}
	for _, b := range w.brokers {
		b.start()
	}
	w.kernel.OnList = func(n *kernel.Node) {
		if n.ID < len(w.brokers) {
			w.result.Seen[env.MarkStepOfMany] = true
		}
	}
	w.kernel.Perturb = plants()[o.Plant]
	w.kernel.AfterStep = func(n *kernel.Node) {
		if n.ID < len(w.brokers) {
			w.brokers[n.ID].look()
		}
	}
	for i, p := range w.plan.clients {
		w.clients = append(w.clients, w.startClient(uint64(i), p))
	}
	w.scheduleFaults()
}

// settings returns each broker's: the same drawn ones, but for the node's id.
func (w *world) settings() (all []*config.Settings) {
	for i := range w.plan.brokers {
		pairs := append(slices.Clone(w.plan.settings), config.Pair{Name: "node.id", Value: fmt.Sprint(i + 1)})
		s, _, err := config.Parse(pairs)
		if err != nil {
			panic(fmt.Sprintf("seed %d draws settings that are refused: %v", w.options.Seed, err))
		}
		all = append(all, s)
	}
	return all
}

func (w *world) node() *kernel.Node {
	n := w.kernel.Add()
	n.EndOfStep = func() { w.network.Flush(n) }
	return n
}

func (w *world) startClient(id uint64, p clientPlan) *client.Client {
	node := w.node()
	node.Crashed = func(cause any, stack string) { w.panicked(fmt.Sprintf("client %d", id), cause, stack) }
	loop := node.Start()
	o := client.Options{
		ID: id, Random: w.kernel.Random, FetchVersion: p.fetchVersion,
		Hooks: client.Hooks{
			Ledger: w.ledger, Operation: func() { w.result.Operations++ }, Acked: func() { w.result.Acked++ },
		},
	}
	for _, b := range w.brokers {
		o.Brokers = append(o.Brokers, fmt.Sprintf("%s:%d", w.network.HostOf(b.node), brokerPort))
	}
	for _, plan := range p.producers {
		plan.StopAt = task.Instant(0).Add(w.options.Virtual)
		o.Producers = append(o.Producers, plan)
	}
	o.Consumers = p.consumers
	return client.Start(env.Env{Loop: loop, Network: w.network.Endpoint(node)}, o)
}

// runUntil runs events until the instant, unless something is broken beyond use.
func (w *world) runUntil(end task.Instant) {
	const slice = 100 * time.Millisecond
	for w.kernel.Now() < end && len(w.result.Violations) == 0 {
		w.kernel.Run(min(w.kernel.Now().Add(slice), end))
	}
}

// heal ends all faults: brokers that are down come back, the network is calm.
func (w *world) heal() {
	w.healed = true
	if len(w.result.Violations) > 0 {
		return
	}
	w.network.SetFaults(simnet.Faults{HalfOpenMax: w.plan.network.HalfOpenMax})
	for _, b := range w.brokers {
		b.machine.Limp(0, 1)
		if !b.node.Alive() {
			b.start()
		} else {
			b.node.Resume()
		}
	}
	if w.script != nil && w.script.partition().Leader == -1 {
		w.script.electSoon()
	}
}

// settle runs until everything has settled, or until that takes too long, which is a violation.
func (w *world) settle(deadline task.Instant, unsettled func() string) {
	for len(w.result.Violations) == 0 {
		w.runUntil(w.kernel.Now().Add(100 * time.Millisecond))
		why := unsettled()
		if why == "" {
			return
		}
		if w.kernel.Now() >= deadline && !w.isReading() {
			w.violate("Liveness", fmt.Sprintf("%v after the last fault: %s%s",
				time.Duration(w.kernel.Now())-w.options.Virtual, why, w.describe()))
			return
		}
	}
}

// isReading says whether consumers moved in the last seconds: one that asked for little at a time over a slow network may
// take longer than the rest, as long as it does not stand still.
func (w *world) isReading() bool {
	total := int64(0)
	for _, c := range append(slices.Clone(w.clients), w.auditor) {
		if c != nil {
			for _, consumer := range c.Consumers {
				total += consumer.Position()
			}
		}
	}
	if total != w.positions {
		w.positions, w.movedAt = total, w.kernel.Now()
	}
	return w.kernel.Now().Sub(w.movedAt) < standstill && w.kernel.Now() < task.Instant(0).Add(w.options.Virtual+2*auditTime)
}

// unsettled says what is not as it should be yet, or nothing.
func (w *world) unsettled() string {
	for _, b := range w.brokers {
		if !b.up {
			return fmt.Sprintf("broker %d is not up", b.id)
		}
	}
	for _, c := range w.clients {
		for _, p := range c.Producers {
			if !p.Settled() {
				return p.Pending()
			}
		}
		for _, consumer := range c.Consumers {
			if why := w.behind(consumer, "consumer"); why != "" && !consumer.MayWait(w.ledger.AckedEnd(consumer.Partition())) {
				return why
			}
		}
	}
	return ""
}

// unaudited says what the auditor has not read yet, or nothing.
func (w *world) unaudited() string {
	for _, consumer := range w.auditor.Consumers {
		if why := w.behind(consumer, "auditor"); why != "" {
			return why
		}
	}
	return ""
}

func (w *world) behind(c *client.Consumer, who string) string {
	if end := w.ledger.AckedEnd(c.Partition()); c.Position() < end {
		return fmt.Sprintf("%s of %s is at %d of %d", who, c.Partition(), c.Position(), end)
	}
	return ""
}

// audit starts the client that reads every partition once more from its start.
func (w *world) audit() {
	p := clientPlan{fetchVersion: 18}
	for _, partition := range w.ledger.Partitions() {
		p.consumers = append(p.consumers, client.ConsumerPlan{
			Partition: partition, WaitMax: 200 * time.Millisecond, BytesMin: 1, BytesMax: 1 << 20,
		})
	}
	w.auditor = w.startClient(uint64(len(w.clients)), p)
}

// finish judges the end and completes the digest.
func (w *world) finish() {
	if len(w.result.Violations) == 0 {
		ends := make(map[ledger.Partition]int64)
		for _, c := range w.auditor.Consumers {
			ends[c.Partition()] = c.Position()
		}
		w.ledger.Finish(func(p ledger.Partition) int64 { return ends[p] })
	}
	for _, b := range w.brokers {
		if b.process != nil {
			b.process.Hash(func(v uint64) { w.kernel.Note(v) })
		}
		w.kernel.Note(b.machine.Hash())
	}
	r := &w.result
	r.Digest, r.Virtual, r.Events = w.kernel.Digest(), time.Duration(w.kernel.Now()), w.kernel.Delivered
	for kind, count := range w.faults {
		r.Faults = append(r.Faults, FaultCount{kind, count})
	}
	slices.SortFunc(r.Faults, func(a, b FaultCount) int { return strings.Compare(a.Kind, b.Kind) })
}

// describe says where every replica stands, for a violation's detail.
func (w *world) describe() string {
	var text strings.Builder
	for _, b := range w.brokers {
		if b.process == nil || b.process.Replicas() == nil {
			continue
		}
		for p := range b.process.Replicas().All {
			leader, epoch := p.Leader()
			fmt.Fprintf(&text, "; broker %d %s: leader %d in epoch %d, stable %d of %d, high watermark %d, followers",
				b.id, p.Log.Name, leader, epoch, p.Log.StableEnd(), p.Log.End(), p.HighWatermark())
			for _, id := range p.ISR() {
				fmt.Fprintf(&text, " %d:%d", id, p.FollowerEnd(id))
			}
		}
	}
	return text.String()
}

func (w *world) broker(id int32) *broker {
	if id < 1 || int(id) > len(w.brokers) {
		return nil
	}
	return w.brokers[id-1]
}

func (w *world) count(kind string) { w.faults[kind]++ }

func (w *world) violate(invariant, detail string) {
	if len(w.result.Violations) < violationsMax {
		w.result.Violations = append(w.result.Violations, Violation{invariant, detail, w.kernel.Now()})
	}
}

// panicked reports a broken assertion, or worse. The stack goes to the trace only: it holds addresses, and what a run
// finds is the same in every process.
func (w *world) panicked(who string, cause any, stack string) {
	text := fmt.Sprint(cause)
	if p, ok := cause.(*task.Panic); ok {
		text, stack = fmt.Sprintf("task %q: %v", p.Task, p.Cause), p.Stack
	}
	w.violate("Panic", who+": "+text)
	w.trace(func() string { return "panic: " + text + "\n" + stack })
}

func (w *world) trace(line func() string) {
	if w.options.Trace != nil {
		w.options.Trace(fmt.Sprintf("%12.6f %s", float64(w.kernel.Now())/1e9, line()))
	}
}
