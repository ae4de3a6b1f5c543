package disk

import (
	"errors"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"barnabas/core/env"
	"barnabas/core/task"
)

// Options are what a disk can be told.
type Options struct {
	// Folder is where the files will be; the disk describes and probes its file system. "" is the current folder.
	Folder string
	// Workers bounds the operations that run at once; 0 means 16. WriteSyncs have as many of their own, and so have syncs
	// of files and folders.
	Workers int
	// Buffered turns direct writes off.
	Buffered bool
}

// Posix is env.Disk on system calls.
type Posix struct {
	loop        *task.Loop
	post        func(task.Input)
	work        pool // everything but
	commits     pool // WriteSync, and
	syncs       pool // Sync and SyncDir
	memory      memory
	direct      bool
	description env.DiskDescription

	mutex sync.Mutex
	locks []int // descriptors, open until the process ends or the disk is stopped
}

// NewPosix returns a disk whose operations complete on the loop: post is called from any goroutine and hands the input
// to a later step of it.
func NewPosix(loop *task.Loop, post func(task.Input), options Options) *Posix {
	if options.Folder == "" {
		options.Folder = "."
	}
	if options.Workers == 0 {
		options.Workers = 16
	}
	d := &Posix{loop: loop, post: post}
	d.work.limit, d.commits.limit, d.syncs.limit = options.Workers, options.Workers, options.Workers
	d.description, d.direct = describe(options.Folder, options.Buffered)
	return d
}

// Stop waits for the operations in progress and gives up locks and memory. Requires: no operation starts any more.
func (d *Posix) Stop() {
	d.work.wait()
	d.commits.wait()
	d.syncs.wait()
	d.mutex.Lock()
	defer d.mutex.Unlock()
	for _, descriptor := range d.locks {
		closeDescriptor(descriptor)
	}
	d.locks = nil
	d.memory.unmap()
}

// operation is one request on its way: a job of the pool, then an input of the loop.
type operation[T any] struct {
	outcome *task.Pending[T]
	post    func(task.Input)
	call    func() (T, error)
	value   T
	err     error
}

func (o *operation[T]) run() {
	o.value, o.err = o.call()
	o.call = nil
	o.post(o)
}

// Happen completes the operation on the loop.
func (o *operation[T]) Happen() { o.outcome.Complete(o.value, o.err) }

// start has a pool make the call.
func start[T any](d *Posix, p *pool, call func() (T, error)) *task.Pending[T] {
	o := &operation[T]{outcome: task.NewPending[T](d.loop), post: d.post, call: call}
	p.do(o)
	return o.outcome
}

// startDone is start for a call that only succeeds or fails.
func startDone(d *Posix, p *pool, call func() error) *task.Pending[task.Done] {
	return start(d, p, func() (task.Done, error) { return task.Done{}, call() })
}

// Open opens the file at path.
func (d *Posix) Open(path string, mode env.OpenMode) *task.Pending[env.File] {
	return start(d, &d.work, func() (env.File, error) {
		f, err := d.open(path, mode)
		if err != nil {
			return nil, wrap("open", path, err)
		}
		return f, nil
	})
}

// List returns the names in a folder.
func (d *Posix) List(folder string) *task.Pending[[]string] {
	return start(d, &d.work, func() ([]string, error) {
		entries, err := os.ReadDir(orHere(folder))
		if err != nil {
			return nil, wrap("list", folder, err)
		}
		names := make([]string, len(entries))
		for i, e := range entries {
			names[i] = e.Name()
		}
		return names, nil
	})
}

// MakeFolder makes the folder and its parents.
func (d *Posix) MakeFolder(folder string) *task.Pending[task.Done] {
	return startDone(d, &d.work, func() error {
		err := os.MkdirAll(orHere(folder), 0o755)
		if errors.Is(err, unix.ENOTDIR) {
			err = unix.EEXIST // a file has the name of the folder or of one above it
		}
		return wrap("make folder", folder, err)
	})
}

// Rename gives a file or folder another name.
func (d *Posix) Rename(from, to string) *task.Pending[task.Done] {
	return startDone(d, &d.work, func() error {
		err := error(nil)
		if from == to { // which os.Rename refuses for a folder
			_, err = os.Lstat(from)
		} else {
			err = os.Rename(from, to)
		}
		return wrap("rename", from+" to "+to, err)
	})
}

// Remove removes a file or an empty folder.
func (d *Posix) Remove(path string) *task.Pending[task.Done] {
	return startDone(d, &d.work, func() error { return wrap("remove", path, os.Remove(path)) })
}

// SyncDir makes creations, renames and removals in the folder durable.
func (d *Posix) SyncDir(folder string) *task.Pending[task.Done] {
	return startDone(d, &d.syncs, func() error { return wrap("sync folder", folder, syncFolder(orHere(folder))) })
}

// Lock takes the lock file at path, or .lock in the folder at path, until the process ends or the disk is stopped.
func (d *Posix) Lock(path string) *task.Pending[task.Done] {
	return startDone(d, &d.work, func() error {
		descriptor, err := lock(path)
		if err != nil {
			return wrap("lock", path, err)
		}
		d.mutex.Lock()
		defer d.mutex.Unlock()
		d.locks = append(d.locks, descriptor)
		return nil
	})
}

// Buffer returns zeroed memory that the garbage collector does not know.
func (d *Posix) Buffer(size int) []byte { return d.memory.take(size) }

// FreeBuffer takes it back.
func (d *Posix) FreeBuffer(p []byte) { d.memory.give(p) }

// Describe says what the disk is made of.
func (d *Posix) Describe() env.DiskDescription { return d.description }

// orHere makes the empty path the current folder.
func orHere(folder string) string {
	if folder == "" {
		return "."
	}
	return folder
}
