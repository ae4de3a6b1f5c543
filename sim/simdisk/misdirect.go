package simdisk

import (
	"slices"

	"barnabas/core/env"
)

// misdirect lets an operation take one block for another (fault D10). When there is no other it goes well.
func (m *Machine) misdirect(o *operation) {
	switch o.kind {
	case OpReadAt:
		m.misdirectRead(o)
	case OpWriteSync:
		m.misdirectWrite(o)
	case OpSync:
		m.misdirectSync(o)
	}
}

// elsewhere draws a block that holds something durable, other than one of the file.
func (m *Machine) elsewhere(o *operation, from, to int) (f *inode, block int, ok bool) {
	pattern := o.fault.Onto
	var choice []Target
	m.walk(true, func(path string, f *inode) {
		if f.folder || pattern == "" && f != o.file || !Match(pattern, path) {
			return
		}
		for block := range f.slots {
			own := f == o.file && block >= from && block < to
			if !own && f.slots[block].stable() != nil && int64(block)*env.BlockBytes < f.stable {
				choice = append(choice, Target{path, block})
			}
		}
	})
	if len(choice) == 0 {
		return nil, 0, false
	}
	t := choice[m.part(uint64(len(choice)), o, 1)]
	return m.findStable(t.Path), t.Block, true
}

func (m *Machine) misdirectRead(o *operation) {
	if m.perform(o); o.err != nil || o.result == 0 {
		return
	}
	first, last := int(o.offset/env.BlockBytes), int((o.offset+o.result-1)/env.BlockBytes)
	f, block, ok := m.elsewhere(o, first, last+1)
	if !ok {
		return
	}
	wrong := int64(first) + int64(m.part(uint64(last-first)+1, o, 2))
	from := max(wrong*env.BlockBytes, o.offset)
	to := min((wrong+1)*env.BlockBytes, o.offset+o.result)
	p := o.memory[from-o.offset : to-o.offset]
	before := slices.Clone(p)
	f.slots[block].stable().copyTo(p, int(from%env.BlockBytes))
	if !slices.Equal(before, p) {
		m.fired(o.fault)
	}
}

// misdirectWrite writes all blocks of a direct write but one, which it writes elsewhere.
func (m *Machine) misdirectWrite(o *operation) {
	first := int(o.offset / env.BlockBytes)
	f, block, ok := m.elsewhere(o, first, first+len(o.blocks))
	if !ok {
		m.perform(o)
		return
	}
	lost := int(m.part(uint64(len(o.blocks)), o, 2))
	p := o.blocks[lost].share()
	o.file.reach(first + lost + 1)
	kept := o.file.slots[first+lost].stable().share()
	o.blocks[lost] = kept
	if m.perform(o); o.err != nil {
		return
	}
	m.hurt(o.file, first+lost, harm{"D10", p, false})
	m.spoil(f, block, p, "D10")
	m.fired(o.fault)
	if o.fault.Witnessed {
		m.strays = append(m.strays, stray{o.file, first + lost, m.clock})
	}
}

// stray is a block of a direct write that is not where it should be, and that nothing which is tells of yet.
type stray struct {
	file  *inode
	block int
	clock uint64
}

// witnessed is told of a direct write that went well: whoever issued it knew of those that were done by then.
func (m *Machine) witnessed(o *operation) {
	m.strays = slices.DeleteFunc(m.strays, func(s stray) bool { return s.file == o.file && s.clock <= o.mark })
}

// recall puts the blocks where they should be that went astray and have no witness.
func (m *Machine) recall() {
	for _, s := range m.strays {
		if h, ok := s.file.harm.Get(s.block); ok && h.fault == "D10" && s.block < len(s.file.slots) && s.file.slots[s.block].dirty == nil {
			m.putStable(s.file, s.block, h.pristine.share())
			s.file.mend(s.block)
		}
	}
	m.strays = nil
}

// misdirectSync syncs a file, but for one block that goes elsewhere. Whoever reads the file before a power loss sees it
// where it should be.
func (m *Machine) misdirectSync(o *operation) {
	f := o.file
	slices.Sort(f.dirty)
	var choice []int
	for _, block := range slices.Compact(f.dirty) {
		if d := f.slots[block].dirty; d != nil && d.versions[len(d.versions)-1].clock <= o.mark {
			choice = append(choice, block)
		}
	}
	if len(choice) == 0 {
		m.perform(o)
		return
	}
	lost := choice[m.part(uint64(len(choice)), o, 2)]
	other, block, ok := m.elsewhere(o, lost, lost+1)
	if ok {
		d := f.slots[lost].dirty
		last := &d.versions[len(d.versions)-1]
		last.clean, d.promised = true, last.clock
		m.spoil(other, block, last.page.share(), "D10")
		m.fired(o.fault)
	}
	m.perform(o)
}
