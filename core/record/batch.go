// Package record reads and writes record batches, the unit Kafka stores and sends.
//
// A batch (magic 2) is a header of 61 bytes and the records, compressed as one block if the attributes say so:
//
//	 0 base offset        int64   set by the leader, outside the CRC
//	 8 batch length       int32   bytes after this field
//	12 leader epoch       int32   set by the leader, outside the CRC
//	16 magic              int8    2
//	17 CRC-32C            uint32  from the attributes to the end
//	21 attributes         int16   bits 0–2 codec, 3 log append time, 4 transactional, 5 control, 6 delete horizon
//	23 last offset delta  int32
//	27 base timestamp     int64
//	35 max timestamp      int64
//	43 producer id        int64   −1: none
//	51 producer epoch     int16
//	53 base sequence      int32   wraps from 2^31−1 to 0
//	57 records count      int32
//	61 records
//
// Batches stay opaque: what a producer sent is stored, replicated and served byte for byte, but for the two fields
// outside the CRC. All bytes here may come from a peer or a disk: what is wrong with them is an error.
package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// Offset is a position in a partition's log. End… and high watermarks are exclusive, Last… is inclusive.
type Offset int64

// LeaderEpoch numbers the reigns of a partition's leaders.
type LeaderEpoch int32

// HeaderBytes is the size of a batch header.
const HeaderBytes = 61

// lengthBefore is how many bytes stand before those that the batch length counts.
const lengthBefore = 12

// NoProducer is the producer id of a batch that is not idempotent.
const NoProducer int64 = -1

// Attributes are the flags of a batch.
type Attributes int16

// Codec returns the compression codec's number: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.
func (a Attributes) Codec() int { return int(a & 7) }

// IsLogAppendTime says whether the max timestamp was set by the broker.
func (a Attributes) IsLogAppendTime() bool { return a&8 != 0 }

// IsTransactional says whether the batch belongs to a transaction.
func (a Attributes) IsTransactional() bool { return a&16 != 0 }

// IsControl says whether the batch holds a control record.
func (a Attributes) IsControl() bool { return a&32 != 0 }

// ControlBatch is the attribute of a control batch.
const ControlBatch Attributes = 32

// Header is the header of one batch.
type Header struct {
	BaseOffset      Offset
	Length          int // of the whole batch, header and base offset included
	LeaderEpoch     LeaderEpoch
	CRC             uint32
	Attributes      Attributes
	LastOffsetDelta int32
	BaseTimestamp   int64
	MaxTimestamp    int64
	ProducerID      int64
	ProducerEpoch   int16
	BaseSequence    int32
	Count           int32
}

// LastOffset returns the offset of the last record.
func (h *Header) LastOffset() Offset { return h.BaseOffset + Offset(h.LastOffsetDelta) }

// EndOffset returns the offset after the last record.
func (h *Header) EndOffset() Offset { return h.LastOffset() + 1 }

// LastSequence returns the sequence of the last record; sequences wrap from 2^31−1 to 0.
func (h *Header) LastSequence() int32 { return AddSequence(h.BaseSequence, h.LastOffsetDelta) }

// AddSequence adds to a producer's sequence number, wrapping from 2^31−1 to 0.
func AddSequence(sequence, delta int32) int32 {
	return int32((int64(sequence) + int64(delta)) & 0x7fffffff)
}

// What can be wrong with a batch. The text after the colon says where.
var (
	ErrTruncated = errors.New("record batch is cut off")
	ErrMagic     = errors.New("record batch has a format this broker does not read")
	ErrCRC       = errors.New("record batch fails its CRC-32C")
	ErrInvalid   = errors.New("record batch contradicts itself")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Checksum returns the CRC-32C of p.
func Checksum(p []byte) uint32 { return crc32.Checksum(p, castagnoli) }

// UpdateChecksum returns the checksum of what sum is of and p as if they stood together.
func UpdateChecksum(sum uint32, p []byte) uint32 { return crc32.Update(sum, castagnoli, p) }

// StoredChecksum returns the checksum that the batch brings along, and from where on it covers the batch.
func StoredChecksum(batch []byte) (sum uint32, from int) {
	return binary.BigEndian.Uint32(batch[17:]), 21
}

// ChecksumOf returns the CRC-32C of several parts as if they stood together.
func ChecksumOf(parts ...[]byte) uint32 {
	var sum uint32
	for _, p := range parts {
		sum = UpdateChecksum(sum, p)
	}
	return sum
}

// ParseHeader reads the header of the batch at the start of p and checks that it is plausible and whole, not its CRC.
// Errors: ErrTruncated, ErrMagic, ErrInvalid.
func ParseHeader(p []byte) (Header, error) {
	if len(p) < HeaderBytes {
		return Header{}, fmt.Errorf("%w: %d bytes, a header has %d", ErrTruncated, len(p), HeaderBytes)
	}
	if p[16] != 2 {
		return Header{}, fmt.Errorf("%w: magic %d, want 2", ErrMagic, int8(p[16]))
	}
	h := Header{
		BaseOffset:      Offset(binary.BigEndian.Uint64(p)),
		LeaderEpoch:     LeaderEpoch(binary.BigEndian.Uint32(p[12:])),
		CRC:             binary.BigEndian.Uint32(p[17:]),
		Attributes:      Attributes(binary.BigEndian.Uint16(p[21:])),
		LastOffsetDelta: int32(binary.BigEndian.Uint32(p[23:])),
		BaseTimestamp:   int64(binary.BigEndian.Uint64(p[27:])),
		MaxTimestamp:    int64(binary.BigEndian.Uint64(p[35:])),
		ProducerID:      int64(binary.BigEndian.Uint64(p[43:])),
		ProducerEpoch:   int16(binary.BigEndian.Uint16(p[51:])),
		BaseSequence:    int32(binary.BigEndian.Uint32(p[53:])),
		Count:           int32(binary.BigEndian.Uint32(p[57:])),
	}
	length := int64(int32(binary.BigEndian.Uint32(p[8:]))) + lengthBefore
	if length < HeaderBytes {
		return Header{}, fmt.Errorf("%w: length %d is less than its header", ErrInvalid, length)
	}
	if length > int64(len(p)) {
		return Header{}, fmt.Errorf("%w: length %d, %d bytes are there", ErrTruncated, length, len(p))
	}
	h.Length = int(length)
	if h.LastOffsetDelta < 0 || h.Count < 0 || h.BaseOffset < 0 && h.BaseOffset != -1 {
		return Header{}, fmt.Errorf("%w: base offset %d, last offset delta %d, %d records",
			ErrInvalid, h.BaseOffset, h.LastOffsetDelta, h.Count)
	}
	return h, nil
}

// Check parses the batch at the start of p and checks its CRC.
func Check(p []byte) (Header, error) {
	h, err := ParseHeader(p)
	if err != nil {
		return h, err
	}
	if got := Checksum(p[21:h.Length]); got != h.CRC {
		return h, fmt.Errorf("%w: stored %08x, computed %08x", ErrCRC, h.CRC, got)
	}
	return h, nil
}

// Patch sets the two fields that the leader decides, both outside the CRC.
func Patch(batch []byte, base Offset, epoch LeaderEpoch) {
	binary.BigEndian.PutUint64(batch, uint64(base))
	binary.BigEndian.PutUint32(batch[12:], uint32(epoch))
}
