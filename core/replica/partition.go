package replica

import (
	"errors"
	"fmt"
	"slices"

	"barnabas/core/assert"
	"barnabas/core/env"
	"barnabas/core/metadata"
	"barnabas/core/mutant"
	"barnabas/core/ordered"
	"barnabas/core/protocol"
	"barnabas/core/record"
	"barnabas/core/storage"
)

// Acks says what an answer to a produce request waits for.
type Acks int16

// The three settings of a producer.
const (
	AcksNone   Acks = 0
	AcksLeader Acks = 1
	AcksAll    Acks = -1
)

// role is what this broker is to a partition.
type role uint8

const (
	roleNone role = iota
	roleLeader
	roleFollower
)

// follower is what a leader knows of one of its followers.
type follower struct {
	stableEnd   record.Offset // what it last fetched from; -1 before it did in this epoch
	stableStart record.Offset // where its log starts, as it last said; -1 before it did
}

// Partition is one replica of a partition on this broker.
type Partition struct {
	Topic string
	ID    int32
	Log   *storage.Log
	Rules Rules // for produced batches

	manager    *Manager
	traffic    *Traffic // of its topic
	role       role
	leader     int32
	epoch      record.LeaderEpoch
	epochStart record.Offset // the log's end when we became leader
	isr        []int32
	replicas   []int32
	minISR     int
	followers  ordered.Map[int32, *follower]
	highWater  record.Offset
	byStable   parked   // acks=1
	byHW       parked   // acks=all
	byLow      parked   // deletions
	visible    watchers // woken when what consumers may see changes, or leadership
	appended   watchers // woken when the end grows
	grown      bool     // appended to in this step
	unsaid     unsaid
}

// Leader returns the leading broker's id and the epoch, as this broker knows them.
func (p *Partition) Leader() (int32, record.LeaderEpoch) { return p.leader, p.epoch }

// IsLeader says whether this broker leads.
func (p *Partition) IsLeader() bool { return p.role == roleLeader }

// HighWatermark returns the high watermark: exclusive, never above the stable end here.
func (p *Partition) HighWatermark() record.Offset { return p.highWater }

// VisibleEnd returns the end of what a consumer may be sent (rule S4).
func (p *Partition) VisibleEnd() record.Offset { return min(p.highWater, p.Log.StableEnd()) }

// EpochStart returns where the present leader epoch began. Below it the true high watermark may not be known yet.
func (p *Partition) EpochStart() record.Offset { return p.epochStart }

// CheckLeader says whether a client with this view of the epoch (-1: none) may be served by this broker as the leader.
// Errors: NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH.
func (p *Partition) CheckLeader(epoch int32) error {
	if epoch >= 0 && record.LeaderEpoch(epoch) < p.epoch {
		p.manager.env.Probe.Sometimes(env.MarkEpochFenced)
		return protocol.ErrFencedLeaderEpoch
	}
	if epoch >= 0 && record.LeaderEpoch(epoch) > p.epoch {
		return protocol.ErrUnknownLeaderEpoch
	}
	if p.role != roleLeader {
		return protocol.ErrNotLeaderOrFollower
	}
	return nil
}

// Appended says where a batch went.
type Appended struct {
	Base      record.Offset
	End       record.Offset // what to wait for
	Duplicate bool          // it repeats one that is there: Base and End are of the first
}

// Append appends a client's batch, or finds that it repeats one. p is copied.
// Errors: NOT_LEADER_OR_FOLLOWER, NOT_ENOUGH_REPLICAS, the producer's, KAFKA_STORAGE_ERROR.
func (p *Partition) Append(batch []byte, h record.Header, acks Acks) (Appended, error) {
	if p.role != roleLeader {
		return Appended{}, protocol.ErrNotLeaderOrFollower
	}
	if acks == AcksAll && len(p.isr) < p.minimumISR() {
		return Appended{}, fmt.Errorf("%w: %d of min.insync.replicas=%d are in sync",
			protocol.ErrNotEnoughReplicas, len(p.isr), p.minimumISR())
	}
	again, err := p.Log.CheckProducer(&h)
	if err != nil {
		return Appended{}, err
	}
	if again != nil {
		p.manager.env.Probe.Sometimes(env.MarkProduceDuplicate)
		return Appended{again.Base, again.End, true}, nil
	}
	base, err := p.Log.AppendAsLeader(batch, h, p.epoch)
	if errors.Is(err, storage.ErrStopping) { // as in Kafka, whose brokers hand their partitions over first
		return Appended{}, fmt.Errorf("%w: %w", protocol.ErrNotLeaderOrFollower, err)
	}
	if err != nil {
		return Appended{}, fmt.Errorf("%w: %w", protocol.ErrKafkaStorageError, err)
	}
	p.traffic.produced(&h, len(batch))
	p.noteGrown()
	return Appended{Base: base, End: p.Log.End()}, nil
}

// Await ends the wait when the acknowledgement is due: at once, or when what it waits for has happened. Its error is
// NOT_LEADER_OR_FOLLOWER when this broker stops leading before.
func (p *Partition) Await(a Appended, acks Acks, w *Wait) {
	queue := &p.byStable
	reached := p.Log.StableEnd()
	if acks == AcksAll {
		queue, reached = &p.byHW, p.highWater
	}
	if reached >= a.End || a.Duplicate && mutant.On(mutant.DuplicateAnsweredEarly) {
		w.done(nil)
		return
	}
	if a.Duplicate {
		p.manager.env.Probe.Sometimes(env.MarkProduceDuplicateParked)
	}
	p.manager.env.Probe.Sometimes(env.MarkProduceParked)
	queue.park(w, a.End)
}

