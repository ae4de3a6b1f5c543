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

// log makes a log of a partition's folder.
func (im *importer) log(t *task.Task, name string, f segment.Folder) error {
	d := im.d
	path := d.options.Folder + "/" + name
	names, err := d.env.Disk.List(path).Wait(t)
	if err != nil {
		return err
	}
	p, err := readFile(t, d.env.Disk, path+"/"+segment.PartitionMetadataFile, identityMax)
	if errors.Is(err, env.ErrNotExist) {
		return fmt.Errorf("it has no %s: it is older than Kafka 2.8, or no partition's", segment.PartitionMetadataFile)
	}
	if err != nil {
		return err
	}
	id, err := segment.DecodePartitionMetadata(p)
	if err != nil {
		return err
	}
	d.last++
	l := newLog(d, d.last, id, f.Partition, name)
	l.folder = true
	bases, snapshots, err := im.files(l, names)
	if err != nil {
		return err
	}
	if err := l.takeEpochs(t); err != nil {
		return err
	}
	if err := im.segments(t, l, bases); err != nil {
		return err
	}
	if _, ok := im.compacted[f]; ok {
		l.gaps = true
	}
	point, ok := im.recovery[f]
	if im.clean || !ok {
		point = 0
	}
	if err := im.recover(t, l, snapshots, point); err != nil {
		return err
	}
	if start, ok := im.starts[f]; ok {
		l.start = max(l.start, start)
		if len(l.segments) == 0 {
			l.end = l.start
		}
	}
	if l.start > l.end {
		return fmt.Errorf("its log start %d lies beyond its end %d", l.start, l.end)
	}
	l.filled, l.saved, l.anchor = l.end, l.end, l.end
	l.settled = min(max(im.marks[f], l.start), l.end)
	l.producers = l.base.clone()
	if im.clean {
		l.keepIntact()
	}
	im.records += int64(l.end - l.start)
	d.logs.Set(l.Number, l)
	return nil
}

// files sorts the names of a folder: the segments' base offsets, and the snapshots' offsets, each ascending.
func (im *importer) files(l *Log, names []string) (bases, snapshots []record.Offset, err error) {
	for _, name := range names {
		n, ok := segment.ParseFileName(name)
		switch {
		case !ok:
		case n.Stage == segment.Deleted:
			im.d.trash.add(&waste{log: l.Number, from: l.Name + "/" + name, to: l.Name + "/" + name, renamed: true})
		case n.Stage != segment.InUse:
			return nil, nil, fmt.Errorf("%s: compaction was cut off: start and stop Kafka once", name)
		case n.Kind == segment.Log:
			bases = append(bases, n.Offset)
		case n.Kind == segment.TxnIndex:
			return nil, nil, fmt.Errorf("%s: it has aborted transactions, and transactions are not known here yet", name)
		case n.Kind == segment.ProducerSnapshot:
			snapshots = append(snapshots, n.Offset)
		}
	}
	slices.Sort(bases)
	slices.Sort(snapshots)
	return bases, snapshots, nil
}

// takeEpochs reads the log's leader epochs.
func (l *Log) takeEpochs(t *task.Task) error {
	p, err := readFile(t, l.directory.env.Disk, l.folderPath()+"/"+segment.LeaderEpochFile, smallFileMax)
	if err != nil && !errors.Is(err, env.ErrNotExist) {
		return err
	}
	lines, err := segment.DecodeEpochs(p)
	for _, e := range lines {
		l.epochs.starts = append(l.epochs.starts, EpochStart{e.Epoch, e.Start})
	}
	return err
}

// segments makes the log's segments of their files. All but the last are closed: they end where the next one begins.
func (im *importer) segments(t *task.Task, l *Log, bases []record.Offset) error {
	for i, base := range bases {
		s := newSegment(base, &l.config)
		s.made = true
		size, err := fileSize(t, im.d.env.Disk, l.path(s))
		if err != nil {
			return err
		}
		if size > 1<<31-1 {
			return fmt.Errorf("%s has %d bytes, more than a segment can", l.path(s), size)
		}
		s.size = uint32(size)
		if i+1 < len(bases) {
			s.end, s.sealed = bases[i+1], true
		}
		if s.size > 0 {
			if err := l.takeIndex(t, s); err != nil {
				return err
			}
		}
		l.segments = append(l.segments, s)
		l.bytes += size
	}
	if len(bases) > 0 {
		l.start = bases[0]
	}
	return nil
}

// takeIndex reads the index files of a segment. Where they are missing or are no index, it is built anew when it is needed.
// What an index says is checked against the batches whenever it is used.
func (l *Log) takeIndex(t *task.Task, s *logSegment) error {
	var parts [2][]byte
	for i, kind := range []segment.Kind{segment.OffsetIndex, segment.TimeIndex} {
		p, err := readFile(t, l.directory.env.Disk, l.fileOf(s, kind), smallFileMax)
		if err != nil && !errors.Is(err, env.ErrNotExist) && !errors.Is(err, env.ErrIO) && !errors.Is(err, errTooLarge) {
			return err
		}
		if parts[i] = p; err != nil {
			s.index, s.indexes = nil, indexSums{}
			return nil //nolint:nilerr // it is derived
		}
	}
	x, err := segment.ParseKafkaIndex(s.base, l.config.IndexIntervalBytes, parts[0], parts[1])
	s.index, s.indexes = nil, indexSums{}
	if err != nil {
		return nil //nolint:nilerr // it is derived
	}
	if s.index = &x; s.sealed {
		if err := x.Within(s.end, s.size); err != nil {
			s.index = nil
			return nil //nolint:nilerr // it is derived
		}
		s.indexes = sumsOf(&x)
	}
	return nil
}

func fileSize(t *task.Task, disk env.Disk, path string) (int64, error) {
	file, err := disk.Open(path, env.OpenExisting).Wait(t)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	return file.Size().Wait(t)
}
