package storage

import (
	"encoding/binary"
	"errors"
	"fmt"

	"barnabas/core/env"
	"barnabas/core/record"
	"barnabas/core/storage/journal"
	"barnabas/core/storage/segment"
	"barnabas/core/task"
)

// recover finds the log's end, what its segments' timestamps reach to, and its producers. After a clean stop it reads the
// newest batches of the last segment, and what the newest snapshot of producers does not cover; after a crash everything
// from the recovery point on. Of the other segments it reads the first batch alone.
func (im *importer) recover(t *task.Task, l *Log, snapshots []record.Offset, point record.Offset) error {
	first := max(len(l.segments)-1, 0)
	if !im.clean {
		for first > 0 && l.segments[first].base > point {
			first--
		}
	}
	covered, err := im.producers(t, l, snapshots, first)
	if err != nil {
		return err
	}
	for first > 0 && l.segments[first].base > covered {
		first--
	}
	for i, s := range l.segments {
		if i >= len(l.segments) {
			break // cut off
		}
		if err := l.takeHead(t, s); err != nil {
			return err
		}
		if i < first {
			if s.index != nil {
				s.maxTimestamp, s.maxOffset = s.index.Greatest().Timestamp, s.index.Greatest().Last
			}
			s.index = nil
			l.gaps = true // there may be some: it was a replica of a compacted log, or was one itself once
		} else if err := im.scan(t, l, i, covered); err != nil {
			return err
		}
		s.savedMax, s.savedMaxOffset = s.maxTimestamp, s.maxOffset
	}
	if n := len(l.segments); n > 0 {
		l.end = l.segments[n-1].end
		return l.takeBlock(t, l.segments[n-1])
	}
	return nil
}

// producers reads the newest snapshot that is whole, and returns the offset up to which it covers the log. After a crash
// it must not reach into what is going to be checked.
func (im *importer) producers(t *task.Task, l *Log, snapshots []record.Offset, first int) (record.Offset, error) {
	for i := len(snapshots) - 1; i >= 0; i-- {
		if !im.clean && snapshots[i] > l.segments[first].base {
			continue
		}
		name := segment.FileName{Offset: snapshots[i], Kind: segment.ProducerSnapshot}.String()
		p, err := readFile(t, im.d.env.Disk, l.folderPath()+"/"+name, smallFileMax)
		if err != nil && !errors.Is(err, env.ErrIO) {
			return 0, err
		}
		states, err := segment.DecodeProducers(p)
		if err != nil {
			im.d.env.Talk.Say(fmt.Sprintf("%s/%s: %v: an older one is taken", l.Name, name, err))
			continue
		}
		l.base, err = producersFrom(states)
		return snapshots[i], err
	}
	return 0, nil
}

// takeHead reads the first batch's header of the segment: what it says of the format, and of the age of the segment.
func (l *Log) takeHead(t *task.Task, s *logSegment) error {
	if s.size < record.HeaderBytes {
		return nil
	}
	p := make([]byte, record.HeaderBytes)
	file, err := l.directory.env.Disk.Open(l.path(s), env.OpenExisting).Wait(t)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.ReadAt(p, 0).Wait(t); err != nil {
		return err
	}
	if p[16] < 2 {
		return fmt.Errorf("%s holds records of format %d, from before Kafka 0.11, which are not read here", l.path(s), p[16])
	}
	s.firstTimestamp = int64(binary.BigEndian.Uint64(p[35:]))
	return nil
}

// scan checks the batches of segment number i: all of them, or after a clean stop those from the last index entry on, if
// the producers are known up to there.
func (im *importer) scan(t *task.Task, l *Log, i int, covered record.Offset) error {
	s := l.segments[i]
	last := i == len(l.segments)-1
	at, next := uint32(0), s.base
	if x := s.index; im.clean && last && x != nil && x.Resume() < s.size {
		if entries, _ := x.Len(); entries > 0 && x.Entry(entries-1).Last < covered {
			at = x.Resume()
			s.maxTimestamp, s.maxOffset = x.Greatest().Timestamp, x.Greatest().Last
			next = -1 // the entry tells the batch's last offset, the batch its first
		}
	}
	end, why, err := im.walk(t, l, s, at, next, covered)
	if err != nil {
		return err
	}
	s.index = nil // it is read again when it is needed
	if last {
		s.indexes = indexSums{}
	} else if begins := l.segments[i+1].base; why == nil && s.end != begins {
		if s.end > begins {
			why = fmt.Errorf("the segment ends at offset %d and the next one begins at %d", s.end, begins)
		}
		s.end, l.gaps = begins, true
	}
	if why == nil {
		return im.sync(t, l, s)
	}
	if im.clean {
		return fmt.Errorf("%s, position %d: %w", l.path(s), end, why)
	}
	return im.cut(t, l, i, end, why)
}

