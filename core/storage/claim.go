package storage

import (
	"errors"
	"fmt"
	"strings"

	"barnabas/core/env"
	"barnabas/core/storage/segment"
	"barnabas/core/task"
)

// tenure is how a log directory was left: who is to be asked for what it holds.
type tenure struct {
	shared    bool   // version 1: complete by itself, or somebody else's
	clean     bool   // there is a clean-shutdown file
	epoch     int64  // the broker epoch in it, or −1
	signature string // our own in it, if our journal is there too; else what is there was left by Apache Kafka
}

// foreign says that Apache Kafka had the directory last.
func (n *tenure) foreign() bool { return n.shared && n.signature == "" }

// readTenure looks who left the directory.
func (d *Directory) readTenure(t *task.Task, version int) (tenure, error) {
	n := tenure{shared: version == sharedVersion, epoch: -1}
	if !n.shared {
		return n, nil
	}
	p, err := readFile(t, d.env.Disk, d.options.Folder+"/"+segment.CleanShutdownFile, identityMax)
	if errors.Is(err, env.ErrNotExist) {
		return n, nil
	}
	if err != nil {
		return n, err
	}
	n.clean = true
	if n.epoch, err = segment.DecodeCleanShutdown(p); err != nil {
		n.epoch = -1 // as Kafka reads it: a clean stop of a broker whose epoch is not known
	}
	journals, err := d.journalFiles(t)
	if len(journals) > 0 {
		n.signature = segment.ShutdownSignature(p)
	}
	return n, err
}

// journalFiles returns the names of the journal's files.
func (d *Directory) journalFiles(t *task.Task) (journals []string, err error) {
	names, err := d.env.Disk.List(d.options.Folder).Wait(t)
	for _, name := range names {
		if strings.HasPrefix(name, "journal-") {
			journals = append(journals, name)
		}
	}
	return journals, err
}

// claim makes the directory ours alone, durably, before anything enters it: version 2 comes first, and only then does the
// clean-shutdown file go. Errors: the journal is another one than the one that left the directory; the disk's.
func (d *Directory) claim(t *task.Task, n tenure) error {
	if !n.shared {
		return nil
	}
	if !n.foreign() && n.signature != d.signature() {
		return fmt.Errorf("%s was left by a journal that ended with %s, and the one that is here ends with %s: files of the folder were mixed up",
			d.options.Folder, n.signature, d.signature())
	}
	if !n.foreign() {
		for _, l := range d.logs.All {
			l.keepIntact() // our own clean stop left it complete, and its folder durable
			l.folder = true
		}
	}
	if n.foreign() {
		if err := d.options.Examine(t, d); err != nil {
			return fmt.Errorf("%s can't be taken over from Apache Kafka: %w", d.options.Folder, err)
		}
	}
	if err := writeIdentity(t, d.env, d.options.Folder, d.Identity, ownVersion); err != nil {
		return err
	}
	_, err := d.env.Disk.Remove(d.options.Folder + "/" + segment.CleanShutdownFile).Wait(t)
	if err != nil && !errors.Is(err, env.ErrNotExist) {
		return err
	}
	_, err = d.env.Disk.SyncDir(d.options.Folder).Wait(t)
	return err
}
