package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"barnabas/core/env"
	"barnabas/core/mutant"
	"barnabas/core/task"
)

// Redo is told, in order, what an existing journal holds, and becomes what it describes.
type Redo interface {
	// State takes the state of the checkpoint that redo begins at. It comes first, and not at all from a new journal.
	State(p []byte) error
	// Entry redoes one entry; after is the moment at which it had taken effect, and what the state tells of as of that moment, or
	// a later one, has it already. payload is nil for entries without one, and valid during the call only.
	Entry(e Entry, after Moment, at Location, payload []byte) error
	// Damaged redoes an append of a commit that was damaged after it had been durable: the payload may be anything. why is
	// for the operator (rule J5).
	Damaged(e Entry, after Moment, at Location, payload []byte, why string) error
	// Unproven returns the batches from a place of the journal on that no file has durably, in the journal's order. Carried says
	// that one of them stands at another place now, too.
	Unproven(from Location) []Piece
	Carried(p Piece, at Location)
	// Snapshot returns the state as it is now, which is the moment given, and the oldest segment that it refers to.
	Snapshot(now Moment, position Location) (state [][]byte, oldest uint32)
}

// Recovered says what Open found.
type Recovered struct {
	Fresh    bool     // there was no journal
	Commits  uint64   // redone
	Bytes    int64    // of the commits redone
	TornTail bool     // something unfinished followed the last commit and was dropped
	Clean    bool     // the last commit was a clean stop's
	Fallback string   // "", or which checkpoint is not whole, and what recovery went on from instead
	Damaged  []string // commits that had been durable and were damaged, each with its place
}

// Open opens the journal of a log directory, or makes one, and redoes what it holds. It may wait long.
// Errors: the disk's; a journal of another directory or a newer version; a corrupt commit whose entries can't be told any
// more (rule J5), which is never passed over in silence.
func Open(t *task.Task, e env.Env, o Options, directory [16]byte, redo Redo) (*Journal, Recovered, error) {
	j := &Journal{env: e, options: o, arena: newArena(e.Disk, o.ArenaBytesMax), first: 1}
	j.id.directory = directory
	found, err := readCheckpoints(t, e.Disk, o.Folder)
	if err != nil {
		return nil, Recovered{}, err
	}
	if found.whole == 0 && o.Existing {
		return nil, Recovered{}, fmt.Errorf(
			"%s had a journal, and neither %s nor %s is there and whole: files were removed or damaged. Nothing was changed; put them back, or restore the folder from a copy, or give this broker an empty one",
			o.Folder, checkpointName(0), checkpointName(1))
	}
	last := found.newest
	if found.whole > 0 {
		j.first = max(last.oldest, 1)
	}
	if err := j.openSegments(t, found.whole > 0, last.id); err != nil {
		return nil, Recovered{}, found.explain(err)
	}
	if found.whole == 0 {
		err := j.makeFresh(t, redo)
		return j, Recovered{Fresh: true}, err
	}
	if last.id.directory != directory {
		return nil, Recovered{}, errors.New("the journal belongs to another log directory (directory.id differs): the folder was copied or mixed up")
	}
	if found.fallback() != "" {
		e.Probe.Sometimes(env.MarkCheckpointFallback)
	}
	if err := redo.State(last.whole()); err != nil {
		return nil, Recovered{}, err
	}
	j.id = last.id
	j.generation, j.sequence, j.hash, j.position = last.generation+1, last.sequence, last.hash, last.next
	c, err := j.follow(t, last, redo)
	c.result.Fallback = found.fallback()
	if err == nil {
		err = j.resume(t, c, found, redo)
	}
	if err != nil {
		j.failure = err
		return nil, c.result, found.explain(err)
	}
	return j, c.result, nil
}

// resume has the journal go on behind the chain: what was found is made durable before anybody is told of it.
func (j *Journal) resume(t *task.Task, c *chain, found checkpoints, redo Redo) error {
	if err := j.secure(t, found); err != nil {
		return err
	}
	if err := j.dropUnused(t); err != nil {
		return err
	}
	if !c.whole || c.durable < j.sequence { // also where the checkpoint's own last commit is the one
		j.unproven = j.sequence
	}
	j.landed = j.position
	if len(c.unproven) > 0 && !c.closed { // a closing commit comes when everything else is durable
		proven := c.unproven[0].sequence - 1
		j.marks, j.cautious, j.proven = Marks{j.sequence, proven}, true, proven
		if err := j.carry(t, c.unproven[0].at, redo); err != nil {
			return err
		}
	}
	j.marks = Marks{j.sequence, j.sequence}
	return j.renew(t, found, redo)
}

