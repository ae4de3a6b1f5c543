package metadata

import (
	"errors"
	"fmt"

	"barnabas/core/protocol"
	"barnabas/core/record"
)

// transaction is a metadata transaction that is open (KIP-868): its records count together when it ends, or never. Only Apache
// Kafka writes them, when a cluster begins.
type transaction struct{ records []pending }

type pending struct {
	record protocol.Record
	offset record.Offset
}

// InTransaction says that the log ends in the middle of a metadata transaction. Whoever leads then must abort it, as nobody can
// end it any more.
func (i *Image) InTransaction() bool { return i.open != nil }

// ApplyBatch applies the records of one whole batch of the metadata log. Control batches count for their offsets only.
func (i *Image) ApplyBatch(batch []byte) error {
	h, err := record.ParseHeader(batch)
	if err != nil {
		return err
	}
	if h.BaseOffset != i.End {
		return fmt.Errorf("metadata batch at offset %d does not follow %d", h.BaseOffset, i.End)
	}
	if err = i.applyRecords(batch, &h); err == nil {
		i.End = h.EndOffset()
	}
	return err
}

func (i *Image) applyRecords(batch []byte, h *record.Header) error {
	if h.Attributes.IsControl() {
		return nil
	}
	return record.Walk(batch[record.HeaderBytes:h.Length], h.Count, func(r *record.Record) error {
		m, err := protocol.DecodeRecord(r.Value)
		if err != nil {
			return fmt.Errorf("offset %d: %w", h.BaseOffset+record.Offset(r.OffsetDelta), err)
		}
		return i.take(m, h.BaseOffset+record.Offset(r.OffsetDelta))
	})
}

// take applies a record, or keeps it until its transaction ends.
func (i *Image) take(r protocol.Record, offset record.Offset) error {
	switch r.Message.(type) {
	case *protocol.BeginTransactionRecord:
		if i.open != nil {
			return fmt.Errorf("a metadata transaction begins at offset %d in the middle of another", offset)
		}
		i.open = &transaction{}
		return nil
	case *protocol.EndTransactionRecord:
		if i.open == nil {
			return fmt.Errorf("a metadata transaction ends at offset %d, and none is open", offset)
		}
		records := i.open.records
		i.open = nil
		for _, p := range records {
			if err := i.Apply(p.record, p.offset); err != nil {
				return err
			}
		}
		return nil
	case *protocol.AbortTransactionRecord:
		if i.open == nil {
			return fmt.Errorf("a metadata transaction is aborted at offset %d, and none is open", offset)
		}
		i.open = nil
		return nil
	}
	if i.open != nil {
		i.open.records = append(i.open.records, pending{r, offset})
		return nil
	}
	return i.Apply(r, offset)
}

// Restore makes the image what a snapshot's batches say: the state below end. Requires: the image is new.
// Errors: records that don't fit each other.
func (i *Image) Restore(batches [][]byte, end record.Offset) error {
	if i.End != 0 {
		return errors.New("a snapshot is the first thing an image takes")
	}
	for _, batch := range batches {
		h, err := record.ParseHeader(batch)
		if err != nil {
			return err
		}
		if err := i.applyRecords(batch, &h); err != nil {
			return fmt.Errorf("snapshot: %w", err)
		}
	}
	if i.open != nil {
		return errors.New("snapshot: it ends in the middle of a transaction")
	}
	i.End = end
	return nil
}
