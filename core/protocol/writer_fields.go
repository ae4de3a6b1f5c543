package protocol

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Length appends the length of bytes, records or an array; null (-1) is null.
func (w *Writer) Length(flexible bool, n int) {
	if flexible {
		w.buf = binary.AppendUvarint(w.buf, uint64(n+1))
		return
	}
	w.Int32(int32(n))
}

// String appends a string, which must be shorter than 32 KiB, as Kafka's are.
func (w *Writer) String(flexible bool, s string, field string) {
	if len(s) > math.MaxInt16 {
		w.fail(field, fmt.Sprintf("string of %d bytes", len(s)))
		s = ""
	}
	if flexible {
		w.buf = binary.AppendUvarint(w.buf, uint64(len(s)+1))
	} else {
		w.Int16(int16(len(s)))
	}
	w.buf = append(w.buf, s...)
}

// NullString appends a string or null.
func (w *Writer) NullString(flexible, nullable bool, s NullString, field string) {
	switch {
	case s.Valid:
		w.String(flexible, s.Value, field)
	case !nullable:
		w.null(field)
	case flexible:
		w.buf = append(w.buf, 0)
	default:
		w.Int16(null)
	}
}

// null reports a null where the version has none.
func (w *Writer) null(field string) { w.fail(field, "null, but the version has no null here") }

// BytesField appends a bytes field; nil is null where nullable says so, and empty elsewhere.
func (w *Writer) BytesField(flexible, nullable bool, b []byte) {
	if b == nil && nullable {
		w.Length(flexible, null)
		return
	}
	w.Length(flexible, len(b))
	w.buf = append(w.buf, b...)
}

// Records appends a records field: its Bytes are copied, its Parts referenced.
func (w *Writer) Records(flexible, nullable bool, r Records) {
	if r.Null() && nullable {
		w.Length(flexible, null)
		return
	}
	w.Length(flexible, r.Len())
	w.buf = append(w.buf, r.Bytes...)
	for _, part := range r.Parts {
		if len(part) > 0 {
			w.refs = append(w.refs, reference{at: len(w.buf), part: part})
			w.extern += len(part)
		}
	}
}

// ArrayLen appends the number of elements that follow; isNull is for a nil slice.
func (w *Writer) ArrayLen(flexible, nullable, isNull bool, n int, field string) {
	if isNull {
		if nullable {
			n = null
		} else {
			w.null(field)
		}
	}
	w.Length(flexible, n)
}

// beginTag appends a tag and room for its size; endTag, given what beginTag returned, fills the size in. Most sizes
// take the one byte that is kept for them; for the others the field is moved.
func (w *Writer) beginTag(tag uint32) int {
	w.Uvarint(tag)
	w.buf = append(w.buf, 0)
	return len(w.buf)
}

func (w *Writer) endTag(start int) {
	size := len(w.buf) - start
	if size < 0x80 {
		w.buf[start-1] = byte(size)
		return
	}
	var prefix [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(prefix[:], uint64(size))
	w.buf = append(w.buf, prefix[:n-1]...)
	copy(w.buf[start-1+n:], w.buf[start:start+size])
	copy(w.buf[start-1:], prefix[:n])
}

// Present writes whether a struct that may be null is there.
func (w *Writer) Present(present bool) bool {
	if present {
		w.Int8(1)
	} else {
		w.Int8(-1)
	}
	return present
}
