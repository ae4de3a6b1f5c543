package journal

import (
	"barnabas/core/env"
	"barnabas/core/task"
)

// scanner reads whole segments, one ahead of the one that is looked at. Two buffers are used again and again: memory that
// was never touched costs more than reading into it.
type scanner struct {
	disk     env.Disk
	segments []*segment
	buffers  [2][]byte
	ahead    *task.Pending[int] // the read of segment number, into its buffer
	number   uint32
}

func (r *scanner) buffer(s *segment) []byte { return r.buffers[s.number%2][:s.bytes] }

// start begins to read a segment into its buffer.
func (r *scanner) start(s *segment) {
	which := s.number % 2
	if len(r.buffers[which]) < int(s.bytes) {
		if r.buffers[which] != nil {
			r.disk.FreeBuffer(r.buffers[which])
		}
		r.buffers[which] = r.disk.Buffer(int(s.bytes))
	}
	r.number, r.ahead = s.number, s.file.ReadAt(r.buffer(s), 0)
}

// read returns the bytes of a segment, zeros behind its end, and begins to read the next. They are valid until the next call.
func (r *scanner) read(t *task.Task, s *segment) ([]byte, error) {
	if r.ahead == nil || r.number != s.number {
		r.drain(t)
		r.start(s)
	}
	n, err := r.ahead.Wait(t)
	r.ahead = nil
	if err != nil {
		return nil, err
	}
	memory := r.buffer(s)
	clear(memory[n:])
	if next := int(s.number-r.segments[0].number) + 1; next < len(r.segments) {
		r.start(r.segments[next])
	}
	return memory, nil
}

// drain waits for a read that nobody wants any more: it owns its buffer until it completes.
func (r *scanner) drain(t *task.Task) {
	if r.ahead != nil {
		_, _ = r.ahead.Wait(t)
		r.ahead = nil
	}
}

// close gives the buffers back.
func (r *scanner) close(t *task.Task) {
	r.drain(t)
	for i, b := range r.buffers {
		if b != nil {
			r.disk.FreeBuffer(b)
			r.buffers[i] = nil
		}
	}
}
