package simdisk

import (
	"slices"

	"barnabas/core/env"
)

// meet applies an operation that meets a fault.
func (m *Machine) meet(o *operation) {
	switch i := o.fault; i.Effect {
	case FailBefore:
		o.err = i.Error
		m.fired(i)
	case FailPartly:
		m.performPart(o)
		o.err = i.Error
		m.fired(i)
	case FailAfter:
		if m.perform(o); o.err == nil {
			m.takeBack(o)
		}
		o.err = i.Error
		m.fired(i)
	case Lie:
		m.lie(o)
	case Misdirect:
		m.misdirect(o)
	case CrashAfter:
		m.perform(o)
	case CrashBefore:
	}
}

// prevents says whether the operation that meets the fault does nothing even when a crash finishes it.
func (i *Injection) prevents() bool {
	return i != nil && (i.Effect == FailBefore || i.Effect == CrashBefore)
}

// takeBack drops what a process gets only from an operation that succeeds.
func (m *Machine) takeBack(o *operation) {
	switch o.kind {
	case OpOpen:
		o.handle.inode.opens--
		m.release(o.handle.inode)
		o.handle = nil
	case OpLock:
		m.locks = m.locks[:len(m.locks)-1]
	}
	o.result, o.listing = 0, nil
}

// part draws how much of an operation is done that fails in its midst.
func (m *Machine) part(n uint64, o *operation, which uint64) uint64 {
	return m.kernel.Random.Below(n, streamPart, m.id, o.key, o.turn, uint64(o.kind), o.fault.Variant, which)
}

// performPart does some of an operation.
func (m *Machine) performPart(o *operation) {
	switch o.kind {
	case OpReadAt:
		n := m.part(uint64(len(o.memory))+1, o, 0)
		o.file.read(o.memory[:n], o.offset)
	case OpWriteAt:
		n := m.part(uint64(len(o.copied))+1, o, 0) &^ (sectorBytes - 1)
		_ = m.write(o.file, o.copied[:n], o.offset, o.turn) // the operation fails in any case
	case OpWriteSync:
		m.writeSomeBlocks(o)
	case OpSync:
		m.failSync(o)
	case OpSyncDir:
		m.failSyncFolder(o)
	default:
		if m.part(2, o, 0) == 1 {
			if m.perform(o); o.err == nil {
				m.takeBack(o)
			}
		}
	}
}

// writeSomeBlocks leaves some blocks of a direct write on the device: the first ones, or any; or some where only readers
// see them.
func (m *Machine) writeSomeBlocks(o *operation) {
	count := uint64(len(o.blocks))
	shape, first := m.part(3, o, 1), m.part(count+1, o, 2)
	for i, p := range slices.Clone(o.blocks) {
		if shape == 1 && m.part(2, o, 3+uint64(i)) == 0 || shape != 1 && uint64(i) >= first {
			continue
		}
		at := o.offset + int64(i)*env.BlockBytes
		if shape == 2 {
			whole := p.whole()
			_ = m.write(o.file, whole[:], at, o.turn)
		} else if m.growSynced(o.file, at+env.BlockBytes) == nil {
			m.putStable(o.file, int(at/env.BlockBytes), p)
		}
	}
}

// The ways in which a block fares in a sync that fails.
const (
	syncedAfterAll = iota
	leftDirty
	markedClean // readers see it, no sync writes it any more
	dropped     // readers see what was there before
	fates
)

// failSync lets a sync fail: of what it should have made stable each block is on the device, or still to be written, or
// lost, of which readers may hear only after a power loss. Often all of them fare alike.
func (m *Machine) failSync(o *operation) {
	f := o.file
	mood := m.part(4, o, 0)
	slices.Sort(f.dirty)
	left := f.dirty[:0]
	for _, block := range slices.Compact(f.dirty) {
		fate := m.part(fates, o, uint64(block)<<8|1)
		switch mood {
		case 0:
			fate = markedClean + fate/3
		case 1:
			fate = leftDirty
		}
		if m.failBlock(f, block, o.mark, fate) {
			left = append(left, block)
		}
	}
	f.dirty = left
}

