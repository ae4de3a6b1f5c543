package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"barnabas/core/env"
	"barnabas/core/task"
	"barnabas/sim/client"
	"barnabas/sim/kernel"
	"barnabas/sim/ledger"
	"barnabas/sim/plan"
	"barnabas/sim/simnet"
	"barnabas/sim/witness"
)

// violationsMax is how many violations of one kind are kept; the first is what matters.
const violationsMax = 5

// world is one run.
type world struct {
	options   Options
	weak      Weakness // of the judge, or none
	plan      *plan.Plan
	chances   [env.Sites]bool
	retention ledger.Retention // of the plan's topics
	kernel    *kernel.Kernel
	network   *simnet.Network
	script    *script
	brokers   []*broker
	clients   []*client.Client
	auditor   *client.Client
	ledger    *ledger.Ledger
	witness   *witness.Witness
	committed map[logKey]committed
	faults    map[string]uint64
	result    Result
	log       *eventLog // or nil
	healed    bool
	broken    bool         // beyond use
	told      bool         // somebody outside the brokers reported a violation
	refused   bool         // the only broker rightly refuses to start on a damaged disk, and the run is over
	shiftMax  int64        // of any wall clock ever, in milliseconds
	positions int64        // of all consumers together, when last looked at
	movedAt   task.Instant // when that last changed
}

// Run draws a seed's plan and runs it.
func Run(o Options) Result { return RunPlan(Draw(o), o) }

// RunPlan runs a plan once, or twice, and returns what it found. Of the options those count that say how to look at it.
// Requires: Check has nothing against the plan.
func RunPlan(p *plan.Plan, o Options) Result {
	r := run(p, o)
	if o.Twice {
		if again := run(p, o); again.Digest != r.Digest {
			r.Violations = append(r.Violations, Violation{
				"DigestMismatch", "the same seed ran differently the second time", task.Instant(r.Virtual),
			})
		}
	}
	return r
}

func run(p *plan.Plan, o Options) Result {
	began := wallClock()
	weak := weaknessOf(o.Weakness)
	p = weak.weaken(p)
	w := &world{
		options: o, weak: weak, plan: p, kernel: kernel.New(randomOf(p.Seed)), retention: retentionOf(p),
		committed: make(map[logKey]committed), faults: make(map[string]uint64), result: Result{Seed: p.Seed},
	}
	w.ledger = ledger.New(w.judge, w.wallMax)
	w.ledger.Memory = memoryOf(p)
	w.witness = witness.New(w.kernel.Now)
	w.build()
	end := task.Instant(0).Add(p.Virtual)
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
	w.network.SetFaults(w.plan.Network)
	w.network.Counted = w.count
	settings, err := settingsOf(w.plan)
	if err != nil {
		panic(fmt.Sprintf("seed %d: %v", w.plan.Seed, err))
	}
	for site := range env.Sites {
		w.chances[site] = slices.Contains(w.plan.Chances, env.Site(site).String())
	}
	if w.plan.Brokers() > 1 {
		w.script = newScript(w)
	}
	for i := range w.plan.Brokers() {
		w.brokers = append(w.brokers, newBroker(w, int32(i+1), w.node(), settings[i]))
	}
	if w.script != nil {
		w.script.create(w.plan.Topics[0])
	}
	for _, b := range w.brokers {
		b.start()
	}
	for _, topic := range w.plan.Topics {
		p := ledger.Partition{Topic: topic}
		w.ledger.Retains(p, w.retention)
		if w.retention != ledger.Forever {
			w.witness.Expires(p)
		}
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
		if w.log != nil {
			w.log.step(n)
		}
	}
	w.watchEvents()
	for i := range w.plan.Clients {
		w.clients = append(w.clients, w.startClient(w.scriptOf(&w.plan.Clients[i])))
	}
	w.scheduleFaults()
}

func (w *world) node() *kernel.Node {
	n := w.kernel.Add()
	n.EndOfStep = func() { w.network.Flush(n) }
	return n
}

// finish judges the end and completes the digest.
func (w *world) finish() {
	if !w.over() {
		w.judgeEnd()
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
		w.sometimes("fault-" + kind)
		r.Faults = append(r.Faults, FaultCount{kind, count})
	}
	slices.SortFunc(r.Faults, func(a, b FaultCount) int { return strings.Compare(a.Kind, b.Kind) })
	w.judgeHistory()
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

// violate reports a broken promise that somebody outside the cluster can see.
func (w *world) violate(invariant, detail string) {
	if !w.weak.sees(invariant) {
		return
	}
	kept := 0
	for _, v := range w.result.Violations {
		if v.Invariant == invariant {
			kept++
		}
	}
	if kept < violationsMax {
		w.result.Violations = append(w.result.Violations, Violation{invariant, detail, w.kernel.Now()})
	}
	w.trace(func() string { return "VIOLATED " + invariant + ": " + detail })
	w.broken = w.broken || invariant == "Panic"
	w.told = w.told || OracleIn(invariant) != "core"
	if w.options.UntilViolation {
		w.broken = true
		w.kernel.Halt()
	}
}

// judge reports a broken promise that takes more than clients to see: the ledger's knowledge, a disk's bytes, a look into
// brokers. With the ledger off there is no such knowledge.
func (w *world) judge(invariant, detail string) {
	if !w.options.LedgerOff {
		w.violate(invariant, detail)
	}
}

// over says whether the run need not go on: the first violation that an oracle reports is what matters. What a broker says of
// itself is no reason to stop, as somebody else may still see what is wrong. With the ledger off the run goes on to the final
// reading, where most of what clients can see is seen.
func (w *world) over() bool {
	return w.broken || w.refused || !w.options.LedgerOff && w.told
}

// damaged says whether stored records may be refused for good.
func (w *world) damaged() bool { return len(w.brokers) == 1 && w.brokers[0].trouble.damaged }

// wall is what an honest wall clock shows, in milliseconds.
func (w *world) wall() int64 { return firstWall + int64(w.kernel.Now()/1e6) }

// wallMax is the latest any broker's wall clock may have shown.
func (w *world) wallMax() int64 { return w.wall() + w.shiftMax }

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
