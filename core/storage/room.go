package storage

import (
	"errors"
	"fmt"

	"barnabas/core/env"
	"barnabas/core/storage/journal"
)

// ErrBusy is returned by appends when the journal has to wait for partition logs: AwaitRoom tells when to try again.
var ErrBusy = journal.ErrBusy

// ErrStopping is returned by appends when the directory is being closed: nothing enters it any more.
var ErrStopping = errors.New("the broker is stopping")

// room says whether data may enter. The metadata log goes on in the reserve (rule J14), but no batch is larger than what
// fits into a segment with its commit.
func (l *Log) room(size int) error {
	d := l.directory
	if most := d.options.Journal.SegmentBytes / 2; size > most {
		return fmt.Errorf("a batch of %d bytes: the journal takes at most %d, half a segment", size, most)
	}
	if d.stopping {
		return ErrStopping
	}
	if l.always && d.journal.Failure() == nil {
		return nil
	}
	err := d.journal.Room(size)
	if err == nil {
		return nil
	}
	d.work.Raise()
	if errors.Is(err, ErrBusy) && d.full {
		// Partition logs can't catch up before somebody makes room.
		return fmt.Errorf("%w: the disk is full: free some space, or let retention", journal.ErrFull)
	}
	return err
}

// roomToLead is room for what a leader appends. Producers wait, too, when logs lag so far behind that what they lack would leave
// the arena, and have to be read back: then everything would become slower, and they would never catch up.
func (l *Log) roomToLead(size int) error {
	if err := l.room(size); err != nil || l.always {
		return err
	}
	if d := l.directory; d.lags() {
		d.env.Probe.Sometimes(env.MarkLogsLag)
		return fmt.Errorf("%w: %d bytes are not in them yet", ErrBusy, d.lag)
	}
	return nil
}

// AwaitRoom has f called once, in a later step, when an append that got ErrBusy should be tried again: there may be room, or
// another answer.
func (d *Directory) AwaitRoom(f func()) { d.roomWaits = append(d.roomWaits, f) }

// roomMoved wakes who waits for room.
func (d *Directory) roomMoved() {
	waits := d.roomWaits
	d.roomWaits = nil
	for _, f := range waits {
		d.env.Loop.Later(f)
	}
}

// BytesUsed returns how much of journal.max.bytes is taken.
func (d *Directory) BytesUsed() int { return d.journal.BytesUsed() }

// BytesMax returns how much the journal may take.
func (d *Directory) BytesMax() int { return d.journal.BytesMax() }

// JournalCounts are of the commits of a journal.
type JournalCounts = journal.Counts

// JournalCounts returns them.
func (d *Directory) JournalCounts() JournalCounts { return d.journal.Counts() }
