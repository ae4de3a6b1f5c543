package protocol

import (
	"fmt"
	"math/bits"
)

// coder encodes or decodes a message that is not hot, in one method that names its fields in the order of the wire:
// each call writes the field, or reads it. A message to be decoded holds its defaults beforehand, so that what is said
// about values that a version cannot carry never concerns it.
type coder struct {
	w        *Writer // one of the two
	r        *Reader
	flexible bool
}

// has refuses a version that the message does not have.
func (c *coder) has(message string, version, least, greatest int16) bool {
	if least <= version && version <= greatest {
		return true
	}
	if c.w != nil {
		c.w.badVersion(message, version)
	} else {
		c.r.badVersion(message, version)
	}
	return false
}

// failed tells whether decoding has; a writer goes on to its end.
func (c *coder) failed() bool { return c.r != nil && c.r.err != nil }

func (c *coder) absent(field string, version int16) {
	if c.w != nil {
		c.w.absent(field, version)
	}
}

func (c *coder) bool(p *bool, field string) {
	if c.w != nil {
		c.w.Bool(*p)
	} else {
		*p = c.r.Bool(field)
	}
}

func (c *coder) int8(p *int8, field string) {
	if c.w != nil {
		c.w.Int8(*p)
	} else {
		*p = c.r.Int8(field)
	}
}

func (c *coder) int16(p *int16, field string) {
	if c.w != nil {
		c.w.Int16(*p)
	} else {
		*p = c.r.Int16(field)
	}
}

func (c *coder) uint16(p *uint16, field string) {
	if c.w != nil {
		c.w.Uint16(*p)
	} else {
		*p = c.r.Uint16(field)
	}
}

func (c *coder) error(p *Error, field string) {
	if c.w != nil {
		c.w.Error(*p)
	} else {
		*p = c.r.Error(field)
	}
}

func (c *coder) int32(p *int32, field string) {
	if c.w != nil {
		c.w.Int32(*p)
	} else {
		*p = c.r.Int32(field)
	}
}

func (c *coder) uint32(p *uint32, field string) {
	if c.w != nil {
		c.w.Uint32(*p)
	} else {
		*p = c.r.Uint32(field)
	}
}

func (c *coder) int64(p *int64, field string) {
	if c.w != nil {
		c.w.Int64(*p)
	} else {
		*p = c.r.Int64(field)
	}
}

func (c *coder) float64(p *float64, field string) {
	if c.w != nil {
		c.w.Float64(*p)
	} else {
		*p = c.r.Float64(field)
	}
}

func (c *coder) uuid(p *UUID, field string) {
	if c.w != nil {
		c.w.UUID(*p)
	} else {
		*p = c.r.UUID(field)
	}
}

func (c *coder) string(p *string, field string) { c.text(p, c.flexible, field) }

// oldString keeps the length of versions that are not flexible.
func (c *coder) oldString(p *string, field string) { c.text(p, false, field) }

func (c *coder) text(p *string, flexible bool, field string) {
	if c.w != nil {
		c.w.String(flexible, *p, field)
	} else {
		*p = c.r.String(flexible, field)
	}
}

func (c *coder) nullString(p *NullString, inflexible, nullable bool, field string) {
	flexible := c.flexible && !inflexible
	if c.w != nil {
		c.w.NullString(flexible, nullable, *p, field)
	} else {
		*p = c.r.NullString(flexible, nullable, field)
	}
}

func (c *coder) bytes(p *[]byte, nullable bool, field string) {
	if c.w != nil {
		c.w.BytesField(c.flexible, nullable, *p)
	} else {
		*p = c.r.Bytes(c.flexible, nullable, field)
	}
}

func (c *coder) records(p *Records, nullable bool, field string) {
	if c.w != nil {
		c.w.Records(c.flexible, nullable, *p)
	} else {
		*p = c.r.Records(c.flexible, nullable, field)
	}
}

// present is about a struct that may be null: whether it is there, or is to be read into a new one of size bytes.
func (c *coder) present(present bool, size int, field string) bool {
	if c.w != nil {
		return c.w.Present(present)
	}
	return c.r.Present(size, field)
}

// What array and nullArray return beside the number of elements to make room for.
const (
	nothing = -1 // to be made: the array is being written, or what was read is empty where it cannot be null
	gotNull = -2 // null was read
)

// array writes the number of an array's elements, or reads how many to make room for. See [Reader.ArrayLen].
func (c *coder) array(n, least, size int, field string) int {
	if c.w != nil {
		c.w.Length(c.flexible, n)
		return nothing
	}
	return c.r.ArrayLen(c.flexible, false, least, size, field)
}

// nullArray does the same for one that may be null where nullable says so.
func (c *coder) nullArray(n int, isNull, nullable bool, least, size int, field string) int {
	if c.w != nil {
		c.w.ArrayLen(c.flexible, nullable, isNull, n, field)
		return nothing
	}
	if n = c.r.ArrayLen(c.flexible, nullable, least, size, field); n < 0 {
		return gotNull
	}
	return n
}

// noTags ends a struct that knows no tagged field.
func (c *coder) noTags(name string) {
	switch {
	case !c.flexible:
	case c.w != nil:
		c.w.Uvarint(0)
	default:
		c.r.skipTags(name)
	}
}

// tagCoder goes through the tagged fields of a struct: those to be sent, or those that came.
type tagCoder struct {
	tag  uint32
	name string

	sent  uint64 // to be written, by tag
	start int    // of the field being written; 0: none

	left  int    // to be read
	seen  uint64 // of those read, by tag
	outer tagOuter
	open  bool // a field is being read
}

func (c *coder) tags(sent uint64, name string) tagCoder {
	t := tagCoder{sent: sent, name: name}
	if c.w != nil {
		c.w.Uvarint(uint32(bits.OnesCount64(sent)))
	} else {
		t.left = c.r.tags(name)
	}
	return t
}

// next goes to the next field, in the order of the tags when writing.
func (t *tagCoder) next(c *coder) bool {
	if c.w == nil {
		return t.nextRead(c.r)
	}
	if t.start > 0 {
		c.w.endTag(t.start)
	}
	if t.sent == 0 {
		return false
	}
	t.tag = uint32(bits.TrailingZeros64(t.sent))
	t.sent &= t.sent - 1
	t.start = c.w.beginTag(t.tag)
	return true
}

func (t *tagCoder) nextRead(r *Reader) bool {
	if t.open {
		r.leaveTag(t.outer, t.name)
	}
	if t.left == 0 || r.err != nil {
		return false
	}
	t.left--
	t.tag, t.outer = r.enterTag(t.name)
	t.open = true
	// A field that came twice would be read into what the first left behind.
	if t.tag < 64 {
		if t.seen&(1<<t.tag) != 0 {
			r.fail(t.name, fmt.Sprintf("tag %d comes twice", t.tag))
		}
		t.seen |= 1 << t.tag
	}
	return r.err == nil
}

// skip passes over a field that nobody here knows.
func (t *tagCoder) skip(c *coder) {
	if c.w == nil {
		c.r.skipTag(t.outer)
		t.open = false
	}
}
