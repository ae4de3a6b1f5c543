package journal

import (
	"errors"
	"fmt"
	"time"

	"barnabas/core/assert"
	"barnabas/core/env"
	"barnabas/core/metric"
	"barnabas/core/mutant"
	"barnabas/core/record"
	"barnabas/core/task"
)

// Options are the bounds of a journal.
type Options struct {
	Folder         string
	SegmentBytes   int // of a new segment; a multiple of env.BlockBytes
	BytesMax       int // of all segments together
	CommitBytesMax int // a commit is sealed at this size; one large entry may exceed it
	ArenaBytesMax  int
	ChunkBytes     int
	// Synced: a commit is stable when it is durable (durability=fsync). Otherwise when its write returned
	// (durability=replicated); commits with entries that are always synced are durable first all the same (rule S9).
	Synced bool
	// Existing: there was a journal, so there must be one.
	Existing bool
}

// Timings of the journal.
const (
	successorDelay = 10 * time.Millisecond  // rule J4
	syncInterval   = time.Second            // how long an unsynced commit stays so (rule J6)
	retryDelay     = 100 * time.Millisecond // after ENOSPC and EDQUOT: the same bytes, the same place (rule S5)
)

// syncBytes is how much is written and not synced before a sync is due, whatever the time: the device should not be given a
// second's worth of everything at once (rule J6).
const syncBytes = 32 << 20

// groupBytes is the size of an open commit that does not wait for the one in flight.
const groupBytes = 256 << 10

// ErrFull is returned when data may not enter the journal until somebody makes room on the disk (rule J14).
var ErrFull = errors.New("the journal is full")

// ErrBusy is returned when data may not enter the journal yet: partition logs have to catch up, and OnRoom tells when.
var ErrBusy = errors.New("the journal is full until partition logs have caught up")

// ErrOffline is returned when the journal failed: its directory is offline until a restart (rules S5, S14).
var ErrOffline = errors.New("the log directory is offline")

// Marks tell how far commits are. Both are inclusive sequences.
type Marks struct {
	Written uint64 // the write returned; survives the process
	Durable uint64 // synced; survives a power loss
}

// commit is one commit from its first entry until it is durable.
type commit struct {
	header  header
	at      Location
	chunk   *chunk
	start   int // in chunk.memory
	payload int
	table   []byte
	entries int
	summed  []span // batches within the payload whose checksum is known
	synced  bool   // holds an entry that must be durable before it counts, whatever the setting (rule S9)
	written bool
	begun   task.Instant // when its write was submitted first
}

// bytes is what the commit would take if it were sealed now.
func (c *commit) bytes(previousTable int) int {
	return roundUp(HeaderBytes + c.payload + len(c.table) + previousTable)
}

// Journal is an open journal. All its methods run on the loop; none waits but those that take a task.
type Journal struct {
	env     env.Env
	options Options
	id      identity

	generation   uint64
	sequence     uint64     // of the last commit opened
	hash         uint64     // of the last commit sealed
	table        []byte     // of the last commit sealed
	segments     []*segment // in use, by number without gaps; the first is number first
	first        uint32
	spares       []*segment // recycled: whole files that wait for a new number
	preparing    bool
	starved      error // why there is no next segment, as long as that is so
	replenishing bool  // a spare is being made
	closed       bool
	position     Location // where the next commit goes
	landed       Location // the end of the last commit whose write returned, and all before it: files can be read up to here

	open     *commit
	queue    []*commit // sealed and not yet submitted
	inFlight []*commit // submitted, in order
	marks    Marks
	dirty    []*segment // hold written bytes that are not synced
	syncing  bool
	unsynced int    // bytes written since the last sync began
	syncTo   uint64 // the last written commit that counts only when durable (rule S9)

	arena      *arena
	successor  *task.Timer // rule J4
	movedAt    task.Instant
	syncTimer  *task.Timer
	moved      func(Marks)
	failed     func(error)
	roomMoved  func()
	failure    error
	lastTable  bool       // whether the last sealed commit holds entries
	last       checkpoint // the newest, without its state
	waits      []durableWait
	unfinished []string // names of segments whose making was cut off
	unproven   uint64   // the last commit that the start found and does not know to be durable; 0: none
	cautious   bool     // redo would begin before those yet
	proven     uint64   // the commit before them, then
	counts     Counts
}

