package replica

import (
	"barnabas/core/env"
	"barnabas/core/mutant"
	"barnabas/core/protocol"
	"barnabas/core/record"
	"barnabas/core/task"
	"barnabas/core/wire"
)

// fetchVersion is the Fetch version between brokers: topic ids, replica state, high watermark (KIP-1166).
const fetchVersion = 18

// fetcher copies from one leading broker everything this broker follows there.
type fetcher struct {
	manager *Manager
	leader  int32
	wake    *task.Signal // something may be fetchable: a new partition, or a commit that moved a stable end
	peer    *wire.Peer
}

// fetcherOf returns the fetcher for the leading broker, started if there was none.
func (m *Manager) fetcherOf(leader int32) *fetcher {
	f, ok := m.fetchers.Get(leader)
	if !ok {
		f = &fetcher{manager: m, leader: leader, wake: task.NewSignal(m.env.Loop)}
		m.fetchers.Set(leader, f)
		m.env.Loop.Go("fetch from a leader", f.run)
	}
	return f
}

// following is a partition in a fetch, with what it was when the fetch was sent: an answer counts only if that still
// holds (KAFKA-18991, KAFKA-13207).
type following struct {
	key    Key
	epoch  record.LeaderEpoch
	offset record.Offset
}

// run asks, appends, waits until what it appended is stable, and asks again, until the manager stops: then it neither appends
// nor cuts any more, since a log directory that is closing takes no entries.
func (f *fetcher) run(t *task.Task) {
	for !f.manager.stopped {
		asked, stable := f.collect()
		if !stable || len(asked) == 0 {
			f.wake.Wait(t, task.Never)
			continue
		}
		address, known := f.manager.options.AddressOf(f.leader)
		if !known {
			f.wake.Wait(t, f.manager.after(f.manager.options.FetchBackoff))
			continue
		}
		if f.peer == nil {
			f.peer = wire.NewPeer(f.manager.env, address, "replica-fetcher", f.manager.options.FrameBytesMax)
		}
		reply, err := f.peer.Ask(f.request(asked), fetchVersion, f.manager.options.RequestTimeout).Wait(t)
		if err != nil {
			t.Sleep(f.manager.after(f.manager.options.FetchBackoff))
			continue
		}
		if f.manager.stopped {
			reply.Release()
			return
		}
		backOff := f.accept(reply.Message.(*protocol.FetchResponse), asked)
		reply.Release()
		if backOff {
			t.Sleep(f.manager.after(f.manager.options.FetchBackoff))
		}
	}
}

// collect returns what to ask for, and whether all of it is stable: a follower asks at its stable end (rule S2), and says
// where its log starts, so it does not ask while a commit with either is still under way.
func (f *fetcher) collect() (asked []following, stable bool) {
	for _, p := range f.manager.byNumber.All {
		if p.role != roleFollower || p.leader != f.leader {
			continue
		}
		offset := p.Log.StableEnd()
		if mutant.On(mutant.FollowerReportsWrittenEnd) {
			offset = p.Log.End()
		}
		if offset < p.Log.End() || p.Log.StableStart() < p.Log.Start() {
			return nil, false
		}
		asked = append(asked, following{Key{p.Log.TopicID, p.ID}, p.epoch, offset})
	}
	return asked, true
}

func (f *fetcher) request(asked []following) *protocol.FetchRequest {
	o := &f.manager.options
	request := &protocol.FetchRequest{}
	request.Default()
	request.ReplicaState = protocol.FetchReplicaState{ReplicaId: f.manager.self, ReplicaEpoch: -1}
	if o.BrokerEpochOfImage != nil {
		request.ReplicaState.ReplicaEpoch = o.BrokerEpochOfImage()
	}
	request.MaxWaitMs, request.MinBytes, request.MaxBytes = int32(o.FetchWaitMax.Milliseconds()), 1, int32(o.FetchBytesMax)
	request.SessionEpoch = -1
	for _, a := range asked {
		p := f.manager.partitions[a.key]
		var row protocol.FetchPartition
		row.Default()
		row.Partition, row.CurrentLeaderEpoch, row.FetchOffset = a.key.Partition, int32(a.epoch), int64(a.offset)
		row.LastFetchedEpoch, row.LogStartOffset = int32(p.Log.Epochs().Latest()), int64(p.Log.StableStart())
		row.PartitionMaxBytes, row.HighWatermark = int32(o.PartitionBytesMax), int64(p.highWater)
		if n := len(request.Topics); n == 0 || request.Topics[n-1].TopicId != a.key.Topic {
			request.Topics = append(request.Topics, protocol.FetchTopic{TopicId: a.key.Topic})
		}
		topic := &request.Topics[len(request.Topics)-1]
		topic.Partitions = append(topic.Partitions, row)
	}
	return request
}

