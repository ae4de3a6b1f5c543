package storage

import (
	"fmt"
	"slices"

	"barnabas/core/env"
	"barnabas/core/protocol"
	"barnabas/core/record"
	"barnabas/core/storage/journal"
)

// doubt is a range of offsets whose bytes were acknowledged, or may have been, and are damaged (rules S11, S12). The range is
// offline; what lies around it is served. It is part of the log's state, so a restart does not clear it.
type doubt struct {
	base, end record.Offset
	why       string // where the damage is; "" when it was found in an earlier life
}

// Doubts returns the ranges in doubt, ascending, as pairs of a first offset and the offset after the last.
func (l *Log) Doubts() [][2]record.Offset {
	all := make([][2]record.Offset, 0, len(l.doubts))
	for _, d := range l.doubts {
		all = append(all, [2]record.Offset{d.base, d.end})
	}
	return all
}

// doubtAt returns the doubt about the offset, or nil.
func (l *Log) doubtAt(offset record.Offset) *doubt {
	for i := range l.doubts {
		if d := &l.doubts[i]; d.base <= offset && offset < d.end {
			return d
		}
	}
	return nil
}

// refuse is the error of a read within a doubt.
func (l *Log) refuse(d *doubt) error {
	l.directory.env.Probe.Sometimes(env.MarkDoubtRefused)
	why := d.why
	if why == "" {
		why = "found damaged before the last start"
	}
	return fmt.Errorf("%w: offsets %d to %d of %s are damaged and offline: %s; records before and after them are served",
		protocol.ErrKafkaStorageError, d.base, d.end-1, l.Name, why)
}

// doubted puts the range in doubt, durably, and says so.
func (l *Log) doubted(base, end record.Offset, why string) {
	if base >= end || l.covered(base, end) {
		return
	}
	l.addDoubt(doubt{base, end, why})
	l.journal(journal.Entry{Kind: journal.Doubt, Base: int64(base), End: int64(end)}, nil)
	l.directory.env.Probe.Sometimes(env.MarkDoubtFound)
	l.directory.env.Talk.Say(fmt.Sprintf(
		"DAMAGED: offsets %d to %d of %s are offline: %s. Nothing was cut; restore that file, or let the partition be copied from another replica",
		base, end-1, l.Name, why))
}

func (l *Log) covered(base, end record.Offset) bool {
	for at := base; at < end; {
		d := l.doubtAt(at)
		if d == nil {
			return false
		}
		at = d.end
	}
	return true
}

// addDoubt keeps the ranges ascending and apart.
func (l *Log) addDoubt(d doubt) {
	kept := l.doubts[:0:0]
	for _, o := range l.doubts {
		if o.end < d.base || d.end < o.base {
			kept = append(kept, o)
			continue
		}
		d.base, d.end = min(d.base, o.base), max(d.end, o.end)
	}
	kept = append(kept, d)
	slices.SortFunc(kept, func(a, b doubt) int { return int(a.base - b.base) })
	l.doubts = kept
	l.directory.cold.forget(l.Number)
}

// forgetDoubts forgets what lies below the log's start.
func (l *Log) forgetDoubts(start record.Offset) {
	l.doubts = slices.DeleteFunc(l.doubts, func(d doubt) bool { return d.end <= start })
}

// cutDoubts forgets what lies beyond the log's end.
func (l *Log) cutDoubts(end record.Offset) {
	l.doubts = slices.DeleteFunc(l.doubts, func(d doubt) bool { return d.base >= end })
	for i := range l.doubts {
		l.doubts[i].end = min(l.doubts[i].end, end)
	}
}