// OnMarks has f called whenever a mark moved.
func (j *Journal) OnMarks(f func(Marks)) { j.moved = f }

// OnFailure has f called once, when the journal fails for good.
func (j *Journal) OnFailure(f func(error)) { j.failed = f }

// OnRoom has f called when what Room answers may have changed: segments were recycled, or the disk turned out to be full.
func (j *Journal) OnRoom(f func()) { j.roomMoved = f }

func (j *Journal) noteRoom() {
	if j.roomMoved != nil {
		j.roomMoved()
	}
}

// Counts are of commits whose write returned, since the journal was opened.
type Counts struct {
	Bytes int64
	Took  metric.Histogram // a commit's write, with its sync under durability=fsync
}

// Counts returns them.
func (j *Journal) Counts() Counts { return j.counts }

// BytesMax returns how much the journal may take.
func (j *Journal) BytesMax() int { return j.options.BytesMax }

// Marks returns how far commits are.
func (j *Journal) Marks() Marks { return j.marks }

// Failure returns why the journal failed, or nil.
func (j *Journal) Failure() error { return j.failure }

// BytesUsed returns how much of BytesMax is taken.
func (j *Journal) BytesUsed() int {
	return int(j.position.Segment-j.first)*j.options.SegmentBytes + int(j.position.Position)
}

// Position returns where the next commit goes.
func (j *Journal) Position() Location { return j.position }

// First returns the number of the oldest segment in use: places in older ones are gone.
func (j *Journal) First() uint32 { return j.first }

// beyond says whether a segment would exceed the bound.
func (j *Journal) beyond(number uint32) bool {
	return int(number-j.first+1)*j.options.SegmentBytes > j.options.BytesMax
}

// Room says whether size bytes of data may enter: the last sixteenth is for control entries (rule J14), and so is all that is
// left when the disk has no room for the next segment.
func (j *Journal) Room(size int) error {
	if j.failure != nil {
		return fmt.Errorf("%w: %w", ErrOffline, j.failure)
	}
	if j.starved != nil {
		j.env.Probe.Sometimes(env.MarkJournalFull)
		return fmt.Errorf("%w: the disk is full, there is no room for its next segment: free some space, or let retention: %w",
			ErrFull, j.starved)
	}
	limit := j.options.BytesMax - j.options.BytesMax/16
	// A large entry may leave the rest of its segment unused.
	if j.BytesUsed()+2*size+env.BlockBytes > limit {
		j.env.Probe.Sometimes(env.MarkJournalFull)
		return fmt.Errorf("%w: %d of journal.max.bytes=%d are in use and not yet in partition logs; is the disk slow?",
			ErrBusy, j.BytesUsed(), j.options.BytesMax)
	}
	return nil
}

// Append adds an entry to the open commit and returns where its payload stands and the memory that holds it, which the
// caller may still patch in this step. mustSync is for entries that count only when durable (rule S9).
// Requires: Room said yes for data.
func (j *Journal) Append(e Entry, payload []byte, mustSync bool) (Location, []byte) {
	c := j.openFor(e.size(), len(payload))
	at := c.start + HeaderBytes + c.payload
	memory := c.chunk.memory[at : at+len(payload)]
	copy(memory, payload)
	e.Position, e.Bytes = uint32(HeaderBytes+c.payload), uint32(len(payload))
	if e.Kind == Append && len(payload) >= summedBytesMin {
		c.summed = append(c.summed, span{c.payload, c.payload + len(payload)})
	}
	c.payload += len(payload)
	c.table = e.append(c.table)
	c.entries++
	c.synced = c.synced || mustSync
	c.chunk.used = uint32(at + len(payload))
	// Sealing takes checksums, so it waits until the caller has patched the memory: the next entry, or the step's end.
	return Location{c.at.Segment, c.at.Position + e.Position}, memory
}

