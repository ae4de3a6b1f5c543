package disk

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"barnabas/core/env"
	"barnabas/core/task"
)

// limitCase is the variable by which the tests start themselves as a process that the system refuses things.
const limitCase = "DISK_TEST_LIMIT"

// limits are what a process can be refused. Each runs in a process of its own, in a folder of its own.
var limits = []struct {
	name  string
	mount bool // wants to mount, which a user may in a name space of his own
	story func(t *testing.T, folder string)
}{
	{"short writes", false, shortWrites},
	{"no descriptors", false, noDescriptors},
	{"full", true, full},
	{"read-only", true, readOnly},
}

func TestLimits(t *testing.T) {
	chosen := os.Getenv(limitCase)
	for _, l := range limits {
		t.Run(l.name, func(t *testing.T) {
			folder := t.TempDir()
			if chosen == l.name {
				l.story(t, folder)
				return
			}
			if chosen != "" {
				t.SkipNow()
			}
			child := exec.Command(os.Args[0], "-test.run=^TestLimits$/^"+l.name+"$", "-test.v")
			child.Env = append(os.Environ(), limitCase+"="+l.name)
			if l.mount {
				asRoot := []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
				child.SysProcAttr = &syscall.SysProcAttr{
					Cloneflags: unix.CLONE_NEWUSER | unix.CLONE_NEWNS, UidMappings: asRoot,
					GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
				}
			}
			output, err := child.CombinedOutput()
			if errors.Is(err, unix.EPERM) && l.mount {
				t.Skip("no name spaces of users here")
			}
			if err != nil || !bytes.Contains(output, []byte("--- PASS: TestLimits/")) {
				t.Errorf("%v\n%s", err, output)
			}
		})
	}
}

func inFolder(t *testing.T, folder string, story func(s *task.Task, d *Posix)) {
	t.Helper()
	w := openWorld(t, folder, Options{})
	w.Run(func(s *task.Task) { story(s, w.Disk.(*Posix)) })
}

func newFile(t *testing.T, s *task.Task, d *Posix, path string) env.File {
	t.Helper()
	return must(t, s, d.Open(path, env.OpenNew))
}

// shortWrites has the system cut writes in two: a file may grow to a limit, and the call that crosses it ends there.
func shortWrites(t *testing.T, folder string) {
	const limit = 3*env.BlockBytes + 512
	old := unix.Rlimit{}
	if err := errors.Join(unix.Getrlimit(unix.RLIMIT_FSIZE, &old), unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: limit, Max: old.Max})); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Setrlimit(unix.RLIMIT_FSIZE, &old) }()
	inFolder(t, folder, func(s *task.Task, d *Posix) {
		p := d.Buffer(8 * env.BlockBytes)
		for i := range p {
			p[i] = byte(i/env.BlockBytes + 1)
		}
		for name, write := range map[string]func(f env.File) *task.Pending[task.Done]{
			"cached": func(f env.File) *task.Pending[task.Done] { return f.WriteAt(p[1:], 1) },
			"direct": func(f env.File) *task.Pending[task.Done] { return f.WriteAt(p, 0) },
			"synced": func(f env.File) *task.Pending[task.Done] { return f.WriteSync(p, 0) },
		} {
			f := newFile(t, s, d, folder+"/"+name)
			if _, err := write(f).Wait(s); err == nil {
				t.Errorf("%s: a write beyond the limit succeeded", name)
			}
			size := must(t, s, f.Size())
			got := make([]byte, limit+1)
			n := must(t, s, f.ReadAt(got, 0))
			if size < 3*env.BlockBytes || size > limit || int64(n) != size || !bytes.Equal(got[1:n], p[1:n]) {
				t.Errorf("%s: %d bytes of size %d are there, want those up to the limit", name, n, size)
			}
			f.Close()
		}
		// One that takes whole blocks alone goes on at a block, and gives up when it gets no further.
		f := newFile(t, s, d, folder+"/blocks").(*file)
		if err := f.anyhow(func(descriptor int) error { return writeBlocks(descriptor, p, 0, false) }); err != unix.EIO {
			t.Errorf("whole blocks: %v", err)
		}
	})
}

