package storage

import (
	"encoding/binary"

	"barnabas/core/mutant"
	"barnabas/core/storage/journal"
)

// The state in a checkpoint (rule J9): all there is to know of the directory's logs, so that redo opens no partition file.
// Redo begins at a place of the journal; what is above the logs is as of that place, and each log as of a moment of its own, there
// or later, which it names: the entries up to that moment are in it (see walk.go, decision 14). Integers are big-endian; a string
// or a list has its length before it.
//
//	version uint16 = 2
//	last log number uint64, broker epoch int64, durability uint8
//	quorum state: bytes uint32, then as many
//	logs: count uint32, each:
//	  number uint64, as of: commits up to the sequence uint64, and entries of the next uint32
//	  topic id 16 bytes, partition int32, name (length uint16)
//	  flags uint8: 1 the folder is durable, 2 offsets may be missing between batches
//	  start int64, end int64, saved int64: files are durable below it, up to the place of the first row in its segment
//	  safe: bytes uint16: what the file of the segment with the saved end has after its last whole block of 4096
//	  epochs: count uint32, each epoch int32, start int64
//	  doubts: count uint32, each base int64, end int64
//	  producers as of the first row: count uint32, each
//	    id int64, epoch int16, window: count uint8, each first int32, last int32, base int64, end int64, timestamp int64
//	  segments: count uint32, each
//	    base int64, end int64, bytes uint32, flags uint8: 1 sealed, 2 its file is there, durably
//	    timestamp of the first batch int64, saved max timestamp int64, saved max offset int64,
//	    max timestamp int64, max offset int64
//	    index files: offset entries uint32, time entries uint32, offset sum uint32, time sum uint32
//	  rows, the batches from saved on, and those before that a truncation may still reach: count uint32, each
//	    base int64, end int64, max timestamp int64, producer id int64, journal segment uint32, position uint32,
//	    position in the file uint32, bytes uint32, epoch int32, sequence int32, producer epoch int16, attributes int16,
//	    flags uint8: 1 a gap
//	wastes: count uint32, each
//	  log uint64, from (length uint16), to (length uint16), flags uint8: 1 a folder, 2 renamed
//	logs that were there at the place and dropped before they were written here: count uint32, each number uint64
//	as of: sequence uint64, entries uint32, of what is behind the logs
//
// Version 1 has all as of the place where redo begins: no moments, and no dropped logs.
const stateVersion = 2

const (
	logFolderDurable = 1
	logHasGaps       = 2
	segmentSealed    = 1
	segmentMade      = 2
	rowGap           = 1
	wasteFolder      = 1
	wasteRenamed     = 2
)

// encodeHead begins a state: what is above the logs. Their number comes last, so that it can be put in later.
func (d *Directory) encodeHead() []byte {
	be := binary.BigEndian
	p := be.AppendUint16(nil, stateVersion)
	p = be.AppendUint64(p, uint64(d.last))
	p = be.AppendUint64(p, uint64(d.epoch))
	p = append(p, byte(d.options.Durability))
	p = appendBytes32(p, d.votes)
	return be.AppendUint32(p, 0)
}

func (w *waste) encode(p []byte) []byte {
	p = binary.BigEndian.AppendUint64(p, uint64(w.log))
	p = appendString(p, w.from)
	p = appendString(p, w.to)
	return append(p, flags(w.folder, wasteFolder)|flags(w.renamed, wasteRenamed))
}

func appendMoment(p []byte, m journal.Moment) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(p, m.Sequence), m.Entries)
}

func flags(on bool, bit byte) byte {
	if on {
		return bit
	}
	return 0
}

func appendBytes32(p, b []byte) []byte {
	return append(binary.BigEndian.AppendUint32(p, uint32(len(b))), b...)
}

func appendString(p []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(p, uint16(len(s))), s...)
}

