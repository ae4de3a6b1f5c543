package storage

import (
	"errors"
	"fmt"
	"slices"

	"barnabas/core/env"
	"barnabas/core/record"
	"barnabas/core/storage/segment"
	"barnabas/core/task"
)

// export has the log's folder hold what Kafka would have left, and no file of a segment or a snapshot beside it.
// Errors: errKept; the disk's.
func (l *Log) export(t *task.Task) error {
	d := l.directory
	if err := l.makeFolder(t); err != nil {
		return err
	}
	if l.intact && !l.always { // but leader epochs may have begun
		if l.epochs.mark() == l.intactAt {
			return nil
		}
		// Its name is durable, and stays.
		return d.writeSmall(t, l.folderPath()+"/"+segment.LeaderEpochFile, segment.EncodeEpochs(l.epochs.lines()))
	}
	names, err := d.env.Disk.List(l.folderPath()).Wait(t)
	if err != nil {
		return err
	}
	wanted, err := l.exportSegments(t, names)
	if err != nil {
		return err
	}
	if l.end > 0 {
		name := segment.FileName{Offset: l.end, Kind: segment.ProducerSnapshot}.String()
		if err := d.writeAnew(t, l.folderPath()+"/"+name, segment.EncodeProducers(l.producers.states())); err != nil {
			return err
		}
		wanted = append(wanted, name)
	}
	if err := d.writeAnew(t, l.folderPath()+"/"+segment.LeaderEpochFile, segment.EncodeEpochs(l.epochs.lines())); err != nil {
		return err
	}
	if err := l.exportVote(t); err != nil {
		return err
	}
	if err := l.removeOthers(t, names, wanted); err != nil {
		return err
	}
	_, err = d.env.Disk.SyncDir(l.folderPath()).Wait(t)
	return err
}

// keepIntact notes that the log's folder holds what a clean stop has to leave.
func (l *Log) keepIntact() { l.intact, l.intactAt = true, l.epochs.mark() }

// epochsMark tells whether leader epochs have changed: they only grow at one end and go away at either.
type epochsMark struct {
	count       int
	first, last EpochStart
}

func (e *Epochs) mark() epochsMark {
	if len(e.starts) == 0 {
		return epochsMark{}
	}
	return epochsMark{len(e.starts), e.starts[0], e.starts[len(e.starts)-1]}
}

// exportVote writes quorum-state beside the metadata log.
func (l *Log) exportVote(t *task.Task) error {
	d := l.directory
	if !l.always || d.votes == nil {
		return nil
	}
	state, err := d.options.Votes.ToFile(d.votes)
	if err != nil {
		return err
	}
	return d.writeAnew(t, l.folderPath()+"/"+segment.QuorumStateFile, segment.EncodeQuorumState(state))
}

// exportSegments has each segment's files complete, and returns their names. A log without segments gets an empty one, as
// Kafka would make it.
func (l *Log) exportSegments(t *task.Task, names []string) (wanted []string, err error) {
	segments := l.segments
	if len(segments) == 0 {
		segments = []*logSegment{newSegment(l.end, &l.config)}
	}
	for _, s := range segments {
		var files []string
		for _, kind := range []segment.Kind{segment.Log, segment.OffsetIndex, segment.TimeIndex} {
			files = append(files, segment.FileName{Offset: s.base, Kind: kind}.String())
		}
		wanted = append(append(wanted, files...), segment.FileName{Offset: s.base, Kind: segment.TxnIndex}.String())
		whole := s.sealed && slices.Contains(names, files[1]) && slices.Contains(names, files[2])
		if err := l.exportBytes(t, s, !s.sealed); err != nil {
			return nil, err
		}
		if whole {
			continue
		}
		if err := l.exportIndex(t, s); err != nil {
			return nil, err
		}
	}
	return wanted, nil
}

// exportBytes cuts the segment's file to its size: the zeros after its last batch would be damage to Kafka.
func (l *Log) exportBytes(t *task.Task, s *logSegment, cut bool) error {
	d := l.directory
	mode := env.OpenExisting
	if s.size == 0 {
		mode = env.OpenCreate
	}
	file, err := d.files.take(t, l.path(s), mode)
	if err != nil {
		return err
	}
	defer d.files.release(file)
	size, err := file.Size().Wait(t)
	if err != nil {
		return err
	}
	if size < int64(s.size) {
		return fmt.Errorf("%w: %s has %d of %d bytes", errKept, l.path(s), size, s.size)
	}
	if size == int64(s.size) && s.sealed {
		return nil
	}
	if !cut {
		return fmt.Errorf("%w: %s has %d bytes beyond its end", errKept, l.path(s), size-int64(s.size))
	}
	if _, err := file.Truncate(int64(s.size)).Wait(t); err != nil {
		return err
	}
	_, err = file.Sync().Wait(t)
	return err
}

// exportIndex writes the index of a segment that has none in its files yet. What the log knows of its index stays as it
// is: the next process begins from the checkpoint, and finds these files or not.
func (l *Log) exportIndex(t *task.Task, s *logSegment) error {
	if s.index == nil && s.size == 0 {
		s.index = newIndex(s.base, &l.config)
	}
	_, err := l.writeIndex(t, s, true)
	if errors.Is(err, errChanged) {
		return fmt.Errorf("%w: %s is damaged", errKept, l.path(s))
	}
	return err
}

// removeOthers removes the files of segments and snapshots that are no part of the log: a crash left them.
func (l *Log) removeOthers(t *task.Task, names, wanted []string) error {
	d := l.directory
	for _, name := range names {
		if _, ok := segment.ParseFileName(name); !ok || slices.Contains(wanted, name) {
			continue
		}
		path := l.folderPath() + "/" + name
		d.files.forget(path)
		if _, err := d.env.Disk.Remove(path).Wait(t); err != nil && !errors.Is(err, env.ErrNotExist) {
			return err
		}
	}
	return nil
}

// lines are the epochs as leader-epoch-checkpoint has them.
func (e *Epochs) lines() []segment.EpochStart {
	lines := make([]segment.EpochStart, 0, len(e.starts))
	for _, s := range e.starts {
		lines = append(lines, segment.EpochStart{Epoch: s.Epoch, Start: s.Start})
	}
	return lines
}

// producersFrom is the reverse of states. Errors: a transaction is open.
func producersFrom(states []segment.ProducerState) (p Producers, err error) {
	for _, s := range states {
		if s.TxnFirstOffset >= 0 {
			return p, fmt.Errorf("producer %d has a transaction open since offset %d, and transactions are not known here yet", s.ID, s.TxnFirstOffset)
		}
		if s.LastOffset < 0 || s.LastSequence < 0 {
			continue
		}
		p.byID.Set(s.ID, &producer{epoch: s.Epoch, window: []producedBatch{{
			first: record.AddSequence(s.LastSequence, -s.OffsetDelta), last: s.LastSequence,
			base: s.LastOffset - record.Offset(s.OffsetDelta), end: s.LastOffset + 1, timestamp: s.Timestamp,
		}}})
	}
	return p, nil
}
