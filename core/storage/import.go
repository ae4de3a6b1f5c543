package storage

import (
	"errors"
	"fmt"

	"barnabas/core/env"
	"barnabas/core/record"
	"barnabas/core/storage/segment"
	"barnabas/core/task"
)

// A directory that Apache Kafka had last is taken over as it is: its segments become ours in place, and the first
// checkpoint of a new journal describes them. Nothing is copied. After a clean stop no file of a partition is written;
// after a crash the logs are recovered as Kafka does it: what lies beyond the recovery point is checked, and cut at the
// first batch that is damaged. Until meta.properties says version 2 nothing of this counts, and a start that ends before
// leaves the directory Kafka's.

// importer reads the directory.
type importer struct {
	d        *Directory
	clean    bool
	recovery map[segment.Folder]record.Offset // recovery points: Kafka had synced what is below
	starts   map[segment.Folder]record.Offset // log starts, where they are not the first segment's base
	marks    map[segment.Folder]record.Offset // high watermarks
	// compacted has the logs that Kafka's cleaner has been at, with how far it was.
	compacted map[segment.Folder]record.Offset
	records   int64
}

// adopt makes logs of what Kafka left. Errors: what can't be taken over, by name; the disk's.
func (d *Directory) adopt(t *task.Task, left tenure) error {
	if d.options.Votes.FromFile == nil || d.options.Examine == nil {
		return fmt.Errorf("%s was left by Apache Kafka, and nobody here reads its metadata", d.options.Folder)
	}
	if err := d.dropJournal(t); err != nil {
		return err
	}
	d.epoch = left.epoch
	im := &importer{d: d, clean: left.clean}
	if err := im.readOffsets(t); err != nil {
		return err
	}
	names, err := d.env.Disk.List(d.options.Folder).Wait(t)
	if err != nil {
		return err
	}
	if !left.clean {
		d.env.Talk.Say(fmt.Sprintf("Apache Kafka did not stop in order on %s: its logs are being recovered", d.options.Folder))
	}
	for _, name := range names {
		folder, err := segment.ParseFolder(name)
		if err != nil {
			continue
		}
		if err := im.folder(t, name, folder); err != nil {
			return fmt.Errorf("%s can't be taken over from Apache Kafka: %s: %w", d.options.Folder, name, err)
		}
	}
	if err := d.takeVote(t); err != nil {
		return err
	}
	d.env.Talk.Say(fmt.Sprintf("taking %s over from Apache Kafka: %d logs with %d records", d.options.Folder, d.logs.Len(), im.records))
	return nil
}

// dropJournal removes what is left of an earlier journal of ours: Kafka has gone on since.
func (d *Directory) dropJournal(t *task.Task) error {
	journals, err := d.journalFiles(t)
	if err != nil || len(journals) == 0 {
		return err
	}
	for _, name := range journals {
		if _, err := d.env.Disk.Remove(d.options.Folder + "/" + name).Wait(t); err != nil {
			return err
		}
	}
	_, err = d.env.Disk.SyncDir(d.options.Folder).Wait(t)
	return err
}

// readOffsets reads the checkpoint files in the root. A log that was compacted has gaps between its batches.
func (im *importer) readOffsets(t *task.Task) error {
	for _, f := range []struct {
		name string
		into *map[segment.Folder]record.Offset
	}{
		{segment.RecoveryPointFile, &im.recovery},
		{segment.LogStartFile, &im.starts},
		{segment.HighWatermarkFile, &im.marks},
		{"cleaner-offset-checkpoint", &im.compacted},
	} {
		p, err := readFile(t, im.d.env.Disk, im.d.options.Folder+"/"+f.name, smallFileMax)
		if err != nil && !errors.Is(err, env.ErrNotExist) {
			return err
		}
		offsets, err := segment.DecodeOffsets(f.name, p)
		if err != nil {
			return err
		}
		*f.into = make(map[segment.Folder]record.Offset, len(offsets))
		for _, o := range offsets {
			(*f.into)[segment.Folder{Topic: o.Topic, Partition: o.Partition}] = o.Offset
		}
	}
	return nil
}

// smallFileMax bounds the small files of a folder: a line for each of a million partitions, or producers, fits.
const smallFileMax = 64 << 20

// folder takes one folder over.
func (im *importer) folder(t *task.Task, name string, f segment.Folder) error {
	d := im.d
	switch f.State {
	case segment.Live:
		return im.log(t, name, f)
	case segment.Deleting:
		d.trash.add(&waste{from: name, to: name, folder: true, renamed: true})
	case segment.FutureReplica:
		return errors.New("it is being moved between log directories: let Kafka finish that first")
	case segment.StrayPartition:
		d.env.Talk.Say(fmt.Sprintf("%s is of no partition that this broker had, and stays as it is", name))
	}
	return nil
}

// takeVote keeps what quorum-state says, so that no epoch is voted in twice.
func (d *Directory) takeVote(t *task.Task) error {
	for _, l := range d.logs.All {
		if !l.always {
			continue
		}
		p, err := readFile(t, d.env.Disk, l.folderPath()+"/"+segment.QuorumStateFile, identityMax)
		if errors.Is(err, env.ErrNotExist) {
			return fmt.Errorf("%s has no %s", l.folderPath(), segment.QuorumStateFile)
		}
		if err != nil {
			return err
		}
		state, err := segment.DecodeQuorumState(p)
		if err != nil {
			return err
		}
		state.LeaderEpoch = max(state.LeaderEpoch, l.epochs.Latest())
		d.votes = d.options.Votes.FromFile(state)
		return nil
	}
	return fmt.Errorf("%s has no metadata log: it belongs to a broker whose controllers are elsewhere, and can't be taken over alone", d.options.Folder)
}
