package storage

import (
	"encoding/binary"
	"errors"
	"fmt"

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
	pins  []pin
}

// pin keeps memory in place.
type pin interface{ Release() }

// Release gives the memory up. It may be called once, on the loop.
func (s *Slice) Release() {
	for _, p := range s.pins {
		p.Release()
	}
	s.pins, s.Parts = nil, nil
}

// ErrNotInMemory is returned by Read when the first batch must be loaded first.
var ErrNotInMemory = errors.New("the batch is not in memory")

// view is a batch in memory.
type view struct {
	base, end record.Offset
	bytes     []byte
	pin       pin
}

// Read adds to s the batches from the one that holds the offset on, as long as they end at or before limit and s stays
// within bytesMax; the first batch comes in any case when whole is true. It stops early at a batch that is not in memory.
// Errors: OFFSET_OUT_OF_RANGE below the start or above the end; ErrNotInMemory for the first batch; KAFKA_STORAGE_ERROR
// for a damaged batch.
func (l *Log) Read(s *Slice, from, limit record.Offset, bytesMax int, whole bool) error {
	if from < l.start || from > l.end {
		return fmt.Errorf("%w: %d is outside [%d, %d]", protocol.ErrOffsetOutOfRange, from, l.start, l.end)
	}
	s.End = from
	for at := from; at < min(limit, l.end); {
		if d := l.doubtAt(at); d != nil {
			if len(s.pins) == 0 {
				return l.refuse(d)
			}
			s.More = true
			return nil
		}
		v, ok, err := l.view(at)
		if err != nil && len(s.pins) > 0 {
			s.More = true // what lies before the damage is served
			return nil
		}
		if err != nil {
			return err
		}
		if !ok {
			if len(s.pins) == 0 {
				return ErrNotInMemory
			}
			s.More = true
			return nil
		}
		over := s.Bytes+len(v.bytes) > bytesMax && !(whole && len(s.pins) == 0)
		if over || v.end > limit {
			v.pin.Release()
			s.More = s.More || over && v.end <= limit
			return nil
		}
		s.Parts = append(s.Parts, v.bytes)
		s.pins = append(s.pins, v.pin)
		s.Bytes += len(v.bytes)
		s.End, at = v.end, v.end
	}
	return nil
}

// view returns the batch that holds the offset, or the next one when there is none for it. ok is false when it is not in
// memory.
func (l *Log) view(at record.Offset) (view, bool, error) {
	if l.tailStart() > at {
		v, ok := l.directory.cold.find(l, at)
		return v, ok, nil
	}
	i := l.row(at)
	if i == len(l.tail) {
		return view{}, false, nil
	}
	b := &l.tail[i]
	if b.at.Segment < l.directory.journal.First() {
		v, ok := l.directory.cold.find(l, at)
		return v, ok, nil
	}
	p, held, ok, err := l.directory.journal.Bytes(b.at, b.bytes)
	if err == nil && ok && !l.fits(p, b) {
		held.Release() // the two fields that the batch's own checksum leaves out
		err = b.misfit()
	}
	if err != nil && b.end > l.filled {
		l.doubted(b.base, b.end, err.Error())
		return view{}, false, l.refuse(l.doubtAt(at))
	}
	if err != nil || !ok {
		v, ok := l.directory.cold.find(l, at)
		return v, ok, nil
	}
	return view{b.base, b.end, p, held}, true, nil
}

// fits says whether the bytes are those of the row.
func (l *Log) fits(p []byte, b *batch) bool {
	return record.Offset(binary.BigEndian.Uint64(p)) == b.base && record.LeaderEpoch(binary.BigEndian.Uint32(p[12:])) == b.epoch
}

// misfit is the error for bytes that are not the row's.
func (b *batch) misfit() error {
	return fmt.Errorf("journal-%010d.segment, position %d: the stored batch says another offset or epoch", b.at.Segment, b.at.Position)
}

// Load brings the batch that holds the offset, and what follows it, into memory. Errors: KAFKA_STORAGE_ERROR with the disk's,
// or because the batch turns out to be damaged.
func (l *Log) Load(offset record.Offset) *task.Pending[task.Done] {
	loop := l.directory.env.Loop
	done := task.NewPending[task.Done](loop)
	loaded := func(_ task.Done, err error) {
		if errors.Is(err, journal.ErrRecycled) || errors.Is(err, errChanged) {
			err = nil // who asked looks again, and finds it elsewhere
		}
		if err != nil && !errors.Is(err, protocol.ErrKafkaStorageError) {
			err = fmt.Errorf("%w: %w", protocol.ErrKafkaStorageError, err)
		}
		done.Complete(task.Done{}, err)
	}
	if i := l.row(offset); i < len(l.tail) && l.tail[i].base <= offset && l.tail[i].end > l.filled {
		l.directory.journal.Load(l.tail[i].at, l.tail[i].bytes).Then(loaded)
	} else if offset >= l.end {
		done.Complete(task.Done{}, nil)
	} else {
		loop.Go("read a partition log", func(t *task.Task) { loaded(task.Done{}, l.loadFile(t, offset)) })
	}
	return done
}
