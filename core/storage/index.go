package storage

import (
	"errors"
	"fmt"

	"barnabas/core/env"
	"barnabas/core/record"
	"barnabas/core/storage/segment"
	"barnabas/core/task"
)

// ensureIndex has the segment's index in memory: from its files where they are what they must be, else built anew from the
// batches, which are checked on the way. Errors: the disk's; errChanged.
func (l *Log) ensureIndex(t *task.Task, s *logSegment) error {
	if s.index != nil {
		return nil
	}
	cuts := l.cuts
	x, ok, err := l.readIndex(t, s)
	if err != nil {
		return err
	}
	if ok {
		l.directory.env.Probe.Sometimes(env.MarkIndexLoaded)
	} else if x, err = l.buildIndex(t, s, cuts); err != nil {
		return err
	}
	if l.cuts != cuts || l.segmentAt(s.base) != s {
		return errChanged
	}
	if s.index == nil {
		s.index = x
	}
	return nil
}

// segmentAt returns the segment that begins at the offset, or nil.
func (l *Log) segmentAt(base record.Offset) *logSegment {
	for _, s := range l.segments {
		if s.base == base {
			return s
		}
	}
	return nil
}

// readIndex reads the index files of a segment that has them. ok is false where they are missing or not what was written:
// they are derived, so that is no loss.
func (l *Log) readIndex(t *task.Task, s *logSegment) (x *segment.Index, ok bool, err error) {
	if s.indexes == (indexSums{}) || l.filledIn(s) < s.size {
		return nil, false, nil
	}
	var parts [2][]byte
	for i, kind := range []segment.Kind{segment.OffsetIndex, segment.TimeIndex} {
		p, err := l.directory.readSmall(t, l.fileOf(s, kind), l.config.IndexBytesMax+1<<20)
		if errors.Is(err, env.ErrNotExist) || errors.Is(err, env.ErrIO) || errors.Is(err, errTooLarge) {
			return nil, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		parts[i] = p
	}
	parsed, err := segment.ParseIndex(s.base, l.config.IndexIntervalBytes, parts[0], parts[1])
	if err != nil || sumsOf(&parsed) != s.indexes {
		return nil, false, nil //nolint:nilerr // it is built anew
	}
	return &parsed, true, nil
}

func sumsOf(x *segment.Index) indexSums {
	offsets, times := x.Len()
	offsetSum, timeSum := x.Sums()
	return indexSums{uint32(offsets), uint32(times), offsetSum, timeSum}
}

// buildIndex builds the index of what the segment's file has, and of the rows beyond it.
func (l *Log) buildIndex(t *task.Task, s *logSegment, cuts uint64) (*segment.Index, error) {
	l.directory.env.Probe.Sometimes(env.MarkIndexRebuilt)
	x := newIndex(s.base, &l.config)
	sc := &scanner{log: l, segment: s, cuts: cuts, want: fillBytes}
	sc.next = s.base
	err := sc.walk(t, func(h *record.Header, _ []byte) bool {
		x.Append(h.LastOffset(), sc.at, h.MaxTimestamp)
		return true
	}, nil)
	if err != nil {
		return nil, err
	}
	if l.cuts != cuts {
		return nil, errChanged
	}
	for i := range l.tail {
		if b := &l.tail[i]; b.base >= s.base && b.end <= s.end && b.position >= sc.at && !b.gap {
			x.Append(b.end-1, b.position, b.maxTimestamp)
		}
	}
	return x, nil
}

// writeIndex writes the index files of the segment and makes them durable. Errors: the disk's; errChanged.
func (l *Log) writeIndex(t *task.Task, s *logSegment, sealed bool) (indexSums, error) {
	if err := l.ensureIndex(t, s); err != nil {
		return indexSums{}, err
	}
	if sealed {
		s.index.Seal()
	}
	sums := sumsOf(s.index)
	offsets, times := s.index.OffsetBytes(0), s.index.TimeBytes(0)
	if err := l.directory.writeSmall(t, l.fileOf(s, segment.OffsetIndex), offsets); err != nil {
		return sums, err
	}
	return sums, l.directory.writeSmall(t, l.fileOf(s, segment.TimeIndex), times)
}

// fileOf returns the path of one of the segment's files.
func (l *Log) fileOf(s *logSegment, kind segment.Kind) string {
	return l.folderPath() + "/" + segment.FileName{Offset: s.base, Kind: kind}.String()
}

// path returns the path of the file with the segment's batches.
func (l *Log) path(s *logSegment) string { return l.fileOf(s, segment.Log) }

func (l *Log) folderPath() string { return l.directory.options.Folder + "/" + l.Name }

var errTooLarge = errors.New("the file is larger than it can be")

// readSmall reads a whole file. Errors: the disk's; errTooLarge.
func (d *Directory) readSmall(t *task.Task, path string, most int) ([]byte, error) {
	file, err := d.files.take(t, path, env.OpenExisting)
	if err != nil {
		return nil, err
	}
	defer d.files.release(file)
	size, err := file.Size().Wait(t)
	if err != nil {
		return nil, err
	}
	if size > int64(most) {
		return nil, fmt.Errorf("%s: %w: %d bytes", path, errTooLarge, size)
	}
	p := make([]byte, size)
	n, err := file.ReadAt(p, 0).Wait(t)
	return p[:n], err
}

// writeSmall has the file hold just p, durably but for its name.
func (d *Directory) writeSmall(t *task.Task, path string, p []byte) error {
	file, err := d.files.take(t, path, env.OpenCreate)
	if err != nil {
		return err
	}
	defer d.files.release(file)
	if _, err := file.Truncate(int64(len(p))).Wait(t); err != nil {
		return err
	}
	if len(p) > 0 {
		if _, err := file.WriteAt(p, 0).Wait(t); err != nil {
			return err
		}
	}
	_, err = file.Sync().Wait(t)
	return err
}
