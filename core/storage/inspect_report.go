package storage

import (
	"barnabas/core/record"
	"barnabas/core/storage/segment"
	"barnabas/core/task"
)

// Report is what a directory is, as plain data.
type Report struct {
	Durability  string // that the journal was last written under; "": it says none
	BrokerEpoch int64
	Logs        []LogReport // by number
	Wastes      []WasteReport
}

// LogReport is what one log is.
type LogReport struct {
	Number     uint64
	Name       string // of its folder
	Start, End record.Offset
	Bytes      int64 // of all its batches
	Unfilled   int64 // of these, not in its files: the journal has them
	Folder     bool  // its folder is there, durably
	Doubts     []DoubtReport
	Segments   []SegmentReport
}

// DoubtReport is a range of offsets that is offline.
type DoubtReport struct {
	Base, Last record.Offset
	Why        string // "": it was found before
}

// SegmentReport is what the files of a segment must be.
type SegmentReport struct {
	Name      string // of its .log
	Base, End record.Offset
	Bytes     uint32
	Filled    uint32   // of these, in its file at least; all that stands behind them means nothing
	Sealed    bool     // it is complete: its file has the very size
	Derived   []string // names of the files that can be made anew from it, if they are there
}

// WasteReport is a file or folder that waits for its removal, by the names it has before and after it left its log.
type WasteReport struct {
	From, To string // below the directory
	Folder   bool
}

// Report says what the directory is now.
func (d *Directory) Report() Report {
	r := Report{BrokerEpoch: d.epoch}
	if n := len(d.ranUnder); n > 0 {
		r.Durability = d.ranUnder[n-1].String()
	}
	for _, l := range d.logs.All {
		r.Logs = append(r.Logs, l.report())
	}
	for _, w := range d.trash.wastes {
		r.Wastes = append(r.Wastes, WasteReport{w.from, w.to, w.folder})
	}
	return r
}

func (l *Log) report() LogReport {
	r := LogReport{Number: uint64(l.Number), Name: l.Name, Start: l.start, End: l.end, Bytes: l.bytes, Folder: l.folder}
	for _, x := range l.doubts {
		r.Doubts = append(r.Doubts, DoubtReport{x.base, x.end - 1, x.why})
	}
	for _, s := range l.segments {
		filled := l.filledIn(s)
		r.Unfilled += int64(s.size - filled)
		names := segment.FileName{Offset: s.base, Kind: segment.Log}
		of := SegmentReport{Name: names.String(), Base: s.base, End: s.end, Bytes: s.size, Filled: filled, Sealed: s.sealed}
		for _, names.Kind = range []segment.Kind{segment.OffsetIndex, segment.TimeIndex} {
			of.Derived = append(of.Derived, names.String())
		}
		r.Segments = append(r.Segments, of)
	}
	return r
}

// Examine checks every batch in the files of all logs, and puts in doubt what is damaged. It returns how many batches are good,
// and their bytes. The directory takes nothing more and keeps nothing after it. Requires: called before the directory's tasks
// had a turn, so in the step that opened it. Errors: the disk's.
func (d *Directory) Examine(t *task.Task) (batches, bytes int64, err error) {
	d.stopping = true
	for _, l := range d.logs.All {
		for _, s := range l.segments {
			sc := &scanner{log: l, segment: s, cuts: l.cuts, want: fillBytes, next: s.base}
			err := sc.walk(t, func(_ *record.Header, p []byte) bool {
				batches, bytes = batches+1, bytes+int64(len(p))
				return true
			}, nil)
			if err != nil {
				return batches, bytes, err
			}
		}
	}
	return batches, bytes, nil
}
