package journal

import (
	"errors"
	"fmt"

	"barnabas/core/env"
	"barnabas/core/task"
)

// Redo is told, in order, what an existing journal holds.
type Redo interface {
	// Entry redoes one entry. payload is nil for entries without one, and valid during the call only.
	Entry(e Entry, at Location, payload []byte) error
}

// Recovered says what Open found.
type Recovered struct {
	Fresh    bool   // there was no journal
	Commits  uint64 // redone
	TornTail bool   // something unfinished followed the last commit and was dropped
	Clean    bool   // the last commit was a clean stop's
}

// Open opens the journal of a log directory, or makes one, and redoes what it holds. It may wait long.
// Errors: the disk's; a journal of another directory or a newer version; a corrupt commit (rule J3), which is never
// passed over in silence.
func Open(t *task.Task, e env.Env, o Options, directory [16]byte, redo Redo) (*Journal, Recovered, error) {
	j := &Journal{env: e, options: o, arena: newArena(e.Disk, o.ArenaBytesMax)}
	j.id.directory = directory
	last, found, err := readCheckpoints(t, e.Disk, o.Folder)
	if err != nil {
		return nil, Recovered{}, err
	}
	if err := j.openSegments(t, found, last.id); err != nil {
		return nil, Recovered{}, err
	}
	if !found {
		err := j.makeFresh(t)
		return j, Recovered{Fresh: true}, err
	}
	if last.id.directory != directory {
		return nil, Recovered{}, errors.New("the journal belongs to another log directory (directory.id differs): the folder was copied or mixed up")
	}
	j.id = last.id
	j.generation, j.sequence, j.hash, j.position = last.generation+1, last.sequence, last.hash, last.next
	recovered, err := j.follow(t, last, redo)
	if err != nil {
		return nil, recovered, err
	}
	for _, s := range j.segments {
		// What was found may still be in the page cache only: make it durable before anybody is told of it.
		if _, err := s.file.Sync().Wait(t); err != nil {
			return nil, recovered, err
		}
	}
	j.marks, j.landed = Marks{j.sequence, j.sequence}, j.position
	last.number++
	last.generation, last.durable = j.generation, j.sequence
	return j, recovered, writeCheckpoint(t, e.Disk, o.Folder, last)
}

// makeFresh makes the first segment, and then the checkpoint that says there is a journal.
func (j *Journal) makeFresh(t *task.Task) error {
	j.id.journal = j.env.Random.UUID(env.StreamJournalID)
	j.generation, j.position = 1, Location{1, segmentHeaderBytes}
	s := &segment{number: 1, bytes: uint32(j.options.SegmentBytes)}
	if err := makeSegment(t, j.env.Disk, j.options.Folder, s, j.id); err != nil {
		return err
	}
	j.segments, j.landed = []*segment{s}, j.position
	return writeCheckpoint(t, j.env.Disk, j.options.Folder,
		checkpoint{number: 0, id: j.id, generation: 1, next: j.position})
}

// openSegments opens the segments that are there and checks their headers. Without a checkpoint, a segment can only be
// left from a first start that was cut off; with one, only the last may be unfinished.
func (j *Journal) openSegments(t *task.Task, found bool, id identity) error {
	names, err := j.env.Disk.List(j.options.Folder).Wait(t)
	if err != nil {
		return err
	}
	head := j.env.Disk.Buffer(segmentHeaderBytes)
	defer j.env.Disk.FreeBuffer(head)
	for _, name := range names {
		number, ok := segmentNumber(name)
		if !ok {
			continue
		}
		file, err := j.env.Disk.Open(j.options.Folder+"/"+name, env.OpenExisting).Wait(t)
		if err != nil {
			return err
		}
		clear(head)
		if _, err := file.ReadAt(head, 0).Wait(t); err != nil {
			return err
		}
		its, bytes, whole, err := parseSegmentHeader(head, number)
		if err != nil {
			return err
		}
		if !whole || !found {
			if err := j.unfinished(t, file, number); err != nil {
				return err
			}
			continue
		}
		if its != id || int(number) != len(j.segments)+1 {
			return fmt.Errorf("%s does not continue this journal: the folder was mixed up, or segment %d is missing",
				name, len(j.segments)+1)
		}
		j.segments = append(j.segments, &segment{number, bytes, file})
		j.options.SegmentBytes = int(bytes)
	}
	if found && len(j.segments) == 0 {
		return errors.New("the journal's checkpoint is there and its segments are not: files were removed from the folder")
	}
	return nil
}

// unfinished looks at a segment whose making was cut off, and refuses if it holds commits all the same.
func (j *Journal) unfinished(t *task.Task, file env.File, number uint32) error {
	defer file.Close()
	p := j.env.Disk.Buffer(env.BlockBytes)
	defer j.env.Disk.FreeBuffer(p)
	clear(p)
	if _, err := file.ReadAt(p, segmentHeaderBytes).Wait(t); err != nil {
		return err
	}
	if _, _, ok := parseHeader(p, [16]byte(p[8:24])); ok {
		return fmt.Errorf("%s holds commits, but its header or every checkpoint is damaged: restore the folder from a replica or a copy",
			segmentName(number))
	}
	return nil
}

// Close waits until everything is durable, and then writes a closing commit, which says so of all before it.
func (j *Journal) Close(t *task.Task) error {
	if j.open != nil && j.failure == nil {
		j.seal()
		j.submit()
	}
	if !j.options.Synced && j.failure == nil {
		j.syncTo = j.sequence
		j.scheduleSync()
	}
	j.waitDurable(t)
	if j.failure == nil {
		c := j.openFor(0, 0)
		c.header.flags |= flagClosing
		c.synced = true
		j.seal()
		j.submit()
	}
	j.waitDurable(t)
	for _, s := range j.segments {
		s.file.Close()
	}
	return j.failure
}

// waitDurable waits until the last commit is durable, or the journal failed.
func (j *Journal) waitDurable(t *task.Task) {
	for j.failure == nil && j.marks.Durable < j.sequence {
		done := task.NewSignal(j.env.Loop)
		before := j.moved
		j.moved = func(m Marks) {
			if before != nil {
				before(m)
			}
			done.Raise()
		}
		done.Wait(t, j.env.Loop.Now().Add(syncInterval))
		j.moved = before
	}
}
