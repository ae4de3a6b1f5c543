package record

import (
	"fmt"
	"io"
	"math"
)

// keylessKept is how many records without key are named, so that the client learns which they are.
const keylessKept = 8

// Facts is what one look at a batch before the loop yields (rule T6): no verdicts, only what is so. What it says of records
// is of the first batch, and only if that is open: uncompressed, or opened by an Inspector.
type Facts struct {
	Header
	Batches int  // how many batches the bytes hold; Header is the first one's
	Opened  bool // the records were looked at

	Keyless      int32              // how many records have no key
	KeylessFirst [keylessKept]int32 // which, the first ones
	// The least and the greatest timestamp, with the first record that has it. Records without timestamp (-1) are left out
	// of the least; the greatest is -1 when none has one.
	MinTimestamp, MaxSeen     int64
	MinTimestampAt, MaxSeenAt int32

	Err error // what is wrong with the bytes, wrapping one of the errors above
}

// NoTimestamp is the timestamp of a record whose producer knows none.
const NoTimestamp int64 = -1

// Opener opens the records of compressed batches.
type Opener interface {
	// Open returns what p holds compressed, as a stream that fails after most bytes.
	Open(codec int, p []byte, most int64) (io.Reader, error)
	Close()
}

// Inspector looks at batches. It keeps what it needs from one to the next, and belongs to one user at a time. The zero
// value opens no compressed batch.
type Inspector struct {
	// Opener opens compressed batches, each once; nil: they stay closed.
	Opener Opener
	// OpenedMax is how many bytes may come out of one batch.
	OpenedMax int64

	scanner Scanner
	opened  counted
}

// Inspect looks at what a leader sent a follower: whole batches, each with a good CRC, and uncompressed ones with as many
// well-formed records as they say. Compressed batches stay closed: the leader has opened them.
func Inspect(p []byte) Facts {
	var in Inspector
	return in.Inspect(p)
}

// Inspect looks at the records field of a produce request.
func (in *Inspector) Inspect(p []byte) Facts {
	var f Facts
	for len(p) > 0 {
		h, err := Check(p)
		if err != nil {
			f.Err = fmt.Errorf("batch %d: %w", f.Batches, err)
			return f
		}
		if f.Batches == 0 {
			f.Header = h
		}
		f.Batches++
		if err := f.look(in, p[HeaderBytes:h.Length], &h); err != nil {
			f.Err = fmt.Errorf("batch %d: %w", f.Batches-1, err)
			return f
		}
		p = p[h.Length:]
	}
	return f
}

// look looks at the records of a batch. What it finds counts for the first.
func (f *Facts) look(in *Inspector, records []byte, h *Header) error {
	first := f.Batches == 1
	if first {
		f.MinTimestamp, f.MaxSeen = math.MaxInt64, NoTimestamp
	}
	next := int32(0)
	visit := func(i int32, r Look) error {
		if r.OffsetDelta < next || r.OffsetDelta > h.LastOffsetDelta {
			return fmt.Errorf("%w: record offset delta %d after %d", ErrInvalid, r.OffsetDelta, next-1)
		}
		next = r.OffsetDelta + 1
		if first {
			f.note(i, r.Keyless, h.BaseTimestamp+r.TimestampDelta)
		}
		return nil
	}
	if h.Attributes.Codec() == 0 {
		f.Opened = f.Opened || first
		return in.scanner.Scan(records, h.Count, visit)
	}
	if in.Opener == nil {
		return nil
	}
	f.Opened = f.Opened || first
	return in.open(records, h, visit)
}

// open looks into a compressed batch, and throws away what comes out of it.
func (in *Inspector) open(records []byte, h *Header, visit func(int32, Look) error) error {
	in.opened = counted{}
	stream, err := in.Opener.Open(h.Attributes.Codec(), records, in.OpenedMax)
	if err != nil {
		return err
	}
	defer in.Opener.Close()
	in.opened = counted{from: stream}
	return in.scanner.ScanStream(&in.opened, h.Count, visit)
}

// OpenedBytes returns how many bytes came out of the last compressed batch.
func (in *Inspector) OpenedBytes() int64 { return in.opened.bytes }

// counted counts what is read.
type counted struct {
	from  io.Reader
	bytes int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.bytes += int64(n)
	return n, err
}

func (f *Facts) note(i int32, keyless bool, timestamp int64) {
	if keyless {
		if f.Keyless < keylessKept {
			f.KeylessFirst[f.Keyless] = i
		}
		f.Keyless++
	}
	if timestamp != NoTimestamp && timestamp < f.MinTimestamp {
		f.MinTimestamp, f.MinTimestampAt = timestamp, i
	}
	if timestamp > f.MaxSeen {
		f.MaxSeen, f.MaxSeenAt = timestamp, i
	}
}
