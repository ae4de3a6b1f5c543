package envtest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"barnabas/core/env"
	"barnabas/core/task"
)

// A story is a text of one operation a line, with its outcome after "->" when that is not "ok":
//
//	open HANDLE PATH existing|create|new     close HANDLE
//	size HANDLE -> BYTES                     truncate HANDLE BYTES
//	read HANDLE OFFSET BYTES -> RUNS         write HANDLE OFFSET RUNS      writesync HANDLE OFFSET RUNS
//	writecached HANDLE OFFSET RUNS
//	sync HANDLE                              syncdir PATH                  mkdir PATH
//	list PATH -> NAMES                       rename PATH PATH              remove PATH
//	lock PATH                                lock2 PATH                    (by another process)
//	wait                                     for all that were started
//
// "start" before an operation leaves it in progress until "wait".

// diskTeller is one story being run.
type diskTeller struct {
	world   *DiskWorld
	other   env.Disk
	files   map[string]env.File
	started []startedLine
}

type startedLine struct {
	text, want string
	outcome    func(*task.Task) string
}

func newDiskTeller(w *DiskWorld) *diskTeller {
	return &diskTeller{world: w, files: map[string]env.File{}}
}

// runDiskStory runs a story file and reports every line that comes out otherwise.
func runDiskStory(t *testing.T, w *DiskWorld, file string) {
	lines := diskLines(t, file)
	w.Run(func(s *task.Task) {
		teller := newDiskTeller(w)
		for number, line := range lines {
			for _, wrong := range teller.tell(s, line) {
				t.Errorf("%s:%d: %s", file, number+1, wrong)
			}
		}
	})
}

// tell runs one line and returns what came out otherwise than it says.
func (d *diskTeller) tell(s *task.Task, line string) (wrong []string) {
	line, _, _ = strings.Cut(line, "#")
	text, want, given := strings.Cut(line, "->")
	text, want = strings.TrimSpace(text), strings.TrimSpace(want)
	if text == "" {
		return nil
	}
	if !given {
		want = "ok"
	}
	if text == "wait" {
		return d.wait(s)
	}
	words := strings.Fields(text)
	if words[0] == "start" {
		d.started = append(d.started, startedLine{text, want, d.begin(words[1:])})
		return nil
	}
	return startedLine{text, want, d.begin(words)}.check(s)
}

func (l startedLine) check(s *task.Task) []string {
	if got := l.outcome(s); got != l.want {
		return []string{fmt.Sprintf("%s -> %s, want %s", l.text, got, l.want)}
	}
	return nil
}

func (d *diskTeller) wait(s *task.Task) (wrong []string) {
	for _, line := range d.started {
		wrong = append(wrong, line.check(s)...)
	}
	d.started = nil
	return wrong
}

// begin starts an operation and returns how to wait for its outcome.
func (d *diskTeller) begin(words []string) func(*task.Task) string {
	disk, verb := d.world.Disk, words[0]
	arg := func(i int) string { return words[i] }
	number := func(i int) int64 {
		n, _ := strconv.ParseInt(words[i], 10, 64)
		return n
	}
	place := func(i int) string { return d.world.path(words[i]) }
	switch verb {
	case "open":
		return d.open(arg(1), place(2), arg(3))
	case "list":
		return told(disk.List(place(1)), func(names []string) string { return strings.Join(names, " ") })
	case "mkdir":
		return done(disk.MakeFolder(place(1)))
	case "rename":
		return done(disk.Rename(place(1), place(2)))
	case "remove":
		return done(disk.Remove(place(1)))
	case "syncdir":
		return done(disk.SyncDir(place(1)))
	case "lock":
		return done(disk.Lock(place(1)))
	case "lock2":
		if d.other == nil {
			d.other = d.world.Other()
		}
		return done(d.other.Lock(place(1)))
	}
	file := d.files[arg(1)]
	switch verb {
	case "close":
		file.Close()
		delete(d.files, arg(1))
		return func(*task.Task) string { return "ok" }
	case "size":
		return told(file.Size(), func(n int64) string { return strconv.FormatInt(n, 10) })
	case "truncate":
		return done(file.Truncate(number(2)))
	case "sync":
		return done(file.Sync())
	case "write":
		return done(file.WriteAt(parseRuns(arg(3)), number(2)))
	case "writecached":
		return done(file.WriteCached(parseRuns(arg(3)), number(2)))
	case "writesync":
		return d.writeSync(file, parseRuns(arg(3)), number(2))
	case "read":
		p := make([]byte, number(3))
		return told(file.ReadAt(p, number(2)), func(n int) string { return renderRuns(p[:n]) })
	}
	panic("no such verb: " + verb)
}

func (d *diskTeller) open(handle, path, mode string) func(*task.Task) string {
	modes := map[string]env.OpenMode{"existing": env.OpenExisting, "create": env.OpenCreate, "new": env.OpenNew}
	opened := d.world.Disk.Open(path, modes[mode])
	return func(s *task.Task) string {
		file, err := opened.Wait(s)
		if err != nil {
			return errorWord(err)
		}
		d.files[handle] = file
		return "ok"
	}
}

func (d *diskTeller) writeSync(file env.File, content []byte, offset int64) func(*task.Task) string {
	p := d.world.Disk.Buffer(len(content))
	copy(p, content)
	outcome := done(file.WriteSync(p[:len(content)], offset))
	return func(s *task.Task) string {
		word := outcome(s)
		d.world.Disk.FreeBuffer(p)
		return word
	}
}

// done returns how to wait for an operation that only succeeds or fails.
func done(p *task.Pending[task.Done]) func(*task.Task) string {
	return told(p, func(task.Done) string { return "ok" })
}

// told returns how to wait for an operation and what to say of its value.
func told[T any](p *task.Pending[T], tell func(T) string) func(*task.Task) string {
	return func(s *task.Task) string {
		value, err := p.Wait(s)
		if err != nil {
			return errorWord(err)
		}
		return tell(value)
	}
}

// errorWord names what an error is.
func errorWord(err error) string {
	classes := []struct {
		is   error
		word string
	}{
		{env.ErrNotExist, "not-exist"},
		{env.ErrExist, "exist"},
		{env.ErrLocked, "locked"},
		{env.ErrNoSpace, "no-space"},
		{env.ErrReadOnly, "read-only"},
		{env.ErrTooManyFiles, "too-many-files"},
		{env.ErrIO, "io"},
	}
	for _, c := range classes {
		if errors.Is(err, c.is) {
			return c.word
		}
	}
	return "failed: " + err.Error()
}