// accept applies an answer, partition by partition, and says whether to wait before asking again.
func (f *fetcher) accept(response *protocol.FetchResponse, asked []following) (backOff bool) {
	if response.ErrorCode != protocol.ErrNone {
		return true
	}
	byKey := make(map[Key]following, len(asked))
	for _, a := range asked {
		byKey[a.key] = a
	}
	for i := range response.Responses {
		topic := &response.Responses[i]
		for k := range topic.Partitions {
			row := &topic.Partitions[k]
			key := Key{topic.TopicId, row.PartitionIndex}
			a, expected := byKey[key]
			p := f.manager.partitions[key]
			if !expected || p == nil || p.role != roleFollower || p.epoch != a.epoch || p.leader != f.leader ||
				p.Log.End() != a.offset {
				continue
			}
			if p.acceptFetched(row) {
				backOff = true
			}
		}
	}
	return backOff
}

// acceptFetched applies what a leader answered for one partition, and says whether to wait before asking again.
func (p *Partition) acceptFetched(row *protocol.FetchPartitionData) (backOff bool) {
	probe := p.manager.env.Probe
	switch {
	case row.ErrorCode == protocol.ErrOffsetOutOfRange:
		return p.outOfRange(record.Offset(row.LogStartOffset))
	case row.ErrorCode != protocol.ErrNone:
		return true
	case row.DivergingEpoch.EndOffset >= 0 && row.DivergingEpoch.Epoch >= 0:
		// Our own end of the largest epoch that the leader knows too, or the leader's end of it, whichever is less (KIP-279).
		epoch, end := p.Log.Epochs().EndOf(record.LeaderEpoch(row.DivergingEpoch.Epoch), p.Log.End())
		if epoch < 0 {
			end = p.Log.Start()
		}
		p.truncate(min(end, record.Offset(row.DivergingEpoch.EndOffset)))
		probe.Sometimes(env.MarkFollowerTruncated)
		return false
	}
	if len(row.Records.Bytes) > 0 {
		if facts := record.Inspect(row.Records.Bytes); facts.Err != nil {
			p.manager.env.Talk.Say("refusing fetched batches of " + p.Log.Name + ": " + facts.Err.Error())
			return true // rule S8
		}
		if _, err := p.Log.AppendAsFollower(p.upToEpoch(row.Records.Bytes)); err != nil {
			p.manager.env.Talk.Say("replica of " + p.Log.Name + ": " + err.Error())
			return true
		}
		p.noteGrown()
	}
	if leaders := record.Offset(row.HighWatermark); leaders >= 0 {
		if hw := min(leaders, p.Log.StableEnd()); hw > p.highWater {
			p.setHighWatermark(hw)
		}
	}
	if start := min(record.Offset(row.LogStartOffset), p.highWater); start > p.Log.Start() {
		p.Log.MoveStart(start)
	}
	return false
}

// upToEpoch leaves out batches of an epoch above the one we fetched in (rule S8).
func (p *Partition) upToEpoch(batches []byte) []byte {
	for at := 0; at < len(batches); {
		h, err := record.ParseHeader(batches[at:])
		if err != nil || h.LeaderEpoch > p.epoch {
			return batches[:at]
		}
		at += h.Length
	}
	return batches
}

func (p *Partition) truncate(end record.Offset) {
	if end < p.highWater {
		// What we thought committed is gone from the leader (rule S13): say so loudly, then obey.
		p.manager.env.Talk.Say("replica of " + p.Log.Name + " is told to cut below its high watermark")
		p.highWater = end
	}
	if end < p.Log.Start() {
		p.Log.Reset(end) // nothing is left of it, and offsets go on at the leader's
		return
	}
	p.highWater = min(p.highWater, p.Log.Truncate(end))
}

// outOfRange handles a leader whose log does not hold our end: ours is empty of it, or beyond it.
func (p *Partition) outOfRange(leaderStart record.Offset) (backOff bool) {
	if leaderStart > p.Log.End() {
		p.Log.Reset(leaderStart)
		p.highWater = leaderStart
		return false
	}
	return true
}
