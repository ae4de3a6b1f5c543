package simdisk

import (
	"bytes"
	"slices"

	"barnabas/core/env"
)

// page is the bytes of one block. A nil page is all zeros.
type page [env.BlockBytes]byte

var zeros page

// read returns the page's bytes. The caller does not change them.
func (p *page) read() []byte {
	if p == nil {
		return zeros[:]
	}
	return p[:]
}

// newPage returns a page with these bytes, padded with zeros; nil when all are zero.
func (m *Machine) newPage(from []byte) *page {
	if from[0] == 0 && bytes.Equal(from, zeros[:len(from)]) {
		return nil
	}
	p := m.takePage()
	clear(p[copy(p[:], from):])
	return p
}

// takePage returns a page with any bytes.
func (m *Machine) takePage() *page {
	if last := len(m.pages) - 1; last >= 0 {
		p := m.pages[last]
		m.pages = m.pages[:last]
		return p
	}
	return new(page)
}

func (m *Machine) freePage(p *page) {
	if p != nil {
		m.pages = append(m.pages, p)
	}
}

// slot is one block of a file: what reads see, and what else a crash may leave.
type slot struct {
	live  *page
	dirty *dirty // nil when live is stable
}

// dirty is a block with unsynced versions, of which the last is live.
type dirty struct {
	stable   *page
	versions []version
}

// version is one state of a block since the last sync.
type version struct {
	page  *page
	clock uint64
	turn  uint64
	firm  bool // it came with a change of the length: Ordered keeps or loses both
	cut   bool // truncation, not data
}

// versionsMax bounds a block's history; a block rewritten more often forgets the states in the middle.
const versionsMax = 4

// put makes p the live version of the file's block.
func (m *Machine) put(f *inode, block int, v version) {
	f.reach(block + 1)
	s := &f.slots[block]
	if s.dirty == nil {
		s.dirty = &dirty{stable: s.live}
		f.dirty = append(f.dirty, block)
	} else if n := len(s.dirty.versions); n >= versionsMax {
		m.freePage(s.dirty.versions[n-2].page)
		s.dirty.versions = slices.Delete(s.dirty.versions, n-2, n-1)
	}
	s.dirty.versions = append(s.dirty.versions, v)
	s.live = v.page
}

// putStable makes p the only version of the file's block.
func (m *Machine) putStable(f *inode, block int, p *page) {
	f.reach(block + 1)
	s := &f.slots[block]
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
}

// syncBlock makes the newest version as of mark stable and says whether newer ones are left.
func (m *Machine) syncBlock(s *slot, mark uint64) bool {
	if s.dirty == nil {
		return false
	}
	at := len(s.dirty.versions) - 1
	for at >= 0 && s.dirty.versions[at].clock > mark {
		at--
	}
	if at < 0 {
		return true
	}
	m.freePage(s.dirty.stable)
	for _, v := range s.dirty.versions[:at] {
		m.freePage(v.page)
	}
	s.dirty.stable = s.dirty.versions[at].page
	s.dirty.versions = slices.Delete(s.dirty.versions, 0, at+1)
	if len(s.dirty.versions) > 0 {
		return true
	}
	s.dirty = nil
	return false
}
