package segment

import (
	"fmt"

	"barnabas/core/record"
)

// Within checks that no entry lies outside the segment, which ends at an offset and has so many bytes. Errors:
// ErrInvalid.
func (x *Index) Within(end record.Offset, bytes uint32) error {
	if offsets, _ := x.Len(); offsets > 0 {
		if e := x.lastEntry(); e.Last >= end || e.Position >= bytes {
			return fmt.Errorf("offset index, entry %d: %w: offset %d at %d, but the segment ends at offset %d and %d",
				offsets-1, ErrInvalid, e.Last, e.Position, end, bytes)
		}
	}
	if _, times := x.Len(); times > 0 {
		if e := x.lastTimeEntry(); e.Last >= end {
			return fmt.Errorf("time index, entry %d: %w: offset %d, but the segment ends at offset %d",
				times-1, ErrInvalid, e.Last, end)
		}
	}
	return nil
}

// Verify compares the entry with the batch that stands at its position. Errors: ErrInvalid.
func (e Entry) Verify(h *record.Header) error {
	if h.LastOffset() != e.Last {
		return fmt.Errorf("offset index: %w: position %d is said to hold the batch up to %d, and holds the one from %d to %d",
			ErrInvalid, e.Position, e.Last, h.BaseOffset, h.LastOffset())
	}
	return nil
}

// Verify compares the entry with the batch that holds its offset. Errors: ErrInvalid.
func (e TimeEntry) Verify(h *record.Header) error {
	if h.LastOffset() != e.Last || h.MaxTimestamp != e.Timestamp {
		return fmt.Errorf("time index: %w: the batch up to %d is said to reach timestamp %d, and the one from %d to %d reaches %d",
			ErrInvalid, e.Last, e.Timestamp, h.BaseOffset, h.LastOffset(), h.MaxTimestamp)
	}
	return nil
}
