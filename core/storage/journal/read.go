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
	if p, err = c.Batch(at, length); err != nil {
		return nil, 0, nil, err
	}
	c.pins++
	return p, from, c, nil
}

// Batch returns the batch at the location, which the piece of memory holds. What came from the file is checksummed (rule A4).
func (c *chunk) Batch(at Location, length uint32) ([]byte, error) {
	p := c.memory[at.Position-c.base:][:length]
	if c.cold {
		if _, err := record.Check(p); err != nil {
			return nil, fmt.Errorf("%s, position %d: %w", segmentName(at.Segment), at.Position, err)
		}
	}
	return p, nil
}

// ErrRecycled is returned by Load when the segment was recycled meanwhile: what stood there is in a partition log.
var ErrRecycled = errors.New("the journal segment was recycled")

// Load brings the bytes at the location into memory, with what follows them. Errors: the disk's; ErrOffline; ErrRecycled.
func (j *Journal) Load(at Location, length uint32) *task.Pending[task.Done] {
	pending := task.NewPending[task.Done](j.env.Loop)
	j.load(at, length, max(length, readAheadBytes), func(c *chunk, err error) {
		if err == nil {
			j.arena.adopt(c)
			// It stays until the step is over: continuations that waited have looked then, and tasks too.
			j.env.Loop.At(j.env.Loop.Now()+1, func() { j.arena.unpin(c) })
		}
		pending.Complete(task.Done{}, err)
	})
	return pending
}

// LoadAside brings the bytes at the location into memory of the caller's, who releases it: what is wanted once should not
// drive out of the arena what is wanted next. Errors: as of Load.
func (j *Journal) LoadAside(at Location, length uint32) *task.Pending[Pin] {
	pending := task.NewPending[Pin](j.env.Loop)
	j.load(at, length, length, func(c *chunk, err error) {
		if c != nil {
			c.aside = true
		}
		pending.Complete(c, err)
	})
	return pending
}

// load reads so many bytes or more into a new chunk, pinned for done, which gets nil when there is an error.
func (j *Journal) load(at Location, length, want uint32, done func(*chunk, error)) {
	if j.closed {
		done(nil, ErrOffline)
		return
	}
	s := j.segment(at.Segment)
	if s == nil {
		assert.That(at.Segment < j.first, "an appended batch has a segment")
		done(nil, ErrRecycled)
		return
	}
	j.env.Probe.Sometimes(env.MarkColdRead)
	base := at.Position &^ (env.BlockBytes - 1)
	end := min(int(s.bytes), roundUp(int(at.Position+want)))
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
			done(nil, err)
			return
		}
		c.used = uint32(n)
		done(c, nil)
	})
}
