package api

import (
	"math"

	"barnabas/core/protocol"
	"barnabas/core/record"
	"barnabas/core/replica"
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
//     it yet and says OFFSET_NOT_AVAILABLE (LEADER_NOT_AVAILABLE before version 5). So it does when the record that is
//     looked for by its time may be one that consumers have seen, and is above the high watermark as it is known here.
//   - A timestamp with a meaning that the version does not have yet, or that none has, is UNSUPPORTED_VERSION; a partition
//     that is named twice is INVALID_REQUEST.
//   - A compressed batch is opened, apart from the loop, so that the answer is the record's own offset and timestamp.
func (h *Handlers) listOffsets(r *wire.Request, m *protocol.ListOffsetsRequest) {
	l := &listOffsets{handlers: h, request: r, asked: make(repeats)}
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
	asked    repeats
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
	var p *replica.Partition
	err := l.asked.add(topic, asked.PartitionIndex)
	if err == nil {
		p, err = l.handlers.find(topic, protocol.UUID{}, asked.PartitionIndex)
	}
	if err == nil {
		err = p.CheckLeader(asked.CurrentLeaderEpoch)
	}
	if err == nil && asked.Timestamp < 0 && l.request.Header.RequestApiVersion < timestampSince(asked.Timestamp) {
		err = protocol.ErrUnsupportedVersion
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
			l.notAvailable(row)
			return
		}
		row.Offset, row.LeaderEpoch = int64(visible), int32(leaderEpoch)
	case timestampEarliest, timestampEarliestLocal:
		row.Offset = int64(p.Log.Start())
		row.LeaderEpoch = epochAt(p, p.Log.Start(), leaderEpoch)
	case timestampLatestTiered, timestampEarliestPendingTiers: // nothing is tiered
	case timestampMax:
		at := p.Log.FindMaxTimestamp(max(visible, p.EpochStart()))
		if at.Found && at.End > visible {
			l.notAvailable(row)
			return
		}
		l.greatest(p, at, row)
	default:
		l.byTime(p, asked.Timestamp, p.Log.Start(), max(visible, p.EpochStart()), row)
	}
}

// notAvailable says that the answer is not known yet: what was committed before this broker led is not.
func (l *listOffsets) notAvailable(row *protocol.ListOffsetsPartitionResponse) {
	row.ErrorCode = protocol.ErrOffsetNotAvailable
	if l.request.Header.RequestApiVersion < 5 {
		row.ErrorCode = protocol.ErrLeaderNotAvailable
	}
}

// timestampSince is the first version in which a negative timestamp has a meaning.
func timestampSince(timestamp int64) int16 {
	switch timestamp {
	case timestampLatest, timestampEarliest:
		return 1
	case timestampMax:
		return 7
	case timestampEarliestLocal:
		return 8
	case timestampLatestTiered:
		return 9
	case timestampEarliestPendingTiers:
		return 11
	}
	return math.MaxInt16
}

// epochAt returns the epoch of the record at the offset, or the leader's when there is none.
func epochAt(p *replica.Partition, offset record.Offset, leader record.LeaderEpoch) int32 {
	if e := p.Log.Epochs().At(offset); e >= 0 {
		return int32(e)
	}
	return int32(leader)
}
