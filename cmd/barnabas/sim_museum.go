package main

import (
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/spf13/pflag"

	"barnabas/core/mutant"
	"barnabas/sim"
)

const simMuseumPath = "barnabas sim museum"

const simMuseumHelp = `Measures how soon each historic bug is found. A trial puts the bug into the brokers and runs fresh seeds, each trial
its own, until an oracle outside the changed package reports a violation. Bugs that lose data are also hunted with the
ledger off, where only what clients saw counts. The seeds that found a bug must be clean without it.

--judges turns it round: a generator that leaves something out must miss the bug that takes just that, in twice as many
seeds as the sound judge takes to find it; and a class of checkers must report a bug of its own, so that it is missed when
it goes blind.

--write rewrites the table between <!-- museum --> and <!-- /museum --> in a file, or with --judges the one between
<!-- judges --> and <!-- /judges -->; with --mutant only that row.

Exit codes: 0 all found, 6 a bug was not found in a trial or a seed was not clean without it, 2 wrong usage, 1 anything
else.
`

// museum is what barnabas sim museum was asked for.
type museum struct {
	campaign
	trials, offTrials int
	only              string // one mutant, or all
	write             string
	judges            bool     // measure the judge's weaknesses instead
	class             []string // only these invariants count, if any are named
}

func prepareSimMuseum(p *program, flags *pflag.FlagSet) func() int {
	m := museum{campaign: campaign{profile: defaultProfile}}
	f := simFlags{set: flags}
	flags.IntVar(&m.trials, "trials", 20, "how many trials of each mutant")
	flags.IntVar(&m.offTrials, "off-trials", 3, "how many trials with the ledger off of each mutant that loses data")
	flags.StringVar(&m.only, "mutant", "", "measure this mutant only (barnabas sim mutants lists them)")
	flags.Uint64Var(&m.seeds, "seeds", 1000, "how many seeds a trial runs before it gives up")
	flags.Uint64Var(&m.first, "first-seed", 1_000_001, "the first seed of the first trial; the others follow")
	flags.Float64Var(&f.minutes, "minutes", 1, "how many virtual minutes each seed runs")
	flags.StringVar(&m.profile, "profile", defaultProfile, "how worlds are drawn")
	flags.IntVar(&f.jobs, "jobs", 1, "how many trials to run at once")
	flags.BoolVar(&m.judges, "judges", false, "see whether a weak generator or a blind checker is noticed")
	flags.StringVar(&m.write, "write", "", "write the table into this `file`")
	return func() int {
		if err := m.check(p, &f); err != nil {
			return p.misused(simMuseumPath, err)
		}
		if m.judges {
			return p.simJudges(&m)
		}
		return p.simMuseum(&m)
	}
}

func (m *museum) check(p *program, f *simFlags) error {
	err := errors.Join(f.readMinutes(&m.campaign), f.checkCounts(), p.checkProfile(m.profile), p.readMutant(m.only, &m.campaign))
	m.jobs = f.jobs
	switch {
	case err != nil:
		return err
	case !p.mutants:
		return usagef("no mutant is in this binary; build one that has them: go build -tags mutants ./cmd/barnabas")
	case m.trials < 1 || m.trials > nodesMax || m.offTrials < 0 || m.offTrials > nodesMax:
		return usagef("--trials and --off-trials are counts up to %d", nodesMax)
	case m.seeds < 1 || m.seeds > seedsMax || m.first > math.MaxUint64-m.seeds*uint64(m.trials+m.offTrials):
		return usagef("--seeds %d or --first-seed %d is out of bounds", m.seeds, m.first)
	}
	return nil
}

// hunt is one trial with a mutant: seeds in a row until it is found.
type hunt struct {
	first  uint64
	off    bool // without the ledger
	seeds  uint64
	oracle string // "": not found
	inside uint64 // seeds with a violation that only the broker's own checks, or the wrong kind of oracle, reported
	crash  string // the simulator itself failed
}

// simMuseum measures one mutant after the other: the switch is one for the whole process.
func (p *program) simMuseum(m *museum) int {
	var rows []exhibit
	failed := false
	p.print(exhibitHead)
	for _, e := range mutant.Museum() {
		if m.only != "" && e.Name != m.only {
			continue
		}
		x := exhibit{entry: e, commit: commitOf(debug.ReadBuildInfo)}
		p.give(e.ID)
		x.hunts = m.plan(e)
		p.inParallel(m.jobs, len(x.hunts), func(i int) { p.hunt(m, e, &x.hunts[i]) })
		p.give(mutant.None)
		x.unclean = p.unclean(m, x.hunts)
		for _, h := range x.hunts {
			if h.crash != "" {
				return p.failed(simMuseumPath, fmt.Errorf("mutant %s: the simulator failed: %s", e.Name, h.crash))
			}
		}
		failed = failed || !x.found()
		p.print(x.line())
		rows = append(rows, x)
	}
	if m.write != "" {
		if err := writeMuseum(m.write, rows); err != nil {
			return p.failed(simMuseumPath, err)
		}
	}
	if failed {
		return exitViolation
	}
	return exitDone
}

// plan lays out a mutant's trials, each with seeds of its own.
func (m *museum) plan(e mutant.Entry) []hunt {
	count := m.trials
	if e.Loss {
		count += m.offTrials
	}
	hunts := make([]hunt, count)
	for i := range hunts {
		hunts[i] = hunt{first: m.first + uint64(i)*m.seeds, off: i >= m.trials}
	}
	return hunts
}

// hunt runs seeds until the mutant is found. What the whole history shows says more than a single strange answer.
func (p *program) hunt(m *museum, e mutant.Entry, h *hunt) {
	for h.seeds < m.seeds {
		o := m.options(h.first + h.seeds)
		o.LedgerOff = h.off
		h.seeds++
		out := p.one(o)
		if h.crash = out.crash; h.crash != "" {
			return
		}
		for _, v := range out.result.Violations {
			if len(m.class) > 0 && !slices.Contains(m.class, v.Invariant) {
				continue
			}
			if h.off && sim.SeenByClients(v.Invariant) || !h.off && sim.Outside(v.Invariant, e.Package) {
				h.oracle = v.Invariant
				if !h.off || sim.OracleIn(h.oracle) == "linearizability" {
					return
				}
			}
		}
		if h.oracle != "" {
			return
		}
		if len(out.result.Violations) > 0 {
			h.inside++
		}
	}
}

// unclean returns the seeds that found the mutant and are not clean without it. Requires: no mutant is on.
func (p *program) unclean(m *museum, hunts []hunt) (seeds []uint64) {
	bad := make([]bool, len(hunts))
	p.inParallel(m.jobs, len(hunts), func(i int) {
		if h := &hunts[i]; h.oracle != "" {
			bad[i] = !p.one(m.options(h.first + h.seeds - 1)).clean()
		}
	})
	for i, is := range bad {
		if is {
			seeds = append(seeds, hunts[i].first+hunts[i].seeds-1)
		}
	}
	return seeds
}

// inParallel does so many things, some at once, and returns when all are done.
func (p *program) inParallel(jobs, count int, do func(i int)) {
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(jobs, count) {
		workers.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := range count {
		next <- i
	}
	close(next)
	workers.Wait()
}
