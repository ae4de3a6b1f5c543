package simdisk

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"barnabas/core/env"
	"barnabas/core/task"
)

func wait[T any](t *testing.T, s *task.Task, p *task.Pending[T]) T {
	t.Helper()
	value, err := p.Wait(s)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// blockOf returns a buffer of the disk filled with one byte.
func blockOf(d *Disk, count int, c byte) []byte {
	p := d.Buffer(count * env.BlockBytes)
	copy(p, bytes.Repeat([]byte{c}, len(p)))
	return p
}

// mustStop expects the run to stop with an assertion.
func mustStop(t *testing.T, want string, run func()) {
	t.Helper()
	defer func() {
		switch cause := recover().(type) {
		case nil:
			t.Errorf("the run goes on, want %q", want)
		case error:
			if !strings.Contains(cause.Error(), want) {
				t.Errorf("stopped with %v, want %q", cause, want)
			}
		}
	}()
	run()
}

func TestMisuseStopsTheRun(t *testing.T) {
	cases := []struct {
		want string
		do   func(t *testing.T, s *task.Task, d *Disk, f env.File)
	}{
		{"a write owns its bytes", func(t *testing.T, s *task.Task, d *Disk, f env.File) {
			p := blockOf(d, 1, 'a')
			w := f.WriteSync(p, 0)
			p[77]++
			wait(t, s, w)
		}},
		{"a write owns its bytes", func(t *testing.T, s *task.Task, d *Disk, f env.File) {
			p := d.Buffer(1)
			p[0] = 'a'
			w := f.WriteSync(p, 0)
			p[4000]++ // among the zeros at the end
			wait(t, s, w)
		}},
		{"a write owns its bytes", func(t *testing.T, s *task.Task, d *Disk, f env.File) {
			p := []byte("abc")
			w := f.WriteAt(p, 0)
			p[0]++
			wait(t, s, w)
		}},
		{"no operation owns a buffer", func(_ *testing.T, _ *task.Task, d *Disk, f env.File) {
			p := blockOf(d, 2, 'a')
			f.WriteSync(p[env.BlockBytes:], 0)
			d.FreeBuffer(p)
		}},
		{"freed once", func(_ *testing.T, _ *task.Task, d *Disk, _ env.File) {
			p := d.Buffer(1)
			d.FreeBuffer(p)
			d.FreeBuffer(p)
		}},
		{"writes to a freed buffer", func(_ *testing.T, _ *task.Task, d *Disk, _ env.File) {
			p := d.Buffer(1)
			d.FreeBuffer(p)
			p[5] = 1
			d.Buffer(1)
		}},
		{"only a whole buffer", func(_ *testing.T, _ *task.Task, d *Disk, _ env.File) {
			d.FreeBuffer(d.Buffer(8192)[4096:])
		}},
		{"come from Buffer", func(_ *testing.T, _ *task.Task, _ *Disk, f env.File) {
			f.WriteSync(make([]byte, 4096), 0)
		}},
		{"whole blocks", func(_ *testing.T, _ *task.Task, d *Disk, f env.File) {
			f.WriteSync(d.Buffer(1), 100)
		}},
		{"closed file", func(_ *testing.T, _ *task.Task, _ *Disk, f env.File) {
			f.Close()
			f.Size()
		}},
	}
	for _, c := range cases {
		t.Run(c.want, func(t *testing.T) {
			r := newRig(1, Plain(PosixMin))
			mustStop(t, c.want, func() {
				r.run(func(s *task.Task) { c.do(t, s, r.disk, wait(t, s, r.disk.Open("f", env.OpenNew))) })
			})
		})
	}
}

// journal writes blocks one after another and returns how many were acknowledged when the story is cut.
func journal(t *testing.T, s *task.Task, d *Disk, acknowledged *int) {
	f := wait(t, s, d.Open("journal", env.OpenCreate))
	wait(t, s, f.WriteSync(d.Buffer(64<<10), 0))
	wait(t, s, d.SyncDir(""))
	for i := range 16 {
		p := blockOf(d, 1, byte('a'+i))
		wait(t, s, f.WriteSync(p, int64(i)*env.BlockBytes))
		d.FreeBuffer(p)
		*acknowledged = i + 1
	}
}

// TestAcknowledgedSurvives crashes a writer at every microsecond, in every strictness, and again after a restart.
func TestAcknowledgedSurvives(t *testing.T) {
	for _, strictness := range []Strictness{Ordered, PosixMin, Adversarial} {
		for at := task.Instant(0); at < 5_000_000; at += 17_001 {
			r := newRig(uint64(at), Plain(strictness))
			acknowledged := 0
			r.loop.Go("journal", func(s *task.Task) { journal(t, s, r.disk, &acknowledged) })
			r.kernel.Run(at)
			if at%2 == 0 {
				r.machine.ProcessDied()
				r.node.Kill()
				r.start()
			}
			r.machine.PowerLost()
			r.node.Kill()
			durable, _ := r.machine.DurableBytes("journal")
			for i := range acknowledged {
				block := durable[i*env.BlockBytes:][:env.BlockBytes]
				if !bytes.Equal(block, bytes.Repeat([]byte{byte('a' + i)}, env.BlockBytes)) {
					t.Fatalf("%v at %d: block %d of %d acknowledged is lost", strictness, at, i, acknowledged)
				}
			}
		}
	}
}

// busy does a bit of everything and leaves much in progress.
func busy(t *testing.T, s *task.Task, d *Disk) {
	f := wait(t, s, d.Open("a", env.OpenCreate))
	g := wait(t, s, d.Open("b", env.OpenCreate))
	wait(t, s, f.WriteAt(bytes.Repeat([]byte{'x'}, 5000), 0))
	wait(t, s, d.SyncDir(""))
	f.Sync()
	f.WriteAt(bytes.Repeat([]byte{'y'}, 5000), 4000)
	f.Truncate(300)
	g.WriteSync(blockOf(d, 1, 'z'), 0)
	d.Rename("a", "c")
}

// TestCrashesAreAmongTheStates draws many crashes of one state and looks whether CrashStates has them all.
func TestCrashesAreAmongTheStates(t *testing.T) {
	stories := []func(s *task.Task, d *Disk){
		func(s *task.Task, d *Disk) {
			f := wait(t, s, d.Open("a", env.OpenCreate))
			wait(t, s, f.WriteAt(bytes.Repeat([]byte{'x'}, 5000), 0))
			wait(t, s, d.SyncDir(""))
			f.Sync()
			f.WriteAt(bytes.Repeat([]byte{'y'}, 5000), 4000)
			f.Truncate(300)
			d.Rename("a", "c")
		},
		func(s *task.Task, d *Disk) {
			f := wait(t, s, d.Open("a", env.OpenCreate))
			wait(t, s, f.WriteSync(blockOf(d, 1, 'x'), 0))
			f.WriteSync(blockOf(d, 2, 'y'), 0)
			d.Rename("a", "c")
		},
	}
	for i, story := range stories {
		for _, kind := range []Crash{ProcessDeath, PowerLoss} {
			for _, strictness := range []Strictness{Ordered, PosixMin} { // Adversarial has too many to list
				among(t, i, story, kind, strictness)
			}
		}
	}
}

func among(t *testing.T, number int, story func(s *task.Task, d *Disk), kind Crash, strictness Strictness) {
	hit := map[string]bool{}
	for seed := range uint64(10) {
		r := newRig(seed, Plain(strictness))
		r.run(func(s *task.Task) { story(s, r.disk) })
		// Which sectors a torn subset has is one draw of the seed, so each seed has states of its own.
		states := map[string]bool{}
		_, complete := r.machine.CrashStates(kind, 1<<12, func(m *Machine) { states[render(m)] = true })
		if !complete {
			t.Fatalf("story %d, %v %v: too many states", number, kind, strictness)
		}
		r.machine.crash(kind, r.machine.keyed())
		got := render(r.machine)
		if !states[got] {
			t.Fatalf("story %d, %v %v: %s is not among %d states", number, kind, strictness, got, len(states))
		}
		hit[got] = true
	}
	if len(hit) < 2 {
		t.Errorf("story %d, %v %v: draws reach only %v", number, kind, strictness, hit)
	}
}

func TestSeedsRunTwiceAlike(t *testing.T) {
	run := func(seed uint64) (uint64, uint64) {
		r := newRig(seed, Drawn(env.NewRandom(seed, 3), 0))
		r.run(func(s *task.Task) { busy(t, s, r.disk) })
		r.machine.PowerLost()
		r.node.Kill()
		r.start()
		r.run(func(s *task.Task) { busy(t, s, r.disk) })
		return r.kernel.Digest(), r.machine.Hash()
	}
	last := uint64(0)
	for seed := range uint64(50) {
		digest, hash := run(seed)
		again, hashAgain := run(seed)
		if digest != again || hash != hashAgain {
			t.Fatalf("seed %d differs from itself", seed)
		}
		if digest == last {
			t.Errorf("seed %d is like the one before", seed)
		}
		last = digest
	}
}

func TestFaultsAreCounted(t *testing.T) {
	counts := map[string]int{}
	for seed := range uint64(60) {
		r := newRig(seed, Drawn(env.NewRandom(seed, 4), 1))
		r.machine.Counted = func(kind string) { counts[kind]++ }
		r.machine.Limp(1<<40, 10)
		r.run(func(s *task.Task) { busy(t, s, r.disk) })
		r.kernel.Run(r.kernel.Now() + task.Instant(r.machine.profile.Sync)*4)
		r.machine.PowerLost()
	}
	for _, kind := range []string{"D1", "D2", "D3", "D11"} {
		if counts[kind] == 0 || counts[kind] > 400 {
			t.Errorf("%s counted %d times: %v", kind, counts[kind], counts)
		}
	}
	if counts["D1"] != 60 {
		t.Errorf("a limping window counts once: %v", counts)
	}
}

func TestADeadProcessDoesNothing(t *testing.T) {
	r := newRig(1, Plain(PosixMin))
	var f env.File
	r.run(func(s *task.Task) { f = wait(t, s, r.disk.Open("f", env.OpenNew)) })
	old := r.disk
	p := old.Buffer(4096)
	last := func() { // what an unwinding task may still do
		f.WriteSync(p, 0)
		f.WriteAt([]byte("x"), 0)
		f.Close()
		old.Remove("f")
		old.FreeBuffer(p)
	}
	r.machine.ProcessDied()
	last()
	r.node.Kill()
	r.start()
	last()
	if len(old.Buffer(5)) != 4096 {
		t.Error("an unwinding task gets no memory")
	}
	r.run(func(s *task.Task) {
		g := wait(t, s, r.disk.Open("f", env.OpenExisting))
		if size := wait(t, s, g.Size()); size != 0 {
			t.Errorf("a dead process wrote %d bytes", size)
		}
		wait(t, s, r.disk.Lock("f")) // and its locks are gone
	})
}

func TestCapacity(t *testing.T) {
	r := newRig(1, Plain(Ordered))
	r.machine.SetCapacity(16 << 10)
	r.run(func(s *task.Task) {
		f := wait(t, s, r.disk.Open("f", env.OpenNew))
		wait(t, s, f.WriteSync(blockOf(r.disk, 4, 'a'), 0))
		if _, err := f.WriteAt([]byte("x"), 16<<10).Wait(s); !errors.Is(err, env.ErrNoSpace) {
			t.Errorf("got %v", err)
		}
		wait(t, s, f.WriteSync(blockOf(r.disk, 4, 'b'), 0)) // in place is always possible
		wait(t, s, r.disk.Rename("f", "g"))
		wait(t, s, r.disk.Remove("g"))
		if used := r.machine.Used(); used != 16<<10 {
			t.Errorf("%d used while it is open", used)
		}
		f.Close()
		if used := r.machine.Used(); used != 0 {
			t.Errorf("%d used", used)
		}
	})
}

// TestAPausedProcessStillWrites: the device finishes what it was given, whether or not anyone listens.
func TestAPausedProcessStillWrites(t *testing.T) {
	r := newRig(1, Plain(PosixMin))
	r.run(func(s *task.Task) {
		f := wait(t, s, r.disk.Open("f", env.OpenNew))
		wait(t, s, r.disk.SyncDir(""))
		f.WriteSync(blockOf(r.disk, 1, 'a'), 0)
	})
	r.node.Pause()
	r.kernel.Run(r.kernel.Now() + 1e9)
	r.machine.PowerLost()
	if got := render(r.machine); got != "f=a*4096" {
		t.Errorf("left %s", got)
	}
}

func BenchmarkNew(b *testing.B) {
	r := newRig(1, Plain(PosixMin))
	b.ReportAllocs()
	for b.Loop() {
		New(r.kernel, r.node, Plain(PosixMin))
	}
}

func benchmarkWriteSync(b *testing.B, blocks int) {
	r := newRig(1, Plain(PosixMin))
	b.ReportAllocs()
	r.run(func(s *task.Task) {
		f, _ := r.disk.Open("f", env.OpenNew).Wait(s)
		for i := range int64(16) {
			f.WriteSync(r.disk.Buffer(64<<10), i*64<<10)
		}
		b.ResetTimer()
		for i := range b.N {
			p := r.disk.Buffer(blocks * env.BlockBytes)
			p[0], p[len(p)-1] = byte(i)|1, 1
			f.WriteSync(p, int64(i%(256/blocks)*blocks)*env.BlockBytes).Wait(s)
			r.disk.FreeBuffer(p)
		}
	})
}

func BenchmarkWriteSync4K(b *testing.B)  { benchmarkWriteSync(b, 1) }
func BenchmarkWriteSync16K(b *testing.B) { benchmarkWriteSync(b, 4) }

// BenchmarkKernelOnly is the same rhythm without a disk: what of the cost is not ours.
func BenchmarkKernelOnly(b *testing.B) {
	r := newRig(1, Plain(PosixMin))
	b.ReportAllocs()
	r.run(func(s *task.Task) {
		b.ResetTimer()
		for range b.N {
			outcome := task.NewPending[task.Done](r.loop)
			r.node.Deliver(r.kernel.Now()+150_000, 1, true, 1, ticked{outcome})
			outcome.Wait(s)
		}
	})
}

type ticked struct{ outcome *task.Pending[task.Done] }

func (t ticked) Happen() { t.outcome.Complete(task.Done{}, nil) }
