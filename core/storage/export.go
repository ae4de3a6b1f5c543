package storage

import (
	"errors"
	"fmt"

	"barnabas/core/env"
	"barnabas/core/storage/segment"
	"barnabas/core/task"
)

// A clean stop hands the directory over: it then holds all that Apache Kafka would have left, and Kafka may start on it
// (rules K1, J16). The order is what makes that safe (hazards R6):
//
//	partition folders, checkpoint files, quorum-state    complete and durable
//	the journal's closing commit                         nothing follows it
//	.kafka_cleanshutdown                                 signed with that commit
//	meta.properties, version=1                           from here on the directory is Kafka's as much as ours
//
// A crash before the last step leaves a directory of version 2, which the journal describes. What Kafka does afterwards
// shows in the signature: it removes the file at its start and writes one of its own at its stop.

// QuorumState is what quorum-state says: what a voter must not forget.
type QuorumState = segment.QuorumState

// VoteForms are the two forms a vote is kept in: as the journal has it, and as quorum-state has it.
type VoteForms struct {
	ToFile   func(vote []byte) (QuorumState, error)
	FromFile func(QuorumState) []byte
}

// errKept is why a directory is not handed over.
var errKept = errors.New("the folder stays in this broker's own form, which Apache Kafka refuses")

// export writes Kafka's files. Requires: everything was filled and synced. Errors: errKept; the disk's.
func (d *Directory) export(t *task.Task) error {
	if len(d.trash.wastes) > 0 {
		return fmt.Errorf("%w: %s is not removed yet", errKept, d.trash.wastes[0].from)
	}
	if d.votes != nil && d.options.Votes.ToFile == nil {
		return fmt.Errorf("%w: there is a vote that nobody reads", errKept)
	}
	var logs []*Log
	for _, l := range d.logs.All {
		if err := l.mayExport(); err != nil {
			return err
		}
		logs = append(logs, l)
	}
	if err := d.eachLog(t, "export partition logs", syncsMax, logs, func(t *task.Task, l *Log) error { return l.export(t) }); err != nil {
		return err
	}
	for _, l := range logs {
		if err := l.mayExport(); err != nil { // exporting reads files, and may have found damage
			return err
		}
	}
	if err := d.exportOffsets(t, logs); err != nil {
		return err
	}
	_, err := d.env.Disk.SyncDir(d.options.Folder).Wait(t)
	return err
}

// mayExport says why the log can't be handed over, or nil.
func (l *Log) mayExport() error {
	_, err := segment.ParseFolder(l.Name)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", errKept, err)
	case len(l.doubts) > 0:
		return fmt.Errorf("%w: offsets %d to %d of %s are damaged", errKept, l.doubts[0].base, l.doubts[0].end-1, l.Name)
	case l.saved < l.end || l.stable < l.end || l.risky:
		return fmt.Errorf("%w: %s has %d of %d offsets in its files", errKept, l.Name, l.saved, l.end)
	}
	return nil
}

// exportOffsets writes the files in the root with an offset for each partition. The metadata log is in none of them.
func (d *Directory) exportOffsets(t *task.Task, logs []*Log) error {
	var ends, starts, marks []segment.PartitionOffset
	for _, l := range logs {
		f, err := segment.ParseFolder(l.Name)
		if err != nil {
			return err
		}
		if l.always {
			continue
		}
		at := segment.PartitionOffset{Topic: f.Topic, Partition: f.Partition, Offset: l.end}
		ends = append(ends, at)
		at.Offset = min(max(l.settled, l.start), l.end)
		marks = append(marks, at)
		if at.Offset = l.start; len(l.segments) > 0 && l.start > l.segments[0].base {
			starts = append(starts, at)
		}
	}
	for _, f := range []struct {
		name    string
		offsets []segment.PartitionOffset
	}{{segment.RecoveryPointFile, ends}, {segment.LogStartFile, starts}, {segment.HighWatermarkFile, marks}} {
		if err := d.writeAnew(t, d.options.Folder+"/"+f.name, segment.EncodeOffsets(f.offsets)); err != nil {
			return err
		}
	}
	return nil
}

// writeAnew is writeSmall with a new name: one that is there may be what a failed sync of the folder left in memory only.
func (d *Directory) writeAnew(t *task.Task, path string, p []byte) error {
	d.files.forget(path)
	if _, err := d.env.Disk.Remove(path).Wait(t); err != nil && !errors.Is(err, env.ErrNotExist) {
		return err
	}
	return d.writeSmall(t, path, p)
}

// signature names the last commit of the journal.
func (d *Directory) signature() string {
	return fmt.Sprintf("%x-%d", d.journal.ID(), d.journal.LastSequence())
}

// giveAway makes the directory Kafka's as much as ours. Requires: it was exported, and the journal is closed.
func (d *Directory) giveAway(t *task.Task) error {
	root := d.options.Folder + "/"
	if err := d.writeAnew(t, root+segment.CleanShutdownFile, segment.EncodeSignedShutdown(d.epoch, d.signature())); err != nil {
		return err
	}
	d.files.shrink(0)
	if _, err := d.env.Disk.SyncDir(d.options.Folder).Wait(t); err != nil {
		return err
	}
	return writeIdentity(t, d.env, d.options.Folder, d.Identity, sharedVersion)
}

// producerStates are the log's producers as Kafka keeps them.
func (p *Producers) states() []segment.ProducerState {
	var states []segment.ProducerState
	for id, known := range p.byID.All {
		last := known.window[len(known.window)-1]
		states = append(states, segment.ProducerState{
			ID: id, Epoch: known.epoch, LastSequence: last.last, LastOffset: last.end - 1,
			OffsetDelta: int32(last.end - 1 - last.base), Timestamp: last.timestamp, CoordinatorEpoch: -1, TxnFirstOffset: -1,
		})
	}
	return states
}

// finishTrash removes what waits to be removed, whatever its delay.
func (d *Directory) finishTrash(t *task.Task) error {
	if err := d.renameAll(t); err != nil {
		return err
	}
	for _, w := range append([]*waste(nil), d.trash.wastes...) {
		if !w.renamed {
			continue
		}
		if err := d.destroy(t, w); err != nil {
			return err
		}
		d.trash.remove(w)
	}
	return nil
}
