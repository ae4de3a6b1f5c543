package record

import "encoding/binary"

// Builder writes one uncompressed batch, record by record.
type Builder struct {
	buf       []byte
	start     int
	count     int32
	base, max int64
}

// NewBuilder appends a batch to dst. Producer fields say "none" until SetProducer.
func NewBuilder(dst []byte, attributes Attributes, epoch LeaderEpoch) *Builder {
	b := &Builder{buf: dst, start: len(dst)}
	b.buf = append(b.buf, make([]byte, HeaderBytes)...)
	h := b.buf[b.start:]
	binary.BigEndian.PutUint32(h[12:], uint32(epoch))
	h[16] = 2
	binary.BigEndian.PutUint16(h[21:], uint16(attributes))
	b.SetProducer(NoProducer, -1, -1)
	return b
}

// SetProducer names the idempotent producer of the batch.
func (b *Builder) SetProducer(id int64, epoch int16, sequence int32) {
	h := b.buf[b.start:]
	binary.BigEndian.PutUint64(h[43:], uint64(id))
	binary.BigEndian.PutUint16(h[51:], uint16(epoch))
	binary.BigEndian.PutUint32(h[53:], uint32(sequence))
}

// Append adds a record with the timestamp in milliseconds. A nil key or value is null.
func (b *Builder) Append(timestamp int64, key, value []byte) {
	if b.count == 0 {
		b.base, b.max = timestamp, timestamp
	}
	b.max = max(b.max, timestamp)
	var deltas [2 * binary.MaxVarintLen64]byte
	d := binary.AppendVarint(deltas[:0], timestamp-b.base)
	d = binary.AppendVarint(d, int64(b.count))
	length := 1 + len(d) + bytesSize(key) + bytesSize(value) + 1
	b.buf = binary.AppendVarint(b.buf, int64(length))
	b.buf = append(b.buf, 0)
	b.buf = append(b.buf, d...)
	b.buf = appendBytes(b.buf, key)
	b.buf = appendBytes(b.buf, value)
	b.buf = append(b.buf, 0) // no headers
	b.count++
}

// Finish sets the header and returns dst with the batch appended. Requires: at least one record.
func (b *Builder) Finish(base Offset) []byte {
	h := b.buf[b.start:]
	binary.BigEndian.PutUint64(h, uint64(base))
	binary.BigEndian.PutUint32(h[8:], uint32(len(h)-lengthBefore))
	binary.BigEndian.PutUint32(h[23:], uint32(b.count-1))
	binary.BigEndian.PutUint64(h[27:], uint64(b.base))
	binary.BigEndian.PutUint64(h[35:], uint64(b.max))
	binary.BigEndian.PutUint32(h[57:], uint32(b.count))
	binary.BigEndian.PutUint32(h[17:], Checksum(h[21:]))
	return b.buf
}

func bytesSize(p []byte) int {
	var v [binary.MaxVarintLen64]byte
	if p == nil {
		return 1
	}
	return len(binary.AppendVarint(v[:0], int64(len(p)))) + len(p)
}

func appendBytes(dst, p []byte) []byte {
	if p == nil {
		return binary.AppendVarint(dst, -1)
	}
	return append(binary.AppendVarint(dst, int64(len(p))), p...)
}
