package protocol

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Reader reads untrusted bytes: a client's request, a peer's answer, a file. It never panics on them, and never
// allocates on their word alone: a count is held against the bytes that are left, each element taken at its least
// encoded size, and against the memory budget, before anything is made.
//
// Its error is sticky: after the first one every read gives zero and changes nothing, so that callers look once, at
// the end, with [Reader.Done] or [Reader.Err]. The field names it is given serve only to say where the error is.
type Reader struct {
	b      []byte // what is left of the section being read: the input, or one tagged field of it
	end    int    // where in the whole input b ends
	budget int    // bytes that may still be allocated
	most   int    // elements of arrays that may still come, and one; 0: no bound
	names  *Names // nil: every string is a new one
	err    error
}

// Names are strings that were read before, so that one that comes again and again, such as a client's id or a topic's name,
// is made once. They belong to one reader at a time.
type Names struct {
	known [8]string
	next  uint8
}

// nameBytesMax is how long a string may be to be kept: topics' names are no longer.
const nameBytesMax = 249

// find returns b as a string.
func (n *Names) find(b []byte) string {
	for _, known := range n.known {
		if string(b) == known {
			return known
		}
	}
	s := string(b)
	if len(s) <= nameBytesMax {
		n.known[n.next%uint8(len(n.known))] = s
		n.next++
	}
	return s
}

// Keep has the reader make no string anew that names holds.
func (r *Reader) Keep(names *Names) { r.names = names }

// DecodeError says what is wrong with the input, in which field, and at which byte.
type DecodeError struct {
	Field    string
	Position int
	Reason   string
}

func (e *DecodeError) Error() string {
	return fmt.Sprintf("%s at byte %d: %s", e.Field, e.Position, e.Reason)
}

// NewReader returns a reader of b that allocates at most budget bytes for what it decodes.
func NewReader(b []byte, budget int) *Reader {
	return &Reader{b: b, end: len(b), budget: budget}
}

// Reset makes r a reader of b, so that one Reader can serve many frames.
func (r *Reader) Reset(b []byte, budget int) {
	*r = Reader{b: b, end: len(b), budget: budget}
}

// Err returns the first error.
func (r *Reader) Err() error { return r.err }

// Done returns the first error; bytes that were not read are one.
func (r *Reader) Done() error {
	if r.err == nil && len(r.b) > 0 {
		r.fail("end", fmt.Sprintf("%d bytes too many", len(r.b)))
	}
	return r.err
}

// Position is the number of bytes read so far.
func (r *Reader) Position() int { return r.end - len(r.b) }

// Limit bounds the elements of all arrays together. What an element costs to answer is not seen in its bytes.
func (r *Reader) Limit(elements int) { r.most = elements + 1 }

// Budget returns how many bytes may still be allocated.
func (r *Reader) Budget() int { return r.budget }

// Remaining is the number of bytes not read yet.
func (r *Reader) Remaining() int { return len(r.b) }

// Fail makes reason the reader's error, for a caller that finds a well-formed value impossible.
func (r *Reader) Fail(field, reason string) { r.fail(field, reason) }

// fail records the first error and takes the input away, so that every later read fails at its first check.
func (r *Reader) fail(field, reason string) {
	if r.err == nil {
		r.err = &DecodeError{Field: field, Position: r.Position(), Reason: reason}
	}
	r.b, r.end = nil, 0
}

func (r *Reader) short(field string, need int) {
	if r.err == nil {
		r.fail(field, fmt.Sprintf("needs %d bytes, %d are left", need, len(r.b)))
	}
}

// charge takes n bytes from the memory budget.
func (r *Reader) charge(n int, field string) bool {
	if n > r.budget {
		r.fail(field, fmt.Sprintf("needs %d bytes of memory, %d of the budget are left", n, r.budget))
		return false
	}
	r.budget -= n
	return true
}

// take returns the next n bytes, aliasing the input. An append to them never writes into what follows.
func (r *Reader) take(n int, field string) []byte {
	if n < 0 || n > len(r.b) {
		r.short(field, n)
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

// Raw returns the next n bytes, aliasing the input.
func (r *Reader) Raw(n int, field string) []byte { return r.take(n, field) }

func (r *Reader) Bool(field string) bool { return r.Int8(field) != 0 }

func (r *Reader) Int8(field string) int8 {
	if len(r.b) < 1 {
		r.short(field, 1)
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return int8(v)
}

func (r *Reader) Uint16(field string) uint16 {
	if len(r.b) < 2 {
		r.short(field, 2)
		return 0
	}
	v := binary.BigEndian.Uint16(r.b)
	r.b = r.b[2:]
	return v
}

func (r *Reader) Uint32(field string) uint32 {
	if len(r.b) < 4 {
		r.short(field, 4)
		return 0
	}
	v := binary.BigEndian.Uint32(r.b)
	r.b = r.b[4:]
	return v
}

func (r *Reader) uint64(field string) uint64 {
	if len(r.b) < 8 {
		r.short(field, 8)
		return 0
	}
	v := binary.BigEndian.Uint64(r.b)
	r.b = r.b[8:]
	return v
}

func (r *Reader) Int16(field string) int16     { return int16(r.Uint16(field)) }
func (r *Reader) Error(field string) Error     { return Error(r.Uint16(field)) }
func (r *Reader) Int32(field string) int32     { return int32(r.Uint32(field)) }
func (r *Reader) Int64(field string) int64     { return int64(r.uint64(field)) }
func (r *Reader) Float64(field string) float64 { return math.Float64frombits(r.uint64(field)) }

func (r *Reader) UUID(field string) UUID {
	if len(r.b) < len(UUID{}) {
		r.short(field, len(UUID{}))
		return UUID{}
	}
	v := UUID(r.b)
	r.b = r.b[len(v):]
	return v
}

// Uvarint reads an unsigned varint of at most 32 bits in at most 5 bytes.
func (r *Reader) Uvarint(field string) uint32 {
	if len(r.b) > 0 && r.b[0] < 0x80 {
		v := r.b[0]
		r.b = r.b[1:]
		return uint32(v)
	}
	return uint32(r.uvarint(field, 5, math.MaxUint32))
}

// Varint reads a zigzag varint of at most 32 bits.
func (r *Reader) Varint(field string) int32 {
	v := r.Uvarint(field)
	return int32(v>>1) ^ -int32(v&1)
}

// Varlong reads a zigzag varint of at most 64 bits in at most 10 bytes.
func (r *Reader) Varlong(field string) int64 {
	v := r.uvarint(field, 10, math.MaxUint64)
	return int64(v>>1) ^ -int64(v&1)
}

func (r *Reader) uvarint(field string, most int, limit uint64) uint64 {
	var v uint64
	for i, c := range r.b {
		if i == most {
			break
		}
		low := uint64(c & 0x7f)
		if low > limit>>(7*i) {
			break
		}
		v |= low << (7 * i)
		if c < 0x80 {
			r.b = r.b[i+1:]
			return v
		}
	}
	if len(r.b) < most {
		r.fail(field, "varint without an end")
	} else {
		r.fail(field, "varint too large")
	}
	return 0
}
