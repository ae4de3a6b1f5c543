package ledger

import "fmt"

// Stamp returns the timestamp of some record of the partition that is known, by a drawn number.
func (l *Ledger) Stamp(name Partition, draw uint64) (stamp int64, ok bool) {
	p := l.of(name)
	for tries := range uint64(8) {
		if p.start >= int64(len(p.slots)) {
			return 0, false
		}
		offset := p.start + int64((draw+tries)%uint64(int64(len(p.slots))-p.start))
		if stamp, ok := l.stampAt(p, offset); ok {
			return stamp, true
		}
	}
	return 0, false
}

func (l *Ledger) stampAt(p *partition, offset int64) (stamp int64, ok bool) {
	if offset < 0 || offset >= int64(len(p.slots)) || !p.slots[offset].known {
		return 0, false
	}
	v := p.slots[offset].value
	return l.producers[v.Producer].stamps[v.Number], true
}

// JudgeLookUp judges the answer to which is the first offset whose record is not older than the timestamp; -1 says none.
// start is a log start that was told after that answer, and nothing was appended since.
func (l *Ledger) JudgeLookUp(name Partition, stamp, offset, told, start int64) {
	p := l.of(name)
	if is, ok := l.stampAt(p, offset); ok && (is < stamp || is != told) {
		l.Violate("OffsetOfTimestamp", fmt.Sprintf("%s: asked for %d, offset %d was told with %d; its record has %d", name, stamp, offset, told, is))
		return
	}
	end := offset
	if offset < 0 {
		end = int64(len(p.slots))
	}
	for before := max(start, 0); before < end; before++ {
		if is, ok := l.stampAt(p, before); ok && is >= stamp && (p.slots[before].acked || p.slots[before].read) {
			l.Violate("OffsetOfTimestamp", fmt.Sprintf("%s: asked for %d, offset %d was told; the record at %d has %d", name, stamp, offset, before, is))
			return
		}
	}
}