// minimumISR returns how many replicas must be in sync: min.insync.replicas, but no more than there are.
func (p *Partition) minimumISR() int { return min(p.minISR, len(p.replicas)) }

// noteGrown remembers that followers have something to fetch; they are woken at the end of the step, so that one answer
// carries all of it.
func (p *Partition) noteGrown() {
	if !p.grown {
		p.grown = true
		p.manager.grown = append(p.manager.grown, p)
	}
}

// onStable is told that the log's stable end moved, or its stable start.
func (p *Partition) onStable() {
	switch p.role {
	case roleLeader:
		if p.byStable.reach(p.Log.StableEnd()) {
			p.manager.env.Probe.Sometimes(env.MarkProduceAnsweredAtStableEnd)
		}
		p.advance()
		p.lowMayHaveMoved()
	case roleFollower:
		p.manager.fetcherOf(p.leader).wake.Raise()
	case roleNone:
	}
}

// advance moves the high watermark as far as the ISR allows (rule S3).
func (p *Partition) advance() {
	if p.role != roleLeader || len(p.isr) < p.minimumISR() {
		return
	}
	least := p.Log.StableEnd()
	for _, id := range p.isr {
		if id == p.manager.self {
			continue
		}
		f := p.followers.At(id)
		if f == nil {
			return
		}
		least = min(least, f.stableEnd)
	}
	if least > p.highWater {
		p.setHighWatermark(least)
	}
}

func (p *Partition) setHighWatermark(to record.Offset) {
	assert.That(to <= p.Log.StableEnd(), "the high watermark does not pass the stable end")
	p.highWater = to
	p.Log.Settle(to)
	if p.role == roleLeader {
		p.byHW.reach(to)
	}
	p.visible.wakeFor(p.manager.env.Probe, env.MarkFetchWokenByHighWatermark)
}

// FollowerFetched is told that a follower fetched from the offset: everything below it is stable there (rule S2), and so
// is the start of its log, or -1 if it did not say.
func (p *Partition) FollowerFetched(id int32, stableEnd, stableStart record.Offset) {
	f := p.followers.At(id)
	if f == nil || stableEnd > p.Log.End() {
		return
	}
	p.manager.env.Probe.Sometimes(env.MarkFollowerFetched)
	f.stableEnd, f.stableStart = stableEnd, stableStart
	p.advance()
	p.lowMayHaveMoved()
}

// FollowerEnd returns the stable end that the follower last reported to this leader, or -1.
func (p *Partition) FollowerEnd(id int32) record.Offset {
	if f := p.followers.At(id); f != nil {
		return f.stableEnd
	}
	return -1
}

// ISR returns the in-sync replicas as this broker knows them.
func (p *Partition) ISR() []int32 { return p.isr }

// IsReplica says whether the broker is one of the partition's replicas.
func (p *Partition) IsReplica(id int32) bool { return slices.Contains(p.replicas, id) }

// apply takes over what the image says of the partition.
func (p *Partition) apply(m *metadata.Partition, minISR int) {
	before := p.isr
	p.replicas, p.isr, p.minISR = m.Replicas, m.ISR, minISR
	epoch := record.LeaderEpoch(m.LeaderEpoch)
	was := p.role
	changed := epoch != p.epoch || m.Leader != p.leader
	if !changed {
		p.tellISR(before)
		p.advance()
		return
	}
	assert.That(epoch >= p.epoch, "leader epochs do not go back")
	p.epoch, p.leader = epoch, m.Leader
	p.manager.env.Probe.Sometimes(env.MarkLeaderChanged)
	switch {
	case m.Leader == p.manager.self:
		p.becomeLeader()
	case m.Leader == metadata.NoLeader:
		p.role = roleNone
	default:
		p.role = roleFollower
		p.manager.fetcherOf(m.Leader).wake.Raise()
	}
	if was == roleLeader && p.role != roleLeader {
		if p.byStable.isParked() || p.byHW.isParked() {
			p.manager.env.Probe.Sometimes(env.MarkProduceLostLeader)
		}
		if p.byLow.isParked() {
			p.manager.env.Probe.Sometimes(env.MarkDeletionLostLeader)
		}
		p.byStable.fail(protocol.ErrNotLeaderOrFollower)
		p.byHW.fail(protocol.ErrNotLeaderOrFollower)
		p.byLow.fail(protocol.ErrNotLeaderOrFollower)
	}
	p.tellRole()
	p.tellISR(before)
	p.visible.wakeFor(p.manager.env.Probe, env.MarkFetchWokenByLeader)
	p.appended.wake()
}

// becomeLeader begins the epoch in the log at once, even if nothing will be written in it (KAFKA-7415).
func (p *Partition) becomeLeader() {
	p.role = roleLeader
	p.epochStart = p.Log.End()
	if p.epoch > p.Log.Epochs().Latest() {
		p.Log.BeginEpoch(p.epoch)
	}
	p.followers = ordered.Map[int32, *follower]{}
	for _, id := range p.replicas {
		if id != p.manager.self {
			p.followers.Set(id, &follower{stableEnd: -1, stableStart: -1})
		}
	}
	p.advance()
}
