package fuzz

import (
	"errors"
	"fmt"
	"hash/crc32"
	"strings"

	"barnabas/core/env"
	"barnabas/core/task"
)

// A disk script is what a process does with a disk: batches of operations, each of which is started whole before any of
// it is waited for. What is in progress together keeps to the contract of env.Disk, that transfers are of disjoint
// ranges, and leaves out what a system does in several calls: then every outcome is one of some order.

// diskOp is one operation.
type diskOp struct {
	number  int // its own in the script, which is also what it writes
	verb    string
	handle  int
	path    string
	to      string
	mode    env.OpenMode
	offset  int64
	length  int
	aligned bool // memory from Buffer
}

func (o diskOp) String() string {
	switch o.verb {
	case "open":
		return fmt.Sprintf("open %d %s mode %d", o.handle, o.path, o.mode)
	case "rename":
		return "rename " + o.path + " " + o.to
	case "list", "mkdir", "remove", "syncdir":
		return o.verb + " " + o.path
	case "close", "size", "sync":
		return fmt.Sprint(o.verb, " ", o.handle)
	case "truncate":
		return fmt.Sprint("truncate ", o.handle, " ", o.offset)
	}
	return fmt.Sprintf("%s %d at %d, %d bytes, aligned %v", o.verb, o.handle, o.offset, o.length, o.aligned)
}

func (o diskOp) isTransfer() bool {
	return o.verb == "read" || o.verb == "write" || o.verb == "writesync"
}

func (o diskOp) isOnFile() bool {
	return o.isTransfer() || o.verb == "truncate" || o.verb == "size" || o.verb == "sync"
}

const (
	scriptHandles = 4
	// Every operation of a batch has this much of each file for itself.
	shareBlocks = 4
	shareBytes  = shareBlocks * env.BlockBytes
	batchMax    = 4
)

var (
	scriptFiles   = []string{"a", "b", "d/a", "d/b", "e/a"}
	scriptFolders = []string{"d", "e"}
)

// drawScript draws a script by its seed.
func drawScript(seed uint64) (script [][]diskOp) {
	random := env.NewRandom(seed, 9)
	number := 0
	for _, folder := range scriptFolders {
		script = append(script, []diskOp{{verb: "mkdir", path: folder}})
	}
	var opens []diskOp
	for handle := range scriptHandles {
		opens = append(opens, diskOp{verb: "open", handle: handle, path: scriptFiles[handle], mode: env.OpenCreate})
	}
	script = append(script, opens)
	for batch := range 4 + random.Below(10, 1) {
		draw := func(what, n uint64) uint64 { return random.Below(n, 2, batch, what) }
		var ops []diskOp
		var rules batchRules
		for i := range 1 + draw(0, batchMax) {
			number++
			op := drawOp(func(what, n uint64) uint64 { return random.Below(n, 3, batch, i, what) }, number, int64(i))
			if rules.admit(op) {
				ops = append(ops, op)
			}
		}
		script = append(script, ops)
	}
	return script
}