// failBlock lets a block fare in one way, and says whether it has unsynced versions left.
func (m *Machine) failBlock(f *inode, block int, mark, fate uint64) bool {
	d := f.slots[block].dirty
	if d == nil {
		return false
	}
	last := len(d.versions) - 1
	if fate == syncedAfterAll {
		return m.syncBlock(f, block, mark)
	}
	if fate == leftDirty || d.versions[last].clock > mark { // what was written since is to be written, and has the rest in it
		return true
	}
	if fate == markedClean {
		d.versions[last].clean = true
		return true
	}
	for _, v := range d.versions {
		m.freePage(v.page)
	}
	f.slots[block] = slot{live: d.stable}
	return false
}

// failSyncFolder lets a sync of a folder fail: names are stable, or not, or never will be by a sync. With an ordered
// file system they are so together, and can be synced again.
func (m *Machine) failSyncFolder(o *operation) {
	if m.profile.Strictness == Ordered {
		if m.part(2, o, 0) == 1 {
			m.stabilise(nil, o.mark)
		}
		return
	}
	folder := m.find(o.path)
	for i := range m.changes {
		c := &m.changes[i]
		if c.folder == folder && c.clock <= o.mark {
			c.clean = c.clean || m.part(3, o, c.key) == 0
			m.hasClean = m.hasClean || c.clean
		}
	}
	if m.part(2, o, 0) == 1 {
		m.stabilise(folder, o.mark)
	}
}

// lie lets a sync succeed that makes nothing durable.
func (m *Machine) lie(o *operation) {
	promised := false
	switch o.kind {
	case OpSync:
		promised = m.lieOfFile(o.file, o.mark)
	case OpWriteSync:
		promised = m.lieOfBlocks(o)
	case OpSyncDir:
		promised = m.lieOfNames(o)
	}
	if promised {
		m.fired(o.fault)
	}
}

func (m *Machine) lieOfFile(f *inode, mark uint64) (promised bool) {
	for _, block := range f.dirty {
		d := f.slots[block].dirty
		if d == nil {
			continue
		}
		for _, v := range d.versions {
			if v.clock <= mark {
				d.promised, promised = v.clock, true
			}
		}
	}
	for _, l := range f.sizes {
		if l.clock <= mark {
			f.promised, promised = l.clock, true
		}
	}
	return promised
}

func (m *Machine) lieOfBlocks(o *operation) (promised bool) {
	f, first := o.file, int(o.offset/env.BlockBytes)
	for i, p := range o.blocks {
		whole := p.whole()
		if o.err = m.write(f, whole[:], o.offset+int64(i)*env.BlockBytes, o.turn); o.err != nil {
			return false
		}
		f.slots[first+i].dirty.promised = m.clock
	}
	for _, l := range f.sizes {
		if l.size >= o.offset+int64(len(o.memory)) {
			f.promised = l.clock
			break
		}
	}
	return len(o.blocks) > 0
}

func (m *Machine) lieOfNames(o *operation) (promised bool) {
	folder := m.find(o.path)
	if folder == nil || !folder.folder {
		o.err = env.ErrNotExist
		return false
	}
	for i := range m.changes {
		c := &m.changes[i]
		if c.clock <= o.mark && (c.folder == folder || m.profile.Strictness == Ordered) {
			c.promised, promised = true, true
		}
	}
	return promised
}

// stopWith has the machine or its process end when the operation is due.
func (m *Machine) stopWith(o *operation) {
	m.kernel.At(o.due, func() {
		if !o.disk.alive() {
			return
		}
		m.settle()
		m.fired(o.fault)
		if m.OnCrash != nil {
			m.OnCrash(o.fault.Crash)
			return
		}
		if o.fault.Crash == PowerLoss {
			m.PowerLost()
		} else {
			m.ProcessDied()
		}
		m.node.Kill()
	})
}
