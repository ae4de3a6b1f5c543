package storage

import (
	"errors"
	"slices"

	"barnabas/core/env"
	"barnabas/core/storage/segment"
	"barnabas/core/task"
)

// MetadataSnapshot names a snapshot of the metadata log.
type MetadataSnapshot = segment.MetadataSnapshot

// metadataSnapshotMax bounds a snapshot's file: a million partitions fit.
const metadataSnapshotMax = 1 << 30

// Snapshots returns the snapshots in the metadata log's folder, the newest first. Apache Kafka has written them; they stay
// where they are. Errors: the disk's.
func (l *Log) Snapshots(t *task.Task) (snapshots []MetadataSnapshot, err error) {
	names, err := l.directory.env.Disk.List(l.folderPath()).Wait(t)
	if errors.Is(err, env.ErrNotExist) {
		return nil, nil
	}
	for _, name := range names {
		if s, ok := segment.ParseMetadataSnapshot(name); ok {
			snapshots = append(snapshots, s)
		}
	}
	slices.Reverse(snapshots) // names ascend as offsets do
	return snapshots, err
}

// ReadSnapshot returns the bytes of a snapshot's file: record batches. Errors: the disk's.
func (l *Log) ReadSnapshot(t *task.Task, s MetadataSnapshot) ([]byte, error) {
	return readFile(t, l.directory.env.Disk, l.folderPath()+"/"+s.String(), metadataSnapshotMax)
}
