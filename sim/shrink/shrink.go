// Package shrink makes a failing plan small: it takes out whatever the failure does not need.
//
// It is delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002) over the parts of
// a plan, in the order of what pays most: time, clients, faults, batches, the network, disks, settings, brokers, and then
// the values of what is left. A candidate stands when a run of it still violates the same invariant. Rounds go on until one
// changes nothing, or until the time is up; whatever was reached by then is a failing plan.
//
// A candidate that gets rid of much is run with several small draws, not only with those the plan failed with.
//
// With several jobs candidates are tried at once and the first in order that fails is taken, so the outcome does not depend
// on which run ends first, as long as the time suffices.
//
// What it does not do: it knows nothing of how a run is judged. The caller does, and tells.
package shrink

import (
	"slices"
	"sync"
	"time"

	"barnabas/sim/plan"
)

// Options say how far to go.
type Options struct {
	// Fails runs a plan and says whether it fails as the first one did.
	Fails func(p *plan.Plan) bool
	// Jobs is how many candidates are tried at once.
	Jobs int
	// Over says whether the time is up.
	Over func() bool
	// Tell, if set, is called when a round of one kind of part has changed something.
	Tell func(what string, p *plan.Plan, runs int)
}

// shrinker is one shrinking.
type shrinker struct {
	Options
	best  *plan.Plan
	runs  int
	tries int             // how many draws a candidate is run with before it is given up
	known map[string]bool // candidates that did not fail, by their text
}

// Minimise returns the smallest plan that was found, and how many runs that took. Requires: the plan fails at that time.
func Minimise(p *plan.Plan, at time.Duration, o Options) (smallest *plan.Plan, runs int) {
	s := &shrinker{Options: o, best: p.Clone(), known: make(map[string]bool)}
	s.cutTail(at)
	s.pass("batches", s.thin) // first what makes runs short
	s.pass("time", func() { s.endEarlier(s.best.Virtual / 16) })
	for round := 0; !s.Over(); round++ {
		before := s.best.String()
		s.pass("clients", func() { s.list(clients) })
		s.pass("faults", func() { s.list(faults) })
		s.pass("scripts", func() { s.list(scripts) })
		s.pass("batches", func() {
			s.tries = manyTries
			s.thin()
			s.list(sends)
		})
		s.pass("deletions", func() { s.list(deletions) })
		s.pass("rare paths", func() { s.list(chances) })
		s.pass("world", s.plainWorld)
		s.pass("settings", func() { s.list(settings) })
		s.pass("brokers", s.fewerBrokers)
		s.pass("topics", func() { s.list(topics) })
		s.pass("time", s.lessTime)
		s.pass("values", s.simplerValues)
		if s.best.String() == before {
			break
		}
	}
	return s.best, s.runs
}

func (s *shrinker) pass(what string, do func()) {
	if s.Over() {
		return
	}
	before := s.best
	do()
	if s.Tell != nil && s.best != before {
		s.Tell(what, s.best, s.runs)
	}
}

// first tries candidates, some at once, and takes the first in their order that fails. It returns its place, or -1.
func (s *shrinker) first(count int, candidate func(i int) *plan.Plan) int {
	for begin := 0; begin < count && !s.Over(); begin += s.Jobs {
		end := min(begin+s.Jobs, count)
		tried, texts := make([]*plan.Plan, end-begin), make([]string, end-begin)
		var group sync.WaitGroup
		fails, runs := make([]bool, end-begin), make([]int, end-begin)
		for i := range tried {
			tried[i] = candidate(begin + i)
			if texts[i] = tried[i].String(); s.known[texts[i]] {
				continue
			}
			group.Go(func() { fails[i] = s.fails(tried[i], &runs[i]) })
		}
		group.Wait()
		for _, n := range runs {
			s.runs += n
		}
		for i, text := range texts {
			s.known[text] = s.known[text] || !fails[i]
		}
		if i := slices.Index(fails, true); i >= 0 {
			s.best = tried[i]
			return begin + i
		}
	}
	return -1
}

// fails runs a candidate, with other small draws too if there are tries left: what is taken out moves everything after it in
// time, so that a fault may miss the spot that it met by chance. A candidate that fails keeps the draws it failed with.
func (s *shrinker) fails(p *plan.Plan, runs *int) bool {
	seed := p.Seed
	for try := range max(1, min(s.tries, triedOperations/(1+p.Operations()))) {
		p.Seed = seed + uint64(try)
		*runs++
		if s.Fails(p) {
			return true
		}
		if s.Over() {
			break
		}
	}
	p.Seed = seed
	return false
}

// try takes one candidate if it fails.
func (s *shrinker) try(change func(p *plan.Plan)) bool {
	return s.first(1, func(int) *plan.Plan {
		p := s.best.Clone()
		change(p)
		return p
	}) == 0
}

// part is a kind of thing that a plan has a list of.
type part struct {
	count  func(p *plan.Plan) int
	remove func(p *plan.Plan, out func(i int) bool) // those that out says yes to
}

// list takes out of the plan as many parts of a kind as it can: half of them, then smaller and smaller pieces.
func (s *shrinker) list(of part) {
	whole := of.count(s.best)
	for size := whole; size > 0 && !s.Over(); size /= 2 {
		s.tries = min(manyTries, max(1, manyTries*4*size/whole)) // what is large is worth more
		s.pieces(of, size)
	}
	s.tries = 1
}

// manyTries is how many draws a candidate that is worth it is run with, and triedOperations how many operations all these
// runs may have together: the runs of a large plan take long.
const (
	manyTries       = 8
	triedOperations = 4000
)

// pieces goes through the list once, and takes out each piece of the size that is not needed.
func (s *shrinker) pieces(of part, size int) {
	for begin := 0; ; {
		count := of.count(s.best)
		left := (count - begin + size - 1) / size
		if left <= 0 || s.Over() {
			return
		}
		base := s.best
		taken := s.first(left, func(i int) *plan.Plan {
			p := base.Clone()
			from, to := begin+i*size, begin+(i+1)*size
			of.remove(p, func(k int) bool { return k >= from && k < to })
			return p
		})
		if taken < 0 {
			return
		}
		begin += taken * size // the pieces before are needed; what follows has moved here
	}
}
