package journal

import (
	"slices"

	"barnabas/core/assert"
	"barnabas/core/env"
)

// chunk is memory that mirrors a run of one segment. Commits are laid out in it as they will stand on disk, so appending
// is the only copy, and reads are slices of it (rule A1).
type chunk struct {
	arena   *arena
	segment uint32
	base    uint32 // position in the segment that memory[0] mirrors
	used    uint32
	memory  []byte
	pins    int  // commits not stable yet, readers, and the writer while it fills the chunk
	cold    bool // filled from the file: checksum before use (rule A4)
	aside   bool // not one of the arena's
}

func (c *chunk) covers(at Location, length uint32) bool {
	return c.segment == at.Segment && at.Position >= c.base && at.Position+length <= c.base+c.used
}

// arena is the memory of a journal: a cache of it, bounded, made of chunks that are dropped oldest first when they are
// neither pinned nor needed for a commit.
type arena struct {
	disk     env.Disk
	bytesMax int
	bytes    int
	chunks   []*chunk // in order of birth
	segments map[uint32][]*chunk
}

func newArena(disk env.Disk, bytesMax int) *arena {
	return &arena{disk: disk, bytesMax: bytesMax, segments: make(map[uint32][]*chunk)}
}

// add makes a chunk of at least size bytes that mirrors the segment from base on, pinned once for its maker.
func (a *arena) add(segment, base uint32, size int) *chunk {
	c := &chunk{arena: a, segment: segment, base: base, memory: a.disk.Buffer(size), pins: 1}
	a.adopt(c)
	return c
}

// adopt makes the chunk, pinned by its maker, part of the arena.
func (a *arena) adopt(c *chunk) {
	a.shrink(a.bytesMax - len(c.memory))
	a.bytes += len(c.memory)
	a.chunks = append(a.chunks, c)
	a.segments[c.segment] = append(a.segments[c.segment], c)
}

// find returns a chunk that holds the bytes, or nil when they are on disk only.
func (a *arena) find(at Location, length uint32) *chunk {
	for _, c := range slices.Backward(a.segments[at.Segment]) {
		if c.covers(at, length) {
			return c
		}
	}
	return nil
}

func (a *arena) unpin(c *chunk) {
	assert.That(c.pins > 0, "a chunk is unpinned as often as it was pinned")
	c.pins--
	if c.pins == 0 && c.aside {
		a.disk.FreeBuffer(c.memory)
		c.memory = nil
		return
	}
	if c.pins == 0 && a.bytes > a.bytesMax {
		a.shrink(a.bytesMax)
	}
}

// shrink drops unpinned chunks, oldest first, until at most limit bytes are held, or none can be dropped.
func (a *arena) shrink(limit int) {
	kept := a.chunks[:0]
	for _, c := range a.chunks {
		if a.bytes > limit && c.pins == 0 {
			a.drop(c)
			continue
		}
		kept = append(kept, c)
	}
	clear(a.chunks[len(kept):])
	a.chunks = kept
}

func (a *arena) drop(c *chunk) {
	a.bytes -= len(c.memory)
	a.disk.FreeBuffer(c.memory)
	c.memory = nil
	of := a.segments[c.segment]
	if i := slices.Index(of, c); i >= 0 {
		of = slices.Delete(of, i, i+1)
	}
	if len(of) == 0 {
		delete(a.segments, c.segment)
	} else {
		a.segments[c.segment] = of
	}
}
