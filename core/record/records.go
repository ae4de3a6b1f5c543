package record

import (
	"encoding/binary"
	"fmt"
)

// Record is one record of a batch. Its bytes point into the batch.
type Record struct {
	OffsetDelta    int32
	TimestampDelta int64
	Key, Value     []byte // nil: null
	Headers        []RecordHeader
}

// RecordHeader is one header of a record. Value is nil when null.
type RecordHeader struct {
	Key   string
	Value []byte
}

// recordBytesMin is the least a record takes: length, attributes, two deltas, two lengths, header count.
const recordBytesMin = 7

// Walk calls visit for every record of an uncompressed batch's records (what follows the header). The Record is reused.
// It checks that there are exactly count records, each whole. Errors: ErrInvalid.
func Walk(records []byte, count int32, visit func(*Record) error) error {
	var r Record
	for i := range count {
		rest, err := next(records, &r)
		if err != nil {
			return fmt.Errorf("record %d of %d: %w", i, count, err)
		}
		records = rest
		if visit != nil {
			if err := visit(&r); err != nil {
				return err
			}
		}
	}
	if len(records) != 0 {
		return fmt.Errorf("%w: %d bytes follow the last record", ErrInvalid, len(records))
	}
	return nil
}

func next(p []byte, r *Record) (rest []byte, err error) {
	length, n := binary.Varint(p)
	if n <= 0 || length < recordBytesMin-1 || length > int64(len(p)-n) {
		return nil, fmt.Errorf("%w: record length %d with %d bytes left", ErrInvalid, length, len(p))
	}
	c := cursor{p: p[n+1 : n+int(length)]} // the attributes byte is unused
	rest = p[n+int(length):]
	r.TimestampDelta = c.varint()
	r.OffsetDelta = c.varint32()
	r.Key = c.bytes()
	r.Value = c.bytes()
	r.Headers = r.Headers[:0]
	headers := c.varint()
	if headers < 0 || headers > int64(len(c.p)) {
		return nil, fmt.Errorf("%w: %d record headers in %d bytes", ErrInvalid, headers, len(c.p))
	}
	for range headers {
		key := c.bytes()
		c.bad = c.bad || key == nil // only a value may be null
		r.Headers = append(r.Headers, RecordHeader{Key: string(key), Value: c.bytes()})
	}
	if c.bad || len(c.p) != 0 {
		return nil, fmt.Errorf("%w: record fields do not fill its length", ErrInvalid)
	}
	return rest, nil
}

// cursor reads the fields of one record; bad is sticky.
type cursor struct {
	p   []byte
	bad bool
}

func (c *cursor) varint() int64 {
	v, n := binary.Varint(c.p)
	if n <= 0 {
		c.bad, c.p = true, nil
		return 0
	}
	c.p = c.p[n:]
	return v
}

// varint32 reads what must fit into 32 bits, as every client reads it.
func (c *cursor) varint32() int32 {
	v := c.varint()
	c.bad = c.bad || v != int64(int32(v))
	return int32(v)
}

func (c *cursor) bytes() []byte {
	length := c.varint()
	if length == -1 {
		return nil
	}
	if c.bad || length < 0 || length > int64(len(c.p)) {
		c.bad, c.p = true, nil
		return nil
	}
	b := c.p[:length:length]
	c.p = c.p[length:]
	return b
}
