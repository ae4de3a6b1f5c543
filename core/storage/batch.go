package storage

import (
	"encoding/binary"

	"barnabas/core/record"
	"barnabas/core/storage/journal"
)

// batch is a row of a log's tail: where a batch stands, and what must be known of it without reading it.
type batch struct {
	base, end     record.Offset
	maxTimestamp  int64
	producerID    int64
	at            journal.Location // in the journal
	position      uint32           // in the segment's file
	bytes         uint32
	epoch         record.LeaderEpoch
	sequence      int32
	producerEpoch int16
	attributes    record.Attributes
	gap           bool // it was damaged before it reached its file, which has zeros in its place
}

func indexed(h *record.Header, at journal.Location) batch {
	return batch{
		base: h.BaseOffset, end: h.EndOffset(), maxTimestamp: h.MaxTimestamp, producerID: h.ProducerID, at: at,
		bytes: uint32(h.Length), epoch: h.LeaderEpoch, sequence: h.BaseSequence, producerEpoch: h.ProducerEpoch,
		attributes: h.Attributes,
	}
}

// producerBytes is what the entry of an idempotent producer's append says of it, in its body: producer id int64, epoch int16,
// first sequence int32, max timestamp int64. Redo takes all that from the batch itself, but where that is damaged: a repeat of
// it must be known all the same, or it would be stored a second time (decision 15).
const producerBytes = 22

func appendProducer(p []byte, h *record.Header) []byte {
	be := binary.BigEndian
	p = be.AppendUint64(p, uint64(h.ProducerID))
	p = be.AppendUint16(p, uint16(h.ProducerEpoch))
	p = be.AppendUint32(p, uint32(h.BaseSequence))
	return be.AppendUint64(p, uint64(h.MaxTimestamp))
}

// readProducer takes over what an entry says of the batch's producer. There is nothing when it had none, or was appended by a
// version that did not write this.
func (b *batch) readProducer(p []byte) {
	if len(p) < producerBytes {
		return
	}
	be := binary.BigEndian
	b.producerID, b.producerEpoch = int64(be.Uint64(p)), int16(be.Uint16(p[8:]))
	b.sequence, b.maxTimestamp = int32(be.Uint32(p[10:])), int64(be.Uint64(p[14:]))
}