// drawOp draws one operation; share is which part of the files it may touch.
func drawOp(draw func(what, n uint64) uint64, number int, share int64) diskOp {
	o := diskOp{
		number: number, handle: int(draw(1, scriptHandles)),
		path: scriptFiles[draw(2, uint64(len(scriptFiles)))], to: scriptFiles[draw(3, uint64(len(scriptFiles)))],
		mode: env.OpenMode(draw(4, 3)),
	}
	// Most blocks of a share lie on one side of an end that is not one of a block.
	within := int64(draw(5, shareBytes))
	o.offset, o.length = share*shareBytes+within, int(1+draw(6, uint64(shareBytes-within)))
	if draw(7, 2) == 0 { // whole blocks
		first := int64(draw(5, shareBlocks))
		o.offset, o.length, o.aligned = share*shareBytes+first*env.BlockBytes, int(1+draw(6, uint64(shareBlocks-first)))*env.BlockBytes, true
	}
	switch at := draw(0, 40); {
	case at < 10:
		o.verb = "write"
	case at < 14:
		o.verb = "writesync"
		o.offset, o.length, o.aligned = share*shareBytes, shareBytes-int(draw(6, shareBlocks))*env.BlockBytes, true
	case at < 19:
		o.verb = "read"
	case at < 22:
		o.verb, o.offset = "truncate", int64(draw(5, batchMax*shareBytes))
	case at < 24:
		o.verb = "size"
	case at < 26:
		o.verb = "sync"
	case at < 32:
		o.verb = "open"
	case at < 33:
		o.verb = "close"
	case at < 35:
		o.verb = "rename"
	case at < 36:
		o.verb = "remove"
	case at < 37:
		o.verb, o.path = "list", []string{"d", "e", "."}[draw(2, 3)]
	case at < 38:
		o.verb, o.path = "syncdir", scriptFolders[draw(2, 2)]
	case at < 39:
		o.verb, o.path = "mkdir", scriptFolders[draw(2, 2)]
	default:
		o.verb, o.path, o.to = []string{"remove", "rename"}[draw(8, 2)], scriptFolders[draw(2, 2)], scriptFolders[draw(3, 2)]
	}
	return o
}

// batchRules say what may be in progress together.
type batchRules struct {
	transfers, lengths, names, folders bool
	touched                            [scriptHandles]bool
	opened                             [scriptHandles]bool
}

func (r *batchRules) admit(o diskOp) bool {
	switch {
	case o.isTransfer():
		if r.lengths || r.opened[o.handle] {
			return false
		}
		r.transfers, r.touched[o.handle] = true, true
	case o.verb == "truncate" || o.verb == "size":
		// A file grows while it is written, so its length in between is anybody's guess.
		if r.transfers || r.lengths || r.opened[o.handle] {
			return false
		}
		r.lengths, r.touched[o.handle] = true, true
	case o.verb == "sync":
		if r.opened[o.handle] {
			return false
		}
		r.touched[o.handle] = true
	case o.verb == "open" || o.verb == "close":
		if r.touched[o.handle] || r.opened[o.handle] || r.folders {
			return false
		}
		r.opened[o.handle], r.names = true, true
	default:
		// To make a path or to list a folder takes several calls, and so do checks before a rename.
		alone := o.verb == "mkdir" || o.verb == "list" || o.path == "d" || o.path == "e"
		if r.folders || alone && r.names {
			return false
		}
		r.names = true
		r.folders = alone
	}
	return true
}

// diskRunner runs a script on one disk.
type diskRunner struct {
	disk   env.Disk
	folder string // with a slash, or ""
	files  [scriptHandles]env.File
}

// begin starts an operation and returns how to wait for its outcome.
func (r *diskRunner) begin(o diskOp) func(*task.Task) string {
	path := func(p string) string { return r.folder + p }
	switch o.verb {
	case "open":
		r.close(o.handle)
		opened := r.disk.Open(path(o.path), o.mode)
		return func(s *task.Task) string {
			f, err := opened.Wait(s)
			if err == nil {
				r.files[o.handle] = f
			}
			return errorName(err)
		}
	case "close":
		r.close(o.handle)
		return func(*task.Task) string { return "ok" }
	case "list":
		return told(r.disk.List(path(o.path)), func(names []string) string { return strings.Join(names, " ") })
	case "mkdir":
		return done(r.disk.MakeFolder(path(o.path)))
	case "remove":
		return done(r.disk.Remove(path(o.path)))
	case "rename":
		return done(r.disk.Rename(path(o.path), path(o.to)))
	case "syncdir":
		return done(r.disk.SyncDir(path(o.path)))
	}
	f := r.files[o.handle]
	if f == nil {
		return func(*task.Task) string { return "no file" }
	}
	switch o.verb {
	case "size":
		return told(f.Size(), func(n int64) string { return fmt.Sprint(n) })
	case "truncate":
		return done(f.Truncate(o.offset))
	case "sync":
		return done(f.Sync())
	}
	return r.transfer(f, o)
}

