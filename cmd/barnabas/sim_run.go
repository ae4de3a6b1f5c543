package main

import (
	"fmt"
	"runtime/debug"
	"time"

	"barnabas/sim"
	"barnabas/sim/plan"
)

// outcome is what became of one seed.
type outcome struct {
	result sim.Result
	crash  string // the simulator itself failed: the cause and its stack
}

func (o *outcome) clean() bool { return len(o.result.Violations) == 0 && o.result.Unknown == 0 }

// totals is what all printed seeds found together.
type totals struct {
	seeds, violations, events, unknown uint64
	operations, acked                  uint64
	virtual, wall                      time.Duration
	seen                               [sim.MarksMax]bool
}

func (t *totals) add(r *sim.Result) {
	t.seeds++
	t.violations += uint64(len(r.Violations))
	t.events += r.Events
	t.operations += r.Operations
	t.acked += r.Acked
	t.unknown += r.Unknown
	t.virtual += r.Virtual
	for mark, seen := range r.Seen {
		t.seen[mark] = t.seen[mark] || seen
	}
}

// missed returns the names of the marks that no seed reached.
func (t *totals) missed() []string {
	names := []string{}
	for mark, name := range sim.Marks() {
		if !t.seen[mark] {
			names = append(names, name)
		}
	}
	return names
}

// report prints seeds and the end of a campaign.
type report interface {
	seed(r *sim.Result) error
	summary(t *totals) error
}

// simRun runs the campaign. What it prints depends on the order of seeds alone, not on which one ends first.
func (p *program) simRun(c campaign) int {
	if err := c.prepareSave(); err != nil {
		return p.failed(simRunPath, err)
	}
	p.give(c.mutant.ID)
	out := newReport(p.stdout, c.json)
	begun := time.Now()
	var sum totals
	var firstFailing *uint64
	for o := range p.outcomes(&c) {
		if o.crash != "" {
			p.say("%s: seed %d: the simulator failed: %s", simRunPath, o.result.Seed, o.crash)
			p.say("%s", c.replay(p.called, o.result.Seed))
			return exitFailed
		}
		sum.add(&o.result)
		if err := out.seed(&o.result); err != nil {
			return p.failed(simRunPath, err)
		}
		if err := p.saveRun(&c, &o.result); err != nil {
			p.say("%s: %v", simRunPath, err)
		}
		if c.history != "" {
			if err := writeHistory(c.history, o.result.History); err != nil {
				return p.failed(simRunPath, err)
			}
		}
		if o.clean() {
			continue
		}
		if firstFailing == nil {
			firstFailing = &o.result.Seed
		}
		if !c.keepGoing {
			break
		}
	}
	sum.wall = time.Since(begun)
	if err := out.summary(&sum); err != nil {
		return p.failed(simRunPath, err)
	}
	if firstFailing != nil {
		p.say("%s", c.replay(p.called, *firstFailing))
		return exitViolation
	}
	return exitDone
}

// aheadMax is how many results a worker holds for a slower one: enough that none idles, no more than fit in memory.
const aheadMax = 64

// outcomes runs the seeds, several at once, and yields what became of them in the order of seeds. When the caller stops,
// seeds that still run are left to themselves: the process is about to end, and a long one is not worth waiting for.
func (p *program) outcomes(c *campaign) func(yield func(*outcome) bool) {
	return func(yield func(*outcome) bool) {
		stopped := make(chan struct{})
		defer close(stopped)
		jobs := min(uint64(c.jobs), c.seeds)
		// One channel a worker: worker w runs the seeds w, w+jobs, … and the reader goes round.
		lanes := make([]chan *outcome, jobs)
		for w := range jobs {
			lanes[w] = make(chan *outcome, aheadMax)
			go func() {
				for i := w; i < c.seeds; i += jobs {
					select {
					case lanes[w] <- p.one(c.options(c.first + i)):
					case <-stopped:
						return
					}
				}
			}()
		}
		for i := range c.seeds {
			if !yield(<-lanes[i%jobs]) {
				return
			}
		}
	}
}

// one runs a seed.
func (p *program) one(o sim.Options) *outcome {
	return guardedRun(o.Seed, func() sim.Result { return p.simulate(o) })
}

// oneOfPlan runs a plan.
func (p *program) oneOfPlan(read *plan.Plan, o sim.Options) *outcome {
	return guardedRun(read.Seed, func() sim.Result { return p.rerun(read, o) })
}

func guardedRun(seed uint64, run func() sim.Result) (out *outcome) {
	defer func() {
		if cause := recover(); cause != nil {
			out = &outcome{result: sim.Result{Seed: seed}, crash: fmt.Sprintf("%v\n%s", cause, debug.Stack())}
		}
	}()
	return &outcome{result: run()}
}
