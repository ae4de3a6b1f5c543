package storage

import (
	"errors"
	"flag"
	"fmt"
	"testing"
	"time"

	"barnabas/core/env"
	"barnabas/core/task"
	"barnabas/sim/simdisk"
	"barnabas/sim/simdisk/sweep"
)

var sweepPerClass = flag.Int("sweep.sites", 3, "how many operations of each kind on each class of files are failed; 0: all")

// expectation is what must become of a directory that meets a fault.
type expectation uint8

const (
	dies     expectation = iota // the fault ends the process
	heals                       // a want that goes away: everything goes on
	offline                     // a failed sync: for good
	survives                    // either it goes on, or it is offline and says why
)

// swept is a program with one fault.
type swept struct {
	*play
	expect  expectation
	failure error // of the directory
	refused bool  // an open said no
	killed  bool
}

// program returns a program to sweep: two lives of a directory with a past, in which everything happens that happens to one.
func program(seed uint64, s simdisk.Strictness, expect expectation) sweep.Run {
	return func(arm func(*simdisk.Machine)) error {
		p := &swept{play: newPlay(seed, s), expect: expect}
		defer p.kernel.End()
		if err := p.live(func(t *task.Task) error { return filled(p.play, t) }); err != nil {
			return fmt.Errorf("before: %w", err)
		}
		p.end(simdisk.ProcessDeath)
		p.machine.OnCrash = p.end
		arm(p.machine)
		for _, story := range []func(*task.Task) error{p.busy, p.again} {
			if err := p.tellOut(story); err != nil || p.failure != nil || p.killed {
				return p.judge(err)
			}
		}
		return p.judge(nil)
	}
}

// birth returns a program whose directory is made.
func birth(seed uint64, s simdisk.Strictness, expect expectation) sweep.Run {
	return func(arm func(*simdisk.Machine)) error {
		p := &swept{play: newPlay(seed, s), expect: expect}
		defer p.kernel.End()
		p.machine.OnCrash = p.end
		arm(p.machine)
		return p.judge(p.tellOut(func(t *task.Task) error {
			if err := twoLogs(p.play, t); err != nil {
				return err
			}
			if err := p.checkpoint(t); err != nil {
				return err
			}
			return p.directory.Close(t)
		}))
	}
}

// tellOut has a life tell its story. When the open is refused it tries once more. It returns what no fault excuses.
func (p *swept) tellOut(story func(*task.Task) error) error {
	for range 2 {
		err := p.live(story)
		if errors.Is(err, errHangs) || errors.Is(err, errWrong) {
			return err
		}
		if errors.Is(err, errKilled) {
			if p.expect != dies {
				return err
			}
			p.killed = true
			return nil
		}
		if p.directory == nil { // the open was refused
			if p.refused {
				return fmt.Errorf("the second open is refused, too: %w", err)
			}
			p.refused = true
			p.end(simdisk.ProcessDeath)
			continue
		}
		p.failure = p.directory.Failure()
		if p.failure != nil {
			return p.stop()
		}
		if err != nil {
			return err
		}
		p.end(simdisk.ProcessDeath)
		return nil
	}
	return nil
}

// stop has a directory that failed close: it says why, and does not wait for what will never be.
func (p *swept) stop() error {
	err := p.proceed(func(t *task.Task) error { return p.directory.Close(t) })
	if !errors.Is(err, p.failure) {
		return fmt.Errorf("closing says %w, the failure is %w", err, p.failure)
	}
	for _, known := range []error{env.ErrIO, env.ErrNoSpace, env.ErrReadOnly, env.ErrTooManyFiles} {
		if errors.Is(err, known) {
			return nil
		}
	}
	return fmt.Errorf("the failure does not say what happened: %w", err)
}

// judge says what is wrong with the outcome, and has the directory go on without faults.
func (p *swept) judge(err error) error {
	if err != nil {
		return err
	}
	if p.expect == offline && p.failure == nil && !p.refused && len(p.said) == 0 && p.machine.Took("D5")+p.machine.Took("D7") > 0 {
		return errors.New("a sync failed and the directory goes on")
	}
	if p.expect == heals && p.failure != nil {
		return fmt.Errorf("it does not heal: %w", p.failure)
	}
	p.machine.EndFaults()
	if p.node.Alive() {
		p.end(simdisk.PowerLoss)
	}
	p.said = nil
	found, err := p.recovered(p.moments[p.floor:])
	if err != nil {
		return err
	}
	return p.goOn(found)
}

