package simdisk

import (
	"slices"

	"barnabas/core/env"
	"barnabas/core/ordered"
)

// inode is a file or a folder, apart from its names.
type inode struct {
	key   uint64 // of its draws
	turn  uint64 // operations begun on it
	opens int
	links int // live names

	// Of a file. Blocks beyond the length may hold what a crash can bring back.
	slots  []slot
	dirty  []int // blocks with unsynced versions; may name one twice or one that is clean again
	size   int64
	stable int64    // the length that survives for sure
	sizes  []length // lengths since then; the last is size
	// promised is the clock of the newest length of which a sync said wrongly that it is durable; 0: none.
	promised uint64
	harm     ordered.Map[int, harm] // by block

	// Of a folder: names as they are, and as they survive for sure.
	folder      bool
	names       names
	stableNames names

	round uint64 // the last one of the machine's that visited it
	copy  *inode // while its machine is being cloned
}

// length is one length of a file since the last sync.
type length struct {
	size  int64
	clock uint64
	turn  uint64
}

// lengthsMax bounds the history of a length, as versionsMax does of a block.
const lengthsMax = 16

// next returns the number of the file's next operation.
func (f *inode) next() uint64 {
	f.turn++
	return f.turn
}

// reach makes room for so many blocks.
func (f *inode) reach(count int) {
	if count <= len(f.slots) {
		return
	}
	if count > cap(f.slots) {
		f.slots = slices.Grow(f.slots, count-len(f.slots))
	}
	f.slots = f.slots[:count]
}

func (f *inode) block(at int) *page {
	if at < len(f.slots) {
		return f.slots[at].live
	}
	return nil
}

// resize notes a new length that is not stable.
func (m *Machine) resize(f *inode, size int64, turn uint64) {
	if size == f.size {
		return
	}
	f.size = size
	if n := len(f.sizes); n >= lengthsMax && !m.exhaustive {
		f.sizes = slices.Delete(f.sizes, n-2, n-1)
	}
	f.sizes = append(f.sizes, length{size, m.clock, turn})
}

// read copies bytes at offset and returns how many there are.
func (f *inode) read(p []byte, offset int64) int64 {
	end := min(offset+int64(len(p)), f.size)
	for at := offset; at < end; {
		within := at % env.BlockBytes
		n := min(env.BlockBytes-within, end-at)
		f.block(int(at/env.BlockBytes)).copyTo(p[at-offset:][:n], int(within))
		at += n
	}
	return max(end-offset, 0)
}

// write puts bytes into the page cache.
func (m *Machine) write(f *inode, p []byte, offset int64, turn uint64) error {
	end := offset + int64(len(p))
	if len(p) == 0 {
		return nil
	}
	if !f.fixed(offset, end) {
		return env.ErrIO
	}
	if end > f.size {
		if err := m.allocate(f.size, end); err != nil {
			if n := m.fitting(f, offset, len(p), turn); n > 0 && m.write(f, p[:n], offset, turn) != nil {
				return env.ErrIO
			}
			return err
		}
	}
	m.BytesWritten += uint64(len(p))
	grows := end > f.size
	for at := offset; at < end; {
		block := int(at / env.BlockBytes)
		within := at % env.BlockBytes
		n := min(env.BlockBytes-within, end-at)
		bytes := p[at-offset:][:n]
		v := version{clock: m.clock, turn: turn, firm: grows && at+n > f.size}
		if n == env.BlockBytes {
			v.page = m.newPage(bytes)
		} else {
			whole := f.block(block).whole()
			copy(whole[within:], bytes)
			v.page = m.takePage(whole[:])
		}
		m.put(f, block, v)
		at += n
	}
	if grows {
		m.resize(f, end, turn)
	}
	return nil
}

// writeSync puts an operation's blocks onto the device; it gives them up.
func (m *Machine) writeSync(o *operation) error {
	f := o.file
	length := len(o.blocks) * env.BlockBytes
	if err := m.growSynced(f, o.offset+int64(length)); err != nil {
		return err
	}
	m.Syncs++
	m.BytesWritten += uint64(length)
	first := int(o.offset / env.BlockBytes)
	for i, p := range o.blocks {
		m.putStable(f, first+i, p)
	}
	o.blocks = o.blocks[:0]
	return nil
}

// growSynced makes a file at least so long, and that durable.
func (m *Machine) growSynced(f *inode, end int64) error {
	if end > f.size {
		if err := m.allocate(f.size, end); err != nil {
			return err
		}
		f.size = end
	}
	f.stable = max(f.stable, end)
	f.raise()
	return nil
}

// raise lifts the unsynced lengths to the stable one, which no crash can go below.
func (f *inode) raise() {
	same := true
	for i := range f.sizes {
		f.sizes[i].size = max(f.sizes[i].size, f.stable)
		same = same && f.sizes[i].size == f.stable
	}
	if same {
		f.sizes = f.sizes[:0]
	}
}

// truncate sets the length. What was beyond it is zero when the file grows again.
func (m *Machine) truncate(f *inode, size int64, turn uint64) error {
	if size == f.size {
		return nil
	}
	if !f.fixed(0, min(size, f.size)) {
		return env.ErrIO
	}
	if err := m.allocate(f.size, size); err != nil {
		return err
	}
	for block := int(size / env.BlockBytes); block < len(f.slots) && size < f.size; block++ {
		old := f.slots[block].live
		if old == nil {
			continue
		}
		v := version{clock: m.clock, turn: turn, firm: true, cut: true}
		if within := size - int64(block)*env.BlockBytes; within > 0 {
			v.page = m.newPage(old.bytes[:min(int(within), len(old.bytes))])
		}
		m.put(f, block, v)
	}
	m.resize(f, size, turn)
	return nil
}

// sync makes stable what had completed when the sync began: bytes and length.
func (m *Machine) sync(f *inode, mark uint64) {
	slices.Sort(f.dirty)
	left := f.dirty[:0]
	for _, block := range slices.Compact(f.dirty) {
		if m.syncBlock(f, block, mark) {
			left = append(left, block)
		}
	}
	f.dirty = left
	at := len(f.sizes) - 1
	for at >= 0 && f.sizes[at].clock > mark {
		at--
	}
	if at >= 0 {
		f.stable = f.sizes[at].size
		if f.promised <= f.sizes[at].clock {
			f.promised = 0
		}
		f.sizes = slices.Delete(f.sizes, 0, at+1)
	}
	if m.profile.Strictness == Ordered {
		m.stabilise(nil, mark)
	}
}
