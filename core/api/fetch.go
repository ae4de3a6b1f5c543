package api

import (
	"errors"
	"time"

	"barnabas/core/env"
	"barnabas/core/mutant"
	"barnabas/core/protocol"
	"barnabas/core/record"
	"barnabas/core/replica"
	"barnabas/core/storage"
	"barnabas/core/task"
	"barnabas/core/wire"
)

// fetch sends batches to consumers and followers, waiting for enough of them.
//
// Key 1, versions 4–18 (flexible from 12).
//
//   - A consumer sees what is below the high watermark and stable here (rule S4); a follower everything (rule S5).
//   - A follower's fetch offset is its stable end (rule S2); a diverging epoch is answered without records (KIP-595).
//   - From version 18 a follower says which high watermark it knows, and is answered when there is a newer one (KIP-1166).
//   - From version 7 a fetch may belong to a session, and then names only what has changed (KIP-227, see fetchContext). Where
//     there is no room for one, session id 0 says so.
//
// Not here yet: read_committed beyond the high watermark, follower reads (KIP-392).
func (h *Handlers) fetch(r *wire.Request, m *protocol.FetchRequest) {
	f := &fetch{handlers: h, request: r, message: m, replica: m.ReplicaState.ReplicaId}
	if r.Header.RequestApiVersion < 15 {
		f.replica = m.ReplicaId
	}
	var err error
	if f.context, err = h.sessions.enter(m, r.Header.RequestApiVersion, f.isFollower()); err != nil {
		h.env.Probe.Sometimes(env.MarkFetchFailed)
		answer := &protocol.FetchResponse{}
		answer.ErrorCode, _ = codeOf(err)
		r.Answer(answer, nil)
		return
	}
	f.deadline = h.env.Loop.Now().Add(time.Duration(m.MaxWaitMs) * time.Millisecond)
	f.look()
}

// fetch is one request until it is answered.
type fetch struct {
	handlers *Handlers
	request  *wire.Request
	message  *protocol.FetchRequest // with the partitions of its session
	context  *fetchContext
	replica  int32 // of a follower; -1 for a consumer
	deadline task.Instant
	watcher  *replica.Watcher
	timer    *task.Timer
	loading  int // loads on their way: until they are done nothing else makes it look
	broken   []brokenRead
	crowded  bool // it waits until clients have read more of their answers

	response protocol.FetchResponse
	slices   []*storage.Slice
	bytes    int
	urgent   bool // there is something to say besides records
	cold     []coldRead
}

// brokenRead is a load that failed.
type brokenRead struct {
	partition *replica.Partition
	err       error
}

// coldReadsMax is how many partitions are loaded at once for one request.
const coldReadsMax = 16

// coldRead is the first batch of a partition that is not in memory.
type coldRead struct {
	partition *replica.Partition
	offset    record.Offset
}

// look reads what there is and answers if that is enough; else it parks until something moves, or loads what is cold.
func (f *fetch) look() {
	if f.loading > 0 || f.request.Answered() {
		return
	}
	if f.request.Closed() {
		f.handlers.env.Probe.Sometimes(env.MarkFetchAbandoned)
		f.done(nil)
		return
	}
	if f.crowded || f.request.Crowded(f.roomier) {
		f.crowded = true
		return
	}
	f.read()
	late := f.handlers.env.Loop.Now() >= f.deadline
	switch {
	case f.urgent || len(f.cold) == 0 && (late || f.message.MinBytes <= 0 || len(f.message.Topics) == 0),
		f.bytes > 0 && f.bytes >= int(f.message.MinBytes):
		if late && f.bytes == 0 {
			f.handlers.env.Probe.Sometimes(env.MarkFetchTimedOut)
		}
		f.answer()
	case len(f.cold) > 0 && f.bytes == 0:
		f.load()
	case len(f.cold) > 0:
		f.answer() // what is in memory goes now; the rest next time
	default:
		f.drop()
		f.park()
	}
}

