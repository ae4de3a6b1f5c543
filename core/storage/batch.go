package storage

import (
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