func (r *diskRunner) transfer(f env.File, o diskOp) func(*task.Task) string {
	p := make([]byte, o.length)
	if o.aligned {
		p = r.disk.Buffer(o.length)
	}
	var outcome func(*task.Task) string
	switch o.verb {
	case "read":
		outcome = told(f.ReadAt(p, o.offset), func(n int) string { return summary(p[:n]) })
	case "write":
		o.fill(p)
		outcome = done(f.WriteAt(p, o.offset))
	case "writesync":
		o.fill(p)
		outcome = done(f.WriteSync(p, o.offset))
	}
	return func(s *task.Task) string {
		word := outcome(s)
		if o.aligned {
			r.disk.FreeBuffer(p)
		}
		return word
	}
}

// fill makes the bytes that an operation writes: no two write the same.
func (o diskOp) fill(p []byte) {
	for i := range p {
		at := o.offset + int64(i)
		p[i] = byte(o.number) ^ byte(at) ^ byte(at>>9)*31 | 1
	}
}

func (r *diskRunner) close(handle int) {
	if f := r.files[handle]; f != nil {
		f.Close()
		r.files[handle] = nil
	}
}

// batch starts operations and returns their outcomes, in the same order.
func (r *diskRunner) batch(s *task.Task, ops []diskOp) []string {
	var waits []func(*task.Task) string
	for _, o := range ops {
		waits = append(waits, r.begin(o))
	}
	outcomes := make([]string, len(ops))
	for i, wait := range waits {
		outcomes[i] = wait(s)
	}
	return outcomes
}

func done(p *task.Pending[task.Done]) func(*task.Task) string {
	return told(p, func(task.Done) string { return "ok" })
}

func told[T any](p *task.Pending[T], tell func(T) string) func(*task.Task) string {
	return func(s *task.Task) string {
		value, err := p.Wait(s)
		if err != nil {
			return errorName(err)
		}
		return tell(value)
	}
}

func errorName(err error) string {
	for _, known := range []error{env.ErrNotExist, env.ErrExist, env.ErrNoSpace, env.ErrIO} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	if err != nil {
		return "failed: " + err.Error()
	}
	return "ok"
}

// summary is a short word for bytes.
func summary(p []byte) string {
	return fmt.Sprintf("%d bytes, %08x", len(p), crc32.Checksum(p, crc32.MakeTable(crc32.Castagnoli)))
}

// diskState is what a disk holds, one file or folder a line.
type diskState []string

func (d *diskState) add(path string, content []byte) { *d = append(*d, path+": "+summary(content)) }

func (d *diskState) addFolder(path string) { *d = append(*d, path+": folder") }

func (d diskState) String() string { return strings.Join(d, "\n") }

// readState reads all of a folder.
func readState(s *task.Task, disk env.Disk, root string) (state diskState, err error) {
	err = readFolder(s, disk, root, "", &state)
	return state, err
}

func readFolder(s *task.Task, disk env.Disk, root, folder string, state *diskState) error {
	names, err := disk.List(root + folder + ".").Wait(s)
	if err != nil {
		return err
	}
	for _, name := range names {
		path := folder + name
		f, err := disk.Open(root+path, env.OpenExisting).Wait(s)
		if errors.Is(err, env.ErrExist) {
			state.addFolder(path)
			if err := readFolder(s, disk, root, path+"/", state); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		size, err := f.Size().Wait(s)
		if err != nil {
			return err
		}
		content := make([]byte, size)
		n, err := f.ReadAt(content, 0).Wait(s)
		f.Close()
		if err != nil {
			return err
		}
		state.add(path, content[:n])
	}
	return nil
}

// tell writes a script down, with outcomes as far as there are any.
func tellScript(script [][]diskOp, outcomes [][]string) string {
	var b strings.Builder
	for i, ops := range script {
		for j, o := range ops {
			outcome := "in progress"
			if i < len(outcomes) {
				outcome = outcomes[i][j]
			}
			fmt.Fprintf(&b, "  %d. %v -> %s\n", i+1, o, outcome)
		}
	}
	return b.String()
}
