package simdisk

import (
	"barnabas/core/env"
	"barnabas/core/task"
)

// LieAboutSyncs lets one in so many syncs of the files, all with oneIn 1, succeed until then without making anything
// durable (fault D4). An honest sync later makes durable what they did not.
func (m *Machine) LieAboutSyncs(files string, until task.Instant, oneIn uint64) *Injection {
	return m.Inject(Rule{Kinds: Syncs, Files: files, Until: until, OneIn: oneIn, Effect: Lie})
}

// FailSync lets the next sync of the files fail. What it should have made durable is on the device, or lost, in parts
// (fault D5). The sync after it succeeds.
func (m *Machine) FailSync(files string) *Injection {
	return m.Inject(Rule{Kinds: Syncs, Files: files, Times: 1, Effect: FailPartly, Fault: "D5"})
}

// Fail lets one in so many operations of the kinds on the files fail with env.ErrIO until then, with a part of their
// effect (fault D6).
func (m *Machine) Fail(kinds Kinds, files string, until task.Instant, oneIn uint64) *Injection {
	return m.Inject(Rule{Kinds: kinds, Files: files, Until: until, OneIn: oneIn, Effect: FailPartly, Fault: "D6"})
}

// MakeReadOnly refuses every change with env.ErrReadOnly until then (fault D7). A folder that is there, and a sync that
// has nothing to do, are no change.
func (m *Machine) MakeReadOnly(until task.Instant) *Injection {
	i := m.Inject(Rule{Kinds: Changes, Until: until, Effect: FailBefore, Error: env.ErrReadOnly})
	i.spares = m.changesNothing
	return i
}

func (m *Machine) changesNothing(o *operation) bool {
	switch o.kind {
	case OpMakeFolder:
		f := m.find(o.path)
		return f != nil && f.folder
	case OpSync:
		return len(o.file.dirty) == 0 && len(o.file.sizes) == 0
	case OpSyncDir:
		return len(m.changes) == 0
	}
	return false
}

// TakeDescriptors refuses everything that needs a new descriptor with env.ErrTooManyFiles until then (fault D7).
func (m *Machine) TakeDescriptors(until task.Instant) *Injection {
	return m.Inject(Rule{Kinds: Descriptors, Until: until, Effect: FailBefore, Error: env.ErrTooManyFiles})
}

// Fill leaves no more than free bytes to be had until then (fault D7): somebody else took the rest. A write that needs
// more does what fits, in some cases. With nothing free no file or folder is made either. What files give back in
// the meantime can be had again.
func (m *Machine) Fill(until task.Instant, free int64) {
	m.settle()
	m.fullUntil, m.fullBytes = until, m.used+free
}

// filled says whether a Fill lasts.
func (m *Machine) filled() bool { return m.fullUntil > 0 && m.kernel.Now() < m.fullUntil }

// room returns how many bytes can be had; it is only asked when there is a bound.
func (m *Machine) room() int64 {
	most := int64(1) << 62
	if m.profile.Capacity > 0 {
		most = m.profile.Capacity
	}
	if m.filled() {
		most = min(most, m.fullBytes)
	}
	return most - m.used
}

// allocate accounts for a file's change of length and says env.ErrNoSpace when it does not fit.
func (m *Machine) allocate(from, to int64) error {
	more := blocks(to) - blocks(from)
	if more > 0 && (m.profile.Capacity > 0 || m.fullUntil > 0) && more > m.room() {
		m.count("D7")
		return env.ErrNoSpace
	}
	m.used += more
	return nil
}

// allocateName says env.ErrNoSpace when not even a name can be had.
func (m *Machine) allocateName() error {
	if m.fullUntil > 0 && m.filled() && m.room() <= 0 {
		m.count("D7")
		return env.ErrNoSpace
	}
	return nil
}

// fitting returns how much of a write to a file fits on a full disk when it is one that does what it can.
func (m *Machine) fitting(f *inode, offset int64, length int, turn uint64) int {
	if m.fullUntil == 0 || !m.filled() || !m.kernel.Random.OneIn(2, streamPart, m.id, f.key, turn) {
		return 0
	}
	end := blocks(f.size) + max(m.room(), 0)&^(env.BlockBytes-1)
	return int(min(max(end-offset, 0), int64(length)))
}