// walk goes from batch to batch to the end of the segment's file and notes what each brings. It returns where it ended,
// and why if that is not the file's end.
func (im *importer) walk(t *task.Task, l *Log, s *logSegment, at uint32, next, covered record.Offset) (uint32, error, error) {
	disk := im.d.env.Disk
	file, err := disk.Open(l.path(s), env.OpenExisting).Wait(t)
	if err != nil {
		return at, nil, err
	}
	defer file.Close()
	p := disk.Buffer(fillBytes)
	defer func() { disk.FreeBuffer(p) }()
	s.end = max(next, s.base)
	for held, base := 0, at; at < s.size; {
		rest := p[at-base : held]
		need := batchBytes(rest)
		if need > len(rest) && int64(need) <= int64(s.size-at) {
			if need > len(p) {
				disk.FreeBuffer(p)
				p = disk.Buffer(need)
			}
			if held, err = file.ReadAt(p[:min(len(p), int(s.size-at))], int64(at)).Wait(t); err != nil {
				return at, nil, err
			}
			if base = at; batchBytes(p[:held]) > held {
				if need = batchBytes(p[:held]); need <= int(s.size-at) && need > len(p) {
					continue
				}
			}
			rest = p[:held]
		}
		h, why := record.Check(rest)
		if why == nil && next >= 0 && h.BaseOffset < next {
			why = fmt.Errorf("a batch says offset %d where %d belongs", h.BaseOffset, next)
		}
		if why != nil {
			return at, why, nil
		}
		l.gaps = l.gaps || next >= 0 && h.BaseOffset > next
		l.takeBatch(s, &h, covered)
		at, next = at+uint32(h.Length), h.EndOffset()
	}
	return at, nil, nil
}

// batchBytes is how many bytes must be at hand to check the batch that p begins with.
func batchBytes(p []byte) int {
	if len(p) < record.HeaderBytes {
		return record.HeaderBytes
	}
	return max(record.HeaderBytes, int(int64(int32(binary.BigEndian.Uint32(p[8:])))+12))
}

// takeBatch notes a batch that was found in the segment's file.
func (l *Log) takeBatch(s *logSegment, h *record.Header, covered record.Offset) {
	s.end = h.EndOffset()
	if h.MaxTimestamp > s.maxTimestamp {
		s.maxTimestamp, s.maxOffset = h.MaxTimestamp, h.LastOffset()
	}
	if h.LeaderEpoch > l.epochs.Latest() {
		l.epochs.begin(h.LeaderEpoch, h.BaseOffset)
	}
	if h.BaseOffset >= covered && !h.Attributes.IsControl() {
		b := indexed(h, journal.Location{})
		l.base.note(&b)
	}
}

// cut ends a log where its first damaged batch stands, as Kafka does after a crash, and says so.
func (im *importer) cut(t *task.Task, l *Log, i int, position uint32, why error) error {
	s := l.segments[i]
	bytes := int64(s.size - position)
	for _, later := range l.segments[i+1:] {
		bytes += int64(later.size)
	}
	im.d.env.Talk.Say(fmt.Sprintf("CUT: %s ends at offset %d: Apache Kafka crashed, and %s is not whole at position %d (%v); %d bytes are gone",
		l.Name, s.end, l.path(s), position, why, bytes))
	for _, later := range l.segments[i+1:] {
		for _, kind := range []segment.Kind{segment.Log, segment.OffsetIndex, segment.TimeIndex} {
			if _, err := im.d.env.Disk.Remove(l.fileOf(later, kind)).Wait(t); err != nil && !errors.Is(err, env.ErrNotExist) {
				return err
			}
		}
	}
	l.segments = l.segments[:i+1]
	file, err := im.d.env.Disk.Open(l.path(s), env.OpenExisting).Wait(t)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Truncate(int64(position)).Wait(t); err != nil {
		return err
	}
	s.size, s.sealed, s.index, s.indexes = position, false, nil, indexSums{}
	l.bytes -= bytes
	l.epochs.truncateEnd(s.end)
	if err := im.sync(t, l, s); err != nil {
		return err
	}
	_, err = im.d.env.Disk.SyncDir(l.folderPath()).Wait(t)
	return err
}

// sync makes what was found in a segment durable, which a Kafka that crashed may not have done.
func (im *importer) sync(t *task.Task, l *Log, s *logSegment) error {
	if im.clean {
		return nil
	}
	file, err := im.d.env.Disk.Open(l.path(s), env.OpenExisting).Wait(t)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = file.Sync().Wait(t)
	return err
}

// takeBlock reads what the last segment's file has of its last block: the next write begins with it.
func (l *Log) takeBlock(t *task.Task, s *logSegment) error {
	file, err := l.directory.env.Disk.Open(l.path(s), env.OpenExisting).Wait(t)
	if err != nil {
		return err
	}
	defer file.Close()
	p := make([]byte, s.size%env.BlockBytes)
	if _, err := file.ReadAt(p, int64(s.size)-int64(len(p))).Wait(t); err != nil {
		return err
	}
	l.block, l.safe = p, p
	return nil
}
