package simdisk

import (
	"slices"

	"barnabas/core/env"
	"barnabas/core/ordered"
	"barnabas/sim/kernel"
)

// walk visits what is below the root in the order of paths, folders before what is in them.
func (m *Machine) walk(stable bool, visit func(path string, f *inode)) {
	m.root.walk("", stable, visit)
}

func (f *inode) walk(prefix string, stable bool, visit func(path string, f *inode)) {
	names := &f.names
	if stable {
		names = &f.stableNames
	}
	for name, child := range names.All {
		visit(prefix+name, child)
		if child.folder {
			child.walk(prefix+name+"/", stable, visit)
		}
	}
}

// each visits everything below the root once, in the order of paths.
func (m *Machine) each(visit func(f *inode)) {
	m.round++
	m.root.each(m.round, visit)
}

func (f *inode) each(round uint64, visit func(f *inode)) {
	for _, e := range f.names.entries {
		if e.inode.round == round {
			continue
		}
		e.inode.round = round
		visit(e.inode)
		if e.inode.folder {
			e.inode.each(round, visit)
		}
	}
}

// Files returns the paths of all files as a process sees them, in ascending order of their names, folder by folder.
func (m *Machine) Files() []string { return m.files(false) }

// DurableFiles returns the paths of the files whose names are stable. A change of names that is not synced yet may
// still take one away.
func (m *Machine) DurableFiles() []string { return m.files(true) }

func (m *Machine) files(stable bool) (paths []string) {
	m.settle()
	m.walk(stable, func(path string, f *inode) {
		if !f.folder {
			paths = append(paths, path)
		}
	})
	return paths
}

// Bytes returns what a process would read of the file at path, and whether there is one.
func (m *Machine) Bytes(path string) ([]byte, bool) {
	m.settle()
	f := m.find(path)
	if f == nil || f.folder {
		return nil, false
	}
	p := make([]byte, f.size)
	f.read(p, 0)
	return p, true
}

// DurableBytes returns the stable image of the file whose stable name is path, and whether there is one: the bytes and
// the length of the last sync. Later writes may be on the disk too, but nobody may rely on them.
func (m *Machine) DurableBytes(path string) ([]byte, bool) {
	m.settle()
	f := m.findStable(path)
	if f == nil || f.folder {
		return nil, false
	}
	p := make([]byte, f.stable)
	for block := 0; block < len(f.slots) && int64(block)*env.BlockBytes < f.stable; block++ {
		at := block * env.BlockBytes
		f.slots[block].stable().copyTo(p[at:min(at+env.BlockBytes, len(p))], 0)
	}
	return p, true
}

// Hash returns a hash of the whole state: names, lengths and bytes, live and stable.
func (m *Machine) Hash() uint64 {
	m.settle()
	h := uint64(len(m.changes))
	for _, stable := range []bool{false, true} {
		m.walk(stable, func(path string, f *inode) {
			h = fold(h, kernel.HashBytes([]byte(path)))
			h = fold(h, f.hash())
		})
		h = fold(h, 1)
	}
	return h
}

func (f *inode) hash() uint64 {
	h := fold(fold(1, uint64(f.size)), uint64(f.stable))
	if f.folder {
		h++
	}
	for block := range f.slots {
		s := &f.slots[block]
		if s.live == nil && s.dirty == nil {
			continue
		}
		h = fold(h, uint64(block)<<32|uint64(s.live.checksum()))
		if s.dirty != nil {
			h = fold(h, uint64(s.dirty.stable.checksum()))
		}
	}
	for block, harm := range f.harm.All {
		if harm.unreadable {
			h = fold(h, uint64(block))
		}
	}
	return h
}

func fold(h, v uint64) uint64 {
	h = (h ^ v) * 0x9e3779b97f4a7c15
	return h ^ h>>29
}

// Clone returns a machine of its own in the same state, operations in progress included, without a process. Machines
// share pages, which do not change; any thread may use the clone.
func (m *Machine) Clone() *Machine {
	m.ownsMaps = false
	c := &Machine{
		kernel: m.kernel, node: m.node, id: m.id, profile: m.profile,
		births: m.births, turns: m.turns, rots: m.rots, hasClean: m.hasClean, exhaustive: m.exhaustive,
		clock: m.clock, used: m.used, issued: m.issued, latest: m.latest, fullUntil: m.fullUntil, fullBytes: m.fullBytes,
	}
	a := copier{}
	c.root = a.inode(m.root)
	for _, change := range m.changes {
		change.folder = a.inode(change.folder)
		if change.to != nil {
			change.to = a.inode(change.to)
		}
		c.changes = append(c.changes, change)
	}
	c.lostNames = slices.Clone(m.lostNames)
	if m.inFlight() > 0 {
		ghost := &Disk{machine: c, dead: true}
		for _, o := range m.flight[m.flightAt:] {
			c.flight = append(c.flight, a.operation(o, ghost))
		}
	}
	for _, f := range a.copied {
		f.copy = nil
	}
	return c
}

// copier copies what one machine has, each inode once.
type copier struct{ copied []*inode }

func (a *copier) inode(f *inode) *inode {
	if f.copy != nil {
		return f.copy
	}
	c := &inode{}
	*c = *f
	f.copy = c
	a.copied = append(a.copied, f)
	c.dirty, c.sizes = slices.Clone(f.dirty), slices.Clone(f.sizes)
	if len(f.slots) > 0 {
		c.slots = make([]slot, len(f.slots))
	}
	for i := range f.slots {
		c.slots[i] = f.slots[i].clone()
	}
	c.names, c.stableNames = a.names(&f.names), a.names(&f.stableNames)
	c.harm = ordered.Map[int, harm]{}
	for block, h := range f.harm.All {
		c.harm.Set(block, h)
	}
	return c
}

func (a *copier) names(n *names) (c names) {
	c.entries = slices.Clone(n.entries)
	for i := range c.entries {
		c.entries[i].inode = a.inode(c.entries[i].inode)
	}
	return c
}

func (s *slot) clone() slot {
	if s.dirty == nil {
		return slot{live: s.live.share()}
	}
	s.dirty.stable.share()
	for _, v := range s.dirty.versions {
		v.page.share()
	}
	d := *s.dirty
	d.versions = slices.Clone(d.versions)
	return slot{live: s.live, dirty: &d}
}

func (a *copier) operation(o *operation, disk *Disk) *operation {
	c := &operation{
		disk: disk, kind: o.kind, number: o.number, key: o.key, turn: o.turn, mark: o.mark, due: o.due,
		path: o.path, to: o.to, mode: o.mode, offset: o.offset, copied: slices.Clone(o.copied),
	}
	if o.fault != nil {
		fault := *o.fault
		c.fault = &fault
	}
	if o.file != nil {
		c.file = a.inode(o.file)
	}
	for _, p := range o.blocks {
		c.blocks = append(c.blocks, p.share())
	}
	return c
}
