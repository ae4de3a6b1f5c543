package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"barnabas/core/mutant"
	"barnabas/sim"
	"barnabas/sim/plan"
	"barnabas/sim/shrink"
)

const simShrinkPath = "barnabas sim shrink"

const simShrinkHelp = `Makes a failing plan small by delta debugging: takes out clients, faults, batches, brokers, settings and time as long as
a run still violates the same invariant, which is the first one that the given plan violates. What is left is written to
--out; its last comment says how far it came.

Exit codes: 0 a smaller plan was written, 1 the plan does not fail or anything else, 2 wrong usage.
`

func prepareSimShrink(p *program, flags *pflag.FlagSet) func() int {
	budget := flags.Duration("budget", 5*time.Minute, "how long to go on, at most")
	out := flags.String("out", "", "write the plan into this `file` (default: FILE with .small.plan at its end)")
	jobs := flags.Int("jobs", 2, "how many runs at once")
	return func() int {
		switch {
		case *budget <= 0:
			return p.misused(simShrinkPath, usagef("--budget %v is out of bounds: take a second or more", *budget))
		case *jobs < 1 || *jobs > nodesMax:
			return p.misused(simShrinkPath, usagef("--jobs %d is out of bounds: take 1 to %d", *jobs, nodesMax))
		}
		read, code := p.loadPlan(simShrinkPath, flags.Args(), false)
		if read == nil {
			return code
		}
		if *out == "" {
			*out = strings.TrimSuffix(flags.Arg(0), planSuffix) + ".small" + planSuffix
		}
		return p.simShrink(read, flags.Arg(0), *out, *budget, *jobs)
	}
}

func (p *program) simShrink(read *plan.Plan, from, to string, budget time.Duration, jobs int) int {
	began := time.Now()
	first := p.oneOfPlan(read, sim.Options{UntilViolation: true})
	switch {
	case first.crash != "":
		return p.failed(simShrinkPath, fmt.Errorf("%s: the simulator failed: %s", from, first.crash))
	case len(first.result.Violations) == 0:
		return p.failed(simShrinkPath, fmt.Errorf("%s: its run is clean, so there is nothing to shrink", from))
	}
	class, at := first.result.Violations[0].Invariant, time.Duration(first.result.Violations[0].At)
	p.say("%s fails by %s at %v", from, class, at)
	small, runs := shrink.Minimise(read, at, shrink.Options{
		Jobs: jobs,
		Over: func() bool { return time.Since(began) > budget },
		Fails: func(candidate *plan.Plan) bool {
			if sim.Check(candidate) != nil {
				return false
			}
			o := p.oneOfPlan(candidate, sim.Options{UntilViolation: true})
			if o.crash != "" || len(o.result.Violations) == 0 {
				return false
			}
			return o.result.Violations[0].Invariant == class
		},
		Tell: func(what string, best *plan.Plan, runs int) {
			p.say("%6d runs, %8s: %-10s %s", runs, time.Since(began).Round(time.Second), what, sizeOf(best))
		},
	})
	small.Expect = class
	last := p.oneOfPlan(small, sim.Options{UntilViolation: true})
	comments := []string{fmt.Sprintf("shrunk from %s in %s, %d runs: %s", from, time.Since(began).Round(time.Second), runs, sizeOf(small))}
	if len(last.result.Violations) > 0 {
		v := last.result.Violations[0]
		comments = append(comments, fmt.Sprintf("%s at %v ms: %s", v.Invariant, instantMs(v.At), v.Detail))
	}
	if err := writePlan(to, small, comments); err != nil {
		return p.failed(simShrinkPath, fmt.Errorf("could not write the plan: %w", err))
	}
	command := p.called + " sim replay " + quoted(to)
	if m, _ := mutant.Find(small.Mutant); m.ID != mutant.None {
		p.say("its brokers carry the mutant %s", m.Name)
	}
	if code := p.print(fmt.Sprintf("%s: %s, %d runs in %s\n", to, sizeOf(small), runs, time.Since(began).Round(time.Second))); code != exitDone {
		return code
	}
	p.say("%s", command)
	return exitDone
}

// sizeOf says how large a plan is.
func sizeOf(p *plan.Plan) string {
	return fmt.Sprintf("%d faults, %d operations, %d clients, %d brokers, %s", len(p.Faults), p.Operations(), len(p.Clients), p.Brokers(), short(p.Virtual))
}
