package simdisk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
	"time"

	"barnabas/core/env"
	"barnabas/core/task"
	"barnabas/sim/kernel"
)

// A tally is a program that keeps a sum: additions go to a log, a checkpoint sums them up in a new file that is renamed
// over the old one, and a start adds what the log has and the checkpoint has not.
type tally struct {
	disk  *Disk
	bugs  tallyBugs
	log   env.File
	sum   uint64 // of all additions acknowledged
	added uint64 // their number
	next  int64  // where in the log the next one goes
	acked *uint64
}

// tallyBugs are what is to be found.
type tallyBugs struct {
	twice    bool // recovery adds what it has added before
	unsynced bool // the checkpoint is renamed before it is synced
	early    bool // the log begins anew before the rename is durable
	promised bool // an addition is acknowledged before it is durable
}

// A record of the log is one block: its number and its amount. The checkpoint is a number and a sum.
func pair(a, b uint64) []byte {
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, a), b)
}

func (y *tally) write(s *task.Task, f env.File, a, b uint64, at int64) error {
	p := y.disk.Buffer(1)
	defer y.disk.FreeBuffer(p)
	clear(p)
	copy(p, pair(a, b))
	_, err := f.WriteSync(p, at).Wait(s)
	return err
}

func (y *tally) open(s *task.Task) error {
	_, err := y.disk.MakeFolder("d").Wait(s)
	if err != nil {
		return err
	}
	if y.log, err = y.disk.Open("d/log", env.OpenCreate).Wait(s); err != nil {
		return err
	}
	p := make([]byte, 16)
	if f, err := y.disk.Open("d/sum", env.OpenExisting).Wait(s); err == nil {
		n, err := f.ReadAt(p, 0).Wait(s)
		if err != nil || n != 16 {
			return fmt.Errorf("the checkpoint has %d bytes: %w", n, err)
		}
		f.Close()
		y.added, y.sum = binary.LittleEndian.Uint64(p), binary.LittleEndian.Uint64(p[8:])
	} else if !errors.Is(err, env.ErrNotExist) {
		return err
	}
	for ; ; y.next += env.BlockBytes {
		n, err := y.log.ReadAt(p, y.next).Wait(s)
		if err != nil {
			return err
		}
		number := binary.LittleEndian.Uint64(p)
		if n < 16 || number == 0 {
			break
		}
		if number == y.added+1 || y.bugs.twice {
			y.added, y.sum = max(y.added, number), y.sum+binary.LittleEndian.Uint64(p[8:])
		}
	}
	if _, err = y.disk.SyncDir("d").Wait(s); err != nil {
		return err
	}
	if _, err = y.disk.SyncDir("").Wait(s); err != nil {
		return err
	}
	return y.checkpoint(s)
}

func (y *tally) add(s *task.Task, amount uint64) error {
	y.added, y.sum = y.added+1, y.sum+amount
	if y.bugs.promised {
		*y.acked = y.added
	}
	if err := y.write(s, y.log, y.added, amount, y.next); err != nil {
		return err
	}
	y.next += env.BlockBytes
	*y.acked = y.added
	return nil
}

func (y *tally) checkpoint(s *task.Task) error {
	f, err := y.disk.Open("d/sum.new", env.OpenCreate).Wait(s)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.WriteAt(pair(y.added, y.sum), 0).Wait(s); err != nil {
		return err
	}
	if !y.bugs.unsynced {
		if _, err := f.Sync().Wait(s); err != nil {
			return err
		}
	}
	if _, err := y.disk.Rename("d/sum.new", "d/sum").Wait(s); err != nil {
		return err
	}
	if !y.bugs.early {
		if _, err := y.disk.SyncDir("d").Wait(s); err != nil {
			return err
		}
	}
	y.next = 0
	if _, err := y.log.Truncate(0).Wait(s); err != nil {
		return err
	}
	_, err = y.log.Sync().Wait(s)
	return err
}

// amount is what the n-th addition adds.
func amount(n uint64) uint64 { return 1 << n }

// tallied is a world with a tally in it.
type tallied struct {
	*rig
	tally *tally
	acked uint64
	ended error
	done  bool
}

func newTallied(machine *Machine, seed uint64, s Strictness, bugs tallyBugs) *tallied {
	k := kernel.New(env.NewRandom(seed, 11))
	w := &tallied{rig: &rig{kernel: k, node: k.Add(), machine: machine}}
	if machine == nil {
		w.machine = New(k, w.node, Plain(s))
	} else {
		machine.Attach(k, w.node)
	}
	w.start()
	w.tally = &tally{disk: w.disk, bugs: bugs, acked: &w.acked}
	return w
}