// read builds the response from what is in memory.
func (f *fetch) read() {
	f.response.Responses = make([]protocol.FetchableTopicResponse, len(f.message.Topics))
	f.bytes, f.urgent, f.cold = 0, false, f.cold[:0]
	left := min(int(f.message.MaxBytes), f.handlers.options.FetchBytesMax)
	for i := range f.message.Topics {
		topic := &f.message.Topics[i]
		answer := &f.response.Responses[i]
		answer.Topic, answer.TopicId = topic.Topic, topic.TopicId
		answer.Partitions = make([]protocol.FetchPartitionData, len(topic.Partitions))
		for k := range topic.Partitions {
			asked, row := &topic.Partitions[k], &answer.Partitions[k]
			row.Default()
			row.PartitionIndex, row.Records.Bytes = asked.Partition, []byte{}
			row.HighWatermark, row.LastStableOffset, row.LogStartOffset = -1, -1, -1
			if err := f.partition(topic, asked, row, left-f.bytes); err != nil {
				f.handlers.env.Probe.Sometimes(env.MarkFetchFailed)
				row.ErrorCode, _ = codeOf(err)
				f.urgent = true
			}
		}
	}
}

// partition fills one row.
func (f *fetch) partition(topic *protocol.FetchTopic, asked *protocol.FetchPartition, row *protocol.FetchPartitionData,
	bytesMax int,
) error {
	p, err := f.handlers.find(topic.Topic, topic.TopicId, asked.Partition)
	if err != nil {
		return err
	}
	if err := p.CheckLeader(asked.CurrentLeaderEpoch); err != nil {
		if leader, epoch := p.Leader(); f.request.Header.RequestApiVersion >= 12 {
			row.CurrentLeader = protocol.FetchLeaderIdAndEpoch{LeaderId: leader, LeaderEpoch: int32(epoch)}
		}
		return err
	}
	offset, limit := record.Offset(asked.FetchOffset), p.VisibleEnd()
	if f.isFollower() {
		limit = p.Log.End()
		if !p.IsReplica(f.replica) {
			return protocol.ErrUnknownTopicOrPartition
		}
	} else if mutant.On(mutant.ReadPastHighWatermark) {
		limit = p.Log.StableEnd()
	}
	// Divergence is looked for before the end is: a follower whose log is longer than ours must learn where to cut it.
	if offset >= p.Log.Start() && diverges(p, asked, row) {
		f.urgent = true
		return nil
	}
	if offset < p.Log.Start() || offset > p.Log.End() {
		f.fillEnds(p, row)
		return protocol.ErrOffsetOutOfRange
	}
	if f.isFollower() {
		p.FollowerFetched(f.replica, offset, record.Offset(asked.LogStartOffset))
		// Records that are gone are news, so that the follower drops them too and says so.
		f.urgent = f.urgent || asked.LogStartOffset >= 0 && asked.LogStartOffset < int64(p.Log.Start())
		// News only if the follower can use it: its own high watermark does not pass what it has.
		f.urgent = f.urgent || asked.HighWatermark >= 0 && int64(min(p.HighWatermark(), offset)) > asked.HighWatermark
	}
	f.fillEnds(p, row)
	return f.records(p, asked, row, offset, limit, min(bytesMax, int(asked.PartitionMaxBytes)))
}

func (f *fetch) isFollower() bool { return f.replica >= 0 }

func (f *fetch) fillEnds(p *replica.Partition, row *protocol.FetchPartitionData) {
	visible := p.VisibleEnd()
	row.HighWatermark, row.LastStableOffset, row.LogStartOffset = int64(visible), int64(visible), int64(p.Log.Start())
	if f.message.IsolationLevel == 1 {
		row.AbortedTransactions = []protocol.FetchAbortedTransaction{}
	}
}

// diverges says whether the fetcher's log holds an epoch that ended earlier here, and where (KIP-595).
func diverges(p *replica.Partition, asked *protocol.FetchPartition, row *protocol.FetchPartitionData) bool {
	if asked.LastFetchedEpoch < 0 {
		return false
	}
	epoch, end := p.Log.Epochs().EndOf(record.LeaderEpoch(asked.LastFetchedEpoch), p.Log.End())
	if epoch == record.LeaderEpoch(asked.LastFetchedEpoch) && int64(end) >= asked.FetchOffset || epoch < 0 {
		return false
	}
	row.DivergingEpoch = protocol.FetchEpochEndOffset{Epoch: int32(epoch), EndOffset: int64(end)}
	row.HighWatermark, row.LastStableOffset = -1, -1
	return true
}