// busy is a life in which everything happens.
func (p *swept) busy(t *task.Task) error {
	a, b := p.log(1), p.log(2)
	for i := range 6 {
		if err := p.append(t, a, 2, 3000, int64(i%2)); err != nil {
			return err
		}
		if err := p.copied(t, b, 1, 5000); err != nil {
			return err
		}
		if err := p.rest(t, 300*time.Microsecond); err != nil {
			return err
		}
	}
	p.vote("two", 5)
	if err := p.checkpoint(t); err != nil {
		return err
	}
	if err := p.change(t, a, b); err != nil {
		return err
	}
	if err := p.see(t); err != nil {
		return err
	}
	return p.directory.Close(t)
}

// change truncates, refills, deletes, drops and makes again.
func (p *swept) change(t *task.Task, a, b *Log) error {
	p.cut(b, b.End()-2)
	if err := p.copied(t, b, 1, 900); err != nil {
		return err
	}
	p.expire(a)
	if err := p.checkpoints(t); err != nil {
		return err
	}
	p.drop(b)
	b = p.create([16]byte{9}, 1, "orders-1")
	c := p.create([16]byte{15: 1}, 0, "__cluster_metadata-0")
	for range 4 {
		for _, l := range []*Log{b, c} {
			if err := p.append(t, l, 1, 4000, -1); err != nil {
				return err
			}
		}
	}
	p.moveStart(a, a.StableEnd()-1)
	return p.checkpoints(t)
}

// see looks, and looks again if the disk did not let it.
func (p *swept) see(t *task.Task) error {
	err := p.look(t)
	if err != nil && !errors.Is(err, errWrong) && p.directory.Failure() == nil {
		err = p.look(t)
	}
	return err
}

// again is another life: it recovers, reads what is in files, and stops.
func (p *swept) again(t *task.Task) error {
	if err := p.see(t); err != nil {
		return err
	}
	if err := p.append(t, p.log(1), 1, 700, 7); err != nil {
		return err
	}
	return p.directory.Close(t)
}

// faultSort is a sort of faults.
type faultSort struct {
	name   string
	expect expectation
	small  bool // on small files only, which are written whole each time
}

// outcomes returns the outcomes of the sort. A sync without space is tried again where all that it covers is written again.
func (s *faultSort) outcomes(k simdisk.Kind) (all []sweep.Outcome) {
	for _, o := range sweep.Legal(k) {
		space, lack := o.Error == env.ErrNoSpace, o.Error == env.ErrNoSpace || o.Error == env.ErrTooManyFiles
		is := survives
		switch {
		case o.Effect.Crashes():
			is = dies
		case k == simdisk.OpSync && space && !s.small:
			is = offline
		case lack:
			is = heals
		case simdisk.Kinds.Has(simdisk.Syncs, k):
			is = offline
		}
		if is == s.expect && (!s.small || k == simdisk.OpSync) {
			all = append(all, o)
		}
	}
	return all
}

// keep says which sites the sort is for.
func (s *faultSort) keep(site simdisk.Site) bool {
	if site.Kind == simdisk.OpSyncDir && site.Class == "/" && s.expect == offline {
		// The name of the data folder itself: it can't be made anew without taking away what an operator may have made.
		return false
	}
	appended := site.Class == "#.log" || site.Class == "journal-#.segment"
	return site.Kind != simdisk.OpSync || s.expect != offline && !s.small || s.small != appended
}

// sorts of faults: together they are all that are legal.
var sorts = []faultSort{
	{"crash", dies, false},
	{"want", heals, false},
	{"want in a sync", heals, true},
	{"sync", offline, false},
	{"small sync", offline, true},
	{"other", survives, false},
}

// TestEveryOperationFails fails each disk operation of two programs in every way, one at a time.
func TestEveryOperationFails(t *testing.T) {
	for _, s := range sorts {
		for kind, made := range map[string]func(uint64, simdisk.Strictness, expectation) sweep.Run{"birth": birth, "life": program} {
			t.Run(s.name+" in a "+kind, func(t *testing.T) {
				t.Parallel()
				report, err := sweep.Over(sweep.Options{
					PerClass: *sweepPerClass, Keep: s.keep, Outcomes: s.outcomes, Variants: 2,
				}, made(1, simdisk.PosixMin, s.expect))
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range report.Failures {
					t.Errorf("%v: %.700v", f.Try, f.Err)
				}
				if report.Fired != report.Tries || report.Tries == 0 {
					t.Errorf("%d of %d faults took effect", report.Fired, report.Tries)
				}
				t.Logf("%d operations, %d sites, %d tries", report.Operations, report.Sites, report.Tries)
			})
		}
	}
}
