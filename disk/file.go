package disk

import (
	"sync"
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
	plain  int
	uses   atomic.Int32 // operations in progress, and one until Close
	closed bool         // known to the loop alone

	mutex   sync.Mutex
	direct  int // the second descriptor, or notOpened
	refused bool
}

// notOpened is the descriptor of a direct file that nobody needed yet.
const notOpened = -1

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
	f := &file{disk: d, path: path, plain: descriptor, direct: notOpened, refused: !d.direct}
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
	return onFile(f, &f.disk.work, "size", func() (int64, error) {
		var status unix.Stat_t
		err := uninterrupted(func() error { return unix.Fstat(f.plain, &status) })
		return status.Size, err
	})
}

// ReadAt reads at offset: whole blocks into memory from Buffer straight from the device, everything else through the page
// cache. Filling the page cache costs several times what the device does, and what is read so is seldom read twice.
func (f *file) ReadAt(p []byte, offset int64) *task.Pending[int] {
	return onFile(f, &f.disk.work, "read", func() (int, error) { return f.read(p, offset) })
}

func (f *file) read(p []byte, offset int64) (int, error) {
	read := 0
	if len(p) > 0 && len(p)%env.BlockBytes == 0 && offset%env.BlockBytes == 0 && isAligned(p) {
		if descriptor := f.directDescriptor(); descriptor != notOpened {
			// A direct read ends early at the file's end, in the middle of a block; the rest is asked for below.
			n, err := unix.Pread(descriptor, p, offset)
			if err == nil {
				read = n
			}
		}
	}
	n, err := readFull(f.plain, p[read:], offset+int64(read))
	return read + n, err
}

// WriteAt writes at offset into the page cache.
func (f *file) WriteAt(p []byte, offset int64) *task.Pending[task.Done] {
	return onFileDone(f, &f.disk.work, "write", func() error { return writeFull(f.plain, p, offset) })
}

// WriteSync writes at offset to the device.
func (f *file) WriteSync(p []byte, offset int64) *task.Pending[task.Done] {
	assert.That(len(p)%env.BlockBytes == 0 && offset%env.BlockBytes == 0, "direct writes are whole blocks")
	assert.That(len(p) == 0 || isAligned(p), "direct writes come from Buffer")
	return onFileDone(f, &f.disk.commits, "write", func() error { return f.writeSync(p, offset) })
}

func (f *file) writeSync(p []byte, offset int64) error {
	if descriptor := f.directDescriptor(); descriptor != notOpened {
		err := writeFull(descriptor, p, offset)
		if err != unix.EINVAL {
			return err
		}
		f.refuseDirect() // it let us open the file, but not write like this
	}
	if err := writeFull(f.plain, p, offset); err != nil {
		return err
	}
	return syncData(f.plain)
}

// directDescriptor returns the descriptor for direct writes, opened if need be, or notOpened where there is none.
func (f *file) directDescriptor() int {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.refused {
		return notOpened
	}
	if f.direct == notOpened {
		descriptor, err := reopenDirect(f.plain)
		if err != nil {
			f.refused = true
			return notOpened
		}
		f.direct = descriptor
	}
	return f.direct
}

func (f *file) refuseDirect() {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.refused = true
}

// Truncate sets the file's length.
func (f *file) Truncate(size int64) *task.Pending[task.Done] {
	return onFileDone(f, &f.disk.work, "truncate", func() error {
		return uninterrupted(func() error { return unix.Ftruncate(f.plain, size) })
	})
}

// Sync makes completed writes and the size durable.
func (f *file) Sync() *task.Pending[task.Done] {
	return onFileDone(f, &f.disk.work, "sync", func() error { return syncData(f.plain) })
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
	if f.uses.Add(-1) > 0 {
		return
	}
	closeDescriptor(f.plain)
	if f.direct != notOpened {
		closeDescriptor(f.direct)
	}
}