// secure makes the newer of two checkpoints durable, by writing it again where it is. It may have been found in memory only: then
// the older one is what a power loss leaves, and neither its file may be written over, nor a segment that it needs be used again.
func (j *Journal) secure(t *task.Task, found checkpoints) error {
	if found.whole < 2 || mutant.On(mutant.CheckpointInCache) {
		return nil
	}
	err := writeSlot(t, j.env.Disk, j.options.Folder, found.newest.number, found.newest.encode(t), true)
	if errors.Is(err, env.ErrNoSpace) {
		return nil
	}
	return err
}

// renew writes the checkpoint of this process: what was recovered. On a disk too full for that it repeats the last one under
// the new generation, for which there is room.
func (j *Journal) renew(t *task.Task, found checkpoints, redo Redo) error {
	last := found.newest
	if found.lost != "" { // to write over a part of a block may mean to read it
		if _, err := j.env.Disk.Remove(j.options.Folder + "/" + found.lost).Wait(t); err != nil {
			return err
		}
	}
	// What was carried may have got its successor meanwhile (rule J4): the checkpoint covers it, so it must be durable, too.
	if err := j.settle(t); err != nil {
		return err
	}
	now := Moment{Sequence: j.sequence}
	if mutant.On(mutant.RecoveryNotIdempotent) {
		now.Sequence = last.sequence
	}
	state, oldest := redo.Snapshot(now, j.position)
	c := checkpoint{
		number: last.number + 1, id: j.id, generation: j.generation, durable: j.provenOf(j.sequence),
		sequence: j.sequence, hash: j.hash, next: j.position, oldest: min(oldest, j.position.Segment), state: state,
	}
	if mutant.On(mutant.RecoveryNotIdempotent) {
		c.sequence, c.hash, c.next, c.oldest = last.sequence, last.hash, last.next, min(c.oldest, last.next.Segment)
	}
	err := writeCheckpoint(t, j.env.Disk, j.options.Folder, c)
	if errors.Is(err, env.ErrNoSpace) {
		c = last
		c.number, c.generation = last.number+1, j.generation
		if j.sequence > c.sequence {
			c.durable = j.sequence
		}
		err = writeCheckpoint(t, j.env.Disk, j.options.Folder, c)
	}
	if err != nil {
		return err
	}
	c.state = nil
	j.last = c
	j.cautious = j.cautious && c.sequence < j.unproven
	j.recycle(min(c.oldest, max(last.oldest, 1)))
	j.replenish()
	return nil
}

// provenOf returns what a checkpoint may vouch for that covers the commits up to a sequence: one that was found at the start
// and is not known durable, or is damaged, need not stand there when it is read.
func (j *Journal) provenOf(sequence uint64) uint64 {
	if j.unproven > 0 && sequence <= j.unproven {
		return sequence - 1
	}
	return max(sequence, j.marks.Durable)
}

// Blank says whether the files, all those of a journal in the folder, are what a first start leaves that was cut off: nothing was
// ever appended. Errors: the disk's; a newer format.
func Blank(t *task.Task, disk env.Disk, folder string, names []string) (bool, error) {
	found, err := readCheckpoints(t, disk, folder)
	if err != nil || found.newest.number > 0 || found.newest.sequence > 0 {
		return false, err
	}
	for _, name := range names {
		number, ok := segmentNumber(name)
		if !ok || number == spareNumber {
			continue
		}
		if number > 1 {
			return false, nil
		}
		p, err := readFirstCommit(t, disk, folder+"/"+name)
		if err != nil {
			return false, err
		}
		if !isZero(p) {
			return false, nil
		}
	}
	return true, nil
}

// readFirstCommit reads the block of a segment's first commit.
func readFirstCommit(t *task.Task, disk env.Disk, path string) ([]byte, error) {
	file, err := disk.Open(path, env.OpenExisting).Wait(t)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	p := make([]byte, env.BlockBytes)
	n, err := file.ReadAt(p, segmentHeaderBytes).Wait(t)
	return p[:n], err
}

// makeFresh makes the first segment, and then the checkpoint that says there is a journal.
func (j *Journal) makeFresh(t *task.Task, redo Redo) error {
	if err := j.dropUnused(t); err != nil {
		return err
	}
	j.id.journal = j.env.Random.UUID(env.StreamJournalID)
	j.generation, j.position = 1, Location{1, segmentHeaderBytes}
	s := &segment{number: 1, bytes: uint32(j.options.SegmentBytes)}
	if err := makeSegment(t, j.env.Disk, j.options.Folder, s, j.id); err != nil {
		return err
	}
	j.segments, j.landed = []*segment{s}, j.position
	state, _ := redo.Snapshot(Moment{}, j.position)
	c := checkpoint{number: 0, id: j.id, generation: 1, next: j.position, oldest: 1, state: state}
	if err := writeCheckpoint(t, j.env.Disk, j.options.Folder, c); err != nil {
		return err
	}
	c.state = nil
	j.last = c
	j.replenish()
	return nil
}

