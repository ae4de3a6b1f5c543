package simdisk

import (
	"barnabas/core/assert"
	"barnabas/core/env"
)

// Snapshot is what a machine's disk held durably at some time. The zero Snapshot is an empty disk. It does not change,
// and any machine can be restored to it.
type Snapshot struct{ root *inode }

// Snapshot returns the durable image of the disk: names, lengths and bytes that a power loss now would leave for sure.
func (m *Machine) Snapshot() Snapshot {
	m.settle()
	return Snapshot{m.root.durable(map[*inode]*inode{})}
}

// Restore makes the disk what it was when the snapshot was taken (fault D13), or what another machine's was (P4).
// Requires: no process uses the machine.
func (m *Machine) Restore(s Snapshot) {
	assert.That(len(m.disks) == 0, "a disk is restored at rest")
	if s.root == nil {
		s.root = &inode{folder: true}
	}
	m.flight, m.flightAt, m.changes, m.lostNames = nil, 0, nil, nil
	m.root = s.root.durable(map[*inode]*inode{})
	m.root.key = m.birth("")
	m.walk(false, func(path string, f *inode) { f.key = m.birth(path) })
	m.recount()
	m.count("D13")
}

// durable copies an inode and all that it names for sure, once, as a power loss leaves it that takes what it may.
func (f *inode) durable(copies map[*inode]*inode) *inode {
	if c := copies[f]; c != nil {
		return c
	}
	c := &inode{key: f.key, turn: f.turn, folder: f.folder, size: f.stable, stable: f.stable}
	copies[f] = c
	for block := range f.slots {
		if p := f.slots[block].stable(); p != nil && int64(block)*env.BlockBytes < f.stable {
			c.reach(block + 1)
			c.slots[block].live = p.share()
		}
	}
	for block, h := range f.harm.All {
		c.harm.Set(block, h)
	}
	for name, child := range f.stableNames.All {
		d := child.durable(copies)
		c.names.Set(name, d)
		c.stableNames.Set(name, d)
	}
	return c
}
