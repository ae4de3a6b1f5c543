package disk

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"barnabas/core/env"
	"barnabas/core/env/envtest"
	"barnabas/core/task"
)

// pump is a host in small: an inbox and the loop it feeds.
type pump struct {
	loop  *task.Loop
	inbox chan task.Input
	begun time.Time
}

func newPump() *pump {
	return &pump{loop: task.NewLoop(0, nil), inbox: make(chan task.Input, 1024), begun: time.Now()}
}

func (p *pump) post(in task.Input) { p.inbox <- in }

// run runs a story to its end.
func (p *pump) run(story func(t *task.Task)) {
	ended := false
	p.loop.Go("story", func(t *task.Task) {
		story(t)
		ended = true
	})
	var completions []task.Input
	for {
		p.loop.Step(task.Instant(time.Since(p.begun)), completions, nil)
		if ended {
			return
		}
		completions = append(completions[:0], <-p.inbox)
	}
}

func openWorld(t *testing.T, folder string, options Options) *envtest.DiskWorld {
	p := newPump()
	options.Folder = folder
	make := func() env.Disk {
		d := NewPosix(p.loop, p.post, options)
		t.Cleanup(d.Stop)
		return d
	}
	return &envtest.DiskWorld{Disk: make(), Folder: folder, Run: p.run, Other: make}
}

func TestConformance(t *testing.T) {
	for name, options := range map[string]Options{"direct": {}, "buffered": {Buffered: true}, "one worker": {Workers: 1}} {
		t.Run(name, func(t *testing.T) {
			envtest.Disk(t, func(t *testing.T) *envtest.DiskWorld { return openWorld(t, t.TempDir(), options) })
		})
	}
	t.Run("tmpfs", func(t *testing.T) {
		if fileSystem("/dev/shm") != "tmpfs" {
			t.Skip("no tmpfs here")
		}
		envtest.Disk(t, func(t *testing.T) *envtest.DiskWorld {
			folder, err := os.MkdirTemp("/dev/shm", "disk-*")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.RemoveAll(folder) })
			return openWorld(t, folder, Options{})
		})
	})
}

func TestLockSaysWhoHasIt(t *testing.T) {
	w := openWorld(t, t.TempDir(), Options{})
	w.Run(func(s *task.Task) {
		if _, err := w.Disk.Lock(w.Folder).Wait(s); err != nil {
			t.Fatal(err)
		}
		_, err := w.Other().Lock(w.Folder).Wait(s)
		if !errors.Is(err, env.ErrLocked) || !strings.Contains(err.Error(), "process ") {
			t.Errorf("got %v", err)
		}
	})
}

func TestErrorsAreTheOnesOfEnv(t *testing.T) {
	for number, want := range map[unix.Errno]error{
		unix.ENOSPC: env.ErrNoSpace, unix.EDQUOT: env.ErrNoSpace, unix.EIO: env.ErrIO, unix.ENOENT: env.ErrNotExist,
		unix.EROFS: env.ErrReadOnly, unix.EMFILE: env.ErrTooManyFiles, unix.ENFILE: env.ErrTooManyFiles,
		unix.EEXIST: env.ErrExist, unix.EISDIR: env.ErrExist, unix.ENOTEMPTY: env.ErrExist,
	} {
		err := wrap("write", "a/b", &os.PathError{Op: "pwrite", Path: "a/b", Err: number})
		if !errors.Is(err, want) || !errors.Is(err, number) {
			t.Errorf("%v is not %v", err, want)
		}
		if strings.Count(err.Error(), "a/b") != 1 {
			t.Errorf("%q says the name twice", err)
		}
	}
	if wrap("write", "a", nil) != nil {
		t.Error("no error became one")
	}
}

// TestNoSpace meets the real ENOSPC.
func TestNoSpace(t *testing.T) {
	descriptor, err := openDescriptor("/dev/full", unix.O_RDWR|unix.O_CLOEXEC)
	if err != nil {
		t.Skip("no /dev/full here")
	}
	defer closeDescriptor(descriptor)
	if err := wrap("write", "f", writeFull(descriptor, []byte("x"), 0)); !errors.Is(err, env.ErrNoSpace) {
		t.Errorf("got %v", err)
	}
}

