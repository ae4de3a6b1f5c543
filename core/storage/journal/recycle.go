package journal

import (
	"errors"

	"barnabas/core/env"
	"barnabas/core/mutant"
	"barnabas/core/task"
)

// Moment is a place among entries: behind all commits up to a sequence, and so many entries of the next one.
type Moment struct {
	Sequence uint64
	Entries  uint32
}

// Before says whether m comes before o.
func (m Moment) Before(o Moment) bool {
	return m.Sequence < o.Sequence || m.Sequence == o.Sequence && m.Entries < o.Entries
}

// Now returns the moment behind the last entry.
func (j *Journal) Now() Moment {
	if c := j.open; c != nil {
		return Moment{c.header.sequence - 1, uint32(c.entries)}
	}
	return Moment{Sequence: j.sequence}
}

// Boundary is a place between two commits. A state taken at the moment of Boundary, or later, holds the effect of everything
// before it.
type Boundary struct {
	sequence uint64
	hash     uint64
	next     Location
}

// Next returns where the commit after the boundary goes.
func (b Boundary) Next() Location { return b.next }

// Boundary ends the open commit and returns the place behind it. It may be called within a step only. Commits that the start
// found and that are not known durable need not stand where they are when the next start looks, so it never lies before the
// end of those.
func (j *Journal) Boundary() Boundary {
	if j.open == nil && j.unproven > 0 && j.sequence <= j.unproven {
		j.openFor(0, 0)
	}
	if j.open != nil {
		j.seal()
	}
	return Boundary{j.sequence, j.hash, j.position}
}

// Checkpoint writes a checkpoint of a state when it is durable, and then recycles segments below the oldest one (exclusive:
// number oldest stays). Redo goes on at the boundary, and the state may have been taken in parts, at moments from there on: it
// tells of commits up to until. The checkpoint before it stays usable: what it needs is recycled by the next one, so that damage
// to either file loses nothing.
// Requires: everything that only older segments hold is durable elsewhere. Errors: the disk's; ErrOffline.
func (j *Journal) Checkpoint(t *task.Task, b Boundary, until uint64, state [][]byte, oldest uint32) error {
	if _, err := j.AwaitDurable(until).Wait(t); err != nil {
		return err
	}
	c := checkpoint{
		number: j.last.number + 1, id: j.id, generation: j.generation, durable: j.provenOf(until),
		sequence: b.sequence, hash: b.hash, next: b.next, oldest: min(oldest, b.next.Segment), state: state,
	}
	if mutant.On(mutant.RecycledEarly) {
		j.recycle(c.oldest)
	}
	if err := writeCheckpoint(t, j.env.Disk, j.options.Folder, c); err != nil {
		return err
	}
	before := j.last.oldest
	j.cautious = false
	c.state = nil
	j.last = c
	j.recycle(min(c.oldest, before))
	return nil
}

// recycle makes spares of the segments below the number.
func (j *Journal) recycle(number uint32) {
	for len(j.segments) > 0 && j.first < number && j.first < j.position.Segment {
		j.addSpare(j.segments[0])
		j.segments = j.segments[1:]
		j.first++
		j.env.Probe.Sometimes(env.MarkJournalRecycled)
	}
	j.submit()
	j.noteRoom()
}

// prepare makes the segment in the background unless it is there. What must be written is written, also when that exceeds the
// bound: only data waits for room (rule J14).
func (j *Journal) prepare(number uint32) {
	if j.preparing || j.segment(number) != nil {
		return
	}
	j.preparing = true
	j.env.Loop.Go("journal: prepare a segment", func(t *task.Task) {
		s, err := j.makeNext(t, number)
		if err != nil {
			j.fail(err)
			return
		}
		j.preparing = false
		j.segments = append(j.segments, s)
		j.submit()
	})
}

// makeNext makes a segment of a spare, or a new one. The last spare is the reserve for a full disk: what is in the journal's
// queue, and the entries that make room, must never wait for space (rule J14).
func (j *Journal) makeNext(t *task.Task, number uint32) (*segment, error) {
	for {
		if len(j.spares) > 1 {
			return j.takeSpare(t, number)
		}
		s := &segment{number: number, bytes: uint32(j.options.SegmentBytes)}
		err := makeSegment(t, j.env.Disk, j.options.Folder, s, j.id)
		if err == nil || !retryable(err) {
			return s, err
		}
		if len(j.spares) > 1 {
			continue // they were recycled meanwhile
		}
		j.starve(err)
		if len(j.spares) > 0 {
			return j.takeSpare(t, number)
		}
		t.Sleep(j.env.Loop.Now().Add(retryDelay))
	}
}

// takeSpare makes a spare the segment of a number.
func (j *Journal) takeSpare(t *task.Task, number uint32) (*segment, error) {
	s := j.spares[0]
	j.spares = j.spares[1:]
	for {
		err := j.renumber(t, s, number)
		if err == nil || !retryable(err) {
			j.replenish() // not before: a new spare would get the old one's name
			return s, err
		}
		t.Sleep(j.env.Loop.Now().Add(retryDelay))
	}
}

// replenish sees to it, in the background, that there is a spare. As long as there is not, the disk counts as full.
func (j *Journal) replenish() {
	if len(j.spares) > 0 || j.replenishing {
		return
	}
	j.replenishing = true
	j.env.Loop.Go("journal: make a spare", func(t *task.Task) {
		defer func() { j.replenishing = false }()
		s := &segment{number: spareNumber, bytes: uint32(j.options.SegmentBytes)}
		for len(j.spares) == 0 && j.failure == nil && !j.closed {
			err := makeSegment(t, j.env.Disk, j.options.Folder, s, j.id)
			if err == nil {
				j.addSpare(s)
				return
			}
			if !retryable(err) {
				j.fail(err)
				return
			}
			if len(j.spares) == 0 { // else one was recycled meanwhile
				j.starve(err)
			}
			t.Sleep(j.env.Loop.Now().Add(retryDelay))
		}
	})
}

// starve notes that the disk has no room for the next segment. The next spare ends that, so there must be none but what is
// taken at once.
func (j *Journal) starve(err error) {
	j.starved = err
	j.noteRoom()
}

// Starved says whether the disk has no room for the next segment.
func (j *Journal) Starved() bool { return j.starved != nil }

// spareNumber is the number of a spare that was never in use: below all others.
const spareNumber = 0

func (j *Journal) addSpare(s *segment) {
	if j.closed {
		s.file.Close()
		return
	}
	j.spares = append(j.spares, s)
	j.starved = nil
	j.noteRoom()
}

// renumber gives a spare its new number: first in its header, durably, then by name. A crash between the two leaves a file
// of an old name, which is a spare still.
func (j *Journal) renumber(t *task.Task, s *segment, number uint32) error {
	head := j.env.Disk.Buffer(segmentHeaderBytes)
	defer j.env.Disk.FreeBuffer(head)
	from := j.options.Folder + "/" + segmentName(s.number)
	renamed := segment{number: number, bytes: s.bytes}
	renamed.header(head, j.id)
	if _, err := s.file.WriteSync(head, 0).Wait(t); err != nil {
		return err
	}
	if _, err := j.env.Disk.Rename(from, j.options.Folder+"/"+segmentName(number)).Wait(t); err != nil {
		return err
	}
	s.number = number
	_, err := j.env.Disk.SyncDir(j.options.Folder).Wait(t)
	return err
}

// retryable says whether an error tells of a want that may go away: nothing happened then, and the same may be tried again
// (rule S5).
func retryable(err error) bool {
	return errors.Is(err, env.ErrNoSpace) || errors.Is(err, env.ErrTooManyFiles)
}
