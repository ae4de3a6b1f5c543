package record

import "fmt"

// Facts is what one look at a batch before the loop yields (rule T6): no verdicts, only what is so.
type Facts struct {
	Header
	Batches      int   // how many batches the bytes hold; Header is the first one's
	KeylessSeen  bool  // an uncompressed record without key is among them
	MinTimestamp int64 // least timestamp of uncompressed records; the base timestamp of a compressed batch
	Err          error // what is wrong with the bytes, wrapping one of the errors above
}

// Inspect looks at the records field of a produce request, or at what a leader sent a follower: whole batches, each with
// a good CRC, and uncompressed ones with as many well-formed records as they say.
func Inspect(p []byte) Facts {
	var f Facts
	for first := true; len(p) > 0; first = false {
		h, err := Check(p)
		if err != nil {
			f.Err = fmt.Errorf("batch %d: %w", f.Batches, err)
			return f
		}
		if first {
			f.Header = h
			f.MinTimestamp = h.BaseTimestamp
		}
		f.Batches++
		if h.Attributes.Codec() == 0 {
			if err := f.walk(p[HeaderBytes:h.Length], h); err != nil {
				f.Err = fmt.Errorf("batch %d: %w", f.Batches-1, err)
				return f
			}
		}
		p = p[h.Length:]
	}
	return f
}

func (f *Facts) walk(records []byte, h Header) error {
	next := int32(0)
	return Walk(records, h.Count, func(r *Record) error {
		if r.OffsetDelta < next || r.OffsetDelta > h.LastOffsetDelta {
			return fmt.Errorf("%w: record offset delta %d after %d", ErrInvalid, r.OffsetDelta, next-1)
		}
		next = r.OffsetDelta + 1
		f.KeylessSeen = f.KeylessSeen || r.Key == nil
		f.MinTimestamp = min(f.MinTimestamp, h.BaseTimestamp+r.TimestampDelta)
		return nil
	})
}