// encode writes the log as of a moment, which is now, but for its rows, of which it writes the number.
func (l *Log) encode(p []byte, now journal.Moment, rows int) []byte {
	be := binary.BigEndian
	p = appendMoment(be.AppendUint64(p, uint64(l.Number)), now)
	p = append(p, l.TopicID[:]...)
	p = be.AppendUint32(p, uint32(l.Partition))
	p = appendString(p, l.Name)
	p = append(p, flags(l.folder, logFolderDurable)|flags(l.gaps, logHasGaps))
	p = be.AppendUint64(p, uint64(l.start))
	p = be.AppendUint64(p, uint64(l.end))
	p = be.AppendUint64(p, uint64(l.saved))
	p = be.AppendUint16(p, uint16(len(l.safe)))
	p = append(p, l.safe...)
	p = be.AppendUint32(p, uint32(len(l.epochs.starts)))
	for _, e := range l.epochs.starts {
		p = be.AppendUint32(p, uint32(e.Epoch))
		p = be.AppendUint64(p, uint64(e.Start))
	}
	p = be.AppendUint32(p, uint32(len(l.doubts)))
	for _, x := range l.doubts {
		p = be.AppendUint64(p, uint64(x.base))
		p = be.AppendUint64(p, uint64(x.end))
	}
	p = l.base.encode(p)
	p = be.AppendUint32(p, uint32(len(l.segments)))
	for _, s := range l.segments {
		p = s.encode(p, s.made && s.base < l.saved)
	}
	return be.AppendUint32(p, uint32(rows))
}

func (p *Producers) encode(to []byte) []byte {
	be := binary.BigEndian
	if mutant.On(mutant.ProducersForgotten) {
		return be.AppendUint32(to, 0)
	}
	to = be.AppendUint32(to, uint32(p.byID.Len()))
	for id, known := range p.byID.All {
		to = be.AppendUint64(to, uint64(id))
		to = be.AppendUint16(to, uint16(known.epoch))
		to = append(to, byte(len(known.window)))
		for _, b := range known.window {
			to = be.AppendUint32(to, uint32(b.first))
			to = be.AppendUint32(to, uint32(b.last))
			to = be.AppendUint64(to, uint64(b.base))
			to = be.AppendUint64(to, uint64(b.end))
			to = be.AppendUint64(to, uint64(b.timestamp))
		}
	}
	return to
}

// encode writes a segment. made says that it has a file, durably: something in it is saved.
func (s *logSegment) encode(p []byte, made bool) []byte {
	be := binary.BigEndian
	p = be.AppendUint64(p, uint64(s.base))
	p = be.AppendUint64(p, uint64(s.end))
	p = be.AppendUint32(p, s.size)
	p = append(p, flags(s.sealed, segmentSealed)|flags(made, segmentMade))
	for _, v := range []int64{s.firstTimestamp, s.savedMax, int64(s.savedMaxOffset), s.maxTimestamp, int64(s.maxOffset)} {
		p = be.AppendUint64(p, uint64(v))
	}
	p = be.AppendUint32(p, s.indexes.offsetEntries)
	p = be.AppendUint32(p, s.indexes.timeEntries)
	p = be.AppendUint32(p, s.indexes.offsetSum)
	return be.AppendUint32(p, s.indexes.timeSum)
}

func encodeRows(p []byte, rows []batch) []byte {
	be := binary.BigEndian
	for i := range rows {
		b := &rows[i]
		for _, v := range []int64{int64(b.base), int64(b.end), b.maxTimestamp, b.producerID} {
			p = be.AppendUint64(p, uint64(v))
		}
		p = be.AppendUint32(p, b.at.Segment)
		for _, v := range []uint32{b.at.Position, b.position, b.bytes, uint32(b.epoch), uint32(b.sequence)} {
			p = be.AppendUint32(p, v)
		}
		p = be.AppendUint16(p, uint16(b.producerEpoch))
		p = be.AppendUint16(p, uint16(b.attributes))
		p = append(p, flags(b.gap, rowGap))
	}
	return p
}

// firstUnsaved returns the index in the tail of the first batch that is not saved.
func (l *Log) firstUnsaved() int {
	i := l.row(l.saved)
	if i < len(l.tail) && l.tail[i].base < l.saved {
		i++
	}
	return i
}