// live opens the tally and adds so many.
func (w *tallied) live(additions uint64) {
	w.loop.Go("tally", func(s *task.Task) {
		w.ended = w.tally.open(s)
		for i := uint64(0); i < additions && w.ended == nil; i++ {
			w.ended = w.tally.add(s, amount(w.tally.added+1))
			if i == 1 && w.ended == nil {
				w.ended = w.tally.checkpoint(s)
			}
		}
		w.done = true
	})
	w.node.Poke()
	for !w.done && w.node.Alive() && w.kernel.Run(w.kernel.Now().Add(time.Second)) {
	}
}

// judge says what is wrong with the sum found.
func (y *tally) judge(acked, issued uint64) error {
	if y.added < acked || y.added > issued {
		return fmt.Errorf("%d additions are left, %d were acknowledged, %d issued", y.added, acked, issued)
	}
	want := uint64(0)
	for n := range y.added {
		want += amount(n + 1)
	}
	if y.sum != want {
		return fmt.Errorf("the sum of %d additions is %b, want %b", y.added, y.sum, want)
	}
	return nil
}

// exploreTally crashes a tally wherever it can, and each recovery once more.
func exploreTally(s Strictness, bugs tallyBugs) (done, again Explored) {
	w := newTallied(nil, 1, s, bugs)
	defer w.kernel.End()
	seen := map[uint64]bool{}
	recovered := func(left *Machine, acked uint64, deeper func(*tallied)) error {
		r := newTallied(left, 2, s, bugs)
		defer r.kernel.End()
		if deeper != nil {
			deeper(r)
		} else {
			r.live(0)
		}
		if r.ended != nil {
			return r.ended
		}
		return r.tally.judge(acked, w.tally.added)
	}
	done = w.machine.Explore(Exploration{
		Promised: func() uint64 { return w.acked },
		Judge: func(left *Machine, _ Crash) error {
			acked := w.acked
			var wrong []error
			err := recovered(left, acked, func(r *tallied) {
				inner := r.machine.Explore(Exploration{
					Promised: func() uint64 { return acked<<32 | w.tally.added },
					Judge:    func(left *Machine, _ Crash) error { return recovered(left, acked, nil) },
					Seen:     seen,
				}, func() { r.live(0) })
				again.States += inner.States
				again.Combinations += inner.Combinations
				again.Incomplete += inner.Incomplete
				wrong = inner.Wrong
			})
			return errors.Join(append(wrong, err)...)
		},
	}, func() { w.live(4) })
	return done, again
}

func TestExploringFindsWhatIsWrongWithARecovery(t *testing.T) {
	// The numbers are the same in every run; a change of the disk that changes them is to be understood.
	want := map[Strictness][2]int{Ordered: {47, 237}, PosixMin: {56, 348}, Adversarial: {204, 2770}}
	for _, s := range []Strictness{Ordered, PosixMin, Adversarial} {
		began := time.Now()
		done, again := exploreTally(s, tallyBugs{})
		took := time.Since(began)
		if len(done.Wrong) > 0 || done.Incomplete+again.Incomplete > 0 {
			t.Fatalf("%v: %+v, %+v", s, done, again)
		}
		if got := [2]int{done.States, again.States}; got != want[s] {
			t.Errorf("%v: %d states, and %d of their recoveries, want %v", s, got[0], got[1], want[s])
		}
		t.Logf("%v: %+v, then %+v: %.0f combinations a second", s, done, again,
			float64(done.Combinations+again.Combinations)/took.Seconds())
		for name, bugs := range map[string]tallyBugs{
			"twice": {twice: true}, "unsynced": {unsynced: true}, "early": {early: true}, "promised": {promised: true},
		} {
			if done, _ := exploreTally(s, bugs); len(done.Wrong) == 0 {
				t.Errorf("%v: the bug %q was not found: %+v", s, name, done)
			}
		}
	}
}

