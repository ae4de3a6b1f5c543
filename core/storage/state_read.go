package storage

import (
	"fmt"

	"barnabas/core/protocol"
	"barnabas/core/record"
	"barnabas/core/storage/journal"
)

// stateReader reads a state's numbers and texts. The first error stays, and everything after it is zero.
type stateReader struct{ in protocol.Reader }

const stateField = "the checkpoint's state"

func (r *stateReader) Int8() int8        { return r.in.Int8(stateField) }
func (r *stateReader) Int16() int16      { return r.in.Int16(stateField) }
func (r *stateReader) Int32() int32      { return r.in.Int32(stateField) }
func (r *stateReader) Int64() int64      { return r.in.Int64(stateField) }
func (r *stateReader) Take(n int) []byte { return r.in.Raw(n, stateField) }

// count reads the length of a list whose elements have at least so many bytes.
func count(r *stateReader, least int) int {
	n := int(uint32(r.Int32()))
	if n*least > r.in.Remaining() {
		r.in.Fail(stateField, "a list is longer than what follows")
		return 0
	}
	return n
}

func text(r *stateReader) string { return string(r.Take(int(uint16(r.Int16())))) }

func offset(r *stateReader) record.Offset { return record.Offset(r.Int64()) }

// decode takes a state over. Errors: a newer version; anything that can't be.
func (d *Directory) decode(state []byte) error {
	if len(state) == 0 {
		return nil // of a version that kept none: everything is in the journal
	}
	r := &stateReader{}
	r.in.Reset(state, len(state))
	v := r.Int16()
	if v != 1 && v != stateVersion {
		return fmt.Errorf("the checkpoint's state has version %d, this version reads %d: start a newer version on this folder", v, stateVersion)
	}
	d.last, d.epoch = LogNumber(r.Int64()), r.Int64()
	d.ranUnder = append(d.ranUnder, Durability(r.Int8()))
	if n := int(r.Int32()); n > 0 {
		d.votes = append([]byte(nil), r.Take(n)...)
	}
	for range count(r, 60) {
		l, err := d.decodeLog(r, v > 1)
		if err != nil {
			return err
		}
		d.logs.Set(l.Number, l)
	}
	for range count(r, 13) {
		w := &waste{log: LogNumber(r.Int64()), from: text(r), to: text(r)}
		f := byte(r.Int8())
		w.folder, w.renamed = f&wasteFolder != 0, f&wasteRenamed != 0
		d.trash.add(w)
	}
	if v > 1 {
		for range count(r, 8) {
			d.gone.Set(LogNumber(r.Int64()), true)
		}
		d.goneUntil = readMoment(r)
	}
	return r.in.Done()
}

func readMoment(r *stateReader) journal.Moment {
	return journal.Moment{Sequence: uint64(r.Int64()), Entries: uint32(r.Int32())}
}

func (d *Directory) decodeLog(r *stateReader, dated bool) (*Log, error) {
	number := LogNumber(r.Int64())
	var asOf journal.Moment
	if dated {
		asOf = readMoment(r)
	}
	var id [16]byte
	copy(id[:], r.Take(16))
	l := newLog(d, number, id, r.Int32(), text(r))
	l.asOf = asOf
	f := byte(r.Int8())
	l.folder, l.gaps = f&logFolderDurable != 0, f&logHasGaps != 0
	l.start, l.end, l.saved = offset(r), offset(r), offset(r)
	end := l.end
	l.filled = l.saved
	l.safe = append([]byte(nil), r.Take(int(uint16(r.Int16())))...)
	l.block = l.safe
	for range count(r, 12) {
		l.epochs.starts = append(l.epochs.starts, EpochStart{record.LeaderEpoch(r.Int32()), offset(r)})
	}
	for range count(r, 16) {
		l.doubts = append(l.doubts, doubt{base: offset(r), end: offset(r)})
	}
	l.base.decode(r)
	for range count(r, 69) {
		s := decodeSegment(r)
		l.segments = append(l.segments, s)
		l.bytes += int64(s.size)
	}
	for range count(r, 61) {
		l.tail = append(l.tail, decodeRow(r))
	}
	l.settled, l.anchor = l.start, min(l.saved, l.tailStart())
	l.recallProducers()
	if err := r.in.Err(); err != nil {
		return nil, err
	}
	return l, l.checkDecoded(end)
}

// checkDecoded says what can't be of a log that was read.
func (l *Log) checkDecoded(end record.Offset) error {
	at := l.saved
	if len(l.tail) > 0 {
		at = min(at, l.tail[0].base)
	}
	for i := range l.tail {
		if l.tail[i].base != at || l.tail[i].end <= at {
			return fmt.Errorf("the checkpoint contradicts itself: log %d (%s) has rows up to %d and then one from %d", l.Number, l.Name, at, l.tail[i].base)
		}
		at = l.tail[i].end
	}
	if at != end || l.start > end || l.saved > end {
		return fmt.Errorf("the checkpoint contradicts itself: log %d (%s) has rows up to %d and ends at %d", l.Number, l.Name, at, end)
	}
	return nil
}

func (p *Producers) decode(r *stateReader) {
	for range count(r, 11) {
		id, known := r.Int64(), &producer{epoch: r.Int16()}
		for range int(uint8(r.Int8())) {
			known.window = append(known.window, producedBatch{
				first: r.Int32(), last: r.Int32(), base: offset(r), end: offset(r), timestamp: r.Int64(),
			})
		}
		if len(known.window) > 0 {
			p.byID.Set(id, known)
		}
	}
}

func decodeSegment(r *stateReader) *logSegment {
	s := &logSegment{base: offset(r), end: offset(r), size: uint32(r.Int32())}
	f := byte(r.Int8())
	s.sealed, s.made = f&segmentSealed != 0, f&segmentMade != 0
	s.firstTimestamp, s.savedMax, s.savedMaxOffset = r.Int64(), r.Int64(), offset(r)
	s.maxTimestamp, s.maxOffset = r.Int64(), offset(r)
	s.indexes = indexSums{uint32(r.Int32()), uint32(r.Int32()), uint32(r.Int32()), uint32(r.Int32())}
	return s
}

func decodeRow(r *stateReader) batch {
	b := batch{base: offset(r), end: offset(r), maxTimestamp: r.Int64(), producerID: r.Int64()}
	b.at = journal.Location{Segment: uint32(r.Int32()), Position: uint32(r.Int32())}
	b.position, b.bytes = uint32(r.Int32()), uint32(r.Int32())
	b.epoch, b.sequence = record.LeaderEpoch(r.Int32()), r.Int32()
	b.producerEpoch, b.attributes = r.Int16(), record.Attributes(r.Int16())
	b.gap = byte(r.Int8())&rowGap != 0
	return b
}
