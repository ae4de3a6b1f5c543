package disk

import (
	"bytes"
	"os"
	"strconv"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"barnabas/core/env"
	"barnabas/core/task"
)

// openDirect opens a new file where files take direct access, and runs the story.
func openDirect(t *testing.T, story func(s *task.Task, d *Posix, f *file)) {
	t.Helper()
	w := openWorld(t, t.TempDir(), Options{})
	if w.Disk.Describe().Write != directWrite {
		t.Skip("no direct writes here")
	}
	w.Run(func(s *task.Task) {
		opened, err := w.Disk.Open(w.Folder+"/f", env.OpenNew).Wait(s)
		if err != nil {
			t.Fatal(err)
		}
		story(s, w.Disk.(*Posix), opened.(*file))
		opened.Close()
	})
}

func must[T any](t *testing.T, s *task.Task, p *task.Pending[T]) T {
	t.Helper()
	value, err := p.Wait(s)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// accessOf returns which ways to the file this process has open, by looking at all its descriptors.
func accessOf(t *testing.T, path string) (found []access) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	for _, e := range entries {
		if target, _ := os.Readlink("/proc/self/fd/" + e.Name()); target != path {
			continue
		}
		number, _ := strconv.Atoi(e.Name())
		flags, err := unix.FcntlInt(uintptr(number), unix.F_GETFL, 0)
		if err != nil {
			t.Fatal(err)
		}
		a := cached
		if flags&unix.O_DIRECT != 0 {
			a = direct
		}
		found = append(found, a)
	}
	return found
}

// TestOneDescriptorAtRest goes back and forth between the two ways to a file's bytes.
func TestOneDescriptorAtRest(t *testing.T) {
	openDirect(t, func(s *task.Task, d *Posix, f *file) {
		block, text := d.Buffer(2*env.BlockBytes), []byte("text")
		steps := []struct {
			name string
			do   func()
			want access
		}{
			{"open", func() {}, cached},
			{"write blocks", func() { must(t, s, f.WriteAt(block, 0)) }, direct},
			{"size", func() { must(t, s, f.Size()) }, direct},
			{"sync", func() { must(t, s, f.Sync()) }, direct},
			{"truncate", func() { must(t, s, f.Truncate(env.BlockBytes)) }, direct},
			{"read to the end", func() { must(t, s, f.ReadAt(block, 0)) }, direct},
			{"write text", func() { must(t, s, f.WriteAt(text, 5)) }, cached},
			{"read blocks that are not synced", func() { must(t, s, f.ReadAt(block, 0)) }, cached},
			{"write blocks to the device", func() { must(t, s, f.WriteSync(block, 0)) }, direct},
			{"write text again", func() { must(t, s, f.WriteAt(text, 5)) }, cached},
			{"write blocks through the cache", func() { must(t, s, f.WriteCached(block, 0)) }, cached},
			{"sync text", func() { must(t, s, f.Sync()) }, cached},
			{"read blocks", func() { must(t, s, f.ReadAt(block, 0)) }, direct},
			{"truncate within a block", func() { must(t, s, f.Truncate(env.BlockBytes+1)) }, direct},
			{"read blocks the kernel cleared a part of", func() { must(t, s, f.ReadAt(block, 0)) }, cached},
			{"sync that", func() { must(t, s, f.Sync()) }, cached},
			{"read blocks again", func() { must(t, s, f.ReadAt(block, 0)) }, direct},
			{"read text", func() { must(t, s, f.ReadAt(text, 5)) }, cached},
		}
		for _, step := range steps {
			step.do()
			if got := accessOf(t, f.path); len(got) != 1 || got[0] != step.want {
				t.Errorf("after %s: descriptors %v, want one of %v", step.name, got, step.want)
			}
		}
	})
}

// TestTheWriterOfTheCacheStays: a failed write-back is told to the descriptor that was there, so it must stay until then.
func TestTheWriterOfTheCacheStays(t *testing.T) {
	openDirect(t, func(s *task.Task, _ *Posix, f *file) {
		must(t, s, f.WriteAt([]byte("text"), 0))
		if _, err := f.descriptors.take(direct, f.gate.isDirty()); err != nil {
			t.Fatal(err)
		}
		f.descriptors.give(direct, f.gate.isDirty())
		if got := accessOf(t, f.path); len(got) != 2 {
			t.Errorf("descriptors %v before the sync, want both", got)
		}
		must(t, s, f.Sync())
		if got := accessOf(t, f.path); len(got) != 1 {
			t.Errorf("descriptors %v after the sync, want one", got)
		}
	})
}

