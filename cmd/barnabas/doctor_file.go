package main

import (
	"errors"
	"io"
	"os"

	"barnabas/core/env"
	"barnabas/core/task"
)

// overlaid is a file of an overlay: the real one's bytes below a length, and blocks that were written over them.
type overlaid struct {
	path   string // of the real file; "": there is none
	size   int64
	below  int64            // the real file counts up to here
	blocks map[int64][]byte // by number; never changed once they are here
}

// zeroBlock stands for all blocks of zeros: a new segment of the journal is full of them.
var zeroBlock = make([]byte, env.BlockBytes)

// overlayFile is one open file of an overlay.
type overlayFile struct {
	disk *overlay
	*overlaid
	real *os.File // nil: there is none
}

// Size returns the length in memory.
func (f *overlayFile) Size() *task.Pending[int64] { return complete(f.disk, f.size, nil) }

// ReadAt reads what was written, and the real file's bytes elsewhere.
func (f *overlayFile) ReadAt(p []byte, offset int64) *task.Pending[int] {
	n, err := f.read(p, offset)
	return complete(f.disk, n, err)
}

func (f *overlayFile) read(p []byte, offset int64) (int, error) {
	if offset >= f.size {
		return 0, nil
	}
	p = p[:min(int64(len(p)), f.size-offset)]
	clear(p)
	if f.real != nil && offset < f.below {
		_, err := f.real.ReadAt(p[:min(int64(len(p)), f.below-offset)], offset)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, errors.Join(env.ErrIO, err)
		}
	}
	if len(f.blocks) == 0 {
		return len(p), nil
	}
	for number := offset / env.BlockBytes; number*env.BlockBytes < offset+int64(len(p)); number++ {
		if block := f.blocks[number]; block != nil {
			from := number*env.BlockBytes - offset
			copy(p[max(from, 0):], block[max(-from, 0):])
		}
	}
	return len(p), nil
}

// WriteAt keeps p in memory.
func (f *overlayFile) WriteAt(p []byte, offset int64) *task.Pending[task.Done] {
	return f.disk.done(f.write(p, offset))
}

// WriteCached keeps p in memory.
func (f *overlayFile) WriteCached(p []byte, offset int64) *task.Pending[task.Done] {
	return f.disk.done(f.write(p, offset))
}

// WriteSync keeps p in memory.
func (f *overlayFile) WriteSync(p []byte, offset int64) *task.Pending[task.Done] {
	return f.disk.done(f.write(p, offset))
}

func (f *overlayFile) write(p []byte, offset int64) error {
	if f.blocks == nil {
		f.blocks = make(map[int64][]byte)
	}
	for len(p) > 0 {
		number, within := offset/env.BlockBytes, int(offset%env.BlockBytes)
		n := min(len(p), env.BlockBytes-within)
		block := zeroBlock
		if n < env.BlockBytes || !isZeros(p[:n]) {
			block = make([]byte, env.BlockBytes)
			if _, err := f.read(block, number*env.BlockBytes); err != nil {
				return err
			}
			copy(block[within:], p[:n])
		}
		f.blocks[number] = block
		p, offset = p[n:], offset+int64(n)
		f.size = max(f.size, offset)
	}
	return nil
}

func isZeros(p []byte) bool {
	for _, b := range p {
		if b != 0 {
			return false
		}
	}
	return true
}

// Truncate sets the length in memory.
func (f *overlayFile) Truncate(size int64) *task.Pending[task.Done] {
	f.below = min(f.below, size)
	for number, block := range f.blocks {
		switch keep := size - number*env.BlockBytes; {
		case keep <= 0:
			delete(f.blocks, number)
		case keep < env.BlockBytes:
			f.blocks[number] = append(append([]byte(nil), block[:keep]...), zeroBlock[keep:]...)
		}
	}
	f.size = size
	return f.disk.done(nil)
}

// Sync has nothing to make durable.
func (f *overlayFile) Sync() *task.Pending[task.Done] { return f.disk.done(nil) }

// Close closes the real file.
func (f *overlayFile) Close() {
	if f.real != nil {
		_ = f.real.Close()
	}
}
