package net

import (
	"math/bits"
	"sync"

	"barnabas/core/env"
)

// memory pools frames by size, in powers of two. Small ones live in pools the garbage collector empties; large ones,
// which are dear to make, in a list with a bound.
type memory struct {
	poison bool
	small  [smallClasses]sync.Pool

	mu        sync.Mutex
	large     [largeClasses][]*env.Frame
	largeHeld int // bytes in large
}

const (
	leastClass      = 6  // 64 bytes
	smallClasses    = 14 // up to 512 KiB
	largeClasses    = 20
	largeHeldMax    = 64 << 20
	poisoned        = 0xDB
	firstLargeClass = leastClass + smallClasses
)

// Take returns a frame of size bytes with any content.
func (m *memory) Take(size int) *env.Frame {
	class := max(leastClass, bits.Len(uint(max(size, 1)-1)))
	f := m.pooled(class)
	if f == nil {
		f = &env.Frame{Bytes: make([]byte, 1<<class)}
	}
	f.Bytes = f.Bytes[:size]
	return f
}

// classBytes returns what a frame of size bytes takes.
func classBytes(size int) int { return 1 << max(leastClass, bits.Len(uint(max(size, 1)-1))) }

func (m *memory) pooled(class int) *env.Frame {
	if class < firstLargeClass {
		f, _ := m.small[class-leastClass].Get().(*env.Frame)
		return f
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	list := &m.large[class-firstLargeClass]
	last := len(*list) - 1
	if last < 0 {
		return nil
	}
	f := (*list)[last]
	(*list)[last] = nil
	*list = (*list)[:last]
	m.largeHeld -= cap(f.Bytes)
	return f
}

// Give takes a frame back.
func (m *memory) Give(f *env.Frame) {
	if m.poison {
		for i := range f.Bytes {
			f.Bytes[i] = poisoned
		}
	}
	f.Free, f.Charge = nil, 0 // its facts stay with it, for the next ones
	class := bits.Len(uint(cap(f.Bytes)) - 1)
	if class < firstLargeClass {
		m.small[class-leastClass].Put(f)
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.largeHeld+cap(f.Bytes) <= largeHeldMax {
		m.largeHeld += cap(f.Bytes)
		m.large[class-firstLargeClass] = append(m.large[class-firstLargeClass], f)
	}
}
