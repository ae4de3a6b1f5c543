package simdisk

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"

	"barnabas/core/env"
)

// content is all bytes of one block of a file.
type content [env.BlockBytes]byte

var zeros content

// page is the bytes of one block, without the zeros at its end, of which most blocks of a journal have many. It does not
// change once it is in a file. A nil page is all zeros.
type page struct {
	bytes  []byte
	sum    uint32 // of the whole block, once it is shared
	shared bool   // several machines have it: nobody recycles it
}

// copyTo fills p with the block's bytes from an offset on.
func (p *page) copyTo(to []byte, from int) {
	n := 0
	if p != nil && from < len(p.bytes) {
		n = copy(to, p.bytes[from:])
	}
	clear(to[n:])
}

// whole returns the block's bytes.
func (p *page) whole() (b content) {
	p.copyTo(b[:], 0)
	return b
}

// equal says whether the block has these bytes. Requires: p is a whole block.
func (p *page) equal(to []byte) bool {
	if p == nil {
		return bytes.Equal(to, zeros[:])
	}
	n := len(p.bytes)
	return bytes.Equal(to[:n], p.bytes) && bytes.Equal(to[n:], zeros[n:])
}

// checksum uses the checksum because the machine computes it itself, at many bytes a cycle.
func (p *page) checksum() uint32 {
	switch {
	case p == nil:
		return 0
	case p.shared:
		return p.sum
	}
	return crc32.Update(crc32.Checksum(p.bytes, castagnoli), castagnoli, zeros[len(p.bytes):])
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// share makes the page fit to be in several machines, which may be used by different threads from then on.
func (p *page) share() *page {
	if p != nil && !p.shared {
		p.sum, p.shared = p.checksum(), true
	}
	return p
}

// pageRooms are the sizes of the memory of pages; free ones are kept apart by them.
var pageRooms = [...]int{128, 512, 1024, 2048, env.BlockBytes}

// pageRoom returns the number of the smallest size that is enough.
func pageRoom(size int) int {
	at := 0
	for pageRooms[at] < size {
		at++
	}
	return at
}

// newPage returns a page with these bytes, padded with zeros; nil when all are zero.
func (m *Machine) newPage(from []byte) *page {
	if from = withoutZeros(from); len(from) == 0 {
		return nil
	}
	return m.takePage(from)
}

// takePage is newPage that returns a page also for zeros.
func (m *Machine) takePage(from []byte) *page {
	from = withoutZeros(from)
	at := pageRoom(len(from))
	free := m.pages[at]
	last := len(free) - 1
	if last < 0 {
		p := &page{bytes: make([]byte, len(from), pageRooms[at])}
		copy(p.bytes, from)
		return p
	}
	p := free[last]
	m.pages[at] = free[:last]
	p.bytes = append(p.bytes[:0], from...)
	return p
}

// freePage recycles a page that no file has any more.
func (m *Machine) freePage(p *page) {
	if p != nil && !p.shared {
		at := pageRoom(cap(p.bytes))
		m.pages[at] = append(m.pages[at], p)
	}
}

// withoutZeros returns p up to its last byte that is not zero.
func withoutZeros(p []byte) []byte {
	for len(p) >= sectorBytes && bytes.Equal(p[len(p)-sectorBytes:], zeros[:sectorBytes]) {
		p = p[:len(p)-sectorBytes]
	}
	for len(p) >= 8 && binary.LittleEndian.Uint64(p[len(p)-8:]) == 0 {
		p = p[:len(p)-8]
	}
	for len(p) > 0 && p[len(p)-1] == 0 {
		p = p[:len(p)-1]
	}
	return p
}

// cut returns the page with zeros from an offset on. It gives p up.
func (m *Machine) cut(p *page, from int) *page {
	if p == nil || len(p.bytes) <= from {
		return p
	}
	c := m.takePage(p.bytes[:from])
	m.freePage(p)
	return c
}

// slot is one block of a file: what reads see, and what else a crash may leave.
type slot struct {
	live  *page
	dirty *dirty // nil when live is stable
}

// stable returns the block's state that survives for sure.
func (s *slot) stable() *page {
	if s.dirty != nil {
		return s.dirty.stable
	}
	return s.live
}

// dirty is a block with unsynced versions, of which the last is live.
type dirty struct {
	stable   *page
	versions []version
	promised uint64 // clock of the newest version of which a sync said wrongly that it is durable; 0: none
}

// version is one state of a block since the last sync.
type version struct {
	page  *page
	clock uint64
	turn  uint64
	firm  bool // it came with a change of the length: Ordered keeps or loses both
	cut   bool // truncation, not data
	clean bool // a failed sync marked it clean: no sync writes it any more
}

// versionsMax bounds a block's history; a block rewritten more often forgets the states in the middle.
const versionsMax = 4

// put makes p the live version of the file's block.
func (m *Machine) put(f *inode, at int, v version) {
	f.reach(at + 1)
	s := &f.slots[at]
	if s.dirty == nil {
		s.dirty = &dirty{stable: s.live}
		f.dirty = append(f.dirty, at)
	} else if n := len(s.dirty.versions); n >= versionsMax && !m.exhaustive {
		m.freePage(s.dirty.versions[n-2].page)
		s.dirty.forget(n-2, n-1)
	}
	s.dirty.versions = append(s.dirty.versions, v)
	s.live = v.page
}

// forget drops versions from the history.
func (d *dirty) forget(from, to int) {
	d.versions = append(d.versions[:from], d.versions[to:]...)
}

// putStable makes p the only version of the file's block.
func (m *Machine) putStable(f *inode, at int, p *page) {
	f.reach(at + 1)
	s := &f.slots[at]
	if s.dirty == nil {
		m.freePage(s.live)
	} else {
		m.freePage(s.dirty.stable)
		for _, v := range s.dirty.versions {
			m.freePage(v.page)
		}
		s.dirty = nil
	}
	s.live = p
	f.mend(at)
}

// syncBlock makes the newest version as of mark stable and says whether unsynced ones are left.
func (m *Machine) syncBlock(f *inode, block int, mark uint64) bool {
	s := &f.slots[block]
	if s.dirty == nil {
		return false
	}
	at := len(s.dirty.versions) - 1
	for at >= 0 && s.dirty.versions[at].clock > mark {
		at--
	}
	if at < 0 || s.dirty.versions[at].clean {
		return true
	}
	m.freePage(s.dirty.stable)
	for _, v := range s.dirty.versions[:at] {
		m.freePage(v.page)
	}
	s.dirty.stable = s.dirty.versions[at].page
	if s.dirty.promised <= s.dirty.versions[at].clock {
		s.dirty.promised = 0
	}
	s.dirty.forget(0, at+1)
	f.mend(block)
	if len(s.dirty.versions) > 0 {
		return true
	}
	s.dirty = nil
	return false
}
