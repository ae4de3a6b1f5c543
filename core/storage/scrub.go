package storage

import (
	"errors"
	"time"

	"barnabas/core/env"
	"barnabas/core/record"
	"barnabas/core/task"
)

// scrubInterval is how often the scrubber looks for something to read.
const scrubInterval = time.Second

// scrub reads partition logs at rest, at a bounded rate, and puts in doubt what is damaged, before somebody needs it.
func (d *Directory) scrub(t *task.Task) {
	var at LogNumber
	var base record.Offset
	for d.options.ScrubBytes > 0 && !d.stopping && d.journal.Failure() == nil {
		l, s := d.nextScrub(at, base)
		pause := scrubInterval
		if s == nil {
			at, base = 0, 0
			pause = 10 * scrubInterval
		} else {
			at, base = l.Number, s.end
			if err := d.scrubSegment(t, l, s); err != nil && !errors.Is(err, errChanged) && !d.retry(err) {
				d.journal.Fail(err)
				break
			}
		}
		if !d.stopping {
			d.scrubStop.Wait(t, d.env.Loop.Now().Add(pause))
		}
	}
	d.stopped()
}

// nextScrub returns the first segment with something saved at or after the place.
func (d *Directory) nextScrub(at LogNumber, base record.Offset) (*Log, *logSegment) {
	for number, l := range d.logs.All {
		if number < at {
			continue
		}
		for _, s := range l.segments {
			if (number > at || s.base >= base) && s.base < l.saved {
				return l, s
			}
		}
	}
	return nil, nil
}

// scrubSegment reads what files have of a segment.
func (d *Directory) scrubSegment(t *task.Task, l *Log, s *logSegment) error {
	d.env.Probe.Sometimes(env.MarkScrubbed)
	sc := &scanner{log: l, segment: s, cuts: l.cuts, want: fillBytes, next: s.base}
	read, since := 0, d.env.Loop.Now()
	var err error
	for err == nil && sc.at < sc.limit() && !d.stopping {
		err = sc.walk(t, func(_ *record.Header, p []byte) bool {
			read += len(p)
			return true
		}, func() bool { return read >= fillBytes })
		if read >= fillBytes {
			// As long as it may take at the rate.
			since = since.Add(time.Duration(read) * time.Second / time.Duration(d.options.ScrubBytes))
			d.scrubStop.Wait(t, since)
			read, since = 0, d.env.Loop.Now()
		}
		if l.cuts != sc.cuts || d.logs.At(l.Number) != l {
			return errChanged
		}
	}
	return err
}
