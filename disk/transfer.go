package disk

import (
	"golang.org/x/sys/unix"

	"barnabas/core/assert"
	"barnabas/core/env"
	"barnabas/core/task"
)

// wholeBlocks says whether a transfer can go past the page cache.
func wholeBlocks(p []byte, offset int64) bool {
	return len(p) > 0 && len(p)%env.BlockBytes == 0 && offset%env.BlockBytes == 0 && isAligned(p)
}

// ReadAt reads at offset: whole blocks into memory from Buffer straight from the device, everything else through the page
// cache. Filling the page cache costs several times what the device does, and what is read so is seldom read twice.
func (f *file) ReadAt(p []byte, offset int64) *task.Pending[int] {
	return onFile(f, &f.disk.work, "read", func() (int, error) { return f.read(p, offset) })
}

func (f *file) read(p []byte, offset int64) (read int, err error) {
	if wholeBlocks(p, offset) && !f.gate.isDirty() {
		if read = f.readDirect(p, offset); read == len(p) || f.endsAt(offset+int64(read)) {
			return read, nil
		}
	}
	err = f.with(cached, func(descriptor int) error {
		n, err := readFull(descriptor, p[read:], offset+int64(read))
		read += n
		return err
	})
	return read, err
}

// readDirect reads as much as the device gives at once: all, or as far as the file goes, or as far as nothing is wrong.
func (f *file) readDirect(p []byte, offset int64) (read int) {
	_ = f.with(direct, func(descriptor int) error {
		return uninterrupted(func() error {
			n, err := unix.Pread(descriptor, p, offset)
			read = max(n, 0)
			return err
		})
	})
	return read
}

// endsAt says whether the file has no byte at offset.
func (f *file) endsAt(offset int64) bool {
	size, err := f.size()
	return err == nil && offset >= size
}

// WriteAt writes at offset: whole blocks from memory of Buffer to the device, which may still keep them in a cache of its
// own, everything else into the page cache.
func (f *file) WriteAt(p []byte, offset int64) *task.Pending[task.Done] {
	return onFileDone(f, &f.disk.work, "write", func() error {
		if wholeBlocks(p, offset) {
			if err := f.writeDirect(p, offset, false); err != errNotDirect {
				return err
			}
		}
		return f.writeCached(p, offset)
	})
}

// WriteCached writes at offset into the page cache. It stands with the commits: no crowd of slow reads is in front of it.
func (f *file) WriteCached(p []byte, offset int64) *task.Pending[task.Done] {
	return onFileDone(f, &f.disk.commits, "write", func() error { return f.writeCached(p, offset) })
}

// WriteSync writes at offset to the device, and through what it caches.
func (f *file) WriteSync(p []byte, offset int64) *task.Pending[task.Done] {
	assert.That(len(p)%env.BlockBytes == 0 && offset%env.BlockBytes == 0, "direct writes are whole blocks")
	assert.That(len(p) == 0 || isAligned(p), "direct writes come from Buffer")
	return onFileDone(f, &f.disk.commits, "write", func() error {
		if err := f.writeDirect(p, offset, true); err != errNotDirect {
			return err
		}
		if err := f.writeCached(p, offset); err != nil {
			return err
		}
		return f.sync()
	})
}

// writeDirect writes past the page cache. Errors: errNotDirect where that can't be, which leaves it to writeCached.
func (f *file) writeDirect(p []byte, offset int64, durable bool) error {
	err := f.with(direct, func(descriptor int) error {
		f.gate.enter(direct)
		defer f.gate.leave(direct)
		// What lies in the page cache goes first, or it would be written over this later.
		if f.gate.isDirty() {
			if err := f.sync(); err != nil {
				return err
			}
		}
		return writeBlocks(descriptor, p, offset, durable)
	})
	switch {
	case err == unix.EINVAL: // it let us open the file, but not write like this
		f.descriptors.refuse()
		return errNotDirect
	case err == unix.EMFILE || err == unix.ENFILE:
		return errNotDirect // this time
	}
	return err
}

// writeCached writes into the page cache.
func (f *file) writeCached(p []byte, offset int64) error {
	return f.with(cached, func(descriptor int) error {
		f.gate.enter(cached)
		defer f.gate.leave(cached)
		f.gate.soil()
		return writeFull(descriptor, p, offset)
	})
}
