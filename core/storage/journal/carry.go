package journal

import (
	"slices"

	"barnabas/core/env"
	"barnabas/core/record"
	"barnabas/core/task"
)

// What recovery reads need not be on the device. When a sync has failed, the system may go on to show bytes that it will
// never write, and another sync then proves nothing. So a commit that recovery found, and that nothing declares durable, is
// not promised where it stands: its batches are written once more, as new commits behind it, and the checkpoint of the
// start, which holds everything else, points there (decision 9). Its own place is not written: it may be durable, and
// acknowledged, and a write that tears would take it.

// Piece is a batch that stands in the journal and nowhere else.
type Piece struct {
	Log       uint64
	Base, End int64
	Epoch     int32
	At        Location
	Bytes     uint32
}

// unproven is a commit of the chain that nothing is known to declare durable yet.
type unproven struct {
	sequence uint64
	at       Location
}

// note takes account of a commit that was redone, and of what is known durable by then.
func (c *chain) note(sequence uint64, at Location) {
	c.unproven = append(c.unproven, unproven{sequence, at})
	c.prove()
}

// prove forgets the commits that something declares durable.
func (c *chain) prove() {
	n := 0
	for n < len(c.unproven) && c.unproven[n].sequence <= c.durable {
		n++
	}
	c.unproven = c.unproven[n:]
}

// carryWindow is how much is read at once of what is carried, and how much is written before it is waited for.
const carryWindow = 1 << 20

// carry writes anew what stands in the journal from a place on. Where there is no room for that, and none can be made, it
// makes durable what is there, which is worth something only if no sync has failed. Errors: the disk's.
func (j *Journal) carry(t *task.Task, from Location, redo Redo) error {
	pieces := redo.Unproven(from)
	if len(pieces) == 0 {
		return j.mark(t)
	}
	if room, err := j.roomToCarry(t, pieces); err != nil || !room {
		if err == nil {
			err = j.syncFrom(t, from)
		}
		return err
	}
	j.env.Probe.Sometimes(env.MarkCommitCarried)
	var window carriedWindow
	bytes, carried := 0, false
	for _, p := range pieces {
		payload, err := window.take(t, j, p)
		if err != nil {
			return err
		}
		if _, err := record.Check(payload); err != nil {
			continue // whoever reads it finds that out, and where it is
		}
		e := Entry{Kind: Carried, Log: p.Log, Base: p.Base, End: p.End, Epoch: p.Epoch}
		at, _ := j.Append(e, payload, true)
		redo.Carried(p, at)
		carried = true
		if bytes += len(payload); bytes >= carryWindow {
			bytes = 0
			if err := j.settle(t); err != nil {
				return err
			}
		}
	}
	if !carried {
		return j.mark(t) // what is there will never be known durable, so nobody may wait for it
	}
	return j.settle(t)
}

// mark ends the journal with an empty commit that is known durable, so that the checkpoint may vouch for it. It is left out
// where the segment has no room for it.
func (j *Journal) mark(t *task.Task) error {
	need := roundUp(HeaderBytes + len(j.table) + env.BlockBytes)
	if int(j.position.Position)+need > int(j.segment(j.position.Segment).bytes) {
		return nil
	}
	j.openFor(0, 0)
	return j.settle(t)
}

// settle waits until everything appended is durable.
func (j *Journal) settle(t *task.Task) error {
	if j.open != nil {
		j.seal()
	}
	j.submit()
	_, err := j.AwaitDurable(j.sequence).Wait(t)
	return err
}

// carriedWindow is a window on a segment's file.
type carriedWindow struct {
	segment uint32
	base    uint32
	bytes   []byte
}

// take returns the piece's bytes, as far as the file has them. They are valid until the next call.
func (w *carriedWindow) take(t *task.Task, j *Journal, p Piece) ([]byte, error) {
	if w.segment != p.At.Segment || p.At.Position < w.base || int(p.At.Position+p.Bytes) > int(w.base)+len(w.bytes) {
		s := j.segment(p.At.Segment)
		w.segment, w.base = p.At.Segment, p.At.Position
		w.bytes = make([]byte, min(max(carryWindow, int(p.Bytes)), int(s.bytes-p.At.Position)))
		n, err := s.file.ReadAt(w.bytes, int64(w.base)).Wait(t)
		if w.bytes = w.bytes[:n]; err != nil {
			return nil, err
		}
	}
	from := int(p.At.Position - w.base)
	return w.bytes[min(from, len(w.bytes)):min(from+int(p.Bytes), len(w.bytes))], nil
}

// roomToCarry sees to it that the segments are there that the pieces will need, and says whether they are. The spare that is
// kept for a full disk is one of them if need be (rule J14).
func (j *Journal) roomToCarry(t *task.Task, pieces []Piece) (bool, error) {
	rest := func(s uint32, position uint32) int { return int(j.segment(s).bytes) - int(position) }
	room, bytes := rest(j.position.Segment, j.position.Position), 0
	for _, p := range pieces {
		// No entry shares its commit in the worst case, and each commit copies the table before it.
		need := roundUp(HeaderBytes+int(p.Bytes)+len(j.table)+2*(entryHeaderBytes+entryFixedBytes)) + env.BlockBytes
		if bytes+need <= room {
			bytes += need
			continue
		}
		last := j.segments[len(j.segments)-1].number + 1
		s, err := j.takeOrMakeSpare(t, last)
		if err != nil && !retryable(err) {
			return false, err
		}
		if err != nil {
			return false, nil
		}
		j.segments = append(j.segments, s)
		room, bytes = rest(last, segmentHeaderBytes), need
	}
	return true, nil
}

// takeOrMakeSpare makes a spare the segment of a number, now. One that was begun and not finished has room already.
func (j *Journal) takeOrMakeSpare(t *task.Task, number uint32) (*segment, error) {
	if len(j.spares) == 0 {
		s := &segment{number: spareNumber, bytes: uint32(j.options.SegmentBytes)}
		if err := makeSegment(t, j.env.Disk, j.options.Folder, s, j.id); err != nil {
			return nil, err
		}
		j.spares = append(j.spares, s)
	}
	s := j.spares[0]
	err := j.renumber(t, s, number)
	if err == nil {
		j.spares = j.spares[1:]
	}
	return s, err
}

// syncFrom syncs the segments from a place on.
func (j *Journal) syncFrom(t *task.Task, from Location) error {
	for _, s := range j.segments {
		if s.number < from.Segment {
			continue
		}
		if _, err := s.file.Sync().Wait(t); err != nil {
			return err
		}
	}
	return nil
}

// dropUnused removes the segments behind the one that the chain ends in, and those whose making was cut off: a sync of the
// folder may have failed after they were made, and then their names are as little worth as a commit that nothing declares
// durable. They are made anew when they are needed.
func (j *Journal) dropUnused(t *task.Task) error {
	names := j.unfinished
	for n := len(j.segments); n > 1 && j.segments[n-1].number > j.position.Segment; n-- {
		s := j.segments[n-1]
		s.file.Close()
		names = append(names, segmentName(s.number))
		j.segments = j.segments[:n-1]
	}
	slices.Sort(names)
	for i := len(names) - 1; i >= 0; i-- {
		if _, err := j.env.Disk.Remove(j.options.Folder + "/" + names[i]).Wait(t); err != nil {
			return err
		}
		if i > 0 { // a crash must not bring a later one back without an earlier one
			if _, err := j.env.Disk.SyncDir(j.options.Folder).Wait(t); err != nil {
				return err
			}
		}
	}
	j.unfinished = nil
	return nil
}
