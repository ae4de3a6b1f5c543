package simdisk

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"barnabas/core/env"
	"barnabas/core/task"
)

// fresh returns a rig whose file f has so many durable blocks of letters from 'a' on, open.
func fresh(t *testing.T, seed uint64, s Strictness, count int) (*rig, env.File) {
	t.Helper()
	r := newRig(seed, Plain(s))
	var f env.File
	r.run(func(s *task.Task) {
		f = wait(t, s, r.disk.Open("f", env.OpenNew))
		for i := range count {
			wait(t, s, f.WriteSync(blockOf(r.disk, 1, byte('a'+i)), int64(i)*env.BlockBytes))
		}
		wait(t, s, r.disk.SyncDir(""))
	})
	return r, f
}

// left returns what a power loss may leave, in order.
func left(m *Machine) (outcomes []string) {
	m.CrashStates(PowerLoss, 1<<12, func(m *Machine) { outcomes = append(outcomes, render(m)) })
	slices.Sort(outcomes)
	return slices.Compact(outcomes)
}

func fails[T any](t *testing.T, s *task.Task, p *task.Pending[T], want error) {
	t.Helper()
	if _, err := p.Wait(s); !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

func TestALieIsNotDurable(t *testing.T) {
	for name, c := range map[string]struct {
		lie  func(t *testing.T, s *task.Task, d *Disk, f env.File)
		want []string
	}{
		"sync": {func(t *testing.T, s *task.Task, _ *Disk, f env.File) {
			wait(t, s, f.WriteAt([]byte("x"), 0))
			wait(t, s, f.Sync())
		}, []string{"f=a*4096", "f=x,a*4095"}},
		"direct write": {func(t *testing.T, s *task.Task, d *Disk, f env.File) {
			wait(t, s, f.WriteSync(blockOf(d, 1, 'x'), 0))
		}, []string{"f=a*4096", "f=x*4096"}},
		"growing": {func(t *testing.T, s *task.Task, d *Disk, f env.File) {
			wait(t, s, f.WriteSync(blockOf(d, 1, 'x'), env.BlockBytes))
		}, []string{"f=a*4096", "f=a*4096,.*4096", "f=a*4096,x*4096"}},
		"growing in memory": {func(t *testing.T, s *task.Task, _ *Disk, f env.File) {
			wait(t, s, f.WriteAt([]byte("x"), env.BlockBytes))
			wait(t, s, f.Sync())
		}, []string{"f=a*4096", "f=a*4096,.", "f=a*4096,x"}},
		"folder": {func(t *testing.T, s *task.Task, d *Disk, _ env.File) {
			wait(t, s, d.Rename("f", "g"))
			wait(t, s, d.SyncDir(""))
		}, []string{"f=a*4096", "g=a*4096"}},
	} {
		t.Run(name, func(t *testing.T) {
			r, f := fresh(t, 1, PosixMin, 1)
			lying := r.machine.LieAboutSyncs("", r.kernel.Now()+1e9, 1)
			r.run(func(s *task.Task) {
				if name != "growing" && name != "direct write" {
					wait(t, s, f.Sync()) // a lie about nothing is none
				}
				if lying.Fired != 0 {
					t.Error("it lied about nothing")
				}
				c.lie(t, s, r.disk, f)
			})
			if lying.Fired != 1 || r.machine.Took("D4") != 1 {
				t.Errorf("it lied %d times, counted %d", lying.Fired, r.machine.Took("D4"))
			}
			if got := left(r.machine); !slices.Equal(got, c.want) {
				t.Errorf("it may leave %q, want %q", got, c.want)
			}
			whole := c.want[len(c.want)-1]
			r.machine.CrashStates(PowerLoss, 1<<12, func(m *Machine) {
				damaged := len(m.Damaged()) > 0
				if damaged != (render(m) != whole) {
					t.Errorf("of %s it says %+v", render(m), m.Damaged())
				}
			})
			r.machine.EndFaults()
			r.run(func(s *task.Task) {
				wait(t, s, f.Sync())
				wait(t, s, r.disk.SyncDir(""))
			})
			if got := left(r.machine); !slices.Equal(got, []string{whole}) {
				t.Errorf("after honest syncs it may leave %q", got)
			}
			if r.machine.PowerLost(); len(r.machine.Damaged()) > 0 {
				t.Errorf("after honest syncs it says %+v", r.machine.Damaged())
			}
		})
	}
}

// TestAnHonestSyncKeepsAPromise: what was written while it was in progress changes nothing about that.
func TestAnHonestSyncKeepsAPromise(t *testing.T) {
	r, f := fresh(t, 1, PosixMin, 1)
	r.machine.Inject(Rule{Kinds: Of(OpSync), Times: 1, Effect: Lie})
	r.run(func(s *task.Task) {
		wait(t, s, f.WriteAt([]byte("x"), 0))
		wait(t, s, f.Sync())
		honest := f.Sync()
		wait(t, s, f.WriteAt([]byte("y"), 0))
		wait(t, s, honest)
	})
	states, complete := r.machine.CrashStates(PowerLoss, 64, func(m *Machine) {
		if len(m.Damaged()) > 0 {
			t.Errorf("of %s it says %+v", render(m), m.Damaged())
		}
	})
	if states != 2 || !complete {
		t.Errorf("%d states", states)
	}
}

// TestWhatFailsBeforeDoesNothingInACrashEither: a crash does not finish what the device will refuse.
func TestWhatFailsBeforeDoesNothingInACrashEither(t *testing.T) {
	for _, kind := range []Crash{ProcessDeath, PowerLoss} {
		r, f := fresh(t, 1, PosixMin, 1)
		r.machine.MakeReadOnly(0)
		r.run(func(*task.Task) {
			f.WriteAt([]byte("x"), 0)
			f.WriteSync(blockOf(r.disk, 1, 'x'), 0)
			r.disk.Remove("f")
		})
		r.machine.CrashStates(kind, 1<<12, func(m *Machine) {
			if got := render(m); got != "f=a*4096" {
				t.Errorf("%v leaves %s", kind, got)
			}
		})
	}
}

// TestASyncAfterAFailedOneProvesNothing: what fsync does on Linux, and what is allowed beyond it.
func TestASyncAfterAFailedOneProvesNothing(t *testing.T) {
	var read, durable [3]int // of two blocks, how many new ones a reader sees, and a power loss leaves
	for seed := range uint64(200) {
		r, f := fresh(t, seed, PosixMin, 2)
		failing := r.machine.FailSync("f")
		r.run(func(s *task.Task) {
			wait(t, s, f.WriteAt(blockOf(r.disk, 2, 'x'), 0))
			fails(t, s, f.Sync(), env.ErrIO)
			wait(t, s, f.Sync())
		})
		if failing.Fired != 1 || r.machine.Took("D5") != 1 {
			t.Fatalf("it failed %d times", failing.Fired)
		}
		content, _ := r.machine.Bytes("f")
		read[bytes.Count(content, []byte("x"))/env.BlockBytes]++
		kept, _ := r.machine.DurableBytes("f")
		durable[bytes.Count(kept, []byte("x"))/env.BlockBytes]++
		r.run(func(s *task.Task) { // whoever writes anew is safe
			wait(t, s, f.WriteAt(blockOf(r.disk, 2, 'y'), 0))
			wait(t, s, f.Sync())
		})
		if got := left(r.machine); !slices.Equal(got, []string{"f=y*8192"}) {
			t.Fatalf("seed %d: written anew, it may leave %q", seed, got)
		}
	}
	for what, counts := range map[string][3]int{"seen": read, "durable": durable} {
		for blocks, n := range counts {
			if n < 5 {
				t.Errorf("%s: %d of 200 seeds have %d new blocks", what, n, blocks)
			}
		}
	}
	if read[2] <= durable[2] {
		t.Errorf("readers are never deceived: %v seen, %v durable", read, durable)
	}
}

// TestAFailedSyncSparesWhatCameAfterIt: that is still to be written, and the next sync does.
func TestAFailedSyncSparesWhatCameAfterIt(t *testing.T) {
	for seed := range uint64(40) {
		r, f := fresh(t, seed, PosixMin, 1)
		r.machine.FailSync("f")
		r.run(func(s *task.Task) {
			wait(t, s, f.WriteAt([]byte("x"), 0))
			failing := f.Sync()
			wait(t, s, f.WriteAt([]byte("y"), 1))
			fails(t, s, failing, env.ErrIO)
			wait(t, s, f.Sync())
		})
		if got := left(r.machine); !slices.Equal(got, []string{"f=x,y,a*4094"}) {
			t.Fatalf("seed %d: it may leave %q", seed, got)
		}
	}
}

func TestAFailedSyncOfAFolderProvesNothing(t *testing.T) {
	lost := map[Strictness]int{}
	for _, strictness := range []Strictness{Ordered, PosixMin} {
		for seed := range uint64(60) {
			r, _ := fresh(t, seed, strictness, 1)
			r.machine.FailSync("")
			r.run(func(s *task.Task) {
				wait(t, s, r.disk.Open("g", env.OpenNew))
				fails(t, s, r.disk.SyncDir(""), env.ErrIO)
				wait(t, s, r.disk.SyncDir(""))
			})
			if !slices.Contains(r.machine.DurableFiles(), "g") {
				lost[strictness]++
			}
			r.run(func(s *task.Task) {
				wait(t, s, r.disk.Remove("g"))
				g := wait(t, s, r.disk.Open("g", env.OpenNew))
				wait(t, s, g.WriteSync(blockOf(r.disk, 1, 'x'), 0))
				wait(t, s, r.disk.SyncDir(""))
			})
			if got := left(r.machine); !slices.Equal(got, []string{"f=a*4096 g=x*4096"}) {
				t.Fatalf("seed %d: made anew, it may leave %q", seed, got)
			}
		}
	}
	if lost[Ordered] != 0 || lost[PosixMin] < 5 || lost[PosixMin] > 55 {
		t.Errorf("lost for ever in %v of 60 seeds", lost)
	}
}

func TestWritesFailInTheirMidst(t *testing.T) {
	outcomes := map[string]map[string]bool{"write": {}, "direct write": {}}
	for seed := range uint64(100) {
		for name := range outcomes {
			r, f := fresh(t, seed, PosixMin, 3)
			r.machine.Fail(Of(OpWriteAt, OpWriteSync), "f", 0, 1)
			r.run(func(s *task.Task) {
				p := blockOf(r.disk, 3, 'x')
				if name == "write" {
					fails(t, s, f.WriteAt(p, 0), env.ErrIO)
				} else {
					fails(t, s, f.WriteSync(p, 0), env.ErrIO)
				}
				r.machine.EndFaults()
				if r.machine.Took("D6") != 1 {
					t.Errorf("%s failed %d times", name, r.machine.Took("D6"))
				}
				outcomes[name][render(r.machine)] = true
				wait(t, s, f.WriteSync(p, 0))
			})
			if got := left(r.machine); !slices.Equal(got, []string{"f=x*12288"}) {
				t.Fatalf("written again, it may leave %q", got)
			}
		}
	}
	if got := outcomes["direct write"]; len(got) != 8 {
		t.Errorf("a direct write of three blocks leaves %d states, want every subset: %v", len(got), got)
	}
	if got := outcomes["write"]; len(got) < 15 || len(got) > 25 {
		t.Errorf("a write of 24 sectors leaves %d states: %v", len(got), got)
	}
}

func TestEveryKindFailsBeforeAndAfter(t *testing.T) {
	kinds := map[Kind]func(d *Disk, f env.File) func(*task.Task) error{
		OpOpen:       func(d *Disk, _ env.File) func(*task.Task) error { return errOf(d.Open("new", env.OpenNew)) },
		OpList:       func(d *Disk, _ env.File) func(*task.Task) error { return errOf(d.List("")) },
		OpMakeFolder: func(d *Disk, _ env.File) func(*task.Task) error { return errOf(d.MakeFolder("new")) },
		OpRename:     func(d *Disk, _ env.File) func(*task.Task) error { return errOf(d.Rename("f", "new")) },
		OpRemove:     func(d *Disk, _ env.File) func(*task.Task) error { return errOf(d.Remove("f")) },
		OpSyncDir:    func(d *Disk, _ env.File) func(*task.Task) error { return errOf(d.SyncDir("")) },
		OpLock:       func(d *Disk, _ env.File) func(*task.Task) error { return errOf(d.Lock("")) },
		OpSize:       func(_ *Disk, f env.File) func(*task.Task) error { return errOf(f.Size()) },
		OpReadAt:     func(_ *Disk, f env.File) func(*task.Task) error { return errOf(f.ReadAt(make([]byte, 9), 1)) },
		OpWriteAt:    func(_ *Disk, f env.File) func(*task.Task) error { return errOf(f.WriteAt([]byte("xyz"), 1)) },
		OpWriteSync: func(d *Disk, f env.File) func(*task.Task) error {
			return errOf(f.WriteSync(blockOf(d, 1, 'x'), 0))
		},
		OpTruncate: func(_ *Disk, f env.File) func(*task.Task) error { return errOf(f.Truncate(7)) },
		OpSync:     func(_ *Disk, f env.File) func(*task.Task) error { return errOf(f.Sync()) },
	}
	for kind, begin := range kinds {
		state := func(rule *Rule) (string, error) {
			r, f := fresh(t, 1, PosixMin, 1)
			var i *Injection
			if rule != nil {
				i = r.machine.Inject(*rule)
			}
			var err error
			r.run(func(s *task.Task) { err = begin(r.disk, f)(s) })
			if i != nil && i.Fired != 1 {
				t.Errorf("%v: fired %d times", rule, i.Fired)
			}
			return render(r.machine), err
		}
		done, _ := state(nil)
		rule := Rule{Kinds: Of(kind), Effect: FailBefore, Error: env.ErrReadOnly}
		if got, err := state(&rule); got != "f=a*4096" || !errors.Is(err, env.ErrReadOnly) {
			t.Errorf("%v fails before: %s, %v", kind, got, err)
		}
		rule = Rule{Kinds: Of(kind), Effect: FailAfter}
		if got, err := state(&rule); got != done || !errors.Is(err, env.ErrIO) {
			t.Errorf("%v fails after: %s, want %s; %v", kind, got, done, err)
		}
		rule.Effect = FailPartly
		if _, err := state(&rule); !errors.Is(err, env.ErrIO) {
			t.Errorf("%v fails partly: %v", kind, err)
		}
	}
}

func errOf[T any](p *task.Pending[T]) func(*task.Task) error {
	return func(s *task.Task) error {
		_, err := p.Wait(s)
		return err
	}
}

func TestAReadOnlyDiskTakesNoChange(t *testing.T) {
	r, f := fresh(t, 1, PosixMin, 1)
	r.run(func(s *task.Task) {
		wait(t, s, r.disk.MakeFolder("d"))
		wait(t, s, r.disk.SyncDir(""))
		before := r.machine.Hash()
		r.machine.MakeReadOnly(r.kernel.Now() + 1e9)
		fails(t, s, r.disk.Open("f", env.OpenExisting), env.ErrReadOnly)
		fails(t, s, r.disk.Rename("f", "g"), env.ErrReadOnly)
		fails(t, s, r.disk.Remove("f"), env.ErrReadOnly)
		fails(t, s, r.disk.MakeFolder("e"), env.ErrReadOnly)
		fails(t, s, f.WriteAt([]byte("x"), 0), env.ErrReadOnly)
		fails(t, s, f.WriteSync(blockOf(r.disk, 1, 'x'), 0), env.ErrReadOnly)
		fails(t, s, f.Truncate(0), env.ErrReadOnly)
		wait(t, s, r.disk.MakeFolder("d"))
		wait(t, s, r.disk.List(""))
		wait(t, s, f.ReadAt(make([]byte, 5), 0))
		wait(t, s, f.Sync())
		wait(t, s, r.disk.SyncDir(""))
		if r.machine.Hash() != before {
			t.Errorf("it changed to %s", render(r.machine))
		}
		s.Sleep(r.kernel.Now() + 2e9)
		wait(t, s, f.WriteAt([]byte("x"), 0))
	})
}

func TestDescriptorsRunOutAndComeBack(t *testing.T) {
	r, f := fresh(t, 1, PosixMin, 1)
	r.run(func(s *task.Task) {
		taken := r.machine.TakeDescriptors(r.kernel.Now() + 1e9)
		fails(t, s, r.disk.Open("g", env.OpenCreate), env.ErrTooManyFiles)
		fails(t, s, r.disk.Open("f", env.OpenExisting), env.ErrTooManyFiles)
		wait(t, s, f.WriteAt([]byte("x"), 0))
		wait(t, s, r.disk.Rename("f", "h"))
		if got := render(r.machine); got != "h=x,a*4095" {
			t.Errorf("it is %s", got)
		}
		if taken.Fired != 2 || r.machine.Took("D7") != 2 {
			t.Errorf("it failed %d times", taken.Fired)
		}
		s.Sleep(r.kernel.Now() + 2e9)
		wait(t, s, r.disk.Open("g", env.OpenCreate))
	})
}

func TestADiskFillsUpAndEmpties(t *testing.T) {
	shorts := 0
	for seed := range uint64(20) {
		r, f := fresh(t, seed, PosixMin, 2)
		r.run(func(s *task.Task) {
			g := wait(t, s, r.disk.Open("g", env.OpenNew))
			r.machine.Fill(r.kernel.Now()+1e9, env.BlockBytes)
			fails(t, s, g.WriteAt(bytes.Repeat([]byte("x"), 3*env.BlockBytes), 0), env.ErrNoSpace)
			size := wait(t, s, g.Size())
			if size == env.BlockBytes {
				shorts++
			} else if size != 0 {
				t.Errorf("%d bytes fit", size)
			}
			wait(t, s, g.Truncate(0))
			wait(t, s, r.disk.MakeFolder("d"))
			wait(t, s, g.WriteSync(blockOf(r.disk, 1, 'x'), 0))
			fails(t, s, r.disk.MakeFolder("e"), env.ErrNoSpace)
			fails(t, s, r.disk.Open("e", env.OpenNew), env.ErrNoSpace)
			wait(t, s, f.WriteSync(blockOf(r.disk, 2, 'y'), 0))
			wait(t, s, r.disk.Rename("f", "h"))
			wait(t, s, f.Truncate(0)) // what is given back can be had
			wait(t, s, g.WriteSync(blockOf(r.disk, 2, 'z'), env.BlockBytes))
			s.Sleep(r.kernel.Now() + 2e9)
			wait(t, s, g.WriteSync(blockOf(r.disk, 9, 'z'), 0))
		})
	}
	if shorts < 3 || shorts > 17 {
		t.Errorf("%d of 20 full disks write what fits", shorts)
	}
}
