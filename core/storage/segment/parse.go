package segment

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"

	"barnabas/core/record"
)

// ParseIndex reads the two files of a segment's index. It copies them, and checks that they have the shape an index has,
// not that the segment is as they say (see Within, Entry.Verify and TimeEntry.Verify). The batches from Resume on must
// then be appended again. The interval is index.interval.bytes. Errors: ErrInvalid.
func ParseIndex(base record.Offset, interval int, offsets, times []byte) (Index, error) {
	x := NewIndex(base, interval)
	if len(offsets)%entryBytes != 0 {
		return x, fmt.Errorf("offset index: %w: %d bytes are no whole entries", ErrInvalid, len(offsets))
	}
	if len(times)%timeEntryBytes != 0 {
		return x, fmt.Errorf("time index: %w: %d bytes are no whole entries", ErrInvalid, len(times))
	}
	if err := checkOffsets(base, offsets); err != nil {
		return x, err
	}
	if err := checkTimes(base, times); err != nil {
		return x, err
	}
	x.offsets, x.times = bytes.Clone(offsets), bytes.Clone(times)
	x.offsetSum = crc32.Checksum(offsets, castagnoli)
	x.timeSum = crc32.Checksum(times, castagnoli)
	x.greatest = x.lastTimeEntry()
	return x, nil
}

// ParseKafkaIndex reads the files as Kafka may leave them when it was not stopped in order: while a segment is the active
// one they have their greatest size, and zeros after the last entry.
func ParseKafkaIndex(base record.Offset, interval int, offsets, times []byte) (Index, error) {
	if len(times) != timeEntryBytes { // a single entry can be all zeros: records of 1970
		times = withoutZeros(times, timeEntryBytes)
	}
	return ParseIndex(base, interval, withoutZeros(offsets, entryBytes), times)
}

// withoutZeros drops the entries at the end that are all zeros, and lets a last entry that is not whole stay.
func withoutZeros(p []byte, size int) []byte {
	if len(p)%size != 0 {
		return p
	}
	used := len(bytes.TrimRight(p, "\x00"))
	return p[:(used+size-1)/size*size]
}

// checkOffsets: the first batch of a segment never gets an entry, so that offset and position begin above 0.
func checkOffsets(base record.Offset, p []byte) error {
	var offset, position uint32
	for n := range len(p) / entryBytes {
		e := p[n*entryBytes:]
		o, at := binary.BigEndian.Uint32(e), binary.BigEndian.Uint32(e[4:])
		switch {
		case o > math.MaxInt32 || at > math.MaxInt32:
			return fmt.Errorf("offset index, entry %d: %w: offset %d or position %d is negative", n, ErrInvalid,
				int64(base)+int64(int32(o)), int32(at))
		case o <= offset:
			return fmt.Errorf("offset index, entry %d: %w: offset %d is not above %d", n, ErrInvalid,
				base+record.Offset(o), base+record.Offset(offset))
		case at <= position:
			return fmt.Errorf("offset index, entry %d: %w: position %d is not above %d", n, ErrInvalid, at, position)
		}
		offset, position = o, at
	}
	return nil
}

func checkTimes(base record.Offset, p []byte) error {
	before := TimeEntry{-1, -1}
	for n := range len(p) / timeEntryBytes {
		e := p[n*timeEntryBytes:]
		timestamp, o := int64(binary.BigEndian.Uint64(e)), int32(binary.BigEndian.Uint32(e[8:]))
		switch {
		case timestamp <= before.Timestamp:
			return fmt.Errorf("time index, entry %d: %w: timestamp %d is not above %d", n, ErrInvalid,
				timestamp, before.Timestamp)
		case record.Offset(o) <= before.Last:
			return fmt.Errorf("time index, entry %d: %w: offset %d is not above %d", n, ErrInvalid,
				base+record.Offset(o), base+before.Last)
		}
		before = TimeEntry{timestamp, record.Offset(o)}
	}
	return nil
}
