package storage

import (
	"errors"
	"fmt"

	"barnabas/core/assert"
	"barnabas/core/env"
	"barnabas/core/protocol"
	"barnabas/core/record"
	"barnabas/core/storage/journal"
	"barnabas/core/task"
)

// readBytes is how much a read of a file brings in, and readBytesMax for who reads a log from one run to the next: as much as
// clients take of a partition at once.
const (
	readBytes    = 256 << 10
	readBytesMax = 1 << 20
)

// errChanged ends what was begun before the log was cut, emptied or dropped.
var errChanged = errors.New("the log was changed meanwhile")

// reading is what a log knows of reads of its files.
type reading struct {
	next  record.Offset // where the last run ended: who goes on there reads one run after the other
	place place         // of what follows it
	bytes int           // the last run's
	under []load        // way
}

// place is where a batch begins in a segment's file, as long as the log is not cut.
type place struct {
	segment *logSegment
	at      uint32
	cuts    uint64
}

// load is a run that is being read.
type load struct {
	offset record.Offset
	done   *task.Pending[task.Done]
}

// Load brings the batch that holds the offset, and what follows it, into memory. Errors: KAFKA_STORAGE_ERROR with the disk's,
// or because the batch turns out to be damaged.
func (l *Log) Load(offset record.Offset) *task.Pending[task.Done] {
	loop := l.directory.env.Loop
	offset = l.pastHoles(offset)
	if i := l.row(offset); i < len(l.tail) && l.tail[i].base <= offset && l.tail[i].end > l.filled {
		assert.That(l.tail[i].gap || l.tail[i].at.Segment >= l.directory.journal.First(), "what no file has is in the journal")
		done := task.NewPending[task.Done](loop)
		l.directory.journal.Load(l.tail[i].at, l.tail[i].bytes).Then(func(_ task.Done, err error) {
			done.Complete(task.Done{}, loadError(err))
		})
		return done
	}
	if offset >= l.end {
		return task.Completed(loop, task.Done{}, nil)
	}
	return l.loadRun(offset)
}

// loadError is the error of a load for who asked. Nil where it is worth looking again: the batch is elsewhere now.
func loadError(err error) error {
	if errors.Is(err, journal.ErrRecycled) || errors.Is(err, errChanged) {
		return nil
	}
	if err != nil && !errors.Is(err, protocol.ErrKafkaStorageError) {
		return fmt.Errorf("%w: %w", protocol.ErrKafkaStorageError, err)
	}
	return err
}

// loadRun reads a run that begins with the offset's batch, unless that is being done already.
func (l *Log) loadRun(offset record.Offset) *task.Pending[task.Done] {
	for _, u := range l.reading.under {
		if u.offset == offset {
			return u.done
		}
	}
	loop := l.directory.env.Loop
	done := task.NewPending[task.Done](loop)
	l.reading.under = append(l.reading.under, load{offset, done})
	loop.Go("read a partition log", func(t *task.Task) {
		err := l.loadFile(t, offset)
		for i, u := range l.reading.under {
			if u.done == done {
				l.reading.under = append(l.reading.under[:i:i], l.reading.under[i+1:]...)
				break
			}
		}
		done.Complete(task.Done{}, loadError(err))
	})
	return done
}

// readAhead begins to read what follows a run, when its reader is likely to want it next.
func (l *Log) readAhead(r *run) {
	next := r.end()
	if r.ahead && next < l.filled && l.tailStart() > next && l.directory.cold.roomAhead() {
		l.directory.env.Probe.Sometimes(env.MarkReadAhead)
		l.loadRun(next)
	}
}

// loadFile brings the batch that holds the offset, and what follows it, from its segment's file into memory. Batches are
// checked first (rule A4). Errors: the disk's; KAFKA_STORAGE_ERROR for damage; errChanged.
func (l *Log) loadFile(t *task.Task, offset record.Offset) error {
	d := l.directory
	d.env.Probe.Sometimes(env.MarkFileRead)
	s := l.segmentOf(offset)
	if s == nil {
		return fmt.Errorf("no segment of %s has offset %d", l.Name, offset)
	}
	cuts := l.cuts
	if err := l.ensureIndex(t, s); err != nil {
		return err
	}
	ahead := offset == l.reading.next
	if ahead && l.reading.bytes > 0 {
		l.reading.bytes = min(2*l.reading.bytes, readBytesMax)
	} else {
		l.reading.bytes = readBytes
	}
	sc := &scanner{log: l, segment: s, cuts: cuts, want: l.reading.bytes}
	if p := l.reading.place; ahead && p.segment == s && p.cuts == cuts {
		sc.at, sc.next = p.at, offset // the index would lead to the batch before, which would be read once more
	} else {
		sc.seek(offset)
	}
	sc.endAtBatch()
	r := &run{log: l.Number, ahead: ahead}
	err := sc.walk(t, func(h *record.Header, p []byte) bool {
		if h.EndOffset() > offset {
			from := sc.at - sc.base
			r.batches = append(r.batches, coldBatch{h.BaseOffset, h.EndOffset(), from, from + uint32(len(p))})
			r.memory = sc.keep()
		}
		return true
	}, func() bool { return r.memory != nil })
	switch {
	case r.memory == nil && err == nil && l.doubtAt(offset) == nil && l.gaps && l.endIn(s) > offset:
		l.noteHole(offset, l.endIn(s))
		return nil
	case r.memory == nil && err == nil && l.doubtAt(offset) == nil:
		return fmt.Errorf("%s has no batch for offset %d", l.path(s), offset)
	case r.memory == nil:
		return err
	case err != nil:
		d.env.Disk.FreeBuffer(r.memory)
		return err
	}
	if first := r.batches[0].base; first > offset && l.gaps && l.doubtAt(offset) == nil {
		l.noteHole(offset, first)
	}
	l.reading.next, l.reading.place = r.end(), place{s, sc.at, cuts}
	d.cold.add(r)
	return nil
}
