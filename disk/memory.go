package disk

import (
	"math/bits"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"barnabas/core/assert"
	"barnabas/core/env"
)

// slabBytes is what small buffers are cut from, so that they don't use up the process's mappings.
const slabBytes = 1 << 20

// keepBytes bounds the memory of large buffers that is kept for reuse.
const keepBytes = 16 << 20

// memory is anonymous mappings in sizes of powers of two of a block, with a free list a size.
type memory struct {
	mutex sync.Mutex
	free  [64][][]byte
	used  map[*byte]int // by its start, the size class of every piece in use
	slabs [][]byte
	kept  int // bytes in free lists of pieces larger than a slab
}

// class returns the size class of a size: its pieces have BlockBytes << class bytes.
func class(size int) int { return bits.Len(uint((size - 1) / env.BlockBytes)) }

// take returns memory of whole blocks with any content: clearing it would cost as much as filling it.
func (m *memory) take(size int) []byte {
	size = max((size+env.BlockBytes-1)&^(env.BlockBytes-1), env.BlockBytes)
	return m.piece(class(size))[:size:size]
}

// piece returns a piece of a class.
func (m *memory) piece(c int) []byte {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.used == nil {
		m.used = map[*byte]int{}
	}
	if len(m.free[c]) == 0 {
		m.grow(c)
	}
	last := len(m.free[c]) - 1
	p := m.free[c][last]
	m.free[c] = m.free[c][:last]
	if len(p) > slabBytes {
		m.kept -= len(p)
	}
	m.used[&p[0]] = c
	return p
}

// grow adds at least one piece to a class.
func (m *memory) grow(c int) {
	size := env.BlockBytes << c
	slab, err := unix.Mmap(-1, 0, max(size, slabBytes), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	assert.That(err == nil, "the system gives memory")
	if size > slabBytes {
		m.kept += size
	} else {
		m.slabs = append(m.slabs, slab)
	}
	for at := 0; at < len(slab); at += size {
		m.free[c] = append(m.free[c], slab[at:at+size:at+size])
	}
}

// give takes memory back. Large pieces beyond what is kept go back to the system.
func (m *memory) give(p []byte) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	start := unsafe.SliceData(p)
	c, ok := m.used[start]
	assert.That(ok, "a buffer is freed once, and whole")
	delete(m.used, start)
	p = unsafe.Slice(start, env.BlockBytes<<c)
	if len(p) > slabBytes {
		if m.kept+len(p) > keepBytes {
			_ = unix.Munmap(p)
			return
		}
		m.kept += len(p)
	}
	m.free[c] = append(m.free[c], p)
}

// unmap gives everything that is free back to the system, and small pieces in use as well.
func (m *memory) unmap() {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for c := range m.free {
		for _, p := range m.free[c] {
			if len(p) > slabBytes {
				_ = unix.Munmap(p)
			}
		}
		m.free[c] = nil
	}
	for _, slab := range m.slabs {
		_ = unix.Munmap(slab)
	}
	m.slabs, m.used, m.kept = nil, nil, 0
}

// isAligned says whether p starts at a multiple of a block.
func isAligned(p []byte) bool {
	return uintptr(unsafe.Pointer(unsafe.SliceData(p)))%env.BlockBytes == 0
}
