package protocol

import (
	"fmt"
	"math"
)

// This file reads what has a length: strings, bytes, arrays, tagged fields. Each has two forms: in flexible versions
// the length plus one is an unsigned varint, and 0 is null; before them it is an int16 (strings) or an int32, and -1 is
// null.

// null is the length of what is null.
const null = -1

// stringLen reads a string's length, or null.
func (r *Reader) stringLen(flexible bool, field string) int {
	if flexible {
		n := int(r.Uvarint(field)) - 1
		if n > math.MaxInt16 {
			r.fail(field, fmt.Sprintf("string of %d bytes", n))
			return null
		}
		return n
	}
	return int(r.Int16(field))
}

// length reads the length of bytes, records or an array, or null.
func (r *Reader) length(flexible bool, field string) int {
	if flexible {
		return int(r.Uvarint(field)) - 1
	}
	return int(r.Int32(field))
}

// present checks a length that must not be null.
func (r *Reader) present(n int, field string) bool {
	if n >= 0 {
		return true
	}
	r.negative(n, field)
	return false
}

func (r *Reader) negative(n int, field string) {
	if n == null {
		r.fail(field, "null, but this version has no null here")
	} else {
		r.fail(field, fmt.Sprintf("negative length %d", n))
	}
}

// some tells a value from null.
func (r *Reader) some(n int, field string) bool {
	if n < null {
		r.negative(n, field)
	}
	return n >= 0
}

// leastString is the least encoded size of a string.
func leastString(flexible bool) int {
	if flexible {
		return 1
	}
	return 2
}

// String reads a string that is not null.
func (r *Reader) String(flexible bool, field string) string {
	n := r.stringLen(flexible, field)
	if r.err != nil || !r.present(n, field) {
		return ""
	}
	return r.text(n, field)
}

// NullString reads a string that may be null where nullable says so.
func (r *Reader) NullString(flexible, nullable bool, field string) NullString {
	n := r.stringLen(flexible, field)
	if r.err != nil {
		return NullString{}
	}
	if nullable && !r.some(n, field) || !nullable && !r.present(n, field) {
		return NullString{}
	}
	return NullString{Value: r.text(n, field), Valid: true}
}

func (r *Reader) text(n int, field string) string {
	b := r.take(n, field)
	if len(b) == 0 || !r.charge(n, field) {
		return ""
	}
	if r.names != nil {
		return r.names.find(b)
	}
	return string(b)
}

// again returns an array of n elements of any content, in the memory of s if it has room.
func again[T any](s []T, n int) []T {
	if n <= cap(s) {
		return s[:n]
	}
	return make([]T, n)
}

// Bytes reads bytes that may be null where nullable says so. They alias the input.
func (r *Reader) Bytes(flexible, nullable bool, field string) []byte {
	n := r.length(flexible, field)
	if r.err != nil {
		return nil
	}
	if nullable && !r.some(n, field) || !nullable && !r.present(n, field) {
		return nil
	}
	return r.take(n, field)
}

// Records reads a records field; it aliases the input.
func (r *Reader) Records(flexible, nullable bool, field string) Records {
	return Records{Bytes: r.Bytes(flexible, nullable, field)}
}

// ArrayLen reads the number of elements of an array, or -1 for null. It has checked that so many elements of at least
// least encoded bytes can follow, and has charged size bytes of memory for each.
func (r *Reader) ArrayLen(flexible, nullable bool, least, size int, field string) int {
	n := r.length(flexible, field)
	if r.err != nil {
		return null
	}
	if nullable && !r.some(n, field) || !nullable && !r.present(n, field) {
		return null
	}
	if n > len(r.b)/least {
		r.fail(field, fmt.Sprintf("%d elements of at least %d bytes, %d bytes are left", n, least, len(r.b)))
		return null
	}
	if r.most > 0 {
		if n >= r.most {
			r.fail(field, fmt.Sprintf("%d elements, %d more are answered in one request", n, r.most-1))
			return null
		}
		r.most -= n
	}
	if !r.charge(n*size, field) {
		return null
	}
	return n
}

// tags reads the number of tagged fields of a struct. Each takes two bytes at least.
func (r *Reader) tags(name string) int {
	if len(r.b) > 0 && r.b[0] == 0 {
		r.b = r.b[1:]
		return 0
	}
	n := int(r.Uvarint(name))
	if n > len(r.b)/2 {
		r.fail(name, fmt.Sprintf("%d tagged fields, %d bytes are left", n, len(r.b)))
		return 0
	}
	return n
}

// skipTags reads the tagged fields of a struct that knows none.
func (r *Reader) skipTags(name string) {
	for n := r.tags(name); n > 0 && r.err == nil; n-- {
		_, outer := r.enterTag(name)
		r.skipTag(outer)
	}
}

// tagOuter is what surrounds a tagged field, while that is being read.
type tagOuter struct {
	b   []byte
	end int
}

// enterTag reads a tag and its size, and narrows the reader to the field's bytes.
func (r *Reader) enterTag(name string) (tag uint32, outer tagOuter) {
	tag = r.Uvarint(name)
	size := int(r.Uvarint(name))
	if size > len(r.b) {
		r.short(name, size)
		return tag, tagOuter{}
	}
	outer = tagOuter{b: r.b[size:], end: r.end}
	r.end -= len(r.b) - size
	r.b = r.b[:size:size]
	return tag, outer
}

// leaveTag goes back to what follows the tagged field, all of which must have been read.
func (r *Reader) leaveTag(outer tagOuter, field string) {
	if r.err != nil {
		return
	}
	if len(r.b) > 0 {
		r.fail(field, fmt.Sprintf("%d bytes too many in the tagged field", len(r.b)))
		return
	}
	r.b, r.end = outer.b, outer.end
}

// skipTag goes back to what follows a tagged field that nobody here knows.
func (r *Reader) skipTag(outer tagOuter) {
	if r.err == nil {
		r.b, r.end = outer.b, outer.end
	}
}

// badVersion refuses a version that the message does not have.
func (r *Reader) badVersion(message string, version int16) {
	r.fail(message, fmt.Sprintf("there is no version %d", version))
}

// Present reads whether a struct that may be null is there, and charges size bytes of memory for it if it is.
func (r *Reader) Present(size int, field string) bool {
	n := r.Int8(field)
	if r.err != nil || n < 0 {
		return false
	}
	return r.charge(size, field)
}
