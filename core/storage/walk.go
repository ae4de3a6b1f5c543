package storage

import (
	"encoding/binary"
	"slices"
	"time"

	"barnabas/core/env"
	"barnabas/core/mutant"
	"barnabas/core/storage/journal"
	"barnabas/core/task"
)

// A directory may have a hundred thousand logs, and a step must not handle all of them (rule T2). So whoever has something to do
// with each goes through them in shares, and everything else goes on between two shares: logs are appended to, cut, made and
// dropped.
//
// A checkpoint is taken that way too. It is not of one moment: each log is as of the moment at which it was written down, and
// says which that was. Redo begins at the moment the walk began at, and passes over what a log has already (decision 14).

// shareLogs and shareRows are how many logs, and how many rows of logs or the like, one share has at most. One log's segments,
// epochs and producers are never divided, so a share may exceed shareRows by those of one log.
const (
	shareLogs = 128
	shareRows = 4096
)

// shareRest is how long the simulator lets other things happen between two logs.
const shareRest = 3 * time.Millisecond

// walk is one going through a directory's logs.
type walk struct {
	d    *Directory
	t    *task.Task // nil: all at once, nobody waits for anything yet
	last LogNumber  // the newest log there was at the beginning: later ones are left out
	at   LogNumber  // the one that was visited last
	logs int        // in this share
	rows int

	visits int // in all
}

func (d *Directory) walk(t *task.Task) *walk { return &walk{d: d, t: t, last: d.last} }

// next returns the next log, or nil at the end. It may wait before.
func (w *walk) next() *Log {
	if w.logs == shareLogs || w.rows > shareRows {
		w.rest()
	}
	if w.t != nil && w.d.env.Probe.Chance(env.SiteShareEnd) {
		w.rest()
		w.t.Sleep(w.d.env.Loop.Now().Add(shareRest))
	}
	keys := w.d.logs.Keys()
	i, _ := slices.BinarySearch(keys, w.at+1)
	if i == len(keys) || keys[i] > w.last {
		w.at = w.last
		return nil
	}
	w.at = keys[i]
	w.logs++
	w.visits++
	return w.d.logs.At(w.at)
}

// rest ends the share.
func (w *walk) rest() {
	if w.d.watch != nil {
		w.d.watch(w)
	}
	w.logs, w.rows = 0, 0
	if w.t != nil {
		w.t.Yield()
	}
}

// each visits every log.
func (d *Directory) each(t *task.Task, visit func(l *Log)) {
	w := d.walk(t)
	for l := w.next(); l != nil; l = w.next() {
		visit(l)
	}
}

// picture is the taking of a checkpoint's state.
type picture struct {
	*walk
	now    func() journal.Moment
	pieces [][]byte
	count  uint32      // of logs
	place  int         // of the count in the first piece
	oldest uint32      // journal segment that holds a batch which is in no file
	risky  []risk      // logs whose unfinished block is in this checkpoint
	gone   []LogNumber // dropped before they were written down
}

// risk is a log as it was when it was written down.
type risk struct {
	log  *Log
	cuts uint64
}

// beginPicture begins a state at the place where redo will.
func (d *Directory) beginPicture(now func() journal.Moment, place journal.Location) *picture {
	head := d.encodeHead()
	return &picture{walk: d.walk(nil), now: now, pieces: [][]byte{head}, place: len(head) - 4, oldest: place.Segment}
}

// dropped is told of a log that is no more.
func (s *picture) dropped(l *Log) {
	if s != nil && l.Number > s.at && l.Number <= s.last {
		s.gone = append(s.gone, l.Number)
	}
}

// pieceBytes is about the size of a piece of a state.
const pieceBytes = 64 << 10

// piece returns the piece to go on with.
func (s *picture) piece() *[]byte {
	if len(s.pieces[len(s.pieces)-1]) >= pieceBytes {
		s.pieces = append(s.pieces, make([]byte, 0, pieceBytes+pieceBytes/8))
	}
	return &s.pieces[len(s.pieces)-1]
}

// take takes the state, in shares if there is a task.
func (s *picture) take(t *task.Task) {
	s.t = t
	for l := s.next(); l != nil; l = s.next() {
		s.log(l)
	}
	wastes := slices.Clone(s.d.trash.wastes) // one that is through meanwhile may come back: everything it had to do is done
	p := s.piece()
	*p = binary.BigEndian.AppendUint32(*p, uint32(len(wastes)))
	for _, w := range wastes {
		if s.rows++; s.rows > shareRows {
			s.rest()
		}
		p := s.piece()
		*p = w.encode(*p)
	}
	p = s.piece()
	*p = binary.BigEndian.AppendUint32(*p, uint32(len(s.gone)))
	for _, number := range s.gone {
		*p = binary.BigEndian.AppendUint64(*p, uint64(number))
	}
	*p = appendMoment(*p, s.now())
	binary.BigEndian.PutUint32(s.pieces[0][s.place:], s.count)
}

// log writes a log down as it is now. Its rows may take more than one share: those that are there now never change.
func (s *picture) log(l *Log) {
	for !l.raiseAnchor(min(l.saved, l.settled), shareRows) {
		s.rest()
		if s.d.logs.At(l.Number) != l {
			s.gone = append(s.gone, l.Number)
			return
		}
	}
	rows := l.tail[l.row(l.anchor):]
	p := s.piece()
	*p = l.encode(*p, s.now(), len(rows))
	s.count++
	s.rows += len(l.segments) + len(l.epochs.starts) + len(l.doubts) + l.base.byID.Len()
	s.oldest = l.needed(s.oldest)
	if l.risky && l.safe != nil {
		s.risky = append(s.risky, risk{l, l.cuts})
	}
	for len(rows) > 0 {
		n := min(len(rows), shareRows/4)
		p := s.piece()
		*p = encodeRows(*p, rows[:n])
		rows = rows[n:]
		if s.rows += n; len(rows) > 0 && s.rows > shareRows {
			s.rest()
		}
	}
}

// writeCheckpoint writes the state down and recycles what nobody needs.
func (d *Directory) writeCheckpoint(t *task.Task) error {
	boundary := d.journal.Boundary()
	position := boundary.Next()
	s := d.beginPicture(d.journal.Now, position)
	d.picture = s
	s.take(t)
	d.picture = nil
	if mutant.On(mutant.RedoFromTheEnd) {
		boundary = d.journal.Boundary()
	}
	until := d.journal.LastSequence()
	d.journal.Flush()
	if err := d.journal.Checkpoint(t, boundary, until, s.pieces, s.oldest); err != nil {
		return err
	}
	for _, r := range s.risky {
		if r.log.cuts == r.cuts {
			r.log.risky = false
		}
	}
	d.checked, d.needed = position, s.oldest
	d.env.Probe.Sometimes(env.MarkCheckpointWritten)
	d.each(t, (*Log).trim)
	return nil
}
