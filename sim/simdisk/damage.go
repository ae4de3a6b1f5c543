package simdisk

import (
	"barnabas/core/assert"
	"barnabas/core/env"
)

// Target is one block of a file at rest.
type Target struct {
	Path  string
	Block int
}

// Damage is what a fault did to what was durable, or was said to be.
type Damage struct {
	Fault string // the row of the fault matrix
	Path  string // of a name that is lost: the name alone
	// Block is the file's block, or one of the next two.
	Block int
}

// The damage that is not of a block.
const (
	DamagedLength = -1
	DamagedName   = -2
)

// harm is damage as the file has it, by block.
type harm struct {
	fault      string
	pristine   *page // what should be there
	unreadable bool
}

// mend forgets a block's damage, since it was written anew.
func (f *inode) mend(block int) {
	if f.harm.Len() > 0 {
		f.harm.Delete(block)
	}
}

// hurt notes that a stable block is not what it should be. What it should be stays what it was.
func (m *Machine) hurt(f *inode, block int, h harm) {
	if old, ok := f.harm.Get(block); ok {
		h.pristine = old.pristine
	}
	f.harm.Set(block, h)
}

// Damaged lists the damage that was not written over since, by path and block.
func (m *Machine) Damaged() (all []Damage) {
	m.settle()
	m.walk(false, func(path string, f *inode) {
		for block, h := range f.harm.All {
			all = append(all, Damage{h.fault, path, block})
		}
	})
	return append(all, m.lostNames...)
}

// Undamaged returns what Bytes would if there were no damage within the file.
func (m *Machine) Undamaged(path string) ([]byte, bool) {
	p, ok := m.Bytes(path)
	if !ok {
		return nil, false
	}
	f := m.find(path)
	for block, h := range f.harm.All {
		at := block * env.BlockBytes
		if block >= 0 && at < len(p) && f.cold(block) {
			h.pristine.copyTo(p[at:min(at+env.BlockBytes, len(p))], 0)
		}
	}
	return p, true
}

// Blocks lists the blocks that hold something durable other than zeros, of the files whose durable name fits the
// pattern, by path: what damage may be aimed at.
func (m *Machine) Blocks(pattern string) (all []Target) {
	m.settle()
	m.walk(true, func(path string, f *inode) {
		if f.folder || !Match(pattern, path) {
			return
		}
		for block := range f.slots {
			if f.slots[block].stable() != nil && int64(block)*env.BlockBytes < f.stable {
				all = append(all, Target{path, block})
			}
		}
	})
	return all
}

// at returns the file whose durable name the target has, or nil when the block is not there.
func (m *Machine) at(t Target) *inode {
	m.settle()
	f := m.findStable(t.Path)
	if f == nil || f.folder || t.Block >= len(f.slots) || int64(t.Block)*env.BlockBytes >= f.stable {
		return nil
	}
	return f
}

// Unreadable makes reads of a block fail with env.ErrIO until it is written anew (fault D8). It says whether it is there.
func (m *Machine) Unreadable(t Target) bool {
	f := m.at(t)
	if f == nil {
		return false
	}
	m.hurt(f, t.Block, harm{"D8", f.slots[t.Block].stable().share(), true})
	m.count("D8")
	return true
}

// Rot is a way for bytes at rest to go bad.
type Rot uint8

// The ways.
const (
	FlipBit    Rot = iota // any one bit
	ZeroSector            // any sector
	ZeroBlock
	Noise // in any sector
)

// Rot damages a block at rest (fault D9). It says whether any byte is another one now.
func (m *Machine) Rot(t Target, how Rot) bool {
	f := m.at(t)
	if f == nil {
		return false
	}
	s := &f.slots[t.Block]
	m.rots++
	draw := func(n uint64) uint64 {
		return m.kernel.Random.Below(n, streamRot, m.id, f.key, uint64(t.Block), m.rots, n)
	}
	length := min(f.stable-int64(t.Block)*env.BlockBytes, env.BlockBytes)
	before := s.stable().whole()
	after := before
	sector := after[draw(uint64(length+sectorBytes-1)/sectorBytes)*sectorBytes:][:sectorBytes]
	switch how {
	case FlipBit:
		bit := draw(uint64(length) * 8)
		after[bit/8] ^= 1 << (bit % 8)
	case ZeroSector:
		clear(sector)
	case ZeroBlock:
		clear(after[:])
	case Noise:
		m.garble(sector, f.key, uint64(t.Block), m.rots)
	}
	if after == before {
		return false
	}
	m.spoil(f, t.Block, m.newPage(after[:]), "D9")
	m.count("D9")
	return true
}

// spoil puts a page where another one is durable. Unsynced versions stay, and are what is read.
func (m *Machine) spoil(f *inode, block int, p *page, fault string) {
	f.reach(block + 1)
	s := &f.slots[block]
	m.hurt(f, block, harm{fault, s.stable().share(), false})
	if s.dirty == nil {
		s.live = p
	} else {
		s.dirty.stable = p
	}
}

// Rewrite changes a file at rest in any way: change gets its bytes and returns those that will be there, of any length.
// It says whether the file is there. Requires: no process uses the machine.
func (m *Machine) Rewrite(path string, change func([]byte) []byte) bool {
	assert.That(len(m.disks) == 0, "a file is rewritten at rest")
	p, ok := m.Bytes(path)
	if !ok {
		return false
	}
	f := m.find(path)
	p = change(p)
	f.size, f.stable, f.sizes, f.promised = int64(len(p)), int64(len(p)), nil, 0
	for at := 0; at < len(p); at += env.BlockBytes {
		block, bytes := at/env.BlockBytes, p[at:min(at+env.BlockBytes, len(p))]
		f.reach(block + 1)
		old, fresh := f.slots[block].live, m.newPage(bytes)
		if was, is := old.whole(), fresh.whole(); was == is {
			continue
		}
		old = old.share()
		m.putStable(f, block, fresh)
		m.hurt(f, block, harm{"D9", old, false})
	}
	m.trim(f)
	m.recount()
	m.count("D9")
	return true
}

// read reads bytes at offset and returns how many there are, unless one of their blocks is unreadable.
func (m *Machine) read(f *inode, p []byte, offset int64) (int64, error) {
	if f.harm.Len() > 0 && len(p) > 0 {
		last := min(offset+int64(len(p)), f.size) - 1
		for block := offset / env.BlockBytes; block <= last/env.BlockBytes && offset <= last; block++ {
			if f.unreadable(block) {
				return 0, env.ErrIO
			}
		}
	}
	return f.read(p, offset), nil
}

// unreadable says whether the device cannot give the block and nobody has it in memory.
func (f *inode) unreadable(block int64) bool {
	return f.harm.Len() > 0 && f.harm.At(int(block)).unreadable && f.cold(int(block))
}

// cold says whether reads of a block see what is durable.
func (f *inode) cold(block int) bool { return block >= len(f.slots) || f.slots[block].dirty == nil }

// fixed says whether the blocks at both ends of a range can be written in part, for which they must be read first.
func (f *inode) fixed(from, to int64) bool {
	return (from%env.BlockBytes == 0 || !f.unreadable(from/env.BlockBytes)) &&
		(to%env.BlockBytes == 0 || !f.unreadable(to/env.BlockBytes))
}
