package replica

import (
	"fmt"
	"slices"

	"barnabas/core/protocol"
	"barnabas/core/record"
)

// ToHighWatermark asks DeleteRecords for everything that is committed.
const ToHighWatermark record.Offset = -1

// DeleteRecords moves the start of a log that is led here to the offset, if it is not there yet, and returns the offset:
// of ToHighWatermark, what that is. The records are gone for clients at once, but for good only when AwaitDeleted says so.
// Errors: NOT_LEADER_OR_FOLLOWER; OFFSET_OUT_OF_RANGE above the high watermark; KAFKA_STORAGE_ERROR.
func (p *Partition) DeleteRecords(to record.Offset) (record.Offset, error) {
	if p.role != roleLeader {
		return -1, protocol.ErrNotLeaderOrFollower
	}
	if to == ToHighWatermark {
		to = p.highWater
	}
	if to < 0 || to > p.highWater {
		return -1, fmt.Errorf("%w: %d, the high watermark is %d", protocol.ErrOffsetOutOfRange, to, p.highWater)
	}
	if err := p.manager.directory.Failure(); err != nil {
		return -1, fmt.Errorf("%w: %w", protocol.ErrKafkaStorageError, err)
	}
	if to > p.Log.Start() {
		p.Log.MoveStart(to)
		p.startMoved()
	}
	return to, nil
}

// LowWatermark returns the offset below which no live replica holds a record any more, also after a crash of all of them;
// -1 while one has not said where its log starts. Requires: this broker leads.
func (p *Partition) LowWatermark() record.Offset {
	low := p.Log.StableStart()
	for id, f := range p.followers.All {
		if f.stableStart < low && p.manager.options.IsAlive(id) {
			low = f.stableStart
		}
	}
	return low
}

// AwaitDeleted has done called when the low watermark has reached the offset: at once, or later. done gets
// NOT_LEADER_OR_FOLLOWER when this broker stops leading before, KAFKA_STORAGE_ERROR when its log directory fails. The
// returned wait may be given up.
func (p *Partition) AwaitDeleted(to record.Offset, done func(error)) *Wait {
	if p.LowWatermark() >= to {
		done(nil)
		return nil
	}
	p.manager.deleting.Set(p.Log.Number, p)
	w := NewWait(done)
	p.byLow.park(w, to)
	return w
}

// lowMayHaveMoved ends the waits that the low watermark has reached.
func (p *Partition) lowMayHaveMoved() {
	if p.role == roleLeader && p.byLow.isParked() {
		p.byLow.reach(p.LowWatermark())
	}
}

// brokersMayHaveChanged looks again at every wait for a low watermark: a replica that is down does not count.
func (m *Manager) brokersMayHaveChanged() {
	for _, number := range slices.Clone(m.deleting.Keys()) {
		p := m.deleting.At(number)
		p.lowMayHaveMoved()
		if !p.byLow.isParked() {
			m.deleting.Delete(number)
		}
	}
}