// noDescriptors leaves the process without any.
func noDescriptors(t *testing.T, folder string) {
	inFolder(t, folder, func(s *task.Task, d *Posix) {
		p := d.Buffer(env.BlockBytes)
		fresh, used := newFile(t, s, d, folder+"/fresh"), newFile(t, s, d, folder+"/used")
		must(t, s, used.WriteSync(p, 0))
		var held []*os.File
		for {
			f, err := os.Open("/dev/null")
			if err != nil {
				break
			}
			held = append(held, f)
			if len(held) == 1 {
				_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(f.Fd()) + 8, Max: 1 << 16})
			}
		}
		for verb, err := range map[string]error{
			"open":        second(d.Open(folder+"/other", env.OpenCreate).Wait(s)),
			"list":        second(d.List(folder).Wait(s)),
			"sync folder": second(d.SyncDir(folder).Wait(s)),
			"lock":        second(d.Lock(folder).Wait(s)),
		} {
			if !errors.Is(err, env.ErrTooManyFiles) {
				t.Errorf("%s: %v", verb, err)
			}
		}
		// What is open goes on: a file whose descriptor leads to the page cache takes that way, and is synced all the same.
		must(t, s, fresh.WriteSync(p, 0))
		must(t, s, fresh.WriteAt(p, env.BlockBytes))
		must(t, s, fresh.Sync())
		must(t, s, fresh.ReadAt(p, 0))
		must(t, s, used.WriteSync(p, 0))
		must(t, s, used.ReadAt(p, 0))
		must(t, s, used.Truncate(5))
		if d.direct {
			if _, err := used.WriteAt([]byte("text"), 0).Wait(s); !errors.Is(err, env.ErrTooManyFiles) {
				t.Errorf("another way to the bytes without a descriptor for it: %v", err)
			}
		}
		for _, f := range held {
			f.Close()
		}
		must(t, s, used.WriteAt([]byte("text"), 0))
		if d.direct {
			must(t, s, fresh.WriteAt(p, 0))
			if got := accessOf(t, folder+"/fresh"); len(got) != 1 || got[0] != direct {
				t.Errorf("the want of descriptors is over, and the file still does without direct access: %v", got)
			}
		}
		if names := must(t, s, d.List(folder)); fmt.Sprint(names) != "[.lock fresh used]" && fmt.Sprint(names) != "[fresh used]" {
			t.Errorf("a file was made: %v", names)
		}
	})
}

func second[T any](_ T, err error) error { return err }

// full runs out of space in the middle of a write, and finds some again.
func full(t *testing.T, folder string) {
	const blocks = 64
	mount(t, folder, 0, "size="+strconv.Itoa(blocks*env.BlockBytes))
	inFolder(t, folder, func(s *task.Task, d *Posix) {
		t.Log(d.Describe())
		ballast := newFile(t, s, d, folder+"/ballast")
		must(t, s, ballast.WriteAt(make([]byte, 40*env.BlockBytes), 0))
		p := d.Buffer(48 * env.BlockBytes)
		for i := range p {
			p[i] = 'x'
		}
		f := newFile(t, s, d, folder+"/f")
		for name, write := range map[string]func() *task.Pending[task.Done]{
			"blocks": func() *task.Pending[task.Done] { return f.WriteAt(p, 0) },
			"bytes":  func() *task.Pending[task.Done] { return f.WriteAt(p[1:], 1) },
			"synced": func() *task.Pending[task.Done] { return f.WriteSync(p, 0) },
		} {
			if _, err := write().Wait(s); !errors.Is(err, env.ErrNoSpace) {
				t.Errorf("%s: %v", name, err)
			}
			if size := must(t, s, f.Size()); size == 0 || size >= int64(len(p)) {
				t.Errorf("%s: %d bytes are there, want some", name, size)
			}
		}
		must(t, s, ballast.WriteAt([]byte("overwritten in place"), 0))
		must(t, s, ballast.Truncate(0))
		must(t, s, f.WriteSync(p, 0))
		got := make([]byte, len(p))
		if n := must(t, s, f.ReadAt(got, 0)); n != len(p) || !bytes.Equal(got, p) {
			t.Errorf("%d bytes, and not those written when there was room again", n)
		}
	})
}

// readOnly takes the right to write away.
func readOnly(t *testing.T, folder string) {
	mount(t, folder, 0, "")
	inFolder(t, folder, func(s *task.Task, d *Posix) {
		f := newFile(t, s, d, folder+"/f")
		f.Close()
		mount(t, folder, unix.MS_REMOUNT|unix.MS_RDONLY, "")
		for verb, err := range map[string]error{
			"open":   second(d.Open(folder+"/f", env.OpenExisting).Wait(s)),
			"create": second(d.Open(folder+"/g", env.OpenCreate).Wait(s)),
			"rename": second(d.Rename(folder+"/f", folder+"/g").Wait(s)),
			"remove": second(d.Remove(folder + "/f").Wait(s)),
			"folder": second(d.MakeFolder(folder + "/d").Wait(s)),
			"lock":   second(d.Lock(folder).Wait(s)),
		} {
			if !errors.Is(err, env.ErrReadOnly) {
				t.Errorf("%s: %v", verb, err)
			}
		}
	})
}

func mount(t *testing.T, folder string, flags uintptr, options string) {
	t.Helper()
	if err := unix.Mount("tmpfs", folder, "tmpfs", flags, options); err != nil {
		t.Fatal(err)
	}
	if flags == 0 {
		t.Cleanup(func() { _ = unix.Unmount(folder, unix.MNT_DETACH) })
	}
}