// resident counts the pages of a file that the page cache holds.
func resident(t *testing.T, path string) (count int) {
	t.Helper()
	content, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	info, err := content.Stat()
	if err != nil || info.Size() == 0 {
		t.Fatal(info, err)
	}
	mapped, err := unix.Mmap(int(content.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Munmap(mapped) }()
	pages := make([]byte, (len(mapped)+env.BlockBytes-1)/env.BlockBytes)
	if _, _, number := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&mapped[0])), uintptr(len(mapped)),
		uintptr(unsafe.Pointer(&pages[0]))); number != 0 {
		t.Skip(number)
	}
	return bytes.Count(pages, []byte{1})
}

// TestWholeBlocksPassThePageCache: what is filled in the background must not push out what readers need.
func TestWholeBlocksPassThePageCache(t *testing.T) {
	openDirect(t, func(s *task.Task, d *Posix, f *file) {
		p := d.Buffer(16 * env.BlockBytes)
		for _, c := range []struct {
			name string
			do   func()
			want bool
		}{
			{"WriteAt of blocks", func() { must(t, s, f.WriteAt(p, 0)) }, false},
			{"WriteSync", func() { must(t, s, f.WriteSync(p, 0)) }, false},
			{"ReadAt of blocks", func() { must(t, s, f.ReadAt(p, 0)) }, false},
			{"ReadAt of blocks to the end", func() { must(t, s, f.ReadAt(p, 4*env.BlockBytes)) }, false},
			{"WriteAt elsewhere in memory", func() { must(t, s, f.WriteAt(make([]byte, 100), 0)) }, true},
			{"WriteSync again", func() { must(t, s, f.WriteSync(p, 0)) }, false},
			{"WriteCached", func() { must(t, s, f.WriteCached(p, 0)) }, true},
			{"WriteAt of blocks again", func() { must(t, s, f.WriteAt(p, 0)) }, false},
		} {
			c.do()
			if got := resident(t, f.path); got > 0 != c.want {
				t.Errorf("after %s %d pages are cached", c.name, got)
			}
		}
	})
}

// TestWaysAgree writes each block one way or the other, all at once and over again; both ways must read the same.
func TestWaysAgree(t *testing.T) {
	openDirect(t, func(s *task.Task, d *Posix, f *file) {
		const blocks, rounds = 64, 40
		random := env.NewRandom(3, 4)
		memory := d.Buffer(blocks * env.BlockBytes)
		want := make([]byte, len(memory))
		for round := range uint64(rounds) {
			var pending []*task.Pending[task.Done]
			for i := range uint64(blocks) {
				at := int64(i * env.BlockBytes)
				p := memory[at:][:env.BlockBytes]
				for j := range p {
					p[j] = byte(1 + (round*blocks+i)%250)
				}
				switch random.Below(5, 1, round, i) {
				case 0:
					pending = append(pending, f.WriteAt(p, at))
				case 1:
					pending = append(pending, f.WriteSync(p, at))
				case 2:
					p = p[:env.BlockBytes-7]
					pending = append(pending, f.WriteAt(p, at))
				case 4:
					pending = append(pending, f.WriteCached(p, at))
				case 3:
					at += 9
					p = p[9:]
					pending = append(pending, f.WriteAt(p, at))
				}
				copy(want[at:], p)
			}
			for _, p := range pending {
				must(t, s, p)
			}
			straight, through := d.Buffer(len(want)), make([]byte, len(want)+1)[1:]
			if n := must(t, s, f.ReadAt(through, 0)); round > 0 && n != len(want) {
				t.Fatalf("round %d: %d bytes", round, n)
			}
			if !bytes.Equal(through, want) {
				t.Fatalf("round %d: the page cache differs", round)
			}
			if must(t, s, f.ReadAt(straight, 0)); !bytes.Equal(straight, want) {
				t.Fatalf("round %d: whole blocks differ before the sync", round)
			}
			must(t, s, f.Sync())
			if must(t, s, f.ReadAt(straight, 0)); !bytes.Equal(straight, want) {
				t.Fatalf("round %d: the device differs", round)
			}
			d.FreeBuffer(straight)
		}
		d.FreeBuffer(memory)
	})
}
