package storage

import (
	"barnabas/core/mutant"
	"barnabas/core/record"
	"barnabas/core/task"
)

// Located is a batch found by timestamp.
type Located struct {
	Base, End    record.Offset
	MaxTimestamp int64
	Epoch        record.LeaderEpoch
	Found        bool
}

func located(b *batch) Located { return Located{b.base, b.end, b.maxTimestamp, b.epoch, true} }

// FindTimestamp finds the first batch that has offsets in [from, limit), ends within them, and has a record at or after the
// timestamp, which may lie below from. Errors: the disk's; the log was changed meanwhile, so that the client should ask again.
func (l *Log) FindTimestamp(timestamp int64, from, limit record.Offset) *task.Pending[Located] {
	loop := l.directory.env.Loop
	from = max(from, l.start)
	for _, s := range l.segments {
		if s.end <= from || s.maxTimestamp < timestamp {
			continue
		}
		if s.base < l.tailStart() {
			done := task.NewPending[Located](loop)
			loop.Go("find a timestamp", func(t *task.Task) { done.Complete(l.findInFiles(t, timestamp, from, limit)) })
			return done
		}
		break
	}
	return task.Completed(loop, l.findInTail(timestamp, from, limit), nil)
}

func (l *Log) findInTail(timestamp int64, from, limit record.Offset) Located {
	for i := range l.tail {
		b := &l.tail[i]
		if b.end > limit {
			break
		}
		if b.maxTimestamp >= timestamp && b.end > from && !b.gap {
			return located(b)
		}
	}
	return Located{}
}

// findInFiles looks through the segments that may have the timestamp, as far as files have them, and then the tail.
func (l *Log) findInFiles(t *task.Task, timestamp int64, from, limit record.Offset) (Located, error) {
	var found Located
	for i := 0; i < len(l.segments); i++ {
		s := l.segments[i]
		if s.end <= from || s.maxTimestamp < timestamp {
			continue
		}
		if s.base >= limit {
			break
		}
		if s.base >= l.tailStart() {
			return l.findInTail(timestamp, from, limit), nil
		}
		over, err := l.findInFile(t, s, timestamp, from, limit, &found)
		if err != nil || found.Found || over {
			return found, err
		}
	}
	return l.findInTail(timestamp, from, limit), nil
}

// findInFile looks through one segment's file, from where its time index says, and says whether the limit was reached.
func (l *Log) findInFile(t *task.Task, s *logSegment, timestamp int64, from, limit record.Offset, found *Located,
) (over bool, err error) {
	cuts := l.cuts
	if err := l.ensureIndex(t, s); err != nil {
		return false, err
	}
	sc := &scanner{log: l, segment: s, cuts: cuts, want: readBytes, next: s.base}
	if last, ok := s.index.LookupTimestamp(timestamp - 1 + 2*int64(mutant.One(mutant.TimestampOffByOne))); ok {
		sc.seek(last)
	}
	err = sc.walk(t, func(h *record.Header, _ []byte) bool {
		if h.EndOffset() > limit {
			over = true
			return false
		}
		if h.MaxTimestamp >= timestamp+int64(mutant.One(mutant.TimestampOffByOne)) && h.EndOffset() > from {
			*found = Located{h.BaseOffset, h.EndOffset(), h.MaxTimestamp, h.LeaderEpoch, true}
			return false
		}
		return true
	}, nil)
	return over, err
}

// FindMaxTimestamp returns the batch below limit with the greatest timestamp, the earliest of several. Base is an offset in the
// batch.
func (l *Log) FindMaxTimestamp(limit record.Offset) Located {
	var found Located
	note := func(timestamp int64, last record.Offset) {
		if timestamp >= 0 && last >= l.start && last < limit && (!found.Found || timestamp > found.MaxTimestamp) {
			found = Located{last, last + 1, timestamp, l.epochs.At(last), true}
		}
	}
	for _, s := range l.segments {
		if s.end <= limit {
			note(s.maxTimestamp, s.maxOffset)
			continue
		}
		note(s.savedMax, s.savedMaxOffset)
		for i := range l.tail {
			if b := &l.tail[i]; b.base >= s.base && b.end <= limit && !b.gap {
				note(b.maxTimestamp, b.end-1)
			}
		}
		break
	}
	return found
}
