package storage

import (
	"encoding/binary"
	"errors"
	"fmt"

	"barnabas/core/protocol"
	"barnabas/core/record"
)

// Slice is a run of whole batches of a log, in memory that stays in place until Release. Parts may be fewer than batches:
// neighbours in memory are one part.
type Slice struct {
	Parts [][]byte
	Bytes int
	End   record.Offset // after the last batch
	More  bool          // there is another batch: it would have exceeded the bytes allowed, or is not in memory
	pins  []pin
	to    uint32 // where the last part ends in what holds it
}

// Batches walks the batches one by one; the bytes are valid until Release.
func (s *Slice) Batches(yield func([]byte) bool) {
	for _, part := range s.Parts {
		for len(part) > 0 {
			length := 12 + binary.BigEndian.Uint32(part[8:])
			if !yield(part[:length]) {
				return
			}
			part = part[length:]
		}
	}
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
	bytes     []byte // with the capacity of what holds it, of which nobody writes anything
	from      uint32 // where it stands in what holds it
	pin       pin    // what holds it
}

// add appends a batch that is in memory. Neighbours become one part, under one pin.
func (s *Slice) add(v view) {
	if last := len(s.pins) - 1; last >= 0 && s.pins[last] == v.pin {
		v.pin.Release()
		if s.to == v.from {
			part := &s.Parts[len(s.Parts)-1]
			*part = (*part)[:len(*part)+len(v.bytes)]
		} else {
			s.Parts = append(s.Parts, v.bytes)
		}
	} else {
		s.Parts = append(s.Parts, v.bytes)
		s.pins = append(s.pins, v.pin)
	}
	s.Bytes += len(v.bytes)
	s.End, s.to = v.end, v.from+uint32(len(v.bytes))
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
	for at := from; ; {
		if at = l.pastHoles(at); at >= min(limit, l.end) {
			return nil
		}
		s.End = at
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
		s.add(v)
		at = v.end
	}
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
	p, from, held, err := l.directory.journal.Bytes(b.at, b.bytes)
	ok := held != nil
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
	return view{b.base, b.end, p, from, held}, true, nil
}

// fits says whether the bytes are those of the row.
func (l *Log) fits(p []byte, b *batch) bool {
	return record.Offset(binary.BigEndian.Uint64(p)) == b.base && record.LeaderEpoch(binary.BigEndian.Uint32(p[12:])) == b.epoch
}

// misfit is the error for bytes that are not the row's.
func (b *batch) misfit() error {
	return fmt.Errorf("journal-%010d.segment, position %d: the stored batch says another offset or epoch", b.at.Segment, b.at.Position)
}
