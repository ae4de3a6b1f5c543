package storage

import (
	"math"
	"sort"
	"time"

	"barnabas/core/env"
	"barnabas/core/mutant"
	"barnabas/core/record"
	"barnabas/core/storage/segment"
)

// logSegment is one segment of a log in Kafka's layout: what is known of it without opening its files. Its bytes are those of
// all batches appended to it; how many of them its file has is the log's to know (saved and filled).
type logSegment struct {
	base record.Offset
	end  record.Offset
	size uint32

	firstTimestamp int64         // the greatest of the first batch, or -1: what rolling by time is measured from
	maxTimestamp   int64         // the greatest of all, or -1
	maxOffset      record.Offset // the last offset of the batch that has it
	savedMax       int64         // maxTimestamp and maxOffset as of the log's saved end
	savedMaxOffset record.Offset

	index    *segment.Index // nil: not in memory
	indexes  indexSums      // of the index files, when sealed or exported
	sealed   bool           // its files are complete, cut to size, indexed and durable
	made     bool           // its file is there
	unsynced bool           // its file has bytes that were not synced
}

// indexSums say what the index files of a segment must hold.
type indexSums struct {
	offsetEntries, timeEntries uint32
	offsetSum, timeSum         uint32
}

func newSegment(base record.Offset, c *LogConfig) *logSegment {
	s := &logSegment{base: base, end: base, firstTimestamp: -1, maxTimestamp: -1, savedMax: -1}
	s.index = newIndex(base, c)
	return s
}

func newIndex(base record.Offset, c *LogConfig) *segment.Index {
	x := segment.NewIndex(base, c.IndexIntervalBytes)
	return &x
}

// add makes the batch, which stands at the segment's end, part of it.
func (s *logSegment) add(b *batch) {
	if s.size == 0 {
		s.firstTimestamp = b.maxTimestamp
	}
	if b.maxTimestamp > s.maxTimestamp && !b.gap {
		s.maxTimestamp, s.maxOffset = b.maxTimestamp, b.end-1
	}
	if s.index != nil && !b.gap {
		s.index.Append(b.end-1, b.position+b.bytes*uint32(mutant.One(mutant.IndexOffByOne)), b.maxTimestamp)
	}
	s.size += b.bytes
	s.end = b.end
}

// noteSaved takes account of a batch that is durable in the file.
func (s *logSegment) noteSaved(b *batch) {
	if b.maxTimestamp > s.savedMax && !b.gap {
		s.savedMax, s.savedMaxOffset = b.maxTimestamp, b.end-1
	}
}

// defaultConfig is that of a log nobody configured, such as the metadata log: Kafka's defaults, and nothing ever expires.
func defaultConfig() LogConfig {
	return LogConfig{
		SegmentBytes: 1 << 30, SegmentAge: math.MaxInt64, IndexIntervalBytes: 4096, IndexBytesMax: 10 << 20,
		RetentionAge: -1, RetentionBytes: -1, FileDeleteDelay: time.Minute,
	}
}

// mustRoll says whether a batch of so many bytes must begin a new segment (Kafka: LogSegment.shouldRoll).
func (l *Log) mustRoll(h *record.Header) bool {
	if len(l.segments) == 0 {
		return true
	}
	s, c := l.segments[len(l.segments)-1], &l.config
	switch {
	case int64(s.size)+int64(h.Length) > int64(min(c.SegmentBytes, math.MaxInt32)):
		return s.size > 0
	case s.size > 0 && s.firstTimestamp >= 0 && older(h.MaxTimestamp, s.firstTimestamp, c.SegmentAge-c.SegmentJitter):
		l.directory.env.Probe.Sometimes(env.MarkSegmentRolledByTime)
		return true
	case s.index != nil && s.index.Full(c.IndexBytesMax):
		return true
	}
	return int64(h.EndOffset()-s.base) > math.MaxInt32
}

// older says whether more than age lies between two timestamps.
func older(now, then int64, age time.Duration) bool {
	return now-then > age.Milliseconds()
}

// roll begins a segment at the offset: the log's end, or a little below it when the log is empty (see follows).
func (l *Log) roll(base record.Offset) {
	if len(l.segments) > 0 {
		l.directory.env.Probe.Sometimes(env.MarkSegmentRolled)
	}
	if base < l.end {
		l.filled, l.saved = base, base
	}
	l.segments = append(l.segments, newSegment(base, &l.config))
}

// segmentOf returns the segment that has the offset, or nil. Offsets at the end belong to no segment.
func (l *Log) segmentOf(offset record.Offset) *logSegment {
	i := sort.Search(len(l.segments), func(i int) bool { return l.segments[i].end > offset })
	if i == len(l.segments) || l.segments[i].base > offset {
		return nil
	}
	return l.segments[i]
}

// Segments returns how many segments the log has.
func (l *Log) Segments() int { return len(l.segments) }

// FirstSegment returns the offsets from which and up to which the oldest segment goes, and its size in bytes. ok is false when
// the log has none.
func (l *Log) FirstSegment() (base, end record.Offset, bytes int, ok bool) {
	if len(l.segments) == 0 {
		return 0, 0, 0, false
	}
	s := l.segments[0]
	return s.base, s.end, int(s.size), true
}

// filledIn returns how many bytes of the segment its file has.
func (l *Log) filledIn(s *logSegment) uint32 {
	if s.end <= l.filled {
		return s.size
	}
	if s.base >= l.filled {
		return 0
	}
	if i := l.row(l.filled); i < len(l.tail) {
		return l.tail[i].position
	}
	return s.size
}

// row returns the index in the tail of the first batch that ends after the offset.
func (l *Log) row(offset record.Offset) int {
	n := len(l.tail)
	if n > 0 && l.tail[n-1].base <= offset { // consumers mostly read the newest
		if l.tail[n-1].end > offset {
			return n - 1
		}
		return n
	}
	return sort.Search(n, func(i int) bool { return l.tail[i].end > offset })
}

// tailStart returns the base of the tail's first batch, or the log's end.
func (l *Log) tailStart() record.Offset {
	if len(l.tail) == 0 {
		return l.end
	}
	return l.tail[0].base
}
