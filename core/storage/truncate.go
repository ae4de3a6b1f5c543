package storage

import (
	"sort"

	"barnabas/core/env"
	"barnabas/core/mutant"
	"barnabas/core/record"
	"barnabas/core/storage/journal"
)

// Truncate cuts the log so that it ends at the greatest batch border ≤ end that is known without reading files, and returns the
// new end: the very border above what is settled, the start of a segment below. Epochs that start at the end or beyond go too,
// also when no batch does: a leader that was replaced before it wrote anything has such an epoch, and keeping it would make
// every fetch diverge anew.
func (l *Log) Truncate(end record.Offset) record.Offset {
	border, position := l.border(min(end, l.end))
	l.cut(border, position)
	// Redo has fewer rows at hand than there were, so the entry says where in its segment's file the log ends.
	l.journal(journal.Entry{Kind: journal.Truncate, Base: int64(position), End: int64(border)}, nil)
	l.directory.capFlights(l)
	l.holdFiles()
	return l.end
}

// border returns the greatest known batch border ≤ end, and its place in the segment that has it.
func (l *Log) border(end record.Offset) (record.Offset, uint32) {
	if end >= l.end {
		if n := len(l.segments); n > 0 {
			return l.end, l.segments[n-1].size
		}
		return l.end, 0
	}
	if i := l.row(end); i < len(l.tail) && l.tail[i].base <= end {
		return max(l.tail[i].base, l.start), l.tail[i].position
	}
	if s := l.segmentOf(end); s != nil {
		return max(s.base, l.start), 0
	}
	return l.start, 0
}

// cut has the log end at the border, which stands at the position of its segment.
func (l *Log) cut(border record.Offset, position uint32) {
	if s := l.segmentOf(border); border == l.start && border < l.end && s != nil && s.base < border {
		l.reset(border) // the batch that the start lies in goes, and with it the last one
		return
	}
	n := sort.Search(len(l.tail), func(i int) bool { return l.tail[i].end > border })
	l.tail = l.tail[:n:n] // who writes rows to a checkpoint keeps those that go
	l.cutSegments(border, position)
	l.end = border
	l.stable, l.settled = min(l.stable, border), min(l.settled, border)
	l.epochs.truncateEnd(border)
	l.cutDoubts(border)
	if border < l.filled {
		l.directory.env.Probe.Sometimes(env.MarkCutBelowFilled)
		l.filled, l.block = border, nil
	}
	if border < l.saved && !mutant.On(mutant.TruncateKeepsSynced) {
		l.saved, l.safe = border, nil
		l.risky = position%env.BlockBytes != 0
	}
	if border < l.anchor {
		l.anchor = border
		l.base.cut(border)
	}
	l.recallProducers()
	l.changed()
}

// recallProducers makes the producers what they are at the log's end.
func (l *Log) recallProducers() {
	l.producers = l.base.clone()
	for i := l.row(l.anchor); i < len(l.tail); i++ {
		if b := &l.tail[i]; b.base >= l.anchor {
			l.producers.note(b)
		}
	}
}

// cutSegments takes the segments beyond the border away and shortens the one it falls into, which takes appends again.
func (l *Log) cutSegments(border record.Offset, position uint32) {
	n := len(l.segments)
	for n > 1 && l.segments[n-1].base > border || n > 1 && l.segments[n-1].base == border && position > 0 {
		n--
		l.discard(l.segments[n])
	}
	l.segments = l.segments[:n]
	if n == 0 {
		return
	}
	s := l.segments[n-1]
	l.bytes -= int64(s.size - min(s.size, position))
	if position < s.size || border < s.end {
		s.cut(border, position)
		l.cutIndex(s)
	}
	for i := range l.tail {
		if b := &l.tail[i]; b.base >= s.base && b.maxTimestamp > s.maxTimestamp && !b.gap {
			s.maxTimestamp, s.maxOffset = b.maxTimestamp, b.end-1
		}
	}
}

// cut shortens the segment. What is known of its timestamps is that of its saved part; the log adds the rest.
func (s *logSegment) cut(border record.Offset, position uint32) {
	s.end, s.size = max(border, s.base), position
	s.maxTimestamp, s.maxOffset = s.savedMax, s.savedMaxOffset
	if position == 0 {
		s.end = s.base
		s.firstTimestamp, s.maxTimestamp, s.savedMax = -1, -1, -1
	}
	s.sealed, s.indexes = false, indexSums{}
}

// cutIndex shortens the segment's index, or forgets it when the batches that it must see again are not at hand.
func (l *Log) cutIndex(s *logSegment) {
	if s.size == 0 {
		s.index = newIndex(s.base, &l.config)
	}
	if s.index == nil || s.size == 0 {
		return
	}
	s.index.Truncate(s.end)
	i := sort.Search(len(l.tail), func(i int) bool { return l.tail[i].base >= s.base })
	if i == len(l.tail) || l.tail[i].position > s.index.Resume() {
		s.index = nil
		return
	}
	for ; i < len(l.tail); i++ {
		if b := &l.tail[i]; !b.gap {
			s.index.Append(b.end-1, b.position, b.maxTimestamp)
		}
	}
}

// holdFiles lets no file of the log be written before the last entry is durable (rule J10).
func (l *Log) holdFiles() {
	l.barrier = l.directory.journal.LastSequence()
	l.directory.holdTrash(l)
}
