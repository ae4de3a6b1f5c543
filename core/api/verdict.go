package api

import (
	"errors"
	"fmt"

	"barnabas/core/compress"
	"barnabas/core/protocol"
	"barnabas/core/record"
	"barnabas/core/replica"
)

// refusal is a verdict that some records earned and the whole batch shares: the client is told which.
type refusal struct {
	error
	records []protocol.ProduceBatchIndexAndErrorMessage
}

func (r *refusal) Unwrap() error { return r.error }

// verdict decides from the facts, in Kafka's order, whether a client's records may enter a topic with these rules. now is
// the broker's time of day. It changes nothing.
func verdict(version int16, m *protocol.ProduceRequest, rules *replica.Rules, f *record.Facts, now int64) error {
	switch {
	case m.Acks != int16(replica.AcksAll) && m.Acks != int16(replica.AcksLeader) && m.Acks != int16(replica.AcksNone):
		return fmt.Errorf("%w: acks=%d, want -1, 0 or 1", protocol.ErrInvalidRequiredAcks, m.Acks)
	case m.TransactionalId.Valid:
		return fmt.Errorf("%w: this version does not serve transactions", protocol.ErrInvalidTxnState)
	case f.Batches > 0 && f.Length > rules.MessageBytesMax: // before the bytes are: they need not have been looked at
		return tooLarge(f.Length, rules)
	case f.Err != nil:
		return unreadable(f.Err)
	case f.Batches != 1:
		return fmt.Errorf("%w: %d record batches for one partition, want exactly one", protocol.ErrInvalidRecord, f.Batches)
	case f.Attributes.Codec() == int(compress.Zstd) && version < 7:
		return fmt.Errorf("%w: zstd needs version 7 of Produce, this is %d", protocol.ErrUnsupportedCompressionType, version)
	case !f.Opened:
		return fmt.Errorf("%w: the records were not looked at", protocol.ErrUnknownServerError)
	}
	if err := checkHeader(f); err != nil {
		return err
	}
	return checkRecords(rules, f, now)
}

func tooLarge(size int, rules *replica.Rules) error {
	return fmt.Errorf("%w: a batch of %d bytes, max.message.bytes is %d", protocol.ErrMessageTooLarge, size, rules.MessageBytesMax)
}

// unreadable finds the code for bytes that are no batch.
func unreadable(err error) error {
	code := protocol.ErrCorruptMessage
	switch {
	case errors.Is(err, record.ErrMagic):
		code = protocol.ErrUnsupportedForMessageFormat
	case errors.Is(err, compress.ErrCodec):
		code = protocol.ErrUnsupportedCompressionType
	case errors.Is(err, compress.ErrTooLarge):
		code = protocol.ErrMessageTooLarge
	case errors.Is(err, record.ErrInvalid), errors.Is(err, compress.ErrCorrupt):
		code = protocol.ErrInvalidRecord // the CRC is good: sent again it would be the same
	}
	return fmt.Errorf("%w: %w", code, err)
}

// checkHeader decides about the batch as a whole.
func checkHeader(f *record.Facts) error {
	switch {
	case f.Attributes.IsControl():
		return fmt.Errorf("%w: clients do not write control batches", protocol.ErrInvalidRecord)
	case f.Attributes.IsTransactional():
		return fmt.Errorf("%w: this version does not serve transactions", protocol.ErrInvalidRecord)
	case f.Attributes.HasDeleteHorizon():
		return fmt.Errorf("%w: clients set no delete horizon", protocol.ErrInvalidRecord)
	case f.Count < 1 || f.Count != f.LastOffsetDelta+1:
		return fmt.Errorf("%w: %d records with last offset delta %d", protocol.ErrInvalidRecord, f.Count, f.LastOffsetDelta)
	case f.ProducerID != record.NoProducer && (f.BaseSequence < 0 || f.ProducerEpoch < 0):
		return fmt.Errorf("%w: producer %d with epoch %d and sequence %d",
			protocol.ErrInvalidRecord, f.ProducerID, f.ProducerEpoch, f.BaseSequence)
	}
	return nil
}

// checkRecords decides about keys and timestamps.
func checkRecords(rules *replica.Rules, f *record.Facts, now int64) error {
	switch {
	case rules.KeyRequired && f.Keyless > 0:
		return keyless(f)
	case rules.LogAppendTime && f.Attributes.IsLogAppendTime():
		return fmt.Errorf("%w: a producer does not set the timestamp type LogAppendTime", protocol.ErrInvalidTimestamp)
	case rules.LogAppendTime || f.MaxSeen == record.NoTimestamp && f.MinTimestamp > now:
		return nil // there is no CreateTime to judge
	case f.MinTimestamp < now && uint64(now-f.MinTimestamp) > uint64(rules.BeforeMax):
		return untimely(f.MinTimestampAt, f.MinTimestamp, now, "before", rules.BeforeMax)
	case f.MaxSeen > now && uint64(f.MaxSeen-now) > uint64(rules.AfterMax):
		return untimely(f.MaxSeenAt, f.MaxSeen, now, "after", rules.AfterMax)
	}
	return nil
}

func keyless(f *record.Facts) error {
	named := f.KeylessFirst[:min(int(f.Keyless), len(f.KeylessFirst))]
	r := &refusal{error: fmt.Errorf("%w: %d of %d records have no key, which a compacted topic needs; the first is record %d",
		protocol.ErrInvalidRecord, f.Keyless, f.Count, named[0])}
	for _, i := range named {
		r.records = append(r.records, protocol.ProduceBatchIndexAndErrorMessage{
			BatchIndex: i, BatchIndexErrorMessage: protocol.String("a record of a compacted topic needs a key"),
		})
	}
	return r
}

func untimely(i int32, timestamp, now int64, side string, bound int64) error {
	text := fmt.Sprintf("timestamp %d is %s the broker's time %d by more than message.timestamp.%s.max.ms=%d",
		timestamp, side, now, side, bound)
	return &refusal{
		error:   fmt.Errorf("%w: record %d: %s", protocol.ErrInvalidTimestamp, i, text),
		records: []protocol.ProduceBatchIndexAndErrorMessage{{BatchIndex: i, BatchIndexErrorMessage: protocol.String(text)}},
	}
}
