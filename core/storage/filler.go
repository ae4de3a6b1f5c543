package storage

import (
	"slices"
	"time"

	"barnabas/core/storage/journal"
	"barnabas/core/task"
)

// fillersMax is how many logs are filled at once, behind the journal and, apart from these, for a checkpoint.
const fillersMax = 4

// fillPause is how long a filler leaves the device to commits after each piece.
const fillPause = 500 * time.Microsecond

// filler is one of the tasks that fill partition logs as soon as they lack a whole piece, whatever checkpoints do meanwhile:
// what is filled late has left the arena, and must be read back from the journal.
type filler struct {
	wake *task.Signal
	idle bool
}

// runFillers starts the directory's fillers.
func (d *Directory) runFillers() {
	for range fillersMax {
		f := &filler{wake: task.NewSignal(d.env.Loop)}
		d.fillers = append(d.fillers, f)
		d.run("fill partition logs", func(t *task.Task) { d.fillLogs(t, f) })
	}
}

// fillLogs fills one piece of a log after the other, until the directory fails or closes.
func (d *Directory) fillLogs(t *task.Task, f *filler) {
	for !d.stopping && d.journal.Failure() == nil {
		l := d.takeLarge()
		if l == nil {
			f.idle = true
			d.noteLag()
			f.wake.Wait(t, task.Never)
			f.idle = false
			continue
		}
		err := d.fillLarge(t, l)
		switch {
		case err == nil:
			d.pace(t)
		case d.retry(err):
			t.Sleep(d.env.Loop.Now().Add(retryDelay))
		default:
			d.journal.Fail(err)
		}
	}
	d.stopped()
}

// noteLag takes account of what large logs lack, and wakes producers when it is little enough.
func (d *Directory) noteLag() {
	d.lag, d.late = 0, false
	for _, logs := range [][]*Log{d.large, d.claimed} {
		for _, l := range logs {
			if l.unfilled >= fillBytes {
				d.lag += l.unfilled
				d.late = d.late || l.isLate()
			}
		}
	}
	if len(d.roomWaits) > 0 && !d.lags() {
		d.roomMoved()
	}
}

// lags says whether logs lag too far behind the journal: all together, or one that gets more than others do.
func (d *Directory) lags() bool {
	return (2*d.lag >= d.options.Journal.ArenaBytesMax || d.late) && !d.full
}

// isLate says whether the log lacks much, and what it lacks will soon have left the arena.
func (l *Log) isLate() bool {
	most := l.directory.options.Journal.ArenaBytesMax
	if 16*l.unfilled < most {
		return false
	}
	i := l.row(l.filled)
	return i < len(l.tail) && 4*l.directory.distance(l.tail[i].at, l.directory.journal.Position()) >= 3*most
}

// wakeFillers wakes as many fillers as there are logs for, or all of them when they are to end.
func (d *Directory) wakeFillers() {
	n := len(d.large)
	if d.stopping {
		n = len(d.fillers)
	}
	for _, f := range d.fillers {
		if n == 0 {
			return
		}
		if f.idle || d.stopping {
			f.wake.Raise()
			n--
		}
	}
}

// noteUnfilled takes account of bytes appended to a log.
func (d *Directory) noteUnfilled(l *Log, bytes int) {
	l.unfilled += bytes
	d.list(l)
}

// list puts a log that lacks a whole piece on the list of those that do.
func (d *Directory) list(l *Log) {
	if l.unfilled >= fillBytes && !l.large && !l.filling && !d.recovering {
		l.large = true
		d.large = append(d.large, l)
	}
}

// takeLarge takes the log off the list that lacks what has been in the journal for longest, or returns nil: so the logs together
// lack no more than what came last, and that is still in the arena.
func (d *Directory) takeLarge() (oldest *Log) {
	var since journal.Location
	left := d.large[:0]
	for _, l := range d.large {
		i := l.row(l.filled)
		if d.logs.At(l.Number) != l || l.unfilled < fillBytes || l.filling || i == len(l.tail) {
			l.large = false
			continue
		}
		if at := l.tail[i].at; oldest == nil || at.Before(since) {
			oldest, since = l, at
		}
		left = append(left, l)
	}
	clear(d.large[len(left):])
	d.large = left
	if oldest != nil {
		d.large = slices.DeleteFunc(d.large, func(l *Log) bool { return l == oldest })
		oldest.large = false
	}
	return oldest
}

// fillLarge writes one piece of a log, and puts it back on the list if there are more.
func (d *Directory) fillLarge(t *task.Task, l *Log) error {
	l.claim(t)
	more, err := l.fill(t)
	l.unclaim()
	if more || err != nil {
		d.list(l)
	}
	d.noteLag()
	return err
}

// claim makes the caller the one who writes to the log's files, as soon as nobody else does.
func (l *Log) claim(t *task.Task) {
	for l.filling {
		if l.released == nil {
			l.released = task.NewSignal(t.Loop())
		}
		l.released.Wait(t, task.Never)
	}
	l.filling = true
	l.directory.claimed = append(l.directory.claimed, l)
}

// unclaim lets the next one claim the log.
func (l *Log) unclaim() {
	d := l.directory
	l.filling = false
	d.claimed = slices.DeleteFunc(d.claimed, func(c *Log) bool { return c == l })
	if l.released != nil {
		l.released.Raise()
	}
}

// release ends a claim that may have kept fillers from the log.
func (l *Log) release() {
	l.unclaim()
	l.directory.list(l)
	l.directory.noteLag()
	l.directory.wakeFillers()
}

// pace leaves the device to commits for a while, if the journal is not in need of room (rule A2), and the logs do not lag so
// far that what they lack may have to be read back from the journal.
func (d *Directory) pace(t *task.Task) {
	if !d.stopping && 4*d.journal.BytesUsed() < d.options.Journal.BytesMax && 4*d.lag < d.options.Journal.ArenaBytesMax {
		t.Sleep(d.env.Loop.Now().Add(fillPause))
	}
}
