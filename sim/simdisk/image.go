package simdisk

import (
	"hash/crc32"
	"maps"
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
	f := m.root
	for _, name := range split(path) {
		if f = f.stableNames.At(name); f == nil {
			return nil, false
		}
	}
	if f.folder {
		return nil, false
	}
	p := make([]byte, f.stable)
	for block := 0; block < len(f.slots) && int64(block)*env.BlockBytes < f.stable; block++ {
		copy(p[block*env.BlockBytes:], f.slots[block].stable().read())
	}
	return p, true
}

func (s *slot) stable() *page {
	if s.dirty != nil {
		return s.dirty.stable
	}
	return s.live
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
		h = fold(h, uint64(block)<<32|uint64(sum(s.live)))
		if s.dirty != nil {
			h = fold(h, uint64(sum(s.dirty.stable)))
		}
	}
	return h
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sum uses the checksum because the machine computes it itself, at many bytes a cycle.
func sum(p *page) uint32 {
	if p == nil {
		return 0
	}
	return crc32.Checksum(p[:], castagnoli)
}

func fold(h, v uint64) uint64 {
	h = (h ^ v) * 0x9e3779b97f4a7c15
	return h ^ h>>29
}

// Clone returns a machine of its own in the same state, operations in progress included, without a process.
func (m *Machine) Clone() *Machine {
	c := &Machine{
		kernel: m.kernel, node: m.node, id: m.id, profile: m.profile,
		births: maps.Clone(m.births), turns: maps.Clone(m.turns),
		clock: m.clock, used: m.used, issued: m.issued, latest: m.latest,
	}
	copies := map[*inode]*inode{}
	c.root = m.root.clone(copies)
	for _, change := range m.changes {
		change.folder = change.folder.clone(copies)
		if change.to != nil {
			change.to = change.to.clone(copies)
		}
		c.changes = append(c.changes, change)
	}
	ghost := &Disk{machine: c, dead: true}
	for _, o := range m.flight[m.flightAt:] {
		c.flight = append(c.flight, o.clone(ghost, copies))
	}
	return c
}

// clone copies an inode and all that it names, once.
func (f *inode) clone(copies map[*inode]*inode) *inode {
	if c := copies[f]; c != nil {
		return c
	}
	c := &inode{}
	copies[f] = c
	*c = *f
	c.dirty, c.sizes, c.slots = slices.Clone(f.dirty), slices.Clone(f.sizes), make([]slot, len(f.slots))
	for i := range f.slots {
		c.slots[i] = f.slots[i].clone()
	}
	c.names, c.stableNames = cloneNames(&f.names, copies), cloneNames(&f.stableNames, copies)
	return c
}

func cloneNames(names *ordered.Map[string, *inode], copies map[*inode]*inode) (c ordered.Map[string, *inode]) {
	for name, child := range names.All {
		c.Set(name, child.clone(copies))
	}
	return c
}

func (p *page) clone() *page {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}

func (s *slot) clone() slot {
	if s.dirty == nil {
		return slot{live: s.live.clone()}
	}
	d := &dirty{stable: s.dirty.stable.clone(), versions: slices.Clone(s.dirty.versions)}
	for i := range d.versions {
		d.versions[i].page = d.versions[i].page.clone()
	}
	return slot{live: d.versions[len(d.versions)-1].page, dirty: d}
}

func (o *operation) clone(disk *Disk, copies map[*inode]*inode) *operation {
	c := &operation{
		disk: disk, kind: o.kind, number: o.number, key: o.key, turn: o.turn, mark: o.mark, due: o.due,
		path: o.path, to: o.to, mode: o.mode, offset: o.offset, copied: slices.Clone(o.copied),
	}
	if o.file != nil {
		c.file = o.file.clone(copies)
	}
	for _, p := range o.blocks {
		c.blocks = append(c.blocks, p.clone())
	}
	return c
}
