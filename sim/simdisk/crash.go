package simdisk

import (
	"cmp"
	"slices"

	"barnabas/core/env"
)

// Crash is a way to stop without being asked.
type Crash uint8

// The ways.
const (
	ProcessDeath Crash = iota // P1: the process is gone, the page cache stays
	PowerLoss                 // P2: what was not synced may be gone too
)

func (c Crash) String() string { return [...]string{"process", "power"}[c] }

// ProcessDied ends what the present process does with the disk. Operations that the device is done with keep their
// effect; each one in progress takes effect wholly, partly or not. A WriteSync in progress may be there for whoever
// reads it and yet not survive a power loss. Call it before the node's Kill, so that unwinding tasks change nothing.
func (m *Machine) ProcessDied() {
	m.settle()
	m.crash(ProcessDeath, m.keyed())
}

// PowerLost is ProcessDied, and of everything not synced each part is there or not, as the Strictness allows. What is
// left is stable.
func (m *Machine) PowerLost() {
	m.settle()
	m.crash(PowerLoss, m.keyed())
}

// crash applies one crash state, chosen by c.
func (m *Machine) crash(kind Crash, c chooser) {
	m.recall()
	flight := slices.Clone(m.flight[m.flightAt:])
	slices.SortFunc(flight, func(a, b *operation) int { return cmp.Compare(a.number, b.number) })
	flight = slices.DeleteFunc(flight, func(o *operation) bool { return o.fault.prevents() })
	c.arrange(kind, flight)
	m.flight, m.flightAt = nil, 0
	if kind == ProcessDeath {
		for _, o := range flight {
			m.interrupt(o, c)
		}
	} else {
		m.losePower(flight, c)
	}
	for _, d := range m.disks {
		d.dead = true
		d.buffers.abandon()
	}
	m.disks, m.locks, m.written = nil, nil, [4]Written{}
	m.recount()
}

// recount finds out what is used when no process is left that has files open.
func (m *Machine) recount() {
	m.used = 0
	m.each(func(f *inode) {
		f.opens, f.links = 0, 0
		m.used += blocks(f.size)
	})
	m.root.countLinks()
}

// countLinks counts names; half a rename may leave two of one file.
func (f *inode) countLinks() {
	for _, e := range f.names.entries {
		e.inode.links++
		if e.inode.folder {
			e.inode.countLinks()
		}
	}
}

// interrupt decides what an operation in progress did when its process died.
func (m *Machine) interrupt(o *operation, c chooser) {
	m.clock++
	switch o.kind {
	case OpWriteAt:
		parts := blocks(o.offset%env.BlockBytes+int64(len(o.copied))) / env.BlockBytes
		keep := int64(c.among(uint64(parts)+1, streamInterrupted, o.key, o.turn, 0))
		size := min(max(keep*env.BlockBytes-o.offset%env.BlockBytes, 0), int64(len(o.copied)))
		_ = m.write(o.file, o.copied[:size], o.offset, o.turn)
	case OpWriteSync:
		m.interruptSync(o, c)
	default:
		if c.among(2, streamInterrupted, o.key, o.turn, 0) == 1 {
			m.takeEffect(o)
		}
	}
}

// interruptSync leaves a direct write durable, visible in whole or in part, or nothing of it.
func (m *Machine) interruptSync(o *operation, c chooser) {
	count := uint64(len(o.blocks))
	if count == 0 {
		return
	}
	seen := c.among(count+2, streamInterrupted, o.key, o.turn, 0)
	if seen > count {
		_ = m.writeSync(o)
		return
	}
	for i, p := range o.blocks[:seen] {
		whole := p.whole()
		_ = m.write(o.file, whole[:], o.offset+int64(i)*env.BlockBytes, o.turn)
	}
}

// takeEffect applies an operation of a process that is not there any more. Its error is nobody's.
func (m *Machine) takeEffect(o *operation) {
	switch o.kind {
	case OpWriteAt:
		_ = m.write(o.file, o.copied, o.offset, o.turn)
	case OpTruncate:
		_ = m.truncate(o.file, o.offset, o.turn)
	case OpSync:
		m.sync(o.file, o.mark)
	case OpSize, OpReadAt, OpList, OpLock, OpWriteSync:
	default:
		m.applyToTree(o)
	}
}

// losePower applies a power loss: what was in progress is as good as unsynced, and direct writes are torn.
func (m *Machine) losePower(flight []*operation, c chooser) {
	for _, o := range flight {
		if o.kind != OpSync && o.kind != OpSyncDir { // to survive is a choice below
			m.clock++
			m.takeEffect(o)
		}
	}
	lost := m.surviveNames(c)
	m.each(func(f *inode) {
		if !f.folder {
			lost = m.survive(f, c) || lost
		}
	})
	torn := false
	for _, o := range flight {
		if o.kind == OpWriteSync && o.file.round == m.round && len(o.blocks) > 0 {
			torn = m.tear(o, c) || torn
		}
	}
	if lost {
		m.count("D2")
	}
	if torn {
		m.count("D3")
	}
}

// surviveNames decides which changes of names are left and makes the outcome both the live and the stable tree. It
// says whether any was lost.
func (m *Machine) surviveNames(c chooser) (lost bool) {
	prefix := uint64(len(m.changes))
	if m.profile.Strictness == Ordered && prefix > 0 {
		last := m.changes[prefix-1]
		prefix = c.among(prefix+1, streamName, last.key, 0, 0)
		if prefix < uint64(len(m.changes)) && m.changes[prefix].half == 1 {
			prefix++ // a rename is whole
		}
	}
	kept := false
	for i, change := range m.changes {
		whole := change.half == 1 && i > 0 && m.changes[i-1].clock == change.clock &&
			(m.profile.Strictness != Adversarial || change.to.folder)
		switch {
		case m.profile.Strictness == Ordered:
			kept = uint64(i) < prefix
		case !whole:
			kept = c.among(2, streamName, change.key, change.half, 0) == 1
		}
		if kept {
			change.survive()
		}
		lost = lost || !kept
		if change.promised && !kept {
			m.lostNames = append(m.lostNames, Damage{"D4", change.name, DamagedName})
		}
	}
	m.changes, m.hasClean = nil, false
	m.root.revert()
	return lost
}

