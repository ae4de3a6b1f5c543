package protocol

import (
	"encoding/binary"
	"fmt"
)

// Record is a metadata record and the version it is, or is to be, encoded at.
type Record struct {
	Message Message
	Version int16
}

// recordFrameVersion is the version of the frame around a metadata record: its id and its version.
const recordFrameVersion = 1

// recordBudget bounds what decoding one metadata or control record may allocate.
const recordBudget = 64 << 20

// AppendRecord appends a metadata record, in its frame, to dst: the value of a record of __cluster_metadata.
func AppendRecord(dst []byte, rec Record) ([]byte, error) {
	w := Writer{buf: dst}
	w.Uvarint(recordFrameVersion)
	w.Uvarint(uint32(rec.Message.APIKey()))
	w.Uvarint(uint32(rec.Version))
	rec.Message.Encode(&w, rec.Version)
	if w.err != nil {
		return dst, w.err
	}
	return w.buf, nil
}

// DecodeRecord reads a metadata record in its frame. A record of an unknown id or version is an error: nothing is
// guessed about metadata.
func DecodeRecord(b []byte) (Record, error) {
	r := NewReader(b, recordBudget)
	if frame := r.Uvarint("record.frameVersion"); frame != recordFrameVersion {
		r.fail("record.frameVersion", fmt.Sprintf("unknown frame version %d", frame))
	}
	id := r.Uvarint("record.id")
	version := r.Uvarint("record.version")
	if r.err != nil {
		return Record{}, r.err
	}
	var m Message
	var least, greatest int16
	if id <= 1<<15-1 {
		m, least, greatest = newRecord(int16(id))
	}
	if m == nil {
		r.fail("record.id", fmt.Sprintf("unknown metadata record %d", id))
		return Record{}, r.err
	}
	if version < uint32(least) || version > uint32(greatest) {
		r.fail("record.version", fmt.Sprintf("metadata record %d has no version %d", id, version))
		return Record{}, r.err
	}
	m.Decode(r, int16(version))
	if err := r.Done(); err != nil {
		return Record{}, err
	}
	return Record{Message: m, Version: int16(version)}, nil
}

// RecordID returns the id of a metadata record in its frame, or -1 when there is none to be read.
func RecordID(b []byte) int32 {
	r := NewReader(b, 0)
	frame, id := r.Uvarint("record.frameVersion"), r.Uvarint("record.id")
	if r.err != nil || frame != recordFrameVersion || id > 1<<15-1 {
		return -1
	}
	return int32(id)
}

// AppendControlKey appends the key of a control record: its own version, 0, and the type.
func AppendControlKey(dst []byte, controlType int16) []byte {
	return binary.BigEndian.AppendUint16(append(dst, 0, 0), uint16(controlType))
}

// ControlType reads the type from a control record's key. Later versions of the key may be longer.
func ControlType(key []byte) (int16, error) {
	r := NewReader(key, 0)
	if version := r.Int16("control.version"); version < 0 {
		r.fail("control.version", fmt.Sprintf("negative version %d", version))
	}
	controlType := r.Int16("control.type")
	return controlType, r.err
}

// AppendControl appends the value of a control record, encoded at version.
func AppendControl(dst []byte, m Message, version int16) ([]byte, error) {
	w := Writer{buf: dst}
	m.Encode(&w, version)
	if w.err != nil {
		return dst, w.err
	}
	return w.buf, nil
}

// DecodeControl reads the value of one of raft's control records, encoded at version.
func DecodeControl(controlType int16, value []byte, version int16) (Message, error) {
	m, _, _ := newControl(controlType)
	r := NewReader(value, recordBudget)
	if m == nil {
		r.fail("control.type", fmt.Sprintf("unknown control record %d", controlType))
		return nil, r.err
	}
	m.Decode(r, version)
	if err := r.Done(); err != nil {
		return nil, err
	}
	return m, nil
}
