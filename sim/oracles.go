package sim

import (
	"fmt"

	"barnabas/core/record"
	"barnabas/core/replica"
)

// lookAt judges one replica after a step of its broker. These checks run after every step, so they are cheap.
func (b *broker) lookAt(s *seen, p *replica.Partition) {
	log := p.Log
	_, epoch := p.Leader()
	high := p.HighWatermark()
	if s.high == high && s.end == log.End() && s.stab == log.StableEnd() && s.epoch == epoch {
		return
	}
	w := b.world
	switch {
	case epoch < s.epoch:
		w.judge("EpochMonotone", fmt.Sprintf("broker %d, %s: leader epoch %d after %d", b.id, log.Name, epoch, s.epoch))
	case log.Start() > log.StableEnd() || log.StableEnd() > log.End():
		w.judge("EndsInOrder", fmt.Sprintf("broker %d, %s: start %d, stable end %d, end %d", b.id, log.Name, log.Start(), log.StableEnd(), log.End()))
	case high > log.StableEnd():
		w.judge("HighWatermarkStable", fmt.Sprintf("broker %d, %s: high watermark %d above the stable end %d", b.id, log.Name, high, log.StableEnd()))
	case high < s.high && epoch == s.epoch:
		w.judge("HighWatermarkMonotone", fmt.Sprintf("broker %d, %s: high watermark %d after %d in epoch %d", b.id, log.Name, high, s.high, epoch))
	case log.End() < s.end && p.IsLeader():
		w.judge("LeaderAppendOnly", fmt.Sprintf("broker %d, %s: a leader's end %d after %d", b.id, log.Name, log.End(), s.end))
	}
	if p.IsLeader() && high > s.high {
		b.judgeBacking(p, high)
	}
	key := logKey{log.TopicID, log.Partition}
	if p.IsLeader() {
		// A process leads only in epochs that began after its registration, so never in one that an earlier process led in
		// (rule S6).
		if led, ok := b.watch.led[key]; ok && led.start != b.starts && led.epoch >= epoch {
			w.judge("LedInOldEpoch", fmt.Sprintf("broker %d, %s: leads in epoch %d, as before its restart", b.id, log.Name, epoch))
		}
		b.watch.led[key] = ledEpoch{epoch, b.starts}
	}
	if log.End() < s.end {
		// A follower may cut what was never committed; what was is committed for good.
		b.watch.promised[key] = max(min(b.watch.promised[key], log.End()), w.committed[key].end)
	}
	b.watch.promised[key] = max(b.watch.promised[key], high, log.StableEnd())
	*s = seen{log, epoch, high, log.End(), log.StableEnd()}
}

// judgeBacking sees to it that a high watermark is backed by every in-sync replica: what the leader believes of a follower
// must be stable there, now or when its process died (rules S2, S3).
func (b *broker) judgeBacking(p *replica.Partition, high record.Offset) {
	w := b.world
	key := logKey{p.Log.TopicID, p.Log.Partition}
	if high > w.committed[key].end {
		w.committed[key] = committed{high, p.Log.Epochs().At(high - 1)}
	}
	for _, id := range p.ISR() {
		member := w.broker(id)
		if member == nil || member == b || member.unclean {
			continue // what it lost with the power it had reported rightly, under durability=replicated
		}
		stable := member.watch.promised[key]
		if member.process != nil && member.process.Replicas() != nil {
			if replica := member.process.Replicas().Find(p.Log.TopicID, p.Log.Partition); replica != nil {
				stable = max(min(stable, replica.Log.StableEnd()), 0)
			}
		}
		if high > stable {
			w.judge("HighWatermarkBacked", fmt.Sprintf(
				"%s: broker %d's high watermark is %d; on in-sync replica %d only %d is stable", p.Log.Name, b.id, high, id, stable))
		}
	}
}
