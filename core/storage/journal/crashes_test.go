package journal

import (
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"time"

	"barnabas/core/task"
	"barnabas/sim/simdisk"
)

// A world is small enough to try every crash of: a script of a few commits on one journal. Each inner list is what one
// step appends, as rig.append takes it.
type world struct {
	name   string
	steps  [][]int
	gap    time.Duration // between steps
	synced bool
	early  bool // several commits in flight
	close  bool
}

var worlds = []world{
	{"one by one", [][]int{{10}, {20}, {30}}, 400 * time.Microsecond, true, false, false},
	{"grouped", [][]int{{10, 20, 30}, {-1, 10}, {40}}, 60 * time.Microsecond, true, false, false},
	{"of several blocks", [][]int{{5000}, {3900, 200}}, 400 * time.Microsecond, true, false, false},
	{"two in flight", [][]int{{10}, {4500}, {20}, {30}}, 10 * time.Microsecond, true, true, false},
	{"over a border of segments", [][]int{{9000}, {9000}, {9000}, {10}}, 200 * time.Microsecond, true, true, false},
	{"closed", [][]int{{10}, {20, -1}}, 100 * time.Microsecond, true, false, true},
	{"replicated", [][]int{{10}, {20}, {30, 40}, {50}}, 50 * time.Microsecond, false, false, false},
	{"replicated, with a vote", [][]int{{10}, {-1}, {20}, {5000}, {-1}, {30}}, 120 * time.Microsecond, false, true, false},
}

const (
	statesPerCrash = 32 // tried at one point; where there are more, so many samples
	seedsPerWorld  = 4  // each with other latencies, so another interleaving
)

// everyCrash is one script being crashed at every event.
type everyCrash struct {
	*rig
	world  world
	wrong  []string
	issued story
	must   [2]int // entries that survive, by kind of crash
	states int
	points int
	seen   map[uint64]bool // states already recovered, with what must be in them
}

func TestEveryCrashOfASmallWorldRecovers(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // machines are cloned by the thousand
	began := time.Now()
	var states, points atomic.Int64
	t.Run("worlds", func(t *testing.T) {
		for _, strictness := range []simdisk.Strictness{simdisk.Ordered, simdisk.PosixMin, simdisk.Adversarial} {
			t.Run(strictness.String(), func(t *testing.T) {
				t.Parallel()
				for seed := range uint64(seedsPerWorld) {
					for _, w := range worlds {
						e := newEveryCrash(w, strictness, seed)
						if e.run(); len(e.wrong) > 0 {
							t.Fatalf("%s: %s", w.name, e.wrong[0])
						}
						states.Add(int64(e.states))
						points.Add(int64(e.points))
					}
				}
			})
		}
	})
	t.Logf("%d crash states at %d points recovered in %v", states.Load(), points.Load(), time.Since(began).Round(time.Millisecond))
	if states.Load() < 20_000 && !t.Failed() {
		t.Errorf("%d crash states, want 20000", states.Load())
	}
}

func newEveryCrash(w world, s simdisk.Strictness, seed uint64) *everyCrash {
	o := Options{
		Folder: "data", SegmentBytes: 32 << 10, BytesMax: 128 << 10, CommitBytesMax: 12 << 10,
		ArenaBytesMax: 96 << 10, ChunkBytes: 12 << 10, Synced: w.synced,
	}
	e := &everyCrash{world: w, seen: map[uint64]bool{}, rig: newRig(seed, s, o)}
	if w.early {
		e.probe = early{}
	}
	return e
}

// run tells the script and crashes it at every event, up to the first state that is wrong.
func (e *everyCrash) run() {
	ended := false
	e.start(func(err error) {
		if err != nil {
			e.wrong = append(e.wrong, err.Error())
		}
	})
	e.loop.Go("script", func(s *task.Task) {
		for e.journal == nil {
			s.Sleep(e.loop.Now() + 1000)
		}
		for _, sizes := range e.world.steps {
			for _, size := range sizes {
				e.append(&e.issued, size)
			}
			s.Sleep(e.loop.Now().Add(e.world.gap))
		}
		if e.world.close {
			if err := e.journal.Close(s); err != nil {
				e.wrong = append(e.wrong, err.Error())
			}
		} else {
			s.Sleep(e.loop.Now().Add(11 * time.Millisecond))
		}
		ended = true
	})
	var last [5]uint64
	for !ended && len(e.wrong) == 0 {
		e.kernel.Run(e.kernel.Now() + 20) // no two events of one machine are nearer
		now := [5]uint64{uint64(e.machine.InFlight()), e.machine.Operations, uint64(len(e.issued.items))}
		if e.journal != nil {
			now[3], now[4] = e.journal.marks.Written, e.journal.marks.Durable
		}
		if now != last {
			last = now
			e.crashHere()
		}
	}
}

// crashHere tries every state that either kind of crash may leave now.
func (e *everyCrash) crashHere() {
	e.points++
	e.must = [2]int{}
	if e.journal != nil {
		e.must[simdisk.PowerLoss] = e.issued.acked(e.journal.marks.Durable)
		e.must[simdisk.ProcessDeath] = e.issued.acked(e.journal.marks.Written)
	}
	for _, kind := range []simdisk.Crash{simdisk.ProcessDeath, simdisk.PowerLoss} {
		e.machine.CrashStates(kind, statesPerCrash, func(left *simdisk.Machine) {
			h := left.Hash() ^ uint64(e.must[kind]*64+len(e.issued.items))*0x9e3779b97f4a7c15
			if len(e.wrong) > 0 || e.seen[h] {
				return
			}
			e.seen[h] = true
			e.states++
			if err := e.recover(left, e.must[kind]); err != nil {
				e.wrong = append(e.wrong, fmt.Sprintf("%v loss at %d ns with %d in flight: %v",
					kind, e.kernel.Now(), e.machine.InFlight(), err))
			}
		})
	}
}

// recover opens what a crash left and compares it. Every eighth state goes on: another commit, another power loss.
func (e *everyCrash) recover(left *simdisk.Machine, must int) error {
	r := onto(left, uint64(e.states), e.options)
	if err := r.open(); err != nil {
		return err
	}
	if err := e.issued.compare(r.found, must); err != nil {
		return err
	}
	if !e.issued.border(len(r.found.items)) {
		return fmt.Errorf("%d entries: part of a commit was recovered", len(r.found.items))
	}
	if e.states%8 != 0 {
		return nil
	}
	r.options.Synced = true
	r.crash(simdisk.PowerLoss)
	if err := r.open(); err != nil {
		return fmt.Errorf("again: %w", err)
	}
	after := story{append([]*item(nil), r.found.items...)}
	r.step(func() { r.append(&after, 4000) })
	r.pass(time.Millisecond)
	durable := len(after.items)
	if r.journal.marks.Durable < after.items[durable-1].sequence {
		durable--
	}
	r.step(func() { r.append(&after, 4000) })
	r.pass(40 * time.Microsecond)
	r.crash(simdisk.PowerLoss)
	if err := r.open(); err != nil {
		return fmt.Errorf("after more: %w", err)
	}
	if err := after.compare(r.found, durable); err != nil {
		return fmt.Errorf("after more: %w", err)
	}
	return nil
}
