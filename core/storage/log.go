package storage

import (
	"fmt"

	"barnabas/core/assert"
	"barnabas/core/env"
	"barnabas/core/mutant"
	"barnabas/core/record"
	"barnabas/core/storage/journal"
	"barnabas/core/task"
)

// LogNumber names a log within its directory. It is never reused (rule J7); 0 is no log.
type LogNumber uint64

// Log is one replica of a partition.
type Log struct {
	Number    LogNumber
	TopicID   [16]byte
	Partition int32
	Name      string // of its folder in Kafka's layout

	directory   *Directory
	config      LogConfig
	always      bool // durable before it counts, whatever the setting (rule S9)
	start       record.Offset
	end         record.Offset
	stable      record.Offset
	stableStart record.Offset
	bytes       int64
	epochs      Epochs
	producers   Producers // as of the end

	segments []*logSegment // ascending; the last takes appends
	tail     []batch       // ascending: every batch that is not saved, and some before
	filled   record.Offset // the files have everything below
	saved    record.Offset // … durably, and the checkpoint may say so; never above filled
	anchor   record.Offset // every batch from here on is in the tail, so that a cut there is exact
	base     Producers     // as of the anchor
	block    []byte        // the last, unfinished block of what is filled: the next write begins with it
	safe     []byte        // the same as of saved, for the checkpoint: a rewrite that tears takes nothing with it
	risky    bool          // the block is in no durable checkpoint yet: no rewrite before it is
	settled  record.Offset // no truncation below is expected (the high watermark)
	barrier  uint64        // files are not written before this commit is durable: it takes back what they hold (rule J10)
	folder   bool          // the folder is there, durably
	intact   bool          // the folder holds what a clean stop has to leave: nothing was changed since it was taken over
	intactAt epochsMark    // the epochs as of then
	fresh    bool          // a file was made in it whose name may not be durable
	gaps     bool          // offsets may be missing between batches: another program compacted the log
	holes    []hole        // where some are missing, as reads found
	doubts   []doubt
	reading  reading
	unfilled int  // bytes appended and not filled
	large    bool // on the directory's list of logs with much to fill
	filling  bool // somebody writes to its files, see claim
	released *task.Signal

	asOf journal.Moment // of the state that recovery took over: entries up to it are in it

	onStable func()
	cuts     uint64 // truncations so far: what was begun before one does not count after it
}

func newLog(d *Directory, number LogNumber, topicID [16]byte, partition int32, name string) *Log {
	return &Log{
		Number: number, TopicID: topicID, Partition: partition, Name: name, directory: d, config: defaultConfig(),
		always: isMetadata(topicID),
	}
}

// Start returns the log start offset.
func (l *Log) Start() record.Offset { return l.start }

// StableStart returns the log start offset that a crash leaves in force.
func (l *Log) StableStart() record.Offset { return l.stableStart }

// End returns the log end offset: what was appended.
func (l *Log) End() record.Offset { return l.end }

// StableEnd returns the end of what this replica may promise (rule S1).
func (l *Log) StableEnd() record.Offset { return l.stable }

// Epochs returns the log's leader epochs.
func (l *Log) Epochs() *Epochs { return &l.epochs }

// Bytes returns the size of the log's batches.
func (l *Log) Bytes() int64 { return l.bytes }

// OnStable has f called whenever the stable end, or the stable start, moved forward.
func (l *Log) OnStable(f func()) { l.onStable = f }

// Settle says that no truncation below the offset is expected any more: the high watermark. Batches above it are kept at hand.
func (l *Log) Settle(offset record.Offset) { l.settled = max(l.settled, offset) }

// CheckProducer decides whether the batch may follow, see Producers. Nothing is changed.
func (l *Log) CheckProducer(h *record.Header) (*Duplicate, error) {
	if h.ProducerID == record.NoProducer {
		return nil, nil
	}
	return l.producers.check(h)
}

// AppendAsLeader gives the batch the next offsets and the epoch, appends it, and returns its base offset. p is copied.
// Errors: ErrBusy, ErrStopping, journal.ErrFull, journal.ErrOffline. Requires: the batch was checked, and its producer too.
func (l *Log) AppendAsLeader(p []byte, h record.Header, epoch record.LeaderEpoch) (record.Offset, error) {
	if err := l.roomToLead(len(p)); err != nil {
		return -1, err
	}
	assert.That(h.Length == len(p), "a leader appends one batch at a time")
	h.BaseOffset, h.LeaderEpoch = l.end, epoch
	if epoch > l.epochs.Latest() {
		l.BeginEpoch(epoch)
	}
	at, memory := l.appendEntry(p, &h)
	record.Patch(memory, h.BaseOffset, epoch)
	l.add(indexed(&h, at))
	l.directory.touch(l)
	return h.BaseOffset, nil
}

// AppendAsFollower appends batches as the leader sent them and returns the new end. Each must begin where the log ends
// and have been checked (rule S8). p is copied. Errors: ErrBusy, journal.ErrFull,
// journal.ErrOffline, a gap.
func (l *Log) AppendAsFollower(p []byte) (record.Offset, error) {
	for len(p) > 0 {
		h, err := record.ParseHeader(p)
		if err != nil {
			return l.end, err
		}
		if !l.follows(h.BaseOffset, h.EndOffset()) {
			return l.end, fmt.Errorf("batch at offset %d does not follow the log's end %d", h.BaseOffset, l.end)
		}
		if err := l.room(h.Length); err != nil {
			return l.end, err
		}
		at, _ := l.appendEntry(p[:h.Length], &h)
		l.add(indexed(&h, at))
		l.directory.touch(l)
		p = p[h.Length:]
	}
	return l.end, nil
}

