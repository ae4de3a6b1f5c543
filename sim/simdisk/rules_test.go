package simdisk

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"barnabas/core/env"
	"barnabas/core/task"
)

func TestRulesMeetWhatTheyMatch(t *testing.T) {
	for _, c := range []struct {
		rule Rule
		want string // of six writes: two each to data-1/00.log, data-1/00.index and data-2/07.log
	}{
		{Rule{}, "111111"},
		{Rule{Kinds: Of(OpWriteAt)}, "111111"},
		{Rule{Kinds: Of(OpSync, OpOpen)}, "000000"},
		{Rule{Files: "*.log"}, "110011"},
		{Rule{Files: "data-1/*"}, "111100"},
		{Rule{Files: "data-1"}, "000000"},
		{Rule{Class: "#.log"}, "110011"},
		{Rule{Class: "#.log", First: 2, Times: 2}, "010010"},
		{Rule{Times: 3}, "111000"},
		{Rule{First: 3}, "001111"},
	} {
		r := newRig(1, Plain(PosixMin))
		got := ""
		r.run(func(s *task.Task) {
			wait(t, s, r.disk.MakeFolder("data-1"))
			wait(t, s, r.disk.MakeFolder("data-2"))
			var files []env.File
			for _, path := range []string{"data-1/00.log", "data-1/00.index", "data-2/07.log"} {
				files = append(files, wait(t, s, r.disk.Open(path, env.OpenNew)))
			}
			i := r.machine.Inject(c.rule)
			for _, f := range files {
				for range 2 {
					if _, err := f.WriteAt([]byte("x"), 0).Wait(s); err != nil {
						got += "1"
					} else {
						got += "0"
					}
				}
			}
			if i.Fired != uint64(strings.Count(got, "1")) {
				t.Errorf("%+v: says %d", c.rule, i.Fired)
			}
		})
		if got != c.want {
			t.Errorf("%+v: met %s, want %s", c.rule, got, c.want)
		}
	}
}

// TestTheFirstRuleGoesFirst: an operation meets one rule, and the others have seen it.
func TestTheFirstRuleGoesFirst(t *testing.T) {
	r, f := fresh(t, 1, PosixMin, 1)
	first := r.machine.Inject(Rule{Times: 2, Effect: FailBefore, Error: env.ErrReadOnly})
	second := r.machine.Inject(Rule{First: 3, Effect: FailBefore, Error: env.ErrNoSpace})
	r.run(func(s *task.Task) {
		fails(t, s, f.WriteAt([]byte("x"), 0), env.ErrReadOnly)
		fails(t, s, f.WriteAt([]byte("x"), 0), env.ErrReadOnly)
		fails(t, s, f.WriteAt([]byte("x"), 0), env.ErrNoSpace)
		second.End()
		wait(t, s, f.WriteAt([]byte("x"), 0))
	})
	if first.Fired != 2 || second.Fired != 1 || second.Met != 3 {
		t.Errorf("%+v, %+v", first, second)
	}
}

func TestClasses(t *testing.T) {
	for name, want := range map[string]string{
		"": "/", ".": "/", "data": "data", "data/topic-0": "topic-#", "data/t-12/00000000000000000123.log": "#.log",
		"data/journal-0000000007.segment": "journal-#.segment", "data/__cluster_metadata-0/x": "x",
	} {
		if got := Class(name); got != want {
			t.Errorf("%q is of class %q, want %q", name, got, want)
		}
	}
}

