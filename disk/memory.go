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

// keepBytes bounds the memory of large buffers that is kept for reuse: making it anew costs the system more than filling it.
const keepBytes = 64 << 20

// hugeBytes is the size of a huge page, or where there are none, of nothing in particular. Larger buffers begin at a multiple of
// it, so that one page of the system may hold what 512 would: the disk pins a buffer page by page.
const hugeBytes = 2 << 20

// memory is anonymous mappings in sizes of powers of two of a block, with a free list a size.
type memory struct {
	mutex sync.Mutex
	free  [64][][]byte
	used  map[*byte]int // by its start, the size class of every piece in use
	slabs [][]byte
	large map[*byte][]byte // by the start of every piece larger than a slab, the mapping that it lies in
	kept  int              // bytes in free lists of these
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
		m.used, m.large = map[*byte]int{}, map[*byte][]byte{}
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
	if size > slabBytes {
		whole := mapped(size + hugeBytes)
		from := -uintptr(unsafe.Pointer(&whole[0])) & (hugeBytes - 1)
		p := whole[from : from+uintptr(size) : from+uintptr(size)]
		preferHugePages(p)
		m.large[&p[0]] = whole
		m.kept += size
		m.free[c] = append(m.free[c], p)
		return
	}
	slab := mapped(slabBytes)
	m.slabs = append(m.slabs, slab)
	for at := 0; at < len(slab); at += size {
		m.free[c] = append(m.free[c], slab[at:at+size:at+size])
	}
}

// mapped returns new memory of the system's.
func mapped(size int) []byte {
	p, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	assert.That(err == nil, "the system gives memory")
	return p
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
			_ = unix.Munmap(m.large[start])
			delete(m.large, start)
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
				_ = unix.Munmap(m.large[&p[0]])
			}
		}
		m.free[c] = nil
	}
	for _, slab := range m.slabs {
		_ = unix.Munmap(slab)
	}
	m.slabs, m.used, m.large, m.kept = nil, nil, nil, 0
}

// isAligned says whether p starts at a multiple of a block.
func isAligned(p []byte) bool {
	return uintptr(unsafe.Pointer(unsafe.SliceData(p)))%env.BlockBytes == 0
}