func TestDescribe(t *testing.T) {
	d, _ := describe(filepath.Join(t.TempDir(), "not", "there", "yet"), false)
	if d.FileSystem == "" || d.FileSystem == "unknown" || d.Backend != "posix" {
		t.Errorf("%+v", d)
	}
	if d, direct := describe(t.TempDir(), true); direct || d.Write != bufferedWrite {
		t.Errorf("%+v", d)
	}
	if d, _ := describe("/dev/shm", false); d.FileSystem == "tmpfs" && d.Durable {
		t.Errorf("%+v", d)
	}
}

func TestMemoryUnderManyHands(t *testing.T) {
	var m memory
	var hands sync.WaitGroup
	for hand := range 8 {
		hands.Go(func() {
			for i := range 300 {
				p := m.take(1 + i*977%(3<<20))
				p[0], p[len(p)-1] = byte(hand), byte(hand)
				if p[0] != byte(hand) {
					panic("shared")
				}
				m.give(p)
			}
		})
	}
	hands.Wait()
	p := m.take(5000)
	m.give(p)
	if !panics(func() { m.give(p) }) {
		t.Error("a second free is accepted")
	}
	if len(m.used) != 0 {
		t.Errorf("%d pieces leak", len(m.used))
	}
	m.unmap()
}

func panics(f func()) (yes bool) {
	defer func() { yes = recover() != nil }()
	f()
	return false
}

func TestPoolKeepsItsLimit(t *testing.T) {
	p := pool{limit: 3}
	var mutex sync.Mutex
	running, most, ran := 0, 0, 0
	for range 200 {
		p.do(jobFunc(func() {
			mutex.Lock()
			running++
			ran++
			most = max(most, running)
			mutex.Unlock()
			time.Sleep(50 * time.Microsecond)
			mutex.Lock()
			running--
			mutex.Unlock()
		}))
	}
	p.wait()
	if most > 3 || ran != 200 {
		t.Errorf("%d ran, %d at once", ran, most)
	}
}

// TestPoolsDoNotWaitForEachOther fills one after the other with work that does not end.
func TestPoolsDoNotWaitForEachOther(t *testing.T) {
	w := openWorld(t, t.TempDir(), Options{Workers: 1})
	d := w.Disk.(*Posix)
	w.Run(func(s *task.Task) {
		f, err := d.Open(w.Folder+"/f", env.OpenNew).Wait(s)
		if err != nil {
			t.Fatal(err)
		}
		p := d.Buffer(env.BlockBytes)
		for name, busy := range map[string]*pool{"work": &d.work, "commits": &d.commits, "syncs": &d.syncs} {
			hold := make(chan struct{})
			busy.do(jobFunc(func() { <-hold }))
			if busy != &d.work {
				f.ReadAt(p, 0).Wait(s)
			}
			if busy != &d.commits {
				f.WriteSync(p, 0).Wait(s)
			}
			if busy != &d.syncs {
				f.Sync().Wait(s)
				d.SyncDir(w.Folder).Wait(s)
			}
			t.Log(name)
			close(hold)
		}
		f.Close()
	})
}

type jobFunc func()

func (f jobFunc) run() { f() }

func BenchmarkWriteSync(b *testing.B) {
	p := newPump()
	d := NewPosix(p.loop, p.post, Options{Folder: b.TempDir()})
	defer d.Stop()
	p.run(func(s *task.Task) {
		f, err := d.Open(b.TempDir()+"/f", env.OpenNew).Wait(s)
		if err != nil {
			b.Fatal(err)
		}
		buffer := d.Buffer(1 << 20)
		if _, err := f.WriteSync(buffer, 0).Wait(s); err != nil {
			b.Fatal(err)
		}
		b.ResetTimer()
		for i := range b.N {
			if _, err := f.WriteSync(buffer[:4096], int64(i%256)*4096).Wait(s); err != nil {
				b.Fatal(err)
			}
		}
	})
}
