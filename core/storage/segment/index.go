package segment

import (
	"encoding/binary"
	"hash/crc32"
	"math"

	"barnabas/core/assert"
	"barnabas/core/record"
)

// Index is the offset index and the time index of one segment.
//
// Both are sparse. A batch gets an entry in the offset index when more than the interval lies between its position and
// the position of the batch that got the entry before it (the beginning of the segment, for the first). At that moment
// the time index notes the greatest timestamp so far, with the last offset of the batch that brought it, unless its
// last entry says so already. When the segment is closed it is noted once more.
//
// So an index is a function of the segment's batches, of the interval, and of being closed; it does not depend on how
// often the broker was started meanwhile. What Kafka writes can differ: it begins to count anew at each start, and notes
// the greatest timestamp at each stop.
//
// The entries are kept as the files hold them: no pointers, and nothing to encode.
type Index struct {
	base      record.Offset
	interval  int64 // bytes
	offsets   []byte
	times     []byte
	offsetSum uint32
	timeSum   uint32
	greatest  TimeEntry // of the batches appended so far
}

// Entry is an entry of the offset index: where a batch stands.
type Entry struct {
	Last     record.Offset // the last offset of the batch
	Position uint32        // of its first byte in the segment
}

// TimeEntry is an entry of the time index: no record up to Last has a greater timestamp.
type TimeEntry struct {
	Timestamp int64         // milliseconds; −1: no record has a timestamp
	Last      record.Offset // the last offset of the first batch with this timestamp
}

const (
	entryBytes     = 8
	timeEntryBytes = 12
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// NewIndex returns the index of an empty segment. The interval is index.interval.bytes.
func NewIndex(base record.Offset, interval int) Index {
	return Index{base: base, interval: int64(interval), greatest: TimeEntry{-1, base}}
}

// Fits says whether the offset can be in the segment: indexes have 31 bits for its distance from the base offset.
func (x *Index) Fits(offset record.Offset) bool {
	return offset >= x.base && offset-x.base <= math.MaxInt32
}

// Full says that the segment has to be closed since one of the files has reached segment.index.bytes. The time index
// keeps room for the entry of Seal.
func (x *Index) Full(bytesMax int) bool {
	offsets, times := x.Len()
	return offsets >= bytesMax/entryBytes || times >= bytesMax/timeEntryBytes-1
}

// Append notes a batch by its last offset, its position and its max timestamp. Batches come in the order of the segment;
// batches that were noted before may come again (see Resume) and change nothing. Requires: the last offset fits, and the
// position is below 2 GiB.
func (x *Index) Append(last record.Offset, position uint32, maxTimestamp int64) {
	assert.That(x.Fits(last), "the offset fits into the segment's index")
	assert.That(position <= math.MaxInt32, "the position fits into the segment's index")
	if maxTimestamp > x.greatest.Timestamp {
		x.greatest = TimeEntry{maxTimestamp, last}
	}
	before := x.lastEntry()
	if int64(position)-int64(before.Position) <= x.interval {
		return
	}
	assert.That(len(x.offsets) == 0 || last > before.Last, "offsets ascend in a segment")
	var e [entryBytes]byte
	binary.BigEndian.PutUint32(e[:], uint32(last-x.base))
	binary.BigEndian.PutUint32(e[4:], position)
	x.offsets = append(x.offsets, e[:]...)
	x.offsetSum = crc32.Update(x.offsetSum, castagnoli, e[:])
	x.noteGreatest()
}

// Seal closes the segment. Kafka takes the last entry of the time index for the greatest timestamp in the segment, so the
// active segment of a log that is to be opened by Kafka must be closed too. A segment that is appended to after all is
// truncated at its end first.
func (x *Index) Seal() { x.noteGreatest() }

func (x *Index) noteGreatest() {
	if x.greatest.Timestamp <= x.lastTimeEntry().Timestamp {
		return
	}
	var e [timeEntryBytes]byte
	binary.BigEndian.PutUint64(e[:], uint64(x.greatest.Timestamp))
	binary.BigEndian.PutUint32(e[8:], uint32(x.greatest.Last-x.base))
	x.times = append(x.times, e[:]...)
	x.timeSum = crc32.Update(x.timeSum, castagnoli, e[:])
}

// Truncate forgets the batches at or after the end, which is the base offset of one of them, and that the segment was
// closed. The batches that stay must then be appended again from Resume on: which timestamp was the greatest is known
// only up to there.
func (x *Index) Truncate(end record.Offset) {
	x.offsets = x.offsets[:entryBytes*x.entriesBelow(end)]
	x.offsetSum = crc32.Checksum(x.offsets, castagnoli)
	times := 0
	if len(x.offsets) > 0 {
		times = x.timeEntriesBelow(x.lastEntry().Last + 1)
	}
	x.times = x.times[:timeEntryBytes*times]
	x.timeSum = crc32.Checksum(x.times, castagnoli)
	x.greatest = x.lastTimeEntry()
}

// Resume returns the position of the last batch with an entry, 0 if there is none. After Truncate and Parse, the batches
// from there to the end of the segment must be appended again.
func (x *Index) Resume() uint32 { return x.lastEntry().Position }

// Greatest returns the greatest timestamp in the segment, with the last offset of the first batch that has it; −1 and
// the base offset if no record has one.
func (x *Index) Greatest() TimeEntry { return x.greatest }

// Len returns the numbers of entries.
func (x *Index) Len() (offsets, times int) {
	return len(x.offsets) / entryBytes, len(x.times) / timeEntryBytes
}

// Sums returns the CRC-32C of the offset index, and that of the time index, as the files hold them.
func (x *Index) Sums() (offsets, times uint32) { return x.offsetSum, x.timeSum }