// appendEntry journals a batch, and begins a segment with it if it must.
func (l *Log) appendEntry(p []byte, h *record.Header) (journal.Location, []byte) {
	e := journal.Entry{
		Kind: journal.Append, Base: int64(h.BaseOffset), End: int64(h.EndOffset()), Epoch: int32(h.LeaderEpoch),
	}
	if h.ProducerID != record.NoProducer {
		e.Body = appendProducer(l.directory.body[:0], h)
	}
	if l.mustRoll(h) {
		e.Flags = journal.FlagStartsSegment
		l.roll(h.BaseOffset)
	}
	return l.journal(e, p)
}

// follows says whether a batch may be appended: it begins where the log ends, or it is the first of an empty log and holds the
// start, because records were deleted up to the middle of it (KIP-107).
func (l *Log) follows(base, end record.Offset) bool {
	return base == l.end || l.start == l.end && base < l.end && l.end < end
}

// add makes the batch part of the log. Its epoch starts with it if it is new. Requires: there is a segment.
func (l *Log) add(b batch) {
	if b.epoch > l.epochs.Latest() {
		l.epochs.begin(b.epoch, max(b.base, l.start))
	}
	l.intact = false
	l.place(&b)
	l.producers.note(&b) // also of a gap: it was acknowledged
	l.directory.noteUnfilled(l, int(b.bytes))
}

// place puts the batch at the end of the last segment and of the tail.
func (l *Log) place(b *batch) {
	s := l.segments[len(l.segments)-1]
	b.position = s.size
	s.add(b)
	l.tail = append(l.tail, *b)
	l.bytes += int64(b.bytes)
	l.end = b.end
}

// BeginEpoch notes that the epoch starts at the log's end, also when it never writes anything (KAFKA-7415).
func (l *Log) BeginEpoch(epoch record.LeaderEpoch) {
	l.epochs.begin(epoch, l.end)
	l.journal(journal.Entry{Kind: journal.EpochStart, End: int64(l.end), Epoch: int32(epoch)}, nil)
}

// Reset empties the log and has it start at the offset (a follower whose leader's log begins beyond our end).
func (l *Log) Reset(start record.Offset) {
	l.reset(start)
	l.journal(journal.Entry{Kind: journal.Reset, End: int64(start)}, nil)
	l.directory.capFlights(l)
	l.holdFiles()
}

func (l *Log) reset(start record.Offset) {
	for _, s := range l.segments {
		l.discard(s)
	}
	l.segments, l.tail, l.bytes = nil, nil, 0
	l.start, l.end, l.stable = start, start, start
	l.stableStart = min(l.stableStart, start)
	l.filled, l.saved, l.anchor, l.settled = start, start, start, min(l.settled, start)
	l.block, l.safe, l.risky = nil, nil, false
	l.doubts = nil
	l.changed()
	l.epochs = Epochs{}
	l.producers, l.base = Producers{}, Producers{}
}

// MoveStart has the log start at the offset; what lies wholly below it is gone. Requires: start ≤ stable end.
func (l *Log) MoveStart(start record.Offset) {
	if start <= l.start {
		return
	}
	assert.That(start <= l.stable, "the log start does not pass the stable end")
	l.moveStart(start)
	if !mutant.On(mutant.StartNotJournalled) {
		l.journal(journal.Entry{Kind: journal.StartMoved, End: int64(start)}, nil)
	}
	l.directory.holdTrash(l)
	l.directory.env.Probe.Sometimes(env.MarkLogStartMoved)
}

func (l *Log) moveStart(start record.Offset) {
	l.start = start
	l.epochs.truncateStart(start)
	if mutant.On(mutant.RedoAfterRetention) && l.directory.recovering {
		return
	}
	kept := 0
	for kept < len(l.segments) && l.segments[kept].end <= start {
		l.discard(l.segments[kept])
		kept++
	}
	if kept > 0 {
		l.segments = append([]*logSegment(nil), l.segments[kept:]...)
		l.dropTail(start)
		l.forgetDoubts(start)
	}
}

// dropTail forgets the rows of segments that are gone, and has the files count as written up to there.
func (l *Log) dropTail(start record.Offset) {
	from := start
	if len(l.segments) > 0 {
		from = min(start, l.segments[0].base)
	}
	l.raiseAnchor(from, len(l.tail))
	n := 0
	for n < len(l.tail) && l.tail[n].end <= from {
		n++
	}
	l.tail = l.tail[n:]
	if l.filled < from {
		l.filled, l.block = from, nil
	}
	if l.saved < from {
		l.saved, l.safe, l.risky = from, nil, false
	}
	l.changed()
}

// changed has everything that was begun on the log before not count any more.
func (l *Log) changed() {
	l.intact, l.holes = false, nil
	l.cuts++
	l.directory.cold.forget(l.Number)
}

// journal appends an entry of this log to the journal's open commit. The commit makes stable what the log's end is now; who
// moves the end after this touches the log again.
func (l *Log) journal(e journal.Entry, payload []byte) (journal.Location, []byte) {
	e.Log, e.Flags = uint64(l.Number), e.Flags|journal.FlagRequired
	at, memory := l.directory.journal.Append(e, payload, l.always)
	l.directory.touch(l)
	return at, memory
}
