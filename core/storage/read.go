package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sort"

	"barnabas/core/protocol"
	"barnabas/core/record"
	"barnabas/core/storage/journal"
	"barnabas/core/task"
)

// Slice is a run of whole batches of a log, in memory that stays in place until Release. Parts may be fewer than batches:
// neighbours in memory are one part.
type Slice struct {
	Parts [][]byte
	Bytes int
	End   record.Offset // after the last batch
	More  bool          // there is another batch: it would have exceeded the bytes allowed, or is not in memory
	pins  []journal.Pin
}

// Release gives the memory up. It may be called once, on the loop.
func (s *Slice) Release() {
	for _, p := range s.pins {
		p.Release()
	}
	s.pins, s.Parts = nil, nil
}

// ErrNotInMemory is returned by Read when the first batch must be loaded first.
var ErrNotInMemory = errors.New("the batch is not in memory")

// Read adds to s the batches from the one that holds the offset on, as long as they end at or before limit and s stays
// within bytesMax; the first batch comes in any case when whole is true. It stops early at a batch that is not in memory.
// Errors: OFFSET_OUT_OF_RANGE below the start or above the end; ErrNotInMemory for the first batch; KAFKA_STORAGE_ERROR
// for a damaged batch.
func (l *Log) Read(s *Slice, from, limit record.Offset, bytesMax int, whole bool) error {
	if from < l.start || from > l.end {
		return fmt.Errorf("%w: %d is outside [%d, %d]", protocol.ErrOffsetOutOfRange, from, l.start, l.end)
	}
	s.End = from
	for i := l.find(from); i < len(l.batches); i++ {
		b := &l.batches[i]
		if b.end > limit {
			return nil
		}
		if s.Bytes+int(b.bytes) > bytesMax && !(whole && len(s.pins) == 0) {
			s.More = true
			return nil
		}
		p, pin, ok, err := l.directory.journal.Bytes(b.at, b.bytes)
		if err != nil {
			return fmt.Errorf("%w: offsets %d to %d of %s: %w", protocol.ErrKafkaStorageError, b.base, b.end-1, l.Name, err)
		}
		if ok && (record.Offset(binary.BigEndian.Uint64(p)) != b.base || record.LeaderEpoch(binary.BigEndian.Uint32(p[12:])) != b.epoch) {
			pin.Release() // the two fields that the batch's own checksum leaves out
			return fmt.Errorf("%w: offsets %d to %d of %s: the stored batch says another offset or epoch",
				protocol.ErrKafkaStorageError, b.base, b.end-1, l.Name)
		}
		if !ok {
			if len(s.pins) == 0 {
				return ErrNotInMemory
			}
			s.More = true
			return nil
		}
		s.add(p, pin)
		s.End = b.end
	}
	return nil
}

func (s *Slice) add(p []byte, pin journal.Pin) {
	s.Parts = append(s.Parts, p)
	s.pins = append(s.pins, pin)
	s.Bytes += len(p)
}

// Load brings the batch that holds the offset, and what follows it, into memory.
func (l *Log) Load(offset record.Offset) *task.Pending[task.Done] {
	i := l.find(offset)
	if i == len(l.batches) {
		return task.Completed(l.directory.env.Loop, task.Done{}, nil)
	}
	return l.directory.journal.Load(l.batches[i].at, l.batches[i].bytes)
}

// BytesBetween returns how many bytes the batches from the one that holds from up to limit have, but no more than enough.
func (l *Log) BytesBetween(from, limit record.Offset, enough int) int {
	total := 0
	for i := l.find(from); i < len(l.batches) && l.batches[i].end <= limit && total < enough; i++ {
		total += int(l.batches[i].bytes)
	}
	return total
}

// Located is a batch found by timestamp.
type Located struct {
	Base, End    record.Offset
	MaxTimestamp int64
	Epoch        record.LeaderEpoch
	Found        bool
}

// FindTimestamp returns the first batch below limit with a record at or after the timestamp.
func (l *Log) FindTimestamp(timestamp int64, limit record.Offset) Located {
	for i := range l.batches {
		b := &l.batches[i]
		if b.end > limit {
			break
		}
		if b.maxTimestamp >= timestamp && b.end > l.start {
			return Located{b.base, b.end, b.maxTimestamp, b.epoch, true}
		}
	}
	return Located{}
}

// FindMaxTimestamp returns the batch below limit with the greatest timestamp, the earliest of several.
func (l *Log) FindMaxTimestamp(limit record.Offset) Located {
	var found Located
	for i := range l.batches {
		b := &l.batches[i]
		if b.end > limit {
			break
		}
		if !found.Found || b.maxTimestamp > found.MaxTimestamp {
			found = Located{b.base, b.end, b.maxTimestamp, b.epoch, true}
		}
	}
	return found
}

// find returns the index of the first batch that ends after the offset.
func (l *Log) find(offset record.Offset) int {
	n := len(l.batches)
	if n > 0 && l.batches[n-1].base <= offset { // consumers mostly read the newest
		if l.batches[n-1].end > offset {
			return n - 1
		}
		return n
	}
	return sort.Search(n, func(i int) bool { return l.batches[i].end > offset })
}