// revert makes the stable names of a folder and all below it the live ones.
func (f *inode) revert() {
	f.names.entries = append(f.names.entries[:0], f.stableNames.entries...)
	for _, e := range f.names.entries {
		if e.inode.folder {
			e.inode.revert()
		}
	}
}

// survive decides which length and which version of each unsynced block of a file are left. It says whether anything
// was lost.
func (m *Machine) survive(f *inode, c chooser) (lost bool) {
	size, clock := f.stable, uint64(0)
	if n := len(f.sizes); n > 0 {
		at := c.among(uint64(n)+1, streamLength, f.key, f.sizes[n-1].turn, 0)
		if at > 0 {
			size, clock = f.sizes[at-1].size, f.sizes[at-1].clock
		}
		lost = at < uint64(n)
	}
	slices.Sort(f.dirty)
	for _, block := range slices.Compact(f.dirty) {
		if s := &f.slots[block]; s.dirty != nil {
			lost = m.surviveBlock(f, block, size, clock, c) || lost
		}
	}
	f.dirty, f.sizes = f.dirty[:0], f.sizes[:0]
	f.size, f.stable = size, size
	m.trim(f)
	if clock < f.promised {
		f.harm.Set(DamagedLength, harm{fault: "D4"})
	}
	f.promised = 0
	return lost
}

// surviveBlock decides which version of a block is left when the file has the size that it got at clock.
func (m *Machine) surviveBlock(f *inode, block int, size int64, clock uint64, c chooser) (lost bool) {
	d := f.slots[block].dirty
	low, high := 0, len(d.versions)
	if m.profile.Strictness == Ordered {
		low, high = d.bounds(clock)
	}
	start := int64(block) * env.BlockBytes
	if start >= size {
		m.putStable(f, block, nil)
		return false
	}
	turn := d.versions[len(d.versions)-1].turn
	at := low + int(c.among(uint64(high-low)+1, streamPage, f.key, turn, uint64(block)))
	before, harmed := f.harm.Get(block)
	promise, broken := d.broken(at)
	if !m.spoilBlock(f, block, at, turn, c) {
		m.leave(f, block, at)
	}
	switch {
	case at == 0 && harmed:
		f.harm.Set(block, before)
	case broken:
		f.harm.Set(block, harm{fault: "D4", pristine: promise})
	}
	return at < len(d.versions)
}

// spoilBlock leaves a block torn or as garbage instead, where the file system is so bad and the draw says so.
func (m *Machine) spoilBlock(f *inode, block, at int, turn uint64, c chooser) bool {
	if m.profile.Strictness != Adversarial {
		return false
	}
	d := f.slots[block].dirty
	left := d.at(at).whole()
	switch {
	case at > 0 && c.rarely(streamTear, f.key, turn, uint64(block)):
		k := (1 + c.among(sectors-1, streamTear, f.key, turn, uint64(block)<<8|1)) * sectorBytes
		d.at(at-1).copyTo(left[k:], int(k))
	case at == 0 && int64(block)*env.BlockBytes >= f.stable && c.rarely(streamGarbage, f.key, turn, uint64(block)):
		m.garble(left[:], f.key, turn, uint64(block))
	default:
		return false
	}
	m.putStable(f, block, m.newPage(left[:]))
	return true
}

// leave makes the at-th state of a block the only one.
func (m *Machine) leave(f *inode, block, at int) {
	d := f.slots[block].dirty
	left := d.at(at)
	for i := range len(d.versions) + 1 {
		if i != at {
			m.freePage(d.at(i))
		}
	}
	if left != nil && len(left.bytes) == 0 {
		m.freePage(left)
		left = nil
	}
	f.slots[block] = slot{live: left}
	f.mend(block)
}

// broken says whether a sync said wrongly that a newer state than the at-th was durable, and returns that.
func (d *dirty) broken(at int) (promise *page, broken bool) {
	if d.promised == 0 || at > 0 && d.versions[at-1].clock >= d.promised {
		return nil, false
	}
	for _, v := range d.versions {
		if v.clock >= d.promised {
			return v.page.share(), true
		}
	}
	return nil, false
}

// at returns the i-th state of a block: the stable one, then the versions.
func (d *dirty) at(i int) *page {
	if i == 0 {
		return d.stable
	}
	return d.versions[i-1].page
}

// bounds returns the states of a block that an ordered file system may leave with the length that was set at clock:
// bytes reach the disk before a length that covers them, and a truncation after that length did not happen.
func (d *dirty) bounds(clock uint64) (low, high int) {
	high = len(d.versions)
	for i, v := range d.versions {
		if v.firm && v.clock <= clock {
			low = i + 1
		}
		if v.cut && v.clock > clock {
			high = min(high, i)
		}
	}
	return low, high
}

// trim drops what lies beyond the file's length.
func (m *Machine) trim(f *inode) {
	first := int(blocks(f.size) / env.BlockBytes)
	for block := first; block < len(f.slots); block++ {
		m.putStable(f, block, nil)
	}
	f.slots = f.slots[:min(first, len(f.slots))]
	if within := f.size % env.BlockBytes; within > 0 && first <= len(f.slots) {
		f.slots[first-1].live = m.cut(f.slots[first-1].live, int(within))
	}
}