// TestEveryStateIsVisited counts the states of worlds so small that they can be counted by hand.
func TestEveryStateIsVisited(t *testing.T) {
	sectorsOf := func(n int) int { return 1 << n }
	for _, c := range []struct {
		name       string
		strictness Strictness
		kind       Crash
		states     int // as they look
		judged     int // with their history
		story      func(s *task.Task, d *Disk, f env.File)
	}{
		{"the sectors of a direct write", PosixMin, PowerLoss, sectorsOf(8), sectorsOf(8), func(_ *task.Task, d *Disk, f env.File) {
			f.WriteSync(blockOf(d, 1, 'b'), 0)
		}},
		{"the blocks of a direct write", Ordered, PowerLoss, sectorsOf(3), sectorsOf(3), func(_ *task.Task, d *Disk, f env.File) {
			f.WriteSync(blockOf(d, 3, 'b'), 0)
		}},
		{"blocks in the page cache", PosixMin, PowerLoss, 3 * 3 * 2, 18, func(s *task.Task, d *Disk, f env.File) {
			f.WriteAt(blockOf(d, 2, 'b'), 0).Wait(s)
			f.WriteAt(blockOf(d, 3, 'c'), 0).Wait(s)
		}},
		{"versions of a block", PosixMin, PowerLoss, 8, 8, func(s *task.Task, d *Disk, f env.File) {
			for i := range byte(7) {
				f.WriteAt([]byte{'b' + i}, 0).Wait(s)
			}
		}},
		{"names", PosixMin, PowerLoss, 2 * 2 * 2, 8, func(s *task.Task, d *Disk, _ env.File) {
			d.Open("x", env.OpenNew).Wait(s)
			d.Open("y", env.OpenNew).Wait(s)
			d.Remove("f").Wait(s)
		}},
		{"names in order", Ordered, PowerLoss, 4, 4, func(s *task.Task, d *Disk, _ env.File) {
			d.Open("x", env.OpenNew).Wait(s)
			d.Open("y", env.OpenNew).Wait(s)
			d.Remove("f").Wait(s)
		}},
		{"orders", PosixMin, ProcessDeath, 4, 5, func(_ *task.Task, d *Disk, f env.File) {
			f.WriteAt([]byte("bc"), 0) // nothing, either, or both: the order shows
			f.WriteAt([]byte("d"), 0)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(1, Plain(c.strictness))
			var f env.File
			r.run(func(s *task.Task) {
				f = wait(t, s, r.disk.Open("f", env.OpenNew))
				wait(t, s, f.WriteSync(blockOf(r.disk, 3, 'a'), 0))
				wait(t, s, r.disk.SyncDir(""))
			})
			seen := map[string]bool{}
			explore := func(run func()) Explored {
				clear(seen)
				return r.machine.Explore(Exploration{
					Kinds: []Crash{c.kind},
					Judge: func(left *Machine, _ Crash) error { seen[render(left)] = true; return nil },
				}, run)
			}
			explore(func() { r.run(func(s *task.Task) { c.story(s, r.disk, f) }) })
			done := explore(func() {})
			if len(seen) != c.states || done.States != c.judged || done.Incomplete != 0 || done.Moments != 1 {
				t.Errorf("%d states, want %d, judged %d: %+v", len(seen), c.states, c.judged, done)
			}
		})
	}
}

func TestAnExplorationThatIsTooLargeSamples(t *testing.T) {
	explore := func(most int) (Explored, map[string]bool) {
		r, f := fresh(t, 1, PosixMin, 4)
		r.run(func(s *task.Task) { wait(t, s, f.WriteAt(blockOf(r.disk, 4, 'x'), 0)) })
		seen := map[string]bool{}
		return r.machine.Explore(Exploration{
			Kinds: []Crash{PowerLoss}, CombinationsMax: most,
			Judge: func(left *Machine, _ Crash) error { seen[render(left)] = true; return nil },
		}, func() {}), seen
	}
	if done, seen := explore(16); done.Incomplete != 0 || len(seen) != 16 {
		t.Errorf("%d states: %+v", len(seen), done)
	}
	done, seen := explore(12)
	if done.Incomplete != 1 || done.Combinations != 24 || len(seen) < 12 || !seen["f=x*16384"] {
		t.Errorf("%d states: %+v", len(seen), done)
	}
	again, _ := explore(12)
	if done.States != again.States {
		t.Errorf("%+v, then %+v", done, again)
	}
}

// TestEveryCompletionIsAMoment: also of operations that complete while their process does not step.
func TestEveryCompletionIsAMoment(t *testing.T) {
	r, f := fresh(t, 1, PosixMin, 3)
	done := r.machine.Explore(Exploration{
		Kinds: []Crash{ProcessDeath}, Judge: func(*Machine, Crash) error { return nil },
	}, func() {
		r.run(func(*task.Task) {
			for i := range int64(3) {
				f.WriteSync(blockOf(r.disk, 1, 'x'), i*env.BlockBytes)
			}
		})
		r.node.Pause()
		r.kernel.Run(r.kernel.Now() + 1e9)
	})
	if done.Moments != 1+1+3 {
		t.Errorf("before, with all in progress, and after each: %+v", done)
	}
}
