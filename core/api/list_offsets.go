package api

import (
	"errors"

	"barnabas/core/protocol"
	"barnabas/core/record"
	"barnabas/core/replica"
	"barnabas/core/storage"
	"barnabas/core/task"
	"barnabas/core/wire"
)

// The timestamps with a meaning of their own.
const (
	timestampLatest               = -1
	timestampEarliest             = -2
	timestampMax                  = -3 // KIP-734
	timestampEarliestLocal        = -4 // KIP-405
	timestampLatestTiered         = -5 // KIP-1005
	timestampEarliestPendingTiers = -6 // KIP-1023
)

// listOffsets finds offsets by time: the ends, or the first record at or after a timestamp.
//
// Key 2, versions 1–11 (flexible from 6).
//
//   - Latest is what consumers may see. A new leader whose high watermark has not reached its epoch's start does not know
//     it yet and says OFFSET_NOT_AVAILABLE (LEADER_NOT_AVAILABLE before version 5).
//   - Inside a compressed batch the answer is the batch's first offset, which is never too late (Kafka opens the batch).
func (h *Handlers) listOffsets(r *wire.Request, m *protocol.ListOffsetsRequest) {
	l := &listOffsets{handlers: h, request: r}
	l.response.Topics = make([]protocol.ListOffsetsTopicResponse, len(m.Topics))
	l.left = 1
	for i := range m.Topics {
		topic := &m.Topics[i]
		answer := &l.response.Topics[i]
		answer.Name = topic.Name
		answer.Partitions = make([]protocol.ListOffsetsPartitionResponse, len(topic.Partitions))
		for k := range topic.Partitions {
			row := &answer.Partitions[k]
			row.Default()
			row.PartitionIndex, row.Offset, row.Timestamp, row.LeaderEpoch = topic.Partitions[k].PartitionIndex, -1, -1, -1
			l.partition(topic.Name, &topic.Partitions[k], row)
		}
	}
	l.finish()
}

// listOffsets is one request until it is answered; left counts the rows that wait for a read, and the handler itself.
type listOffsets struct {
	handlers *Handlers
	request  *wire.Request
	response protocol.ListOffsetsResponse
	left     int
}

func (l *listOffsets) finish() {
	if l.left--; l.left > 0 {
		return
	}
	if l.request.Header.RequestApiVersion < 4 { // the epoch came with version 4
		for i := range l.response.Topics {
			for k := range l.response.Topics[i].Partitions {
				l.response.Topics[i].Partitions[k].LeaderEpoch = -1
			}
		}
	}
	l.request.Answer(&l.response, nil)
}

func (l *listOffsets) partition(topic string, asked *protocol.ListOffsetsPartition, row *protocol.ListOffsetsPartitionResponse) {
	p, err := l.handlers.find(topic, protocol.UUID{}, asked.PartitionIndex)
	if err == nil {
		err = p.CheckLeader(asked.CurrentLeaderEpoch)
	}
	if err != nil {
		row.ErrorCode, _ = codeOf(err)
		return
	}
	visible := p.VisibleEnd()
	_, leaderEpoch := p.Leader()
	switch asked.Timestamp {
	case timestampLatest:
		if visible < p.EpochStart() {
			row.ErrorCode = protocol.ErrOffsetNotAvailable
			if l.request.Header.RequestApiVersion < 5 {
				row.ErrorCode = protocol.ErrLeaderNotAvailable
			}
			return
		}
		row.Offset, row.LeaderEpoch = int64(visible), int32(leaderEpoch)
	case timestampEarliest, timestampEarliestLocal:
		row.Offset = int64(p.Log.Start())
		row.LeaderEpoch = epochAt(p, p.Log.Start(), leaderEpoch)
	case timestampLatestTiered, timestampEarliestPendingTiers: // nothing is tiered
	case timestampMax:
		l.locate(p, p.Log.FindMaxTimestamp(visible), row, true, 0)
	default:
		l.left++
		p.Log.FindTimestamp(asked.Timestamp, visible).Then(func(at storage.Located, err error) {
			if err != nil {
				row.ErrorCode = protocol.ErrKafkaStorageError
			} else {
				l.locate(p, at, row, false, asked.Timestamp)
			}
			l.finish()
		})
	}
}

// epochAt returns the epoch of the record at the offset, or the leader's when there is none.
func epochAt(p *replica.Partition, offset record.Offset, leader record.LeaderEpoch) int32 {
	if e := p.Log.Epochs().At(offset); e >= 0 {
		return int32(e)
	}
	return int32(leader)
}

// locate finds the record within the batch.
func (l *listOffsets) locate(p *replica.Partition, at storage.Located, row *protocol.ListOffsetsPartitionResponse,
	greatest bool, timestamp int64,
) {
	if !at.Found {
		return
	}
	slice := &storage.Slice{}
	err := p.Log.Read(slice, max(at.Base, p.Log.Start()), at.End, 0, true)
	switch {
	case errors.Is(err, storage.ErrNotInMemory):
		l.left++
		p.Log.Load(at.Base).Then(func(_ task.Done, err error) {
			if err != nil {
				row.ErrorCode = protocol.ErrKafkaStorageError
			} else {
				l.locate(p, at, row, greatest, timestamp)
			}
			l.finish()
		})
	case err != nil:
		row.ErrorCode, _ = codeOf(err)
	default:
		row.Offset, row.Timestamp = search(slice.Parts[0], at, greatest, timestamp)
		row.LeaderEpoch = int32(at.Epoch)
		slice.Release()
	}
}

// search walks an uncompressed batch for the first record at or after the timestamp, or for the first with the greatest.
func search(batch []byte, at storage.Located, greatest bool, timestamp int64) (offset, found int64) {
	h, err := record.ParseHeader(batch)
	if greatest {
		timestamp = at.MaxTimestamp
	}
	offset, found = int64(h.BaseOffset), at.MaxTimestamp
	if err != nil || h.Attributes.Codec() != 0 || h.Attributes.IsLogAppendTime() {
		return offset, found
	}
	stop := errors.New("found")
	_ = record.Walk(batch[record.HeaderBytes:h.Length], h.Count, func(r *record.Record) error {
		if h.BaseTimestamp+r.TimestampDelta < timestamp {
			return nil
		}
		offset, found = int64(h.BaseOffset)+int64(r.OffsetDelta), h.BaseTimestamp+r.TimestampDelta
		return stop
	})
	return offset, found
}
