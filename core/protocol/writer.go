package protocol

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Writer encodes messages, appending to a buffer of its own. What is in [Records.Parts] is not copied: the writer
// remembers where it belongs, and [Writer.Pieces] gives the encoded bytes and those parts in order, for writev.
//
// Its error is sticky, and names the first value that the version has no place for.
type Writer struct {
	buf    []byte
	refs   []reference
	extern int // bytes in refs
	err    error
}

// reference is a run of bytes that belongs into the output before buf[at].
type reference struct {
	at   int
	part []byte
}

// EncodeError says which field holds a value that the version cannot carry.
type EncodeError struct {
	Field  string
	Reason string
}

func (e *EncodeError) Error() string { return e.Field + ": " + e.Reason }

// NewWriter returns a writer that appends to buf, which may be nil.
func NewWriter(buf []byte) *Writer { return &Writer{buf: buf} }

// Reset makes w write to buf from now on, and forgets what it wrote. The references it held are let go.
func (w *Writer) Reset(buf []byte) {
	clear(w.refs)
	*w = Writer{buf: buf, refs: w.refs[:0]}
}

// Err returns the first error.
func (w *Writer) Err() error { return w.err }

// Len is the number of bytes written, those in references too.
func (w *Writer) Len() int { return len(w.buf) + w.extern }

// Buffer returns the memory that the writer appends to now, which may have grown: for who uses it again after Reset.
func (w *Writer) Buffer() []byte { return w.buf }

// Bytes returns all that was written, in one slice. It copies only if there are references.
func (w *Writer) Bytes() []byte {
	if len(w.refs) == 0 {
		return w.buf
	}
	out := make([]byte, 0, w.Len())
	for _, piece := range w.Pieces(nil) {
		out = append(out, piece...)
	}
	return out
}

// Pieces appends to dst the slices that, one after the other, are all that was written. They are the writer's buffer
// and the referenced parts themselves: valid until Reset or the next write.
func (w *Writer) Pieces(dst [][]byte) [][]byte {
	from := 0
	for _, ref := range w.refs {
		if ref.at > from {
			dst = append(dst, w.buf[from:ref.at:ref.at])
			from = ref.at
		}
		dst = append(dst, ref.part)
	}
	if len(w.buf) > from {
		dst = append(dst, w.buf[from:])
	}
	return dst
}

func (w *Writer) fail(field, reason string) {
	if w.err == nil {
		w.err = &EncodeError{Field: field, Reason: reason}
	}
}

// absent reports a value in a field that the version does not have.
func (w *Writer) absent(field string, version int16) {
	w.fail(field, fmt.Sprintf("has a value, and version %d lacks the field", version))
}

func (w *Writer) badVersion(message string, version int16) {
	w.fail(message, fmt.Sprintf("there is no version %d", version))
}

// Raw appends bytes as they are.
func (w *Writer) Raw(b []byte) { w.buf = append(w.buf, b...) }

func (w *Writer) Bool(v bool) {
	if v {
		w.buf = append(w.buf, 1)
	} else {
		w.buf = append(w.buf, 0)
	}
}

func (w *Writer) Int8(v int8)     { w.buf = append(w.buf, byte(v)) }
func (w *Writer) Int16(v int16)   { w.Uint16(uint16(v)) }
func (w *Writer) Error(v Error)   { w.Uint16(uint16(v)) }
func (w *Writer) Uint16(v uint16) { w.buf = binary.BigEndian.AppendUint16(w.buf, v) }
func (w *Writer) Int32(v int32)   { w.Uint32(uint32(v)) }
func (w *Writer) Uint32(v uint32) { w.buf = binary.BigEndian.AppendUint32(w.buf, v) }
func (w *Writer) Int64(v int64)   { w.buf = binary.BigEndian.AppendUint64(w.buf, uint64(v)) }
func (w *Writer) UUID(v UUID)     { w.buf = append(w.buf, v[:]...) }

func (w *Writer) Float64(v float64) {
	w.buf = binary.BigEndian.AppendUint64(w.buf, math.Float64bits(v))
}

// Uvarint appends an unsigned varint.
func (w *Writer) Uvarint(v uint32) { w.buf = binary.AppendUvarint(w.buf, uint64(v)) }

// Varint appends a zigzag varint.
func (w *Writer) Varint(v int32) { w.buf = binary.AppendVarint(w.buf, int64(v)) }

// Varlong appends a zigzag varint.
func (w *Writer) Varlong(v int64) { w.buf = binary.AppendVarint(w.buf, v) }
