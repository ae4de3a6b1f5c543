package simdisk

import (
	"slices"

	"barnabas/core/env"
	"barnabas/core/task"
)

// Written is a direct write that was done.
type Written struct {
	Path   string
	Block  int // the first
	Blocks int
	At     task.Instant
}

// noteWritten takes note of a direct write, of which the last few are remembered.
func (m *Machine) noteWritten(o *operation) {
	if o.handle == nil {
		return
	}
	copy(m.written[1:], m.written[:])
	m.written[0] = Written{o.handle.path, int(o.offset / env.BlockBytes), len(o.memory) / env.BlockBytes, o.due}
}

// LastWrites returns the last direct writes to files of the pattern, as far as they are remembered, in the order in which
// they were done. A process that is gone leaves none.
func (m *Machine) LastWrites(pattern string) (all []Written) {
	m.settle()
	for _, w := range m.written {
		if w.Blocks > 0 && Match(pattern, w.Path) {
			all = append(all, w)
		}
	}
	slices.Reverse(all)
	return all
}
