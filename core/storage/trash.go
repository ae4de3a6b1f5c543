package storage

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"barnabas/core/env"
	"barnabas/core/ordered"
	"barnabas/core/storage/segment"
	"barnabas/core/task"
)

// waste is a file or folder that is out of its log and will be removed: it first gets another name, so that its successor may
// have the old one, and goes after a delay, in small steps.
type waste struct {
	log      LogNumber
	from, to string // in the directory
	folder   bool
	sequence uint64 // the commit that takes it out of the log; nothing happens before that is durable (rules J10, J12)
	renamed  bool
	due      task.Instant // when it goes
	delay    time.Duration
}

// trash is what a directory will remove. It is part of the checkpoint, so a crash forgets none of it.
type trash struct {
	wastes  []*waste
	renames ordered.Map[string, int] // folders with wastes that have not got their new name yet
	inUse   ordered.Map[string, int] // folders that are being written to: nothing gets a new name there meanwhile
	wake    *task.Signal
}

// use keeps wastes of the folder from getting new names until leave: who writes there would make the old ones anew.
func (tr *trash) use(folder string) { tr.inUse.Set(folder, tr.inUse.At(folder)+1) }

func (tr *trash) leave(folder string) {
	if n := tr.inUse.At(folder) - 1; n > 0 {
		tr.inUse.Set(folder, n)
		return
	}
	tr.inUse.Delete(folder)
	if tr.blocks(folder) {
		tr.wake.Raise()
	}
}

// held is the sequence of a waste whose entry is not journalled yet.
const held = ^uint64(0)

// blocks says whether files must not be made in the folder yet, nor the folder itself.
func (tr *trash) blocks(folder string) bool { return tr.renames.At(folder) > 0 }

func (tr *trash) add(w *waste) {
	tr.wastes = append(tr.wastes, w)
	if !w.renamed {
		tr.renames.Set(w.place(), tr.renames.At(w.place())+1)
	}
}

func (tr *trash) noteRenamed(w *waste) {
	w.renamed = true
	folder := w.place()
	if n := tr.renames.At(folder) - 1; n > 0 {
		tr.renames.Set(folder, n)
	} else {
		tr.renames.Delete(folder)
	}
}

// discard takes the segment out of the log and its files to the trash.
func (l *Log) discard(s *logSegment) {
	d := l.directory
	l.bytes -= int64(s.size)
	if !s.made && !d.recovering {
		return
	}
	sequence := held
	if d.recovering {
		sequence = 0
	}
	for _, kind := range []segment.Kind{segment.Log, segment.OffsetIndex, segment.TimeIndex} {
		if kind != segment.Log && !s.sealed && s.indexes == (indexSums{}) && !d.recovering {
			continue
		}
		name := segment.FileName{Offset: s.base, Kind: kind}
		to := name
		to.Stage = segment.Deleted
		d.trash.add(&waste{
			log: l.Number, from: l.Name + "/" + name.String(), to: l.Name + "/" + to.String(), sequence: sequence,
			delay: l.config.FileDeleteDelay,
		})
	}
}

// discardFolder takes the whole folder of a dropped log to the trash.
func (l *Log) discardFolder(sequence uint64) {
	to := l.Name + fmt.Sprintf(".%032x-delete", uint64(l.Number))
	if f, err := segment.ParseFolder(l.Name); err == nil {
		f.State, f.ID = segment.Deleting, fmt.Sprintf("%032x", uint64(l.Number))
		to = f.String()
	}
	l.directory.trash.add(&waste{
		log: l.Number, from: l.Name, to: to, folder: true, sequence: sequence, delay: l.config.FileDeleteDelay,
	})
}

// holdTrash lets the log's new wastes wait for the commit of the last entry.
func (d *Directory) holdTrash(l *Log) {
	for i := len(d.trash.wastes) - 1; i >= 0 && d.trash.wastes[i].sequence == held; i-- {
		d.trash.wastes[i].sequence = d.journal.LastSequence() // they are this log's: no call leaves any behind
	}
	d.trash.wake.Raise()
}

// cleanUp renames and removes what may go, until the directory fails or closes.
func (d *Directory) cleanUp(t *task.Task) {
	for !d.stopping && d.journal.Failure() == nil {
		next, err := d.cleanSome(t)
		switch {
		case err == nil:
		case d.retry(err):
			next = d.env.Loop.Now().Add(retryDelay)
		default:
			d.journal.Fail(err)
		}
		if d.stopping || d.journal.Failure() != nil {
			break
		}
		d.trash.wake.Wait(t, next)
	}
	d.stopped()
}

// cleanSome goes through the trash once and returns when to look again.
func (d *Directory) cleanSome(t *task.Task) (next task.Instant, err error) {
	if err := d.renameAll(t); err != nil {
		return task.Never, err
	}
	next = task.Never
	for _, w := range append([]*waste(nil), d.trash.wastes...) {
		if d.stopping || d.journal.Failure() != nil {
			return next, nil
		}
		if !w.renamed {
			continue // whoever moves the marks, or leaves the folder, wakes us
		}
		if d.env.Loop.Now() < w.due {
			next = min(next, w.due)
			continue
		}
		if err := d.destroy(t, w); err != nil {
			return next, err
		}
		d.trash.remove(w)
	}
	return next, nil
}

