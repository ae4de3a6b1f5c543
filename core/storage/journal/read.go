package journal

import (
	"errors"
	"fmt"

	"barnabas/core/assert"
	"barnabas/core/env"
	"barnabas/core/record"
	"barnabas/core/task"
)

// readAheadBytes is how much a cold read brings in at least: neighbours are likely to be wanted next.
const readAheadBytes = 256 << 10

// Pin keeps memory of the journal from being dropped: one for every call of Bytes, equal for the same piece of memory.
type Pin = *chunk

// Release gives one pin up; it must not outlive the journal.
func (c *chunk) Release() { c.arena.unpin(c) }

// Bytes returns the batch at the location without copying it, where it stands in the piece of memory that holds it, and a pin
// that keeps this in place. The slice has the capacity of the piece, so that neighbours can be made one; nobody may write to
// it. The pin is nil when the bytes are not in memory: Load brings them. Bytes that came from the file are checksummed before
// they are returned (rule A4); an error means that they are damaged.
func (j *Journal) Bytes(at Location, length uint32) (p []byte, from uint32, pin Pin, err error) {
	c := j.arena.find(at, length)
	if c == nil {
		return nil, 0, nil, nil
	}
	from = at.Position - c.base
	p = c.memory[from : from+length]
	if c.cold {
		if _, err := record.Check(p); err != nil {
			return nil, 0, nil, fmt.Errorf("%s, position %d: %w", segmentName(at.Segment), at.Position, err)
		}
	}
	c.pins++
	return p, from, c, nil
}

// ErrRecycled is returned by Load when the segment was recycled meanwhile: what stood there is in a partition log.
var ErrRecycled = errors.New("the journal segment was recycled")

// Load brings the bytes at the location into memory, with what follows them. Errors: the disk's; ErrOffline; ErrRecycled.
func (j *Journal) Load(at Location, length uint32) *task.Pending[task.Done] {
	pending := task.NewPending[task.Done](j.env.Loop)
	if j.closed {
		pending.Complete(task.Done{}, ErrOffline)
		return pending
	}
	s := j.segment(at.Segment)
	if s == nil {
		assert.That(at.Segment < j.first, "an appended batch has a segment")
		pending.Complete(task.Done{}, ErrRecycled)
		return pending
	}
	j.env.Probe.Sometimes(env.MarkColdRead)
	base := at.Position &^ (env.BlockBytes - 1)
	end := min(int(s.bytes), roundUp(int(at.Position+max(length, readAheadBytes))))
	if at.Segment == j.landed.Segment {
		end = min(end, int(j.landed.Position)) // what lies beyond is still in memory, and not in the file
	}
	assert.That(end >= int(at.Position+length), "what is not in memory is in the file")
	c := &chunk{arena: j.arena, segment: at.Segment, base: base, memory: j.env.Disk.Buffer(end - int(base)), pins: 1, cold: true}
	s.file.ReadAt(c.memory[:end-int(base)], int64(base)).Then(func(n int, err error) {
		if err == nil && n < int(at.Position-base+length) {
			err = fmt.Errorf("%s ends at %d, before what was written at %d", segmentName(at.Segment), int(base)+n, at.Position)
		}
		if err == nil && at.Segment < j.first {
			err = ErrRecycled // the file may have got new bytes while it was read
		}
		if err != nil {
			j.env.Disk.FreeBuffer(c.memory)
			pending.Complete(task.Done{}, err)
			return
		}
		c.used = uint32(n)
		j.arena.adopt(c)
		pending.Complete(task.Done{}, nil)
		// It stays until the step is over: continuations that waited have looked then, and tasks too.
		j.env.Loop.At(j.env.Loop.Now()+1, func() { j.arena.unpin(c) })
	})
	return pending
}
