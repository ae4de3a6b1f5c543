package simnet

import (
	"bytes"
	"math/bits"

	"barnabas/core/env"
)

// memory pools frames by size, in powers of two.
type memory struct {
	free [classes][]*env.Frame
	held int // bytes in free
}

const (
	leastClass = 6 // 64 bytes
	classes    = 32
	heldMax    = 32 << 20
	// Poison is what the memory of a released frame is filled with.
	Poison = 0xDB
)

// poison is never written to.
var poison = bytes.Repeat([]byte{Poison}, 4096)

func classOf(size int) int { return max(leastClass, bits.Len(uint(max(size, 1)-1))) }

// Take returns a frame of size bytes with any content.
func (m *memory) Take(size int) *env.Frame {
	class := classOf(size)
	list := m.free[class]
	last := len(list) - 1
	if last < 0 {
		return &env.Frame{Bytes: make([]byte, size, 1<<class)}
	}
	f := list[last]
	m.free[class] = list[:last]
	m.held -= 1 << class
	f.Bytes = f.Bytes[:size]
	return f
}

// Give takes a frame back and spoils it.
func (m *memory) Give(f *env.Frame) {
	for p := f.Bytes; len(p) > 0; {
		p = p[copy(p, poison):]
	}
	if facts, ok := f.Facts.(interface{ Spoil() }); ok {
		facts.Spoil()
	}
	f.Free = nil
	class := classOf(cap(f.Bytes))
	if m.held+1<<class <= heldMax {
		m.held += 1 << class
		m.free[class] = append(m.free[class], f)
	}
}

// chunkPool keeps emptied chunks apart by size, so that small writes do not hold large memory.
type chunkPool [4][]*chunk

func chunkClass(size int) (class, capacity int) {
	switch {
	case size <= 1<<10:
		return 0, 1 << 10
	case size <= 8<<10:
		return 1, 8 << 10
	case size <= 64<<10:
		return 2, 64 << 10
	default:
		return 3, windowBytes
	}
}

// take returns an empty chunk with room for size bytes.
func (p *chunkPool) take(size int) *chunk {
	class, capacity := chunkClass(size)
	list := p[class]
	last := len(list) - 1
	if last < 0 {
		return &chunk{bytes: make([]byte, 0, capacity)}
	}
	c := list[last]
	p[class] = list[:last]
	return c
}

func (p *chunkPool) give(c *chunk) {
	class, _ := chunkClass(cap(c.bytes))
	*c = chunk{bytes: c.bytes[:0]}
	p[class] = append(p[class], c)
}
