// Package sweep fails every disk operation of a program in every way, one at a time.
//
// It first runs the program without a fault and notes the sites: every operation, as the Nth of its kind on files of its
// class. Then it runs it again for each site and each Outcome that is legal there, and has the caller judge what became
// of it. A fault that does not take effect is an error of the sweep, since then nothing was tried. The program must
// therefore be deterministic up to the fault.
//
// It knows nothing of the program and of what is right. It does not combine faults.
package sweep

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"barnabas/sim/simdisk"
)

// Run runs the program once, in a new world that is the same every time, and returns what is wrong with the outcome. It
// calls arm with the machine under test before the part that is swept, and the machine's EndFaults after it, before it
// looks at the outcome. What was started and not waited for by then may not meet its fault. Whatever the program does
// about a fault is its own business: that it gives up is no error unless the caller says so.
type Run func(arm func(*simdisk.Machine)) error

// Options bound a sweep.
type Options struct {
	// Keep says which sites are swept; nil is all.
	Keep func(simdisk.Site) bool
	// PerClass bounds the sites of each kind and class: the first ones, the last, and others evenly between. 0 is all.
	PerClass int
	// Outcomes are tried at a site; nil is Legal.
	Outcomes func(simdisk.Kind) []Outcome
	// Variants is how often an outcome is tried that is partly drawn; 0 is 3.
	Variants int
	// FailuresMax ends the sweep; 0 is 10.
	FailuresMax int
}

// Try is one run with a fault.
type Try struct {
	Site    simdisk.Site
	Outcome Outcome
	Variant uint64
}

func (t Try) String() string {
	return fmt.Sprintf("%v %d of %s %v, variant %d", t.Site.Kind, t.Site.Nth, t.Site.Class, t.Outcome, t.Variant)
}

// Failure is a try that went wrong.
type Failure struct {
	Try
	Err error
}

// Report is what a sweep did.
type Report struct {
	Operations int // of the program
	Sites      int // swept
	Tries      int
	Fired      int // tries whose fault took effect; the others are failures
	Rows       []Row
	Failures   []Failure
}

// Row counts the tries of one kind and class with one outcome, in the order they were first tried.
type Row struct {
	Kind    simdisk.Kind
	Class   string
	Outcome Outcome
	Fired   int
}

// ErrNotFired says that the fault of a try did not take effect.
var ErrNotFired = errors.New("the fault did not take effect")

// Over sweeps a program. It returns an error when the program does not even run without a fault.
func Over(o Options, run Run) (r Report, err error) {
	if o.Outcomes == nil {
		o.Outcomes = Legal
	}
	if o.FailuresMax == 0 {
		o.FailuresMax = 10
	}
	if o.Variants == 0 {
		o.Variants = 3
	}
	var machine *simdisk.Machine
	err = safely(run, func(m *simdisk.Machine) {
		machine = m
		m.NoteSites()
	})
	if err != nil {
		return r, fmt.Errorf("without a fault: %w", err)
	}
	if machine == nil {
		return r, errors.New("the program was not armed")
	}
	r.Operations = len(machine.Sites())
	for _, site := range o.choose(machine.Sites()) {
		r.Sites++
		for _, outcome := range o.Outcomes(site.Kind) {
			for v := range o.variants(outcome) {
				if r.try(Try{site, outcome, v}, run); len(r.Failures) >= o.FailuresMax {
					return r, nil
				}
			}
		}
	}
	return r, nil
}

// variants is how often an outcome is tried at a site.
func (o Options) variants(outcome Outcome) uint64 {
	if outcome.Effect == simdisk.FailPartly {
		return uint64(o.Variants)
	}
	return 1
}

// try runs the program with one fault.
func (r *Report) try(t Try, run Run) {
	var fault *simdisk.Injection
	err := safely(run, func(m *simdisk.Machine) { fault = m.Inject(t.rule()) })
	r.Tries++
	if fault != nil && fault.Fired > 0 {
		r.Fired++
		r.row(t).Fired++
	} else if err == nil {
		err = ErrNotFired
	}
	if err != nil {
		r.Failures = append(r.Failures, Failure{t, err})
	}
}

func (t Try) rule() simdisk.Rule {
	return simdisk.Rule{
		Kinds: simdisk.Of(t.Site.Kind), Class: t.Site.Class, First: t.Site.Nth, Times: 1, Variant: t.Variant,
		Effect: t.Outcome.Effect, Error: t.Outcome.Error, Crash: t.Outcome.Crash,
	}
}

// row returns the row of a try.
func (r *Report) row(t Try) *Row {
	for i := range r.Rows {
		if row := &r.Rows[i]; row.Kind == t.Site.Kind && row.Class == t.Site.Class && row.Outcome == t.Outcome {
			return row
		}
	}
	r.Rows = append(r.Rows, Row{Kind: t.Site.Kind, Class: t.Site.Class, Outcome: t.Outcome})
	return &r.Rows[len(r.Rows)-1]
}

// safely runs the program and returns a panic as an error.
func safely(run Run, arm func(*simdisk.Machine)) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	return run(arm)
}

// choose returns the sites to sweep, in the order of the program.
func (o Options) choose(all []simdisk.Site) (chosen []simdisk.Site) {
	counts := map[simdisk.Site]uint64{}
	group := func(s simdisk.Site) simdisk.Site { return simdisk.Site{Kind: s.Kind, Class: s.Class} }
	for _, s := range all {
		counts[group(s)]++
	}
	for _, s := range all {
		if (o.Keep == nil || o.Keep(s)) && o.among(s.Nth, counts[group(s)]) {
			chosen = append(chosen, s)
		}
	}
	return chosen
}

// among says whether the nth of so many is swept: half of those there may be are the first ones, the rest is spread.
func (o Options) among(nth, count uint64) bool {
	most := uint64(o.PerClass)
	if most == 0 || count <= most || nth == count || nth <= most/2 {
		return true
	}
	spread := most - most/2 // one of them is the last
	rest := count - most/2
	at := nth - most/2 // from 1
	return at*spread/rest != (at-1)*spread/rest
}

// String is the report as lines, one a row, and the failures.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d operations, %d sites, %d tries, %d fired, %d failures\n",
		r.Operations, r.Sites, r.Tries, r.Fired, len(r.Failures))
	for _, row := range r.Rows {
		fmt.Fprintf(&b, "%5d × %v %s %v\n", row.Fired, row.Kind, row.Class, row.Outcome)
	}
	for _, f := range r.Failures {
		fmt.Fprintf(&b, "%v: %v\n", f.Try, f.Err)
	}
	return b.String()
}
