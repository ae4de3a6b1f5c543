package protocol

import (
	"encoding/base64"
	"fmt"
)

// NullString is a string that may be null, as its zero value is. It costs no allocation, unlike a pointer, and cannot
// be read by mistake when null, unlike one too.
type NullString struct {
	Value string
	Valid bool // false is null
}

// String makes s a NullString that is not null.
func String(s string) NullString { return NullString{Value: s, Valid: true} }

// String returns the string, empty if null.
func (s NullString) String() string { return s.Value }

// empty tells whether nothing is lost when s is not sent.
func (s NullString) empty() bool { return s.Value == "" }

// Records is what a records field holds: record batches, one after the other. Bytes come first, and are what decoding
// gives (aliasing the input); encoding copies them. Parts follow, and are never copied: their bytes may even be filled
// in after encoding, as long as their lengths stay. Both nil is null.
type Records struct {
	Bytes []byte
	Parts [][]byte
}

// Len is the number of bytes.
func (r Records) Len() int {
	n := len(r.Bytes)
	for _, part := range r.Parts {
		n += len(part)
	}
	return n
}

// Null tells null from empty.
func (r Records) Null() bool { return r.Bytes == nil && r.Parts == nil }

// UUID is a universally unique identifier, big-endian as on the wire.
type UUID [16]byte

// MetadataTopicID is the topic id of __cluster_metadata.
func MetadataTopicID() UUID { return UUID{15: 1} }

// IsZero tells whether u is the zero id, which stands for none.
func (u UUID) IsZero() bool { return u == UUID{} }

// String is Kafka's way to write an id: URL-safe base64 without padding, 22 characters.
func (u UUID) String() string { return base64.RawURLEncoding.EncodeToString(u[:]) }

// ParseUUID reads what String writes.
func ParseUUID(s string) (UUID, error) {
	var u UUID
	// Decode is given 24 characters at most, so that it never writes past 18 bytes.
	if len(s) > 24 {
		return UUID{}, fmt.Errorf("%q is not an id of 16 bytes in URL-safe base64", s)
	}
	var b [18]byte
	n, err := base64.RawURLEncoding.Decode(b[:], []byte(s))
	if err != nil || n != len(u) {
		return UUID{}, fmt.Errorf("%q is not an id of 16 bytes in URL-safe base64", s)
	}
	copy(u[:], b[:])
	return u, nil
}
