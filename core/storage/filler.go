package storage

import (
	"slices"
	"time"

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
	log  *Log // being filled
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
		if f.log = d.takeLarge(); f.log == nil {
			f.idle = true
			d.noteLag()
			f.wake.Wait(t, task.Never)
			f.idle = false
			continue
		}
		err := d.fillLarge(t, f.log)
		f.log = nil
		d.noteLag()
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
	d.lag = 0
	for _, l := range d.large {
		d.lag += l.unfilled
	}
	for _, f := range d.fillers {
		if f.log != nil {
			d.lag += f.log.unfilled
		}
	}
	if len(d.roomWaits) > 0 && !d.lags() {
		d.roomMoved()
	}
}

// lags says whether logs lag too far behind the journal, and are being filled.
func (d *Directory) lags() bool {
	return 4*d.lag >= 3*d.options.Journal.ArenaBytesMax && !d.full
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

// takeLarge takes the log off the list that has waited for longest, or returns nil.
func (d *Directory) takeLarge() *Log {
	for len(d.large) > 0 {
		l := d.large[0]
		d.large = slices.Delete(d.large, 0, 1)
		l.large = false
		if d.logs.At(l.Number) == l && l.unfilled >= fillBytes && !l.filling {
			return l
		}
	}
	return nil
}

// fillLarge writes one piece of a log, and puts it back on the list if there are more.
func (d *Directory) fillLarge(t *task.Task, l *Log) error {
	l.filling = true
	more, err := l.fill(t)
	l.filling = false
	if more || err != nil {
		d.list(l)
	}
	l.unclaimed()
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
}

// release ends a claim.
func (l *Log) release() {
	l.filling = false
	l.directory.list(l)
	l.unclaimed()
}

// unclaimed lets the next one claim the log.
func (l *Log) unclaimed() {
	if l.released != nil {
		l.released.Raise()
	}
}

// pace leaves the device to commits for a while, if the journal is not in need of room (rule A2), and the logs do not lag so
// far that what they lack may have to be read back from the journal.
func (d *Directory) pace(t *task.Task) {
	if !d.stopping && 4*d.journal.BytesUsed() < d.options.Journal.BytesMax && 4*d.lag < d.options.Journal.ArenaBytesMax {
		t.Sleep(d.env.Loop.Now().Add(fillPause))
	}
}
