package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"barnabas/core/mutant"
	"barnabas/core/record"
	"barnabas/core/storage/journal"
)

// redo applies the entries of an existing journal to the state of its checkpoint (rule J11). No file is opened: the state says
// what files may be trusted for, and everything beyond is in the journal. Every entry was applied once before, so anything
// that does not fit is damage, and nothing is guessed (rule J8).
type redo struct{ d *Directory }

// State takes the checkpoint's state over.
func (r redo) State(p []byte) error { return r.d.decode(p) }

// Snapshot returns the state as it is now.
func (r redo) Snapshot(now journal.Moment, position journal.Location) ([][]byte, uint32) {
	s := r.d.beginPicture(func() journal.Moment { return now }, position)
	s.take(nil)
	return s.pieces, s.oldest
}

// Unproven returns the batches that stand in the journal from a place on and durably in no file.
func (r redo) Unproven(from journal.Location) (pieces []journal.Piece) {
	for _, l := range r.d.logs.All {
		for i := l.firstUnsaved(); i < len(l.tail); i++ {
			b := &l.tail[i]
			if b.gap || b.at.Before(from) {
				continue
			}
			pieces = append(pieces, journal.Piece{
				Log: uint64(l.Number), Base: int64(b.base), End: int64(b.end), Epoch: int32(b.epoch), At: b.at, Bytes: b.bytes,
			})
		}
	}
	slices.SortFunc(pieces, func(a, b journal.Piece) int {
		if a.At.Before(b.At) {
			return -1
		}
		return 1 // no two stand at one place
	})
	return pieces
}

// Carried has the batch read from its new place.
func (r redo) Carried(p journal.Piece, at journal.Location) {
	l, ok := r.d.logs.Get(LogNumber(p.Log))
	if !ok {
		return
	}
	base, end := record.Offset(p.Base), record.Offset(p.End)
	i := l.row(base)
	if i == len(l.tail) || l.tail[i].base != base || l.tail[i].end != end || l.tail[i].epoch != record.LeaderEpoch(p.Epoch) {
		return // it was cut off since, or is in a file
	}
	l.tail[i].at = at
}

var errRedo = errors.New("the journal contradicts itself")

func (r redo) Entry(e journal.Entry, after journal.Moment, at journal.Location, payload []byte) error {
	d := r.d
	switch e.Kind {
	case journal.Vote:
		d.votes = append([]byte(nil), e.Body...)
		return nil
	case journal.BrokerEpoch:
		d.epoch = e.Base
		return nil
	case journal.Setting:
		d.ranUnder = append(d.ranUnder, Durability(e.Base))
		return nil
	case journal.Create:
		return r.create(e)
	case journal.Carried:
		r.Carried(journal.Piece{Log: e.Log, Base: e.Base, End: e.End, Epoch: e.Epoch}, at)
		return nil
	case journal.Append, journal.Truncate, journal.Reset, journal.StartMoved, journal.EpochStart, journal.Drop, journal.Doubt:
	}
	l, ok := d.logs.Get(LogNumber(e.Log))
	if !ok && d.gone.At(LogNumber(e.Log)) && !d.goneUntil.Before(after) {
		return nil
	}
	if !ok {
		return fmt.Errorf("%w: an entry of kind %d for log %d, which does not exist", errRedo, e.Kind, e.Log)
	}
	if !l.asOf.Before(after) {
		return nil // the state has it
	}
	switch e.Kind {
	case journal.Append:
		return l.redoAppend(e, at, payload)
	case journal.Truncate:
		l.cut(record.Offset(e.End), uint32(e.Base))
	case journal.Reset:
		l.reset(record.Offset(e.End))
	case journal.StartMoved:
		l.moveStart(record.Offset(e.End))
	case journal.EpochStart:
		l.epochs.begin(record.LeaderEpoch(e.Epoch), record.Offset(e.End))
	case journal.Doubt:
		l.addDoubt(doubt{base: record.Offset(e.Base), end: record.Offset(e.End)})
	case journal.Drop:
		if !mutant.On(mutant.DroppedLogRedone) {
			d.forget(l, 0)
		}
	}
	return nil
}

