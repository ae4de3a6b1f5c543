package simdisk

import (
	"bytes"
	"reflect"
	"slices"
	"testing"

	"barnabas/core/env"
	"barnabas/core/task"
)

// diskOf puts the process away and returns the machine at rest.
func (r *rig) rest() *Machine {
	r.machine.PowerLost()
	r.node.Kill()
	return r.machine
}

func TestBlocksAreThoseThatWereWritten(t *testing.T) {
	r, f := fresh(t, 1, PosixMin, 2)
	r.run(func(s *task.Task) {
		zeros := r.disk.Buffer(4 * env.BlockBytes)
		clear(zeros)
		wait(t, s, f.WriteSync(zeros, 2*env.BlockBytes))
		wait(t, s, r.disk.MakeFolder("d"))
		g := wait(t, s, r.disk.Open("d/0.log", env.OpenNew))
		wait(t, s, g.WriteSync(blockOf(r.disk, 1, 'x'), 3*env.BlockBytes))
		wait(t, s, g.WriteAt([]byte("unsynced"), 0))
		if got := r.machine.Blocks("*.log"); len(got) != 0 {
			t.Errorf("a name that is not durable has %v", got)
		}
		wait(t, s, r.disk.SyncDir(""))
		wait(t, s, r.disk.SyncDir("d"))
	})
	if got, want := r.machine.Blocks("*.log"), []Target{{"d/0.log", 3}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := r.machine.Blocks(""), []Target{{"d/0.log", 3}, {"f", 0}, {"f", 1}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAnUnreadableBlockFailsUntilItIsWritten(t *testing.T) {
	for name, heal := range map[string]func(t *testing.T, s *task.Task, d *Disk, f env.File){
		"direct": func(t *testing.T, s *task.Task, d *Disk, f env.File) {
			wait(t, s, f.WriteSync(blockOf(d, 1, 'x'), env.BlockBytes))
		},
		"buffered": func(t *testing.T, s *task.Task, d *Disk, f env.File) {
			wait(t, s, f.WriteAt(blockOf(d, 1, 'x'), env.BlockBytes))
			wait(t, s, f.Sync())
		},
		"truncated": func(t *testing.T, s *task.Task, d *Disk, f env.File) {
			wait(t, s, f.Truncate(env.BlockBytes))
			wait(t, s, f.Truncate(2*env.BlockBytes))
			wait(t, s, f.Sync())
		},
	} {
		r, f := fresh(t, 1, PosixMin, 3)
		if !r.machine.Unreadable(Target{"f", 1}) || r.machine.Unreadable(Target{"f", 3}) || r.machine.Unreadable(Target{"g", 0}) {
			t.Error("the wrong blocks are there")
		}
		r.run(func(s *task.Task) {
			p := make([]byte, env.BlockBytes)
			wait(t, s, f.ReadAt(p, 0))
			wait(t, s, f.ReadAt(p, 2*env.BlockBytes))
			wait(t, s, f.ReadAt(p, 9*env.BlockBytes))
			fails(t, s, f.ReadAt(p, 1), env.ErrIO)
			fails(t, s, f.ReadAt(p[:1], 2*env.BlockBytes-1), env.ErrIO)
			fails(t, s, f.ReadAt(p, 1), env.ErrIO)
			fails(t, s, f.WriteAt([]byte("x"), env.BlockBytes+7), env.ErrIO) // the rest would have to be read
			fails(t, s, f.Truncate(env.BlockBytes+7), env.ErrIO)
			wait(t, s, f.WriteAt(blockOf(r.disk, 1, 'x'), env.BlockBytes))
			wait(t, s, f.ReadAt(p, env.BlockBytes)) // from memory
		})
		// What was not synced is gone in some states, and the block as bad as before.
		bad := 0
		r.machine.CrashStates(PowerLoss, 64, func(m *Machine) { bad += len(m.Damaged()) })
		if bad != 1 {
			t.Errorf("%s: bad in %d states", name, bad)
		}
		r.run(func(s *task.Task) { heal(t, s, r.disk, f) })
		m := r.rest()
		r.start()
		r.run(func(s *task.Task) {
			g := wait(t, s, r.disk.Open("f", env.OpenExisting))
			wait(t, s, g.ReadAt(make([]byte, 3*env.BlockBytes), 0))
		})
		if len(m.Damaged()) != 0 {
			t.Errorf("%s: still %+v", name, m.Damaged())
		}
	}
}

func TestBytesRotAtRest(t *testing.T) {
	for _, how := range []Rot{FlipBit, ZeroSector, ZeroBlock, Noise} {
		places := map[int]bool{}
		for seed := range uint64(40) {
			r, f := fresh(t, seed, PosixMin, 2)
			r.run(func(s *task.Task) {
				wait(t, s, f.WriteAt(bytes.Repeat([]byte("c"), 700), 2*env.BlockBytes))
				wait(t, s, f.Sync())
			})
			m := r.machine
			want, _ := m.Bytes("f")
			target := Target{"f", int(seed % 3)}
			if !m.Rot(target, how) {
				t.Fatalf("%v does nothing", how)
			}
			for _, read := range []func(string) ([]byte, bool){m.Bytes, m.DurableBytes} {
				got, _ := read("f")
				first, last := differ(got, want)
				if len(got) != len(want) || first/env.BlockBytes != target.Block || last/env.BlockBytes != target.Block {
					t.Fatalf("%v of %v: from %d to %d", how, target, first, last)
				}
				if how == FlipBit && first != last || how == ZeroBlock && target.Block < 2 && last-first != env.BlockBytes-1 ||
					(how == ZeroSector || how == Noise) && first/sectorBytes != last/sectorBytes {
					t.Fatalf("%v: from %d to %d", how, first, last)
				}
				places[first] = true
			}
			if got, _ := m.Undamaged("f"); !bytes.Equal(got, want) {
				t.Fatal("what it was is forgotten")
			}
			if got, want := m.Damaged(), []Damage{{"D9", "f", target.Block}}; !reflect.DeepEqual(got, want) {
				t.Fatalf("got %+v, want %+v", got, want)
			}
			m.Rot(target, Noise)
			if got, _ := m.Undamaged("f"); !bytes.Equal(got, want) {
				t.Fatal("what it was is forgotten when it rots once more")
			}
			clone := m.Clone()
			if len(clone.Damaged()) != 1 {
				t.Fatal("a clone forgets damage")
			}
			r.run(func(s *task.Task) {
				wait(t, s, f.WriteSync(blockOf(r.disk, 1, 'x'), int64(target.Block)*env.BlockBytes))
			})
			if len(m.Damaged()) != 0 || len(clone.Damaged()) != 1 {
				t.Fatal("a block that is written anew is well, and only that")
			}
		}
		if how != ZeroBlock && len(places) < 10 {
			t.Errorf("%v hits %d places in 40 seeds", how, len(places))
		}
	}
	r, _ := fresh(t, 1, PosixMin, 1)
	if !r.machine.Rot(Target{"f", 0}, ZeroBlock) || r.machine.Rot(Target{"f", 0}, ZeroSector) || r.machine.Took("D9") != 1 {
		t.Error("zeroing zeros counts")
	}
}

// differ returns the first and last place where two slices differ.
func differ(a, b []byte) (first, last int) {
	first, last = -1, -1
	for i := range b {
		if a[i] != b[i] {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	return first, last
}

// TestRotUnderUnsyncedBytes: what the page cache has is well until a power loss.
func TestRotUnderUnsyncedBytes(t *testing.T) {
	r, f := fresh(t, 1, PosixMin, 1)
	r.run(func(s *task.Task) { wait(t, s, f.WriteAt([]byte("x"), 0)) })
	r.machine.Rot(Target{"f", 0}, ZeroBlock)
	if got := render(r.machine); got != "f=x,a*4095" {
		t.Errorf("it reads %s", got)
	}
	if got := left(r.machine); !slices.Equal(got, []string{"f=.*4096", "f=x,a*4095"}) {
		t.Errorf("it may leave %q", got)
	}
}

func TestAFileIsRewrittenAtRest(t *testing.T) {
	for _, c := range []struct {
		change  func([]byte) []byte
		want    string
		damaged int
	}{
		{func(p []byte) []byte { return p[:5000] }, "f=a*4096,b*904", 1},
		{func(p []byte) []byte { return append(p, 'x') }, "f=a*4096,b*4096,c*4096,x", 1},
		{func(p []byte) []byte { p[4096] = 'x'; return p }, "f=a*4096,x,b*4095,c*4096", 1},
		{func(p []byte) []byte { return nil }, "f=-", 0},
		{func(p []byte) []byte { return p }, "f=a*4096,b*4096,c*4096", 0},
	} {
		r, _ := fresh(t, 1, PosixMin, 3)
		m := r.rest()
		if !m.Rewrite("f", c.change) || m.Rewrite("g", c.change) {
			t.Error("the wrong files are there")
		}
		if got := render(m); got != c.want || len(m.Damaged()) != c.damaged {
			t.Errorf("got %s, %+v, want %s", got, m.Damaged(), c.want)
		}
		if got := left(m); !slices.Equal(got, []string{c.want}) {
			t.Errorf("it is not durable: %q", got)
		}
		used := int64(0)
		for _, path := range m.Files() {
			p, _ := m.Bytes(path)
			used += blocks(int64(len(p)))
		}
		if m.Used() != used {
			t.Errorf("%d used, want %d", m.Used(), used)
		}
	}
	mustStop(t, "at rest", func() {
		r, _ := fresh(t, 1, PosixMin, 1)
		r.machine.Rewrite("f", bytes.Clone)
	})
}

// TestMisdirectedWrites: one block of a write lands on another block, and its place keeps what it had.
func TestMisdirectedWrites(t *testing.T) {
	for _, way := range []string{"direct", "synced", "other file"} {
		seen := map[string]bool{}
		for seed := range uint64(40) {
			r, f := fresh(t, seed, PosixMin, 3)
			rule := Rule{Kinds: Of(OpWriteSync, OpSync), Files: "f", Effect: Misdirect}
			r.run(func(s *task.Task) {
				if way == "other file" {
					g := wait(t, s, r.disk.Open("g", env.OpenNew))
					wait(t, s, g.WriteSync(blockOf(r.disk, 1, 'g'), 0))
					wait(t, s, r.disk.SyncDir(""))
					rule.Onto = "g"
				}
				i := r.machine.Inject(rule)
				if way == "synced" {
					wait(t, s, f.WriteAt(blockOf(r.disk, 2, 'x'), 0))
					wait(t, s, f.Sync())
					if got := render(r.machine); got != "f=x*8192,c*4096" && got != "f=x*12288" {
						t.Fatalf("before a power loss it reads %s", got)
					}
				} else {
					wait(t, s, f.WriteSync(blockOf(r.disk, 2, 'x'), 0))
				}
				if i.Fired != 1 || r.machine.Took("D10") != 1 {
					t.Fatalf("fired %d times", i.Fired)
				}
			})
			if r.machine.crash(PowerLoss, &odometer{}); len(r.machine.Damaged()) == 0 {
				t.Fatal("it says nothing of damage")
			}
			seen[render(r.machine)] = true
			whole := append(bytes.Repeat([]byte("x"), 8192), bytes.Repeat([]byte("c"), 4096)...)
			if got, _ := r.machine.Undamaged("f"); !bytes.Equal(got, whole) {
				t.Fatalf("%s: left %s, and says it should be something else", way, render(r.machine))
			}
		}
		// Which block is lost, and onto which other one it falls.
		want := map[string][]string{
			"direct":     {"f=a*4096,x*8192", "f=x*4096,b*4096,x*4096"},
			"synced":     {"f=a*4096,x*4096,c*4096", "f=a*4096,x*8192", "f=x*4096,b*4096,c*4096", "f=x*4096,b*4096,x*4096"},
			"other file": {"f=a*4096,x*4096,c*4096 g=x*4096", "f=x*4096,b*4096,c*4096 g=x*4096"},
		}[way]
		for got := range seen {
			if !slices.Contains(want, got) {
				t.Errorf("%s: %s is none of %q", way, got, want)
			}
		}
		if way != "synced" && len(seen) != len(want) {
			t.Errorf("%s: seen %v", way, seen)
		}
	}
}

func TestMisdirectedReads(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(40) {
		r, f := fresh(t, seed, PosixMin, 3)
		r.machine.Inject(Rule{Kinds: Of(OpReadAt), Effect: Misdirect, Times: 1})
		r.run(func(s *task.Task) {
			p := make([]byte, 2)
			for i := range 2 { // the second read is right
				if n := wait(t, s, f.ReadAt(p, env.BlockBytes-1)); n != 2 {
					t.Fatalf("read %d", n)
				}
				if i == 0 {
					seen[string(p)] = true
				}
			}
			if string(p) != "ab" || r.machine.Took("D10") != 1 {
				t.Errorf("then it reads %s", p)
			}
		})
	}
	if want := map[string]bool{"cb": true, "ac": true}; !reflect.DeepEqual(seen, want) {
		t.Errorf("read %v", seen)
	}
}

func TestAMachineIsRestored(t *testing.T) {
	r, f := fresh(t, 1, PosixMin, 2)
	var old, other Snapshot
	r.run(func(s *task.Task) {
		wait(t, s, f.WriteAt([]byte("unsynced"), 2*env.BlockBytes))
		wait(t, s, r.disk.Open("unsynced", env.OpenNew))
		old = r.machine.Snapshot()
		wait(t, s, f.WriteSync(blockOf(r.disk, 2, 'x'), 0))
		wait(t, s, r.disk.Rename("f", "g"))
		wait(t, s, r.disk.SyncDir(""))
		other = r.machine.Snapshot()
	})
	mustStop(t, "at rest", func() { r.machine.Restore(old) })
	m := r.rest()
	for _, c := range []struct {
		to   Snapshot
		want string
		used int64
	}{
		{old, "f=a*4096,b*4096", 2 * env.BlockBytes},
		{other, "g=x*8192 unsynced=-", 2 * env.BlockBytes},
		{Snapshot{}, "nothing", 0},
		{old, "f=a*4096,b*4096", 2 * env.BlockBytes},
	} {
		m.Restore(c.to)
		if got := render(m); got != c.want || m.Used() != c.used {
			t.Errorf("restored to %s, %d used, want %s", got, m.Used(), c.want)
		}
		if got := left(m); !slices.Equal(got, []string{c.want}) {
			t.Errorf("what is restored is not durable: %q", got)
		}
		r.start()
		r.run(func(s *task.Task) { // and lives on without changing the snapshot
			g := wait(t, s, r.disk.Open("f", env.OpenCreate))
			wait(t, s, g.WriteSync(blockOf(r.disk, 1, 'z'), 0))
			wait(t, s, r.disk.SyncDir(""))
		})
		r.rest()
	}
	if m.Took("D13") != 4 {
		t.Errorf("counted %d times", m.Took("D13"))
	}
}

// TestClonesAreApart: machines share pages, and nothing else.
func TestClonesAreApart(t *testing.T) {
	r, f := fresh(t, 1, Adversarial, 2)
	r.run(func(s *task.Task) {
		wait(t, s, f.WriteAt([]byte("unsynced"), 0))
		wait(t, s, f.WriteAt([]byte("xyz"), 9000))
	})
	clone := r.machine.Clone()
	before, hash := render(clone), clone.Hash()
	r.run(func(s *task.Task) {
		for i := range 20 {
			wait(t, s, f.WriteSync(blockOf(r.disk, 3, byte('m'+i%3)), 0))
			wait(t, s, f.WriteAt([]byte("w"), int64(i*1000)))
			wait(t, s, f.Truncate(int64(5000+i)))
			wait(t, s, f.Sync())
		}
		wait(t, s, r.disk.Rename("f", "g"))
	})
	if render(clone) != before || clone.Hash() != hash {
		t.Errorf("the clone was %s and is %s", before, render(clone))
	}
	mine := render(r.machine)
	clone.PowerLost()
	clone.Restore(Snapshot{})
	if render(r.machine) != mine {
		t.Errorf("the machine was %s and is %s", mine, render(r.machine))
	}
}

// TestAClonesHistoryIsItsOwn: what a crash may leave of it does not depend on what its origin does later.
func TestAClonesHistoryIsItsOwn(t *testing.T) {
	r, f := fresh(t, 1, PosixMin, 1)
	r.run(func(s *task.Task) {
		for _, c := range []string{"x", "y", "z"} {
			wait(t, s, f.WriteAt([]byte(c), 0))
		}
		wait(t, s, r.disk.Rename("f", "g"))
	})
	clone := r.machine.Clone()
	before := left(clone)
	r.run(func(s *task.Task) {
		for range 5 {
			wait(t, s, f.WriteAt([]byte("w"), 0))
		}
		wait(t, s, r.disk.SyncDir(""))
		wait(t, s, f.Sync())
	})
	if after := left(clone); len(before) != 8 || !slices.Equal(before, after) {
		t.Errorf("the clone might leave %q and then %q", before, after)
	}
}

// TestStrayWritesNeedAWitness: of a rule that wants one, a write went astray only if another one to its file followed it.
func TestStrayWritesNeedAWitness(t *testing.T) {
	for _, witness := range []string{"none", "under way", "later"} {
		r, f := fresh(t, 3, PosixMin, 4)
		r.run(func(s *task.Task) {
			r.machine.Inject(Rule{Kinds: Of(OpWriteSync), Effect: Misdirect, Times: 1, Witnessed: true})
			stray := f.WriteSync(blockOf(r.disk, 2, 'x'), 0)
			if witness == "under way" {
				wait(t, s, f.WriteSync(blockOf(r.disk, 1, 'y'), 3*env.BlockBytes)) // of one who did not know yet
			}
			wait(t, s, stray)
			if witness == "later" {
				wait(t, s, f.WriteSync(blockOf(r.disk, 1, 'y'), 3*env.BlockBytes))
			}
		})
		r.machine.ProcessDied()
		p, _ := r.machine.Bytes("f")
		astray := !bytes.Equal(p[:2*env.BlockBytes], bytes.Repeat([]byte("x"), 2*env.BlockBytes))
		if want := witness == "later"; astray != want || astray != (r.machine.at(Target{"f", 0}).harm.Len() > 0) && want {
			t.Errorf("witness %s: astray %v, %s", witness, astray, render(r.machine))
		}
	}
}
