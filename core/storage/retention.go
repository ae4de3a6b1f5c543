package storage

import (
	"barnabas/core/env"
	"barnabas/core/mutant"
	"barnabas/core/record"
)

// Expire moves the log start past the segments that retention gives up, oldest first, and returns how many those are. A
// segment that reaches beyond limit stays (Kafka: the high watermark), and the wall clock is compared with record
// timestamps. The files go later, in small steps. It never waits.
func (l *Log) Expire(wall env.Timestamp, limit record.Offset) int {
	c := &l.config
	if !c.Delete || l.directory.journal.Failure() != nil {
		return 0
	}
	start, gone, bytes := l.start, 0, l.bytes
	for _, s := range l.segments {
		byTime := c.RetentionAge >= 0 && s.maxTimestamp >= 0 && older(int64(wall), s.maxTimestamp, c.RetentionAge)
		bySize := c.RetentionBytes >= 0 && bytes-c.RetentionBytes >= int64(s.size)*int64(1-mutant.One(mutant.RetentionTooEager))
		if s.size == 0 || s.end > min(limit, l.stable) || !byTime && !bySize {
			break
		}
		start, bytes = s.end, bytes-int64(s.size)
		gone++
	}
	if gone > 0 {
		l.directory.env.Probe.Sometimes(env.MarkSegmentExpired)
		l.MoveStart(start)
	}
	return gone
}

// ExpireProducers forgets producers whose newest batch is older than the timestamp, and returns how many those are
// (producer.id.expiration.ms).
func (l *Log) ExpireProducers(before int64) int {
	l.base.expire(before)
	n := l.producers.expire(before)
	if n > 0 {
		l.directory.env.Probe.Sometimes(env.MarkProducerExpired)
	}
	return n
}