// renameAll gives the wastes that may have them their new names, and makes those durable, folder by folder.
func (d *Directory) renameAll(t *task.Task) error {
	var moved []*waste
	var parents ordered.Map[string, bool]
	for _, w := range append([]*waste(nil), d.trash.wastes...) {
		if w.renamed || w.sequence > d.journal.Marks().Durable || d.trash.inUse.At(w.place()) > 0 || d.hurried() {
			continue
		}
		if err := d.rename(t, w); err != nil {
			return err
		}
		moved = append(moved, w)
		parents.Set(w.parent(d.options.Folder), true)
	}
	for parent := range parents.All {
		_, err := d.env.Disk.SyncDir(parent).Wait(t)
		if errors.Is(err, env.ErrTooManyFiles) {
			return err // nothing was synced, and nothing failed to be
		}
		if err != nil && !errors.Is(err, env.ErrNotExist) {
			return fmt.Errorf("%w: %w", errSync, err)
		}
	}
	for _, w := range moved {
		d.trash.noteRenamed(w)
		w.due = d.env.Loop.Now().Add(w.delay)
	}
	if len(moved) > 0 {
		d.eased = true // logs may be filled again
		d.work.Raise()
	}
	return nil
}

// place is the partition's folder that the waste is in, or is.
func (w *waste) place() string {
	folder, _, _ := strings.Cut(w.from, "/")
	return folder
}

// parent is the folder that has the waste's name.
func (w *waste) parent(root string) string {
	if w.folder {
		return root
	}
	return root + "/" + w.from[:strings.LastIndexByte(w.from, '/')]
}

func (tr *trash) remove(w *waste) {
	for i, x := range tr.wastes {
		if x == w {
			tr.wastes = append(tr.wastes[:i:i], tr.wastes[i+1:]...)
			return
		}
	}
}

// hurried says that a task must end, whatever is left to do.
func (d *Directory) hurried() bool { return d.stopping && !d.closing }

// rename gives the waste its new name. What is not there any more was renamed in an earlier life.
func (d *Directory) rename(t *task.Task, w *waste) error {
	root := d.options.Folder + "/"
	if w.folder {
		d.files.forgetUnder(root + w.from)
	} else {
		d.files.forget(root + w.from)
	}
	_, err := d.env.Disk.Rename(root+w.from, root+w.to).Wait(t)
	if err == nil && !w.folder {
		// After a crash in the middle of a rename both names may stand for one file; it must not keep the old one.
		_, err = d.env.Disk.Remove(root + w.from).Wait(t)
	}
	if errors.Is(err, env.ErrNotExist) || w.folder && errors.Is(err, env.ErrExist) {
		return nil // renamed in an earlier life; a folder of the old name is its successor's then
	}
	return err
}

// destroy removes the waste for good.
func (d *Directory) destroy(t *task.Task, w *waste) error {
	path := d.options.Folder + "/" + w.to
	if !w.folder {
		d.env.Probe.Sometimes(env.MarkSegmentDeleted)
		return d.removeFile(t, path, d.hurried)
	}
	d.env.Probe.Sometimes(env.MarkLogDropped)
	return d.removeFolder(t, path, d.hurried)
}

// patient never hurries.
func patient() bool { return false }

// removeFolder removes a folder and the files in it, or leaves what is left when there is hurry.
func (d *Directory) removeFolder(t *task.Task, path string, hurried func() bool) error {
	for range 3 { // who wrote there when it was renamed may have left one more file
		names, err := d.env.Disk.List(path).Wait(t)
		if errors.Is(err, env.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := d.removeFile(t, path+"/"+name, hurried); err != nil {
				return err
			}
		}
		if _, err = d.env.Disk.Remove(path).Wait(t); err == nil || errors.Is(err, env.ErrNotExist) {
			return nil
		}
		if !errors.Is(err, env.ErrExist) {
			return err
		}
	}
	return nil
}

// removeStepBytes is how much of a file goes at once: giving a large file back in one piece can hold up every commit on the
// same file system for hundreds of milliseconds (hazards R14).
const removeStepBytes = 8 << 20

// removeFile truncates the file away in small steps, and removes it.
func (d *Directory) removeFile(t *task.Task, path string, hurried func() bool) error {
	file, err := d.env.Disk.Open(path, env.OpenExisting).Wait(t)
	if errors.Is(err, env.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	size, err := file.Size().Wait(t)
	for err == nil && size > removeStepBytes && !hurried() {
		size -= removeStepBytes
		if _, err = file.Truncate(size).Wait(t); err == nil {
			t.Sleep(d.env.Loop.Now().Add(removePause))
		}
	}
	file.Close()
	if err != nil || hurried() {
		return err
	}
	_, err = d.env.Disk.Remove(path).Wait(t)
	if errors.Is(err, env.ErrNotExist) {
		return nil
	}
	return err
}

const removePause = 2 * time.Millisecond
