package storage

import (
	"errors"
	"fmt"
	"time"

	"barnabas/core/env"
	"barnabas/core/storage/journal"
	"barnabas/core/task"
)

// retryDelay is how long after a want of space or descriptors the same is tried again (rule S5).
const retryDelay = 100 * time.Millisecond

// syncsMax is how many logs are synced at once.
const syncsMax = 16

// keepLogs writes checkpoints, which have logs filled and synced, until the directory fails or closes.
func (d *Directory) keepLogs(t *task.Task) {
	for !d.stopping && d.journal.Failure() == nil {
		err := d.keepOnce(t)
		deadline := task.Never
		switch {
		case err == nil && d.crowded() && d.journal.First() < d.needed:
			continue // segments that only the checkpoint before needs: the next one frees them
		case err == nil:
		case d.retry(err):
			deadline = d.env.Loop.Now().Add(retryDelay)
		default:
			d.journal.Fail(err)
		}
		if d.stopping || d.journal.Failure() != nil {
			break
		}
		d.work.Wait(t, deadline)
	}
	d.stopped()
}

// retry says whether an error tells of a want that may go away, and tells the operator of a full disk once. A failed sync is
// never tried again, whatever the reason.
func (d *Directory) retry(err error) bool {
	if errors.Is(err, errSync) {
		return false
	}
	if errors.Is(err, env.ErrNoSpace) {
		d.env.Probe.Sometimes(env.MarkDiskFull)
		if !d.full {
			d.full = true
			d.roomMoved()
			d.env.Talk.Say("the disk is full: records are taken as long as the journal has room; free some space, or let retention: " + err.Error())
		}
		return true
	}
	return errors.Is(err, env.ErrTooManyFiles)
}

// look wakes fillers when logs have a whole piece to write, and the keeper when a checkpoint is due.
func (d *Directory) look() {
	if d.env.Probe.Chance(env.SiteCheckpoint) {
		d.forced = true
	}
	if d.due() || d.forced {
		d.work.Raise()
	}
	d.noteLag()
	d.wakeFillers()
	if len(d.trash.wastes) > 0 {
		d.trash.wake.Raise()
	}
}

// distance returns the journal's bytes from one place to another.
func (d *Directory) distance(from, to journal.Location) int {
	return int(to.Segment-from.Segment)*d.options.Journal.SegmentBytes + int(to.Position) - int(from.Position)
}

// due says whether a checkpoint is: enough journal was written since the last one, or the journal is crowded and another one
// may free something.
func (d *Directory) due() bool {
	at := d.journal.Position()
	return d.distance(d.checked, at) >= d.options.CheckpointBytes ||
		d.crowded() && (at != d.checked || d.journal.Marks() != d.marks || d.journal.First() < d.needed || d.eased)
}

// crowded says whether the journal is so full, or the disk, that everything must go to the partition logs.
func (d *Directory) crowded() bool {
	return 2*d.journal.BytesUsed() > d.options.Journal.BytesMax || d.journal.Starved()
}

// keepOnce does what is to be done now.
func (d *Directory) keepOnce(t *task.Task) error {
	if d.due() || d.forced {
		return d.checkpoint(t, d.forced || d.crowded())
	}
	return nil
}

// checkpoint brings to the partition logs what the journal has held for longest, or everything, makes it durable, writes a
// checkpoint, and recycles the journal (rule J9: files, folders, checkpoint, and only then the journal).
func (d *Directory) checkpoint(t *task.Task, everything bool) error {
	d.forced, d.eased, d.marks = false, false, d.journal.Marks()
	var chosen []*Log
	d.each(t, func(l *Log) {
		i := l.firstUnsaved()
		// Half the distance: what is left to the next checkpoint is still in the arena then.
		old := i < len(l.tail) && 2*d.distance(l.tail[i].at, d.journal.Position()) >= d.options.CheckpointBytes
		if i < len(l.tail) && (everything || old) || l.risky || l.saved < l.filled {
			chosen = append(chosen, l)
		}
	})
	wanting := error(nil) // a want of space must not keep the journal from being recycled as far as can be
	if err := d.eachLog(t, "fill partition logs for a checkpoint", fillersMax, chosen, d.fillUp); err != nil {
		if !d.retry(err) {
			return err
		}
		wanting = err
	}
	if err := d.eachLog(t, "sync partition logs", syncsMax, chosen, func(t *task.Task, l *Log) error { return l.sync(t) }); err != nil {
		if !d.retry(err) {
			return err
		}
		wanting = err
	}
	if wanting != nil {
		d.eased = true // it may be over at any time, and nothing else says so
		if d.journal.Position() == d.checked && d.oldest(t, d.checked) == d.needed && !d.anyRisky(t) {
			return wanting // another checkpoint would say the same
		}
	}
	if err := d.writeCheckpoint(t); err != nil {
		return err
	}
	if wanting == nil && d.full {
		d.full = false
		d.env.Talk.Say("there is room on the disk again")
	}
	return wanting
}