// openSegments opens the segments that are there and checks their headers. Without a checkpoint, a segment can only be
// left from a first start that was cut off; with one, only the last may be unfinished, and those below the first are spares.
func (j *Journal) openSegments(t *task.Task, found bool, id identity) error {
	names, err := j.env.Disk.List(j.options.Folder).Wait(t)
	if err != nil {
		return err
	}
	for _, name := range names {
		number, ok := segmentNumber(name)
		if !ok {
			continue
		}
		file, err := j.env.Disk.Open(j.options.Folder+"/"+name, env.OpenExisting).Wait(t)
		if err != nil {
			return err
		}
		if number == spareNumber {
			file.Close() // nobody knows how far its making got: it is made again, in the room it has
			continue
		}
		if number < j.first && found {
			if err := j.adoptSpare(t, file, number, names); err != nil {
				return err
			}
			continue
		}
		if err := j.openSegment(t, file, number, found, id); err != nil {
			return err
		}
	}
	if found && len(j.segments) == 0 {
		return fmt.Errorf("the journal's checkpoint is there and %s is not: files were removed from the folder", segmentName(j.first))
	}
	return nil
}

// adoptSpare keeps a segment's file for later use, if it has the size. A file whose header has another number than its name got
// that number just before a crash; if there is a file of that name too, both are one, and the old name goes.
func (j *Journal) adoptSpare(t *task.Task, file env.File, number uint32, names []string) error {
	size, err := file.Size().Wait(t)
	if err != nil {
		return err
	}
	head := j.env.Disk.Buffer(segmentHeaderBytes)
	defer j.env.Disk.FreeBuffer(head)
	clear(head)
	if _, err := file.ReadAt(head, 0).Wait(t); err != nil {
		return err
	}
	says := uint32(binary.BigEndian.Uint64(head[16:]))
	if size == int64(j.options.SegmentBytes) && (says == number || !slices.Contains(names, segmentName(says))) {
		j.spares = append(j.spares, &segment{number, uint32(size), file})
		return nil
	}
	file.Close()
	_, err = j.env.Disk.Remove(j.options.Folder + "/" + segmentName(number)).Wait(t)
	return err
}

func (j *Journal) openSegment(t *task.Task, file env.File, number uint32, found bool, id identity) error {
	head := j.env.Disk.Buffer(segmentHeaderBytes)
	defer j.env.Disk.FreeBuffer(head)
	clear(head)
	if _, err := file.ReadAt(head, 0).Wait(t); err != nil {
		return err
	}
	its, bytes, whole, err := parseSegmentHeader(head, number)
	if err != nil {
		return err
	}
	if !whole || !found {
		return j.lookAtUnfinished(t, file, number)
	}
	if want := j.first + uint32(len(j.segments)); its != id || number != want {
		return fmt.Errorf("%s does not continue this journal: the folder was mixed up, or segment %d is missing",
			segmentName(number), want)
	}
	// The header is the last thing that is written when a segment is made, so all of it was there.
	if size, err := file.Size().Wait(t); err != nil || size < int64(bytes) {
		if err == nil {
			err = fmt.Errorf("%s has %d bytes of %d: it was cut off, and commits with it: restore the folder from a replica or a copy",
				segmentName(number), size, bytes)
		}
		return err
	}
	j.segments = append(j.segments, &segment{number, bytes, file})
	j.options.SegmentBytes = int(bytes)
	return nil
}

// lookAtUnfinished looks at a segment whose making was cut off, and refuses if it holds commits all the same.
func (j *Journal) lookAtUnfinished(t *task.Task, file env.File, number uint32) error {
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
	j.unfinished = append(j.unfinished, segmentName(number))
	return nil
}

// Close waits until everything is durable, and then writes a closing commit, which says so of all before it.
func (j *Journal) Close(t *task.Task) error {
	if j.open != nil && j.failure == nil {
		j.seal()
		j.submit()
	}
	_, err := j.AwaitDurable(j.sequence).Wait(t)
	if err == nil {
		c := j.openFor(0, 0)
		c.header.flags |= flagClosing
		c.synced = true
		j.seal()
		j.submit()
		_, err = j.AwaitDurable(j.sequence).Wait(t)
	}
	j.closed = true
	for _, s := range j.segments {
		s.file.Close()
	}
	for _, s := range j.spares {
		s.file.Close()
	}
	return err
}