// TestARuleCrashes crashes a write in every way and looks at what a reader would see.
func TestARuleCrashes(t *testing.T) {
	for _, c := range []struct {
		effect Effect
		crash  Crash
		want   []string
	}{
		{CrashBefore, ProcessDeath, []string{"f=a*4096"}},
		{CrashBefore, PowerLoss, []string{"f=a*4096"}},
		{CrashAfter, ProcessDeath, []string{"f=x*4096"}},
		{CrashAfter, PowerLoss, []string{"f=x*4096"}},
		{CrashDuring, ProcessDeath, []string{"f=a*4096", "f=x*4096"}},
		{CrashDuring, PowerLoss, []string{"f=a*4096", "f=x*4096"}},
	} {
		seen := map[string]bool{}
		for seed := range uint64(40) {
			r, f := fresh(t, seed, Ordered, 1)
			told := false
			asked := Crash(9)
			if seed%2 == 0 {
				r.machine.OnCrash = func(kind Crash) {
					asked = kind
					if kind == PowerLoss {
						r.machine.PowerLost()
					} else {
						r.machine.ProcessDied()
					}
					r.node.Kill()
				}
			}
			i := r.machine.Inject(Rule{Kinds: Of(OpWriteSync), Effect: c.effect, Crash: c.crash})
			r.loop.Go("write", func(s *task.Task) {
				f.WriteSync(blockOf(r.disk, 1, 'x'), 0).Wait(s)
				told = true
			})
			r.node.Poke()
			r.kernel.Run(r.kernel.Now() + 1e9)
			if told || r.node.Alive() || i.Fired != 1 || r.machine.Took([...]string{"P1", "P2"}[c.crash]) != 1 {
				t.Fatalf("%v: told %t, alive %t, fired %d", c, told, r.node.Alive(), i.Fired)
			}
			if seed%2 == 0 && asked != c.crash {
				t.Fatalf("%v: asked for %v", c, asked)
			}
			seen[render(r.machine)] = true
			r.start() // and the next process works
			r.run(func(s *task.Task) {
				wait(t, s, wait(t, s, r.disk.Open("f", env.OpenExisting)).Size())
			})
		}
		for _, want := range c.want {
			if !seen[want] {
				t.Errorf("%v %v never leaves %s: %v", c.effect, c.crash, want, seen)
			}
		}
		if len(seen) != len(c.want) {
			t.Errorf("%v %v leaves %v", c.effect, c.crash, seen)
		}
	}
}

// TestFaultyWorldsRunTwiceAlike: a seed with many faults is like itself, and a rule that never fires changes nothing.
func TestFaultyWorldsRunTwiceAlike(t *testing.T) {
	run := func(seed uint64, inject func(m *Machine)) string {
		r := newRig(seed, Drawn(env.NewRandom(seed, 3), 0))
		inject(r.machine)
		r.run(func(s *task.Task) { scribble(s, r.disk) })
		r.machine.PowerLost()
		r.node.Kill()
		r.start()
		r.run(func(s *task.Task) { scribble(s, r.disk) })
		return fmt.Sprintf("%x %x %+v", r.kernel.Digest(), r.machine.Hash(), r.machine.Damaged())
	}
	many := func(m *Machine) {
		m.Fail(0, "", 0, 9)
		m.LieAboutSyncs("", 0, 4)
		m.Inject(Rule{Kinds: misdirected, Effect: Misdirect, OneIn: 3})
	}
	never := func(m *Machine) {
		m.Fail(0, "nothing", 0, 1)
		m.Inject(Rule{First: 1 << 40})
		m.Inject(Rule{OneIn: 1 << 60, Effect: FailAfter})
	}
	different := 0
	for seed := range uint64(50) {
		plain := run(seed, func(*Machine) {})
		if got := run(seed, never); got != plain {
			t.Errorf("seed %d: rules that never fire change it", seed)
		}
		faulty := run(seed, many)
		if again := run(seed, many); again != faulty {
			t.Errorf("seed %d: %s, then %s", seed, faulty, again)
		}
		if faulty != plain {
			different++
		}
	}
	if different < 45 {
		t.Errorf("faults change %d of 50 seeds", different)
	}
}

// scribble does a bit of everything, whatever comes of it.
func scribble(s *task.Task, d *Disk) {
	for i := range 6 {
		name := string(rune('a' + i%3))
		f, err := d.Open(name, env.OpenCreate).Wait(s)
		if err != nil {
			continue
		}
		f.WriteAt(bytes.Repeat([]byte{byte('k' + i)}, 5000), int64(i)*1000).Wait(s)
		f.Sync().Wait(s)
		f.WriteSync(blockOf(d, 2, byte('p'+i)), int64(i%2)*env.BlockBytes).Wait(s)
		f.ReadAt(make([]byte, 6000), 100).Wait(s)
		d.SyncDir("").Wait(s)
		if i == 3 {
			d.Rename("a", "z").Wait(s)
		}
		f.Close()
	}
}