// anyRisky says whether a log waits for a checkpoint.
func (d *Directory) anyRisky(t *task.Task) (any bool) {
	d.each(t, func(l *Log) { any = any || l.risky })
	return any
}

// fillUp fills a log as far as it is stable now: what comes meanwhile is the next checkpoint's, or this one would not end.
func (d *Directory) fillUp(t *task.Task, l *Log) error {
	l.claim(t)
	defer l.release()
	for end := l.stable; l.filled < end; {
		more, err := l.fill(t)
		if err != nil || !more || d.journal.Failure() != nil {
			return err
		}
		d.pace(t)
	}
	return nil
}

// eachLog has the same done to each of the logs, at most so many at a time, until it fails for one.
func (d *Directory) eachLog(t *task.Task, name string, most int, logs []*Log, do func(t *task.Task, l *Log) error) error {
	var failed error
	next, running := 0, 0
	done := task.NewSignal(d.env.Loop)
	for range min(most, len(logs)) {
		running++
		d.env.Loop.Go(name, func(t *task.Task) {
			for next < len(logs) && failed == nil {
				l := logs[next]
				next++
				if err := do(t, l); err != nil && failed == nil {
					failed = err
				}
			}
			if running--; running == 0 {
				done.Raise()
			}
		})
	}
	for running > 0 {
		done.Wait(t, task.Never)
	}
	return failed
}

// oldest returns the oldest journal segment that holds a batch which is not in files.
func (d *Directory) oldest(t *task.Task, position journal.Location) uint32 {
	oldest := position.Segment
	d.each(t, func(l *Log) { oldest = l.needed(oldest) })
	return oldest
}

// needed returns the oldest journal segment that holds a batch of the log which is not in its files, if that is older than the
// one given. Batches need not stand in the order of their offsets: what a start wrote anew is newer than what lies between,
// damaged and left where it was.
func (l *Log) needed(oldest uint32) uint32 {
	for i := l.firstUnsaved(); i < len(l.tail); i++ {
		if b := &l.tail[i]; b.at.Segment < oldest && !b.gap {
			oldest = b.at.Segment
		}
	}
	return oldest
}

// trim forgets rows whose journal segment was recycled, as far as nobody may want to cut there.
func (l *Log) trim() {
	first := l.directory.journal.First()
	n := 0
	for n < len(l.tail) {
		if b := &l.tail[n]; b.end > l.anchor || b.at.Segment >= first {
			break
		}
		n++
	}
	if n > 0 {
		l.tail = append([]batch(nil), l.tail[n:]...)
	}
}

// Close writes everything to the partition logs and ends with a checkpoint and a closing commit: what was appended before is
// durable then. If all of it is in order, the directory is handed over to Apache Kafka too (see export.go).
func (d *Directory) Close(t *task.Task) error {
	d.stopping = true
	d.roomMoved()
	d.work.Raise()
	d.wakeFillers()
	d.trash.wake.Raise()
	d.scrubStop.Raise()
	for d.tasks > 0 {
		d.idle.Wait(t, task.Never)
	}
	if err := d.journal.Failure(); err != nil {
		return err
	}
	err := d.settleAll(t)
	if err != nil {
		err = fmt.Errorf("not everything is in the partition logs, and the journal keeps it: %w", err)
	} else {
		err = d.export(t)
	}
	if failed := d.journal.Close(t); failed != nil {
		d.files.shrink(0)
		return failed
	}
	if err == nil {
		err = d.giveAway(t)
	}
	if err != nil {
		d.env.Talk.Say(err.Error())
	}
	d.files.shrink(0)
	return nil
}

// settleAll fills, syncs and checkpoints everything, and removes what was to be removed later.
func (d *Directory) settleAll(t *task.Task) error {
	if _, err := d.journal.AwaitDurable(d.journal.LastSequence()).Wait(t); err != nil {
		return err
	}
	d.closing = true
	if err := d.finishTrash(t); err != nil {
		return err
	}
	for range 2 { // the second time for what waited for the first's checkpoint
		if err := d.checkpoint(t, true); err != nil {
			return err
		}
	}
	return nil
}