// Damaged redoes an append whose commit is damaged. A batch that is whole by its own checksum is good; another one leaves a gap
// in doubt.
func (r redo) Damaged(e journal.Entry, after journal.Moment, at journal.Location, payload []byte, why string) error {
	if e.Kind == journal.Carried {
		return nil // the batch is known from its first place, and read there
	}
	h, err := record.Check(payload)
	if err == nil && int(h.Length) == int(e.Bytes) && h.BaseOffset == record.Offset(e.Base) &&
		h.LeaderEpoch == record.LeaderEpoch(e.Epoch) && h.EndOffset() == record.Offset(e.End) {
		return r.Entry(e, after, at, payload)
	}
	l, ok := r.d.logs.Get(LogNumber(e.Log))
	if ok && !l.asOf.Before(after) {
		l.damagedRow(e, at, why)
		return nil
	}
	if !ok && r.d.gone.At(LogNumber(e.Log)) && !r.d.goneUntil.Before(after) {
		return nil
	}
	if !ok || !l.follows(record.Offset(e.Base), record.Offset(e.End)) {
		return fmt.Errorf("%w: %s: log %d does not end at %d", errRedo, why, e.Log, e.Base)
	}
	if e.Flags&journal.FlagStartsSegment != 0 || len(l.segments) == 0 {
		l.roll(record.Offset(e.Base))
	}
	lost := batch{
		base: record.Offset(e.Base), end: record.Offset(e.End), at: at, bytes: e.Bytes, epoch: record.LeaderEpoch(e.Epoch),
		maxTimestamp: -1, producerID: record.NoProducer, gap: true,
	}
	lost.readProducer(e.Body)
	l.add(lost)
	l.addDoubt(doubt{record.Offset(e.Base), record.Offset(e.End), why})
	return nil
}

// damagedRow makes a gap of a row that the state has, and whose bytes are damaged where the journal has them, if no file has
// them durably.
func (l *Log) damagedRow(e journal.Entry, at journal.Location, why string) {
	i := l.row(record.Offset(e.Base))
	if i == len(l.tail) || l.tail[i].base != record.Offset(e.Base) || l.tail[i].at != at || l.tail[i].end <= l.saved {
		return
	}
	l.tail[i].gap = true
	l.addDoubt(doubt{l.tail[i].base, l.tail[i].end, why})
}

func (r redo) create(e journal.Entry) error {
	if len(e.Body) < 20 || LogNumber(e.Log) <= r.d.last {
		return fmt.Errorf("%w: log %d is created after log %d", errRedo, e.Log, r.d.last)
	}
	l := newLog(r.d, LogNumber(e.Log), [16]byte(e.Body[:16]), int32(binary.BigEndian.Uint32(e.Body[16:])), string(e.Body[20:]))
	r.d.last = l.Number
	if mutant.On(mutant.DroppedLogRedone) {
		l = r.d.takeOver(l)
	}
	r.d.logs.Set(l.Number, l)
	return nil
}

// redoAppend indexes what an append entry holds. Redo compares offsets, never bytes (rule J11).
func (l *Log) redoAppend(e journal.Entry, at journal.Location, payload []byte) error {
	if !l.follows(record.Offset(e.Base), record.Offset(e.End)) {
		return fmt.Errorf("%w: log %d (%s) ends at %d and an append begins at %d", errRedo, l.Number, l.Name, l.end, e.Base)
	}
	if e.Flags&journal.FlagStartsSegment != 0 || len(l.segments) == 0 {
		l.roll(record.Offset(e.Base))
	}
	for len(payload) > 0 {
		h, err := record.ParseHeader(payload)
		if err != nil {
			return fmt.Errorf("%w: log %d (%s) at offset %d: %w", errRedo, l.Number, l.Name, l.end, err)
		}
		if !l.follows(h.BaseOffset, h.EndOffset()) {
			return fmt.Errorf("%w: log %d (%s) ends at %d and a batch begins at %d", errRedo, l.Number, l.Name, l.end, h.BaseOffset)
		}
		l.add(indexed(&h, at))
		at.Position += uint32(h.Length)
		payload = payload[h.Length:]
	}
	if l.end != record.Offset(e.End) {
		return fmt.Errorf("%w: log %d (%s) ends at %d after an append to %d", errRedo, l.Number, l.Name, l.end, e.End)
	}
	return nil
}

// takeOver is a mutant's: a log that is known by its name inherits what a dropped one of that name held.
func (d *Directory) takeOver(l *Log) *Log {
	for _, old := range d.logs.All {
		if old.Name == l.Name {
			d.logs.Delete(old.Number)
			old.Number, old.TopicID = l.Number, l.TopicID
			return old
		}
	}
	return l
}
