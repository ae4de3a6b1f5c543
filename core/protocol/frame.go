package protocol

import (
	"encoding/binary"
	"fmt"
)

// UnsupportedError says that a request's API or version is not in the table. Its header was read as far as it can be:
// of an unknown API, that is up to the correlation id.
type UnsupportedError struct {
	Key, Version int16
	Known        bool // the API, and only the version is not
}

func (e *UnsupportedError) Error() string {
	if e.Known {
		api, _ := APIByKey(e.Key)
		return fmt.Sprintf("%s has no version %d here", api.Name, e.Version)
	}
	return fmt.Sprintf("there is no API of key %d here", e.Key)
}

// DecodeRequestHeader reads the header of a request frame, without the frame's size. If the error is an
// [*UnsupportedError], the header can be answered.
func DecodeRequestHeader(r *Reader) (RequestHeader, error) {
	var h RequestHeader
	if len(r.b) < 8 {
		r.short("RequestHeader", 8)
		return h, r.err
	}
	key := int16(binary.BigEndian.Uint16(r.b))
	version := int16(binary.BigEndian.Uint16(r.b[2:]))
	api, known := APIByKey(key)
	if !known {
		h.RequestApiKey, h.RequestApiVersion = key, version
		h.CorrelationId = int32(binary.BigEndian.Uint32(r.b[4:]))
		return h, &UnsupportedError{Key: key, Version: version}
	}
	h.Decode(r, api.RequestHeaderVersion(version))
	if r.err == nil && !api.Has(version) {
		return h, &UnsupportedError{Key: key, Version: version, Known: true}
	}
	return h, r.err
}

// DecodeRequest reads a request frame, without the frame's size. Bytes left over are an error.
func DecodeRequest(r *Reader) (RequestHeader, Message, error) {
	h, err := DecodeRequestHeader(r)
	if err != nil {
		return h, nil, err
	}
	m := NewRequest(h.RequestApiKey)
	m.Decode(r, h.RequestApiVersion)
	if err := r.Done(); err != nil {
		return h, nil, err
	}
	return h, m, nil
}

// DecodeResponse reads a response frame, without the frame's size, to a request of the key and version.
func DecodeResponse(r *Reader, key, version int16) (correlationID int32, m Message, err error) {
	api, known := APIByKey(key)
	if !known {
		return 0, nil, &UnsupportedError{Key: key, Version: version}
	}
	var h ResponseHeader
	h.Decode(r, api.ResponseHeaderVersion(version))
	m = NewResponse(key)
	m.Decode(r, version)
	if err := r.Done(); err != nil {
		return h.CorrelationId, nil, err
	}
	return h.CorrelationId, m, nil
}

// EncodeRequest appends a request frame to w: its size, its header and m. The header's key is taken from m. After an
// error nothing of the frame is left in w, and w can be written to.
func EncodeRequest(w *Writer, h RequestHeader, m Message) error {
	h.RequestApiKey = m.APIKey()
	api, known := APIByKey(h.RequestApiKey)
	if !known {
		return &UnsupportedError{Key: h.RequestApiKey, Version: h.RequestApiVersion}
	}
	start := w.beginFrame()
	h.Encode(w, api.RequestHeaderVersion(h.RequestApiVersion))
	m.Encode(w, h.RequestApiVersion)
	return w.endFrame(start)
}

// EncodeResponse appends a response frame to w: its size, its header and m. After an error nothing of the frame is left
// in w, and w can be written to.
func EncodeResponse(w *Writer, version int16, correlationID int32, m Message) error {
	api, known := APIByKey(m.APIKey())
	if !known {
		return &UnsupportedError{Key: m.APIKey(), Version: version}
	}
	start := w.beginFrame()
	h := ResponseHeader{CorrelationId: correlationID}
	h.Encode(w, api.ResponseHeaderVersion(version))
	m.Encode(w, version)
	return w.endFrame(start)
}

// frameStart is where a frame begins in a Writer.
type frameStart struct{ buf, refs, extern int }

func (w *Writer) beginFrame() frameStart {
	start := frameStart{len(w.buf), len(w.refs), w.extern}
	w.Int32(0)
	return start
}

func (w *Writer) endFrame(start frameStart) error {
	if err := w.err; err != nil {
		clear(w.refs[start.refs:])
		w.buf, w.refs, w.extern, w.err = w.buf[:start.buf], w.refs[:start.refs], start.extern, nil
		return err
	}
	size := len(w.buf) - start.buf - 4 + w.extern - start.extern
	binary.BigEndian.PutUint32(w.buf[start.buf:], uint32(size))
	return nil
}
