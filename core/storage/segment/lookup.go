package segment

import (
	"bytes"
	"encoding/binary"
	"sort"

	"barnabas/core/record"
)

// Lookup returns the last entry whose offset is not above the given one: a reader of the offset begins at its position,
// since the batch it needs is that one or comes later. Without such an entry it begins at the segment's first byte.
func (x *Index) Lookup(offset record.Offset) (position uint32, last record.Offset, ok bool) {
	offsets, _ := x.Len()
	n := sort.Search(offsets, func(i int) bool { return x.Entry(i).Last > offset })
	if n == 0 {
		return 0, x.base, false
	}
	e := x.Entry(n - 1)
	return e.Position, e.Last, true
}

// LookupPosition returns the position of the last entry that is not above the given one, or 0: a batch begins there.
func (x *Index) LookupPosition(position uint32) uint32 {
	offsets, _ := x.Len()
	n := sort.Search(offsets, func(i int) bool { return x.Entry(i).Position > position })
	if n == 0 {
		return 0
	}
	return x.Entry(n - 1).Position
}

// LookupTimestamp returns the offset of the last time entry that is not later than the timestamp. No batch that ends
// before this offset reaches the timestamp: who looks for the first record that does begins at Lookup of the offset.
// Without such an entry that is the segment's first byte.
func (x *Index) LookupTimestamp(timestamp int64) (last record.Offset, ok bool) {
	_, times := x.Len()
	n := sort.Search(times, func(i int) bool { return x.TimeEntry(i).Timestamp > timestamp })
	if n == 0 {
		return x.base, false
	}
	return x.TimeEntry(n - 1).Last, true
}

// Entry returns entry n of the offset index.
func (x *Index) Entry(n int) Entry {
	e := x.offsets[n*entryBytes:]
	return Entry{x.base + record.Offset(binary.BigEndian.Uint32(e)), binary.BigEndian.Uint32(e[4:])}
}

// TimeEntry returns entry n of the time index.
func (x *Index) TimeEntry(n int) TimeEntry {
	e := x.times[n*timeEntryBytes:]
	return TimeEntry{int64(binary.BigEndian.Uint64(e)), x.base + record.Offset(binary.BigEndian.Uint32(e[8:]))}
}

// OffsetBytes returns what the .index file holds from entry number from on. The slice is the caller's.
func (x *Index) OffsetBytes(from int) []byte { return bytes.Clone(x.offsets[from*entryBytes:]) }

// TimeBytes returns what the .timeindex file holds from entry number from on. The slice is the caller's.
func (x *Index) TimeBytes(from int) []byte { return bytes.Clone(x.times[from*timeEntryBytes:]) }

// lastEntry returns the base offset at 0 if there is none.
func (x *Index) lastEntry() Entry {
	if len(x.offsets) == 0 {
		return Entry{x.base, 0}
	}
	return x.Entry(len(x.offsets)/entryBytes - 1)
}

// lastTimeEntry returns −1 at the base offset if there is none.
func (x *Index) lastTimeEntry() TimeEntry {
	if len(x.times) == 0 {
		return TimeEntry{-1, x.base}
	}
	return x.TimeEntry(len(x.times)/timeEntryBytes - 1)
}

// entriesBelow counts the entries of the offset index for offsets below the end.
func (x *Index) entriesBelow(end record.Offset) int {
	offsets, _ := x.Len()
	return sort.Search(offsets, func(i int) bool { return x.Entry(i).Last >= end })
}

// timeEntriesBelow counts the entries of the time index for offsets below the end.
func (x *Index) timeEntriesBelow(end record.Offset) int {
	_, times := x.Len()
	return sort.Search(times, func(i int) bool { return x.TimeEntry(i).Last >= end })
}