// openFor returns the open commit with room for one more entry, after sealing one that has none.
func (j *Journal) openFor(entry, payload int) *commit {
	if c := j.open; c != nil {
		if j.fits(c, entry+payload) && !(c.entries > 0 && j.env.Probe.Chance(env.SiteCommitTiny)) {
			return c
		}
		j.seal()
	}
	need := roundUp(HeaderBytes + payload + entry + len(j.table) + env.BlockBytes)
	assert.That(need <= j.options.SegmentBytes-segmentHeaderBytes, "an entry fits into a segment")
	if int(j.position.Position)+need > j.options.SegmentBytes {
		j.position = Location{j.position.Segment + 1, segmentHeaderBytes}
		j.env.Probe.Sometimes(env.MarkJournalRolled)
	}
	j.sequence++
	c := &commit{at: j.position, table: nil}
	c.header.sequence = j.sequence
	c.chunk, c.start = j.memoryFor(need)
	j.open = c
	return c
}

// fits says whether the open commit can take so many more bytes without outgrowing its bound, its chunk or its segment.
func (j *Journal) fits(c *commit, more int) bool {
	bytes := c.bytes(len(j.table))
	with := bytes + more + env.BlockBytes
	return bytes < j.options.CommitBytesMax && c.start+with <= len(c.chunk.memory) &&
		int(c.at.Position)+with <= j.options.SegmentBytes
}

// memoryFor returns the memory that mirrors the journal's position: the rest of the newest chunk, or a new one.
func (j *Journal) memoryFor(need int) (*chunk, int) {
	at := j.position
	if n := len(j.arena.chunks); n > 0 {
		c := j.arena.chunks[n-1]
		if !c.cold && c.segment == at.Segment && c.base+c.used == at.Position { // a gap would pass for memory of the file
			start := int(at.Position - c.base)
			if start+need <= len(c.memory) {
				c.pins++
				return c, start
			}
		}
	}
	return j.arena.add(at.Segment, at.Position, max(j.options.ChunkBytes, need)), 0
}

// seal closes the open commit and queues it.
func (j *Journal) seal() {
	c := j.open
	j.open = nil
	memory := c.chunk.memory
	end := c.start + HeaderBytes + c.payload
	end += copy(memory[end:], c.table)
	end += copy(memory[end:], j.table)
	total := roundUp(end - c.start)
	clear(memory[end : c.start+total])
	c.chunk.used = uint32(c.start + total)

	payload := memory[c.start+HeaderBytes : c.start+HeaderBytes+c.payload]
	c.header = header{
		journalID: j.id.journal, flags: c.header.flags, generation: j.generation, sequence: c.header.sequence,
		at: c.at, total: uint32(total), payload: uint32(c.payload), table: uint32(len(c.table)),
		previousTable: uint32(len(j.table)), previousHash: j.hash, knownDurable: j.vouched(),
		payloadSum: c.payloadSum(payload), tableSum: record.Checksum(c.table), previousSum: record.Checksum(j.table),
	}
	j.hash = c.header.put(memory[c.start:])
	j.table, j.lastTable = c.table, c.entries > 0
	j.position.Position += uint32(total)
	if c.entries > 1 {
		j.env.Probe.Sometimes(env.MarkCommitGrouped)
	}
	j.queue = append(j.queue, c)
}

// vouched returns the highest commit that a commit may declare durable, and with it all before. As long as redo would begin
// before what the start found and does not know to be durable, that is the commit before: a power loss may take those, and leave
// what was written behind them.
func (j *Journal) vouched() uint64 {
	if j.cautious {
		return min(j.proven, j.marks.Durable)
	}
	return j.marks.Durable
}

// Flush lets what was appended leave, at the end of a step: one commit while none is in flight, more only when large.
// Everything else waits for the one in flight and goes in one write after it.
func (j *Journal) Flush() {
	if j.failure != nil || j.closed {
		return
	}
	if j.env.Probe.Chance(env.SiteArenaDrop) {
		j.arena.shrink(0)
	}
	if c := j.open; c != nil {
		busy := len(j.inFlight) + len(j.queue)
		large := busy == 1 && c.payload >= groupBytes
		if busy == 0 || large || j.env.Probe.Chance(env.SiteCommitEarly) {
			j.seal()
		}
	}
	j.submit()
}