// records reads batches into the row.
func (f *fetch) records(p *replica.Partition, asked *protocol.FetchPartition, row *protocol.FetchPartitionData,
	offset, limit record.Offset, bytesMax int,
) error {
	if offset >= limit || bytesMax <= 0 && f.bytes > 0 {
		return nil
	}
	slice := &storage.Slice{}
	err := p.Log.Read(slice, offset, limit, bytesMax, f.bytes == 0)
	if errors.Is(err, storage.ErrNotInMemory) {
		for _, b := range f.broken {
			if b.partition == p {
				return b.err
			}
		}
		if len(f.cold) < coldReadsMax {
			f.cold = append(f.cold, coldRead{p, offset})
		}
		return nil
	}
	f.slices = append(f.slices, slice)
	if err != nil {
		return err
	}
	// There is more, so this is as much as there will be, whatever the least was that was asked for.
	f.urgent = f.urgent || slice.More && slice.Bytes > 0
	if slice.Bytes > 0 {
		row.Records = protocol.Records{Parts: slice.Parts}
		f.bytes += slice.Bytes
	}
	return nil
}

// answer sends what was read. The memory stays pinned until it has left.
func (f *fetch) answer() {
	slices := f.slices
	f.slices = nil
	f.context.leave(&f.response)
	f.count()
	f.done(func() {
		for _, s := range slices {
			s.Release()
		}
	})
}

// count counts what leaves.
func (f *fetch) count() {
	for i := range f.response.Responses {
		topic := &f.response.Responses[i]
		for k := range topic.Partitions {
			row := &topic.Partitions[k]
			if n := row.Records.Len(); n > 0 {
				if p, err := f.handlers.find(topic.Topic, topic.TopicId, row.PartitionIndex); err == nil {
					p.CountFetched(n, f.isFollower())
				}
			}
		}
	}
}

func (f *fetch) done(release func()) {
	f.timer.Stop()
	if f.watcher != nil {
		f.watcher.GiveUp()
	}
	f.request.Answer(&f.response, release)
}

// drop gives up what was read: it was not enough.
func (f *fetch) drop() {
	for _, s := range f.slices {
		s.Release()
	}
	f.slices = nil
}

// park waits until one of the partitions moves, or the time is up.
func (f *fetch) park() {
	probe := f.handlers.env.Probe
	probe.Sometimes(env.MarkFetchParked)
	f.watcher = &replica.Watcher{Notify: func() {
		probe.Sometimes(env.MarkFetchWoken)
		f.again()
	}}
	for i := range f.message.Topics {
		topic := &f.message.Topics[i]
		for k := range topic.Partitions {
			p, err := f.handlers.find(topic.Topic, topic.TopicId, topic.Partitions[k].Partition)
			switch {
			case err != nil:
			case f.isFollower():
				p.WatchAppends(f.watcher)
			default:
				p.Watch(f.watcher)
			}
		}
	}
	if f.timer == nil {
		f.timer = f.handlers.env.Loop.At(f.deadline, f.again)
	}
	if probe.Chance(env.SiteFetchSpurious) {
		f.handlers.env.Loop.Later(f.again)
	}
}

func (f *fetch) again() {
	f.watcher.GiveUp()
	f.look()
}

// roomier looks again, as there may be room for an answer.
func (f *fetch) roomier() {
	f.crowded = false
	f.look()
}

// load brings the first batches of cold partitions into memory, side by side, and looks again.
func (f *fetch) load() {
	f.drop()
	f.loading, f.broken = len(f.cold), f.broken[:0]
	for _, c := range f.cold {
		c.partition.Log.Load(c.offset).Then(func(_ task.Done, err error) {
			if err != nil {
				f.broken = append(f.broken, brokenRead{c.partition, err})
			}
			if f.loading--; f.loading == 0 {
				f.look()
			}
		})
	}
}
