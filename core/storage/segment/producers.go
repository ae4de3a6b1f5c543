package segment

import (
	"encoding/binary"
	"fmt"

	"barnabas/core/record"
)

// ProducerState is what Kafka keeps of a producer beyond a restart: its last batch, not the four before it.
type ProducerState struct {
	ID               int64
	Epoch            int16
	LastSequence     int32         // −1: no batch is known
	LastOffset       record.Offset // −1: no batch is known
	OffsetDelta      int32         // last minus first offset of the last batch
	Timestamp        int64         // milliseconds: the greatest of the last batch
	CoordinatorEpoch int32         // −1: no transaction of it has ended
	TxnFirstOffset   record.Offset // −1: it has no open transaction
}

const (
	snapshotVersion     = 1
	snapshotHeaderBytes = 10
	snapshotSummedFrom  = 6 // what stands before is version and sum
	producerBytes       = 46
)

// EncodeProducers returns the content of a .snapshot file.
func EncodeProducers(producers []ProducerState) []byte {
	p := make([]byte, snapshotHeaderBytes, snapshotHeaderBytes+len(producers)*producerBytes)
	binary.BigEndian.PutUint16(p, snapshotVersion)
	binary.BigEndian.PutUint32(p[snapshotSummedFrom:], uint32(len(producers)))
	for _, s := range producers {
		p = binary.BigEndian.AppendUint64(p, uint64(s.ID))
		p = binary.BigEndian.AppendUint16(p, uint16(s.Epoch))
		p = binary.BigEndian.AppendUint32(p, uint32(s.LastSequence))
		p = binary.BigEndian.AppendUint64(p, uint64(s.LastOffset))
		p = binary.BigEndian.AppendUint32(p, uint32(s.OffsetDelta))
		p = binary.BigEndian.AppendUint64(p, uint64(s.Timestamp))
		p = binary.BigEndian.AppendUint32(p, uint32(s.CoordinatorEpoch))
		p = binary.BigEndian.AppendUint64(p, uint64(s.TxnFirstOffset))
	}
	binary.BigEndian.PutUint32(p[2:], record.Checksum(p[snapshotSummedFrom:]))
	return p
}

// DecodeProducers reads a .snapshot file. Errors: ErrInvalid, ErrVersion.
func DecodeProducers(p []byte) ([]ProducerState, error) {
	if len(p) < snapshotHeaderBytes {
		return nil, fmt.Errorf("producer snapshot: %w: %d bytes are no header", ErrInvalid, len(p))
	}
	if version := int16(binary.BigEndian.Uint16(p)); version != snapshotVersion {
		return nil, fmt.Errorf("producer snapshot: %w: %d", ErrVersion, version)
	}
	if said, is := binary.BigEndian.Uint32(p[2:]), record.Checksum(p[snapshotSummedFrom:]); said != is {
		return nil, fmt.Errorf("producer snapshot: %w: its CRC-32C is %08x, not %08x as it says", ErrInvalid, is, said)
	}
	count, rest := int32(binary.BigEndian.Uint32(p[snapshotSummedFrom:])), p[snapshotHeaderBytes:]
	if int64(count)*producerBytes != int64(len(rest)) {
		return nil, fmt.Errorf("producer snapshot: %w: %d entries in %d bytes", ErrInvalid, count, len(rest))
	}
	producers := make([]ProducerState, count)
	for i := range producers {
		e := rest[i*producerBytes:]
		producers[i] = ProducerState{
			ID:               int64(binary.BigEndian.Uint64(e)),
			Epoch:            int16(binary.BigEndian.Uint16(e[8:])),
			LastSequence:     int32(binary.BigEndian.Uint32(e[10:])),
			LastOffset:       record.Offset(binary.BigEndian.Uint64(e[14:])),
			OffsetDelta:      int32(binary.BigEndian.Uint32(e[22:])),
			Timestamp:        int64(binary.BigEndian.Uint64(e[26:])),
			CoordinatorEpoch: int32(binary.BigEndian.Uint32(e[34:])),
			TxnFirstOffset:   record.Offset(binary.BigEndian.Uint64(e[38:])),
		}
	}
	return producers, nil
}