// submit starts the writes of queued commits whose segment is ready.
func (j *Journal) submit() {
	for len(j.queue) > 0 && j.failure == nil {
		c := j.queue[0]
		s := j.segment(c.at.Segment)
		if s == nil {
			j.prepare(c.at.Segment)
			return
		}
		j.queue = j.queue[1:]
		j.inFlight = append(j.inFlight, c)
		c.begun = j.env.Loop.Now()
		j.write(c, s)
		if !j.beyond(c.at.Segment + 1) {
			j.prepare(c.at.Segment + 1)
		}
	}
}

func (j *Journal) segment(number uint32) *segment {
	if number < j.first || int(number-j.first) >= len(j.segments) {
		return nil
	}
	return j.segments[number-j.first]
}

// write writes a commit, in the way the setting asks.
func (j *Journal) write(c *commit, s *segment) {
	p := c.chunk.memory[c.start : c.start+int(c.header.total)]
	var pending *task.Pending[task.Done]
	if j.options.Synced {
		pending = s.file.WriteSync(p, int64(c.at.Position))
	} else {
		pending = s.file.WriteCached(p, int64(c.at.Position))
	}
	if mutant.On(mutant.AckBeforeSync) {
		j.env.Loop.Later(func() { j.marked(Marks{c.header.sequence, c.header.sequence}) })
	}
	pending.Then(func(_ task.Done, err error) { j.onWritten(c, s, err) })
}

func (j *Journal) onWritten(c *commit, s *segment, err error) {
	if j.failure != nil {
		return
	}
	if errors.Is(err, env.ErrNoSpace) {
		j.env.Loop.At(j.env.Loop.Now().Add(retryDelay), func() {
			if j.failure == nil {
				j.write(c, s)
			}
		})
		return
	}
	if err != nil && !mutant.On(mutant.SyncErrorIgnored) {
		j.fail(err)
		return
	}
	c.written = true
	j.counts.Bytes += int64(c.header.total)
	j.counts.Took.Observe(j.env.Loop.Now().Sub(c.begun))
	if !j.options.Synced {
		j.markDirty(s)
		j.unsynced += int(c.header.total)
	}
	marks := j.marks
	for len(j.inFlight) > 0 && j.inFlight[0].written {
		first := j.inFlight[0]
		j.inFlight = j.inFlight[1:]
		j.arena.unpin(first.chunk)
		marks.Written = first.header.sequence
		j.landed = Location{first.at.Segment, first.at.Position + first.header.total}
		if j.options.Synced {
			marks.Durable = first.header.sequence
		}
		if first.synced {
			j.syncTo = max(j.syncTo, first.header.sequence)
		}
	}
	j.marked(marks)
	if !j.options.Synced {
		j.scheduleSync()
	}
	j.Flush()
}

func (j *Journal) marked(m Marks) {
	m.Written, m.Durable = max(m.Written, j.marks.Written), max(m.Durable, j.marks.Durable)
	if m == j.marks {
		return
	}
	j.marks, j.movedAt = m, j.env.Loop.Now()
	j.env.Probe.Sometimes(env.MarkCommitStable)
	j.expectSuccessor()
	j.wakeDurable()
	if j.moved != nil {
		j.moved(m)
	}
}

// expectSuccessor gives the last commit an empty successor if nothing else follows it soon (rule J4).
func (j *Journal) expectSuccessor() {
	if mutant.On(mutant.LastCommitUnwitnessed) || j.successor != nil || !j.lastTable || j.marks.Written < j.sequence || j.open != nil || j.failure != nil {
		return
	}
	last := j.sequence
	j.successor = j.env.Loop.At(j.movedAt.Add(successorDelay), func() {
		j.successor = nil
		if j.sequence == last && j.failure == nil {
			j.openFor(0, 0)
			j.seal()
			j.submit()
		} else {
			j.expectSuccessor()
		}
	})
}

// fail takes the journal offline for good. Nothing in flight is taken back or tried again (rule S5).
func (j *Journal) fail(err error) {
	if j.failure != nil {
		return
	}
	j.failure = err
	j.wakeDurable()
	if j.failed != nil {
		j.failed(err)
	}
}

// Fail takes the journal offline for a reason of its directory's, and for good.
func (j *Journal) Fail(err error) { j.fail(err) }

// ID returns the journal's id.
func (j *Journal) ID() [16]byte { return j.id.journal }

// LastSequence returns the sequence of the commit that took the last entry.
func (j *Journal) LastSequence() uint64 { return j.sequence }
