package disk

import (
	"sync/atomic"

	"golang.org/x/sys/unix"

	"barnabas/core/assert"
	"barnabas/core/env"
	"barnabas/core/task"
)

// file is an open file. Its descriptors are closed when it was given up and no operation uses it any more.
type file struct {
	disk   *Posix
	path   string
	uses   atomic.Int32 // operations in progress, and one until Close
	closed bool         // known to the loop alone

	descriptors *descriptors
	gate        *gate
}

func (d *Posix) open(path string, mode env.OpenMode) (*file, error) {
	flags := unix.O_RDWR | unix.O_CLOEXEC
	switch mode {
	case env.OpenCreate:
		flags |= unix.O_CREAT
	case env.OpenNew:
		flags |= unix.O_CREAT | unix.O_EXCL
	}
	descriptor, err := openDescriptor(path, flags)
	if err != nil {
		return nil, err
	}
	f := &file{disk: d, path: path, descriptors: newDescriptors(descriptor, !d.direct), gate: newGate()}
	f.uses.Store(1)
	return f, nil
}

// onFile has a pool make a call on the file; the file stays open for it.
func onFile[T any](f *file, p *pool, verb string, call func() (T, error)) *task.Pending[T] {
	assert.That(!f.closed, "a closed file is not used")
	f.uses.Add(1)
	return start(f.disk, p, func() (T, error) {
		defer f.release()
		value, err := call()
		return value, wrap(verb, f.path, err)
	})
}

func onFileDone(f *file, p *pool, verb string, call func() error) *task.Pending[task.Done] {
	return onFile(f, p, verb, func() (task.Done, error) { return task.Done{}, call() })
}

// Size returns the file's present length.
func (f *file) Size() *task.Pending[int64] {
	return onFile(f, &f.disk.work, "size", f.size)
}

func (f *file) size() (size int64, err error) {
	err = f.anyhow(func(descriptor int) error {
		var status unix.Stat_t
		err := uninterrupted(func() error { return unix.Fstat(descriptor, &status) })
		size = status.Size
		return err
	})
	return size, err
}

// anyhow makes a call that any of the file's descriptors does for.
func (f *file) anyhow(call func(descriptor int) error) error {
	descriptor, a := f.descriptors.takeAny()
	defer func() { f.descriptors.give(a, f.gate.isDirty()) }()
	return call(descriptor)
}

// with makes a call on the descriptor for an access.
func (f *file) with(a access, call func(descriptor int) error) error {
	descriptor, err := f.descriptors.take(a, f.gate.isDirty())
	if err != nil {
		return err
	}
	defer func() { f.descriptors.give(a, f.gate.isDirty()) }()
	return call(descriptor)
}

// Truncate sets the file's length.
func (f *file) Truncate(size int64) *task.Pending[task.Done] {
	return onFileDone(f, &f.disk.work, "truncate", func() error {
		f.gate.enter(cached)
		defer f.gate.leave(cached)
		if size%env.BlockBytes != 0 {
			f.gate.soil() // the kernel clears the rest of the last block, in the page cache
		}
		return f.anyhow(func(descriptor int) error {
			return uninterrupted(func() error { return unix.Ftruncate(descriptor, size) })
		})
	})
}

// Sync makes completed writes and the size durable.
func (f *file) Sync() *task.Pending[task.Done] {
	return onFileDone(f, &f.disk.syncs, "sync", f.sync)
}

func (f *file) sync() error {
	return f.anyhow(func(descriptor int) error {
		return f.gate.sync(func() error { return syncData(descriptor) })
	})
}

// Close gives the file up. Operations in progress complete.
func (f *file) Close() {
	if !f.closed {
		f.closed = true
		f.release()
	}
}

// release closes the descriptors after the last use.
func (f *file) release() {
	if f.uses.Add(-1) == 0 {
		f.descriptors.close()
	}
}
