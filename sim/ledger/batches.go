package ledger

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// batchHeaderBytes is the size of a record batch's header; see Kafka's format of version 2, written down here a second
// time on purpose.
const batchHeaderBytes = 61

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(p []byte) uint32 { return crc32.Checksum(p, castagnoli) }

// checkBatch checks the batch at the beginning of p and returns its length.
func checkBatch(p []byte) (length int, err error) {
	if len(p) < batchHeaderBytes {
		return 0, fmt.Errorf("%d bytes are no batch", len(p))
	}
	base := int64(binary.BigEndian.Uint64(p))
	length = int(binary.BigEndian.Uint32(p[8:])) + 12
	if length < batchHeaderBytes || length > len(p) {
		return 0, fmt.Errorf("batch at offset %d of %d bytes in %d", base, length, len(p))
	}
	if p[16] != 2 || checksum(p[21:length]) != binary.BigEndian.Uint32(p[17:]) {
		return 0, fmt.Errorf("batch at offset %d fails its CRC", base)
	}
	return length, nil
}

// checkBatches checks checksums and offsets of batches and returns where they end.
func checkBatches(p []byte, base int64) (int64, error) {
	for len(p) > 0 {
		length, err := checkBatch(p)
		if err != nil {
			return base, err
		}
		if got := int64(binary.BigEndian.Uint64(p)); got != base {
			return base, fmt.Errorf("batch at offset %d, want %d", got, base)
		}
		base += int64(binary.BigEndian.Uint32(p[23:])) + 1
		p = p[length:]
	}
	return base, nil
}

// ReadBatches hands the records of fetched batches to visit. Batches are checked; the last may be cut off, as Kafka allows.
func ReadBatches(p []byte, visit func(offset int64, value []byte)) error {
	for len(p) >= batchHeaderBytes {
		if length := int(binary.BigEndian.Uint32(p[8:])) + 12; length > len(p) {
			return nil
		}
		length, err := checkBatch(p)
		if err != nil {
			return err
		}
		if err := readBatch(p[:length], visit); err != nil {
			return err
		}
		p = p[length:]
	}
	return nil
}

// readBatch hands the records of a checked batch to visit.
func readBatch(p []byte, visit func(offset int64, value []byte)) error {
	base := int64(binary.BigEndian.Uint64(p))
	if err := readRecords(p[batchHeaderBytes:], base, visit); err != nil {
		return fmt.Errorf("batch at offset %d: %w", base, err)
	}
	return nil
}

func readRecords(p []byte, base int64, visit func(offset int64, value []byte)) error {
	for len(p) > 0 {
		length, n := binary.Varint(p)
		if n <= 0 || length <= 0 || int(length) > len(p)-n {
			return fmt.Errorf("record of %d bytes in %d", length, len(p))
		}
		body := p[n+1 : n+int(length)]
		p = p[n+int(length):]
		_, n = binary.Varint(body) // timestamp delta
		body = body[n:]
		delta, n := binary.Varint(body)
		body = body[n:]
		key, n := binary.Varint(body)
		body = body[n+int(max(key, 0)):]
		value, n := binary.Varint(body)
		body = body[n:]
		visit(base+delta, body[:max(value, 0)])
	}
	return nil
}
