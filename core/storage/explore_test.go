package storage

import (
	"errors"
	"flag"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"barnabas/core/task"
	"barnabas/sim/simdisk"
)

var exploreSeeds = flag.Int("explore.seeds", 1, "how often every small world is explored, each time with other latencies")

// exploration crashes one world wherever it can.
type exploration struct {
	*play
	world  world
	wrong  []error
	states int
	deeper int
	done   simdisk.Explored
}

// explore tells a world and crashes it everywhere, trying at most so many combinations of choices at one moment.
func explore(w world, s simdisk.Strictness, seed uint64, most int) *exploration {
	x := &exploration{play: newPlay(seed, s), world: w}
	x.options.Durability = w.durability
	defer x.kernel.End()
	if w.before != nil {
		if err := x.live(func(t *task.Task) error { return w.before(x.play, t) }); err != nil {
			x.wrong = append(x.wrong, fmt.Errorf("before: %w", err))
			return x
		}
		x.end(simdisk.ProcessDeath)
	}
	done := x.machine.Explore(simdisk.Exploration{
		CombinationsMax: most,
		Promised:        x.promised,
		Judge:           x.judge,
	}, func() {
		if err := x.live(func(t *task.Task) error { return w.script(x.play, t) }); err != nil {
			x.wrong = append(x.wrong, err)
		}
	})
	x.wrong = append(x.wrong, done.Wrong...)
	x.done = done
	return x
}

// promised changes whenever more must survive.
func (x *exploration) promised() uint64 {
	return uint64(x.survives(simdisk.PowerLoss))<<32 | uint64(x.survives(simdisk.ProcessDeath))
}

// judge recovers from a crash and says what is wrong with what was recovered. Now and then it crashes the recovery too.
func (x *exploration) judge(left *simdisk.Machine, kind simdisk.Crash) error {
	x.states++
	n := uint64(x.states)
	moments := x.moments[x.survives(kind):]
	err := x.recover(left, n, moments)
	if err != nil {
		return fmt.Errorf("%s, %v, state %d, %v: %w", x.world.name, left.Profile().Strictness, n, kind, err)
	}
	return nil
}

func (x *exploration) recover(left *simdisk.Machine, n uint64, moments []scene) error {
	p := onto(left, n, x.options)
	defer p.kernel.End()
	first, err := p.recovered(moments)
	if err != nil {
		return err
	}
	if n%4 != 0 {
		return nil
	}
	before := hash(p.directory)
	p.crash([]simdisk.Crash{simdisk.ProcessDeath, simdisk.PowerLoss}[n/4%2])
	x.deeper++
	if _, err := p.recovered([]scene{first}); err != nil {
		return fmt.Errorf("recovered twice: %w", err)
	}
	if after := hash(p.directory); !slices.Equal(before, after) {
		return fmt.Errorf("recovered twice, the state was %x and is %x", before, after)
	}
	if n%16 != 0 {
		return nil
	}
	return p.goOn(first)
}

// alarms leaves out that a crash cut a checkpoint's writing off, which is no damage.
func alarms(said []string) (left []string) {
	for _, line := range said {
		if !strings.Contains(line, "a crash cut its writing off") {
			left = append(left, line)
		}
	}
	return left
}

// recovered opens the directory and returns what it holds, which must be one of the moments, found without an alarm.
func (p *play) recovered(moments []scene) (found scene, err error) {
	err = p.live(func(t *task.Task) error {
		if found, err = p.observe(t); err != nil {
			return err
		}
		return found.among(moments)
	})
	if alarms := alarms(p.said); err == nil && (len(alarms) > 0 || len(p.directory.Recovered.Damaged) > 0) {
		err = fmt.Errorf("a false alarm: %q, %q", alarms, p.directory.Recovered.Damaged)
	}
	for _, l := range found.logs {
		if err == nil && len(l.doubts) > 0 {
			err = fmt.Errorf("a false alarm: %s doubts %v", l.name, l.doubts)
		}
	}
	return found, err
}

// goOn uses a recovered directory, stops it, and opens it again.
func (p *play) goOn(from scene) error {
	p.adopt(from)
	err := p.proceed(func(t *task.Task) error {
		for _, l := range p.directory.Logs().All {
			if err := p.append(t, l, 2, 3000, -1); err != nil {
				return err
			}
		}
		if err := p.checkpoint(t); err != nil {
			return err
		}
		if err := p.look(t); err != nil {
			return err
		}
		return p.directory.Close(t)
	})
	if err != nil {
		return fmt.Errorf("going on: %w", err)
	}
	p.crash(simdisk.PowerLoss)
	if _, err := p.recovered(p.moments[len(p.moments)-1:]); err != nil {
		return fmt.Errorf("after a clean stop: %w", err)
	}
	return nil
}

// exploreLeast is how many crash states a round over all worlds visits at least.
const exploreLeast = 20_000

// exploreMost is how many combinations are tried at one moment.
const exploreMost = 48

// TestEveryCrashOfASmallWorldRecovers crashes every world at every moment in every way, or as many as there is time for.
func TestEveryCrashOfASmallWorldRecovers(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // machines are cloned by the thousand
	began := time.Now()
	var states, deeper atomic.Int64
	t.Run("worlds", func(t *testing.T) {
		for _, strictness := range []simdisk.Strictness{simdisk.Ordered, simdisk.PosixMin, simdisk.Adversarial} {
			t.Run(strictness.String(), func(t *testing.T) {
				t.Parallel()
				for seed := range uint64(*exploreSeeds) {
					for _, w := range worlds {
						x := explore(w, strictness, seed, exploreMost)
						if len(x.wrong) > 0 {
							t.Errorf("%s, seed %d: %v", w.name, seed, errors.Join(x.wrong...))
						}
						t.Logf("%s: %d states at %d moments, %d combinations", w.name, x.states, x.done.Moments, x.done.Combinations)
						states.Add(int64(x.states))
						deeper.Add(int64(x.deeper))
					}
				}
			})
		}
	})
	t.Logf("%d crash states recovered, %d of them twice, in %v", states.Load(), deeper.Load(), time.Since(began).Round(time.Millisecond))
	if want := int64(exploreLeast * *exploreSeeds); states.Load() < want && !t.Failed() {
		t.Errorf("%d crash states, want %d", states.Load(), want)
	}
}
