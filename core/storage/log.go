package storage

import (
	"fmt"
	"sort"

	"barnabas/core/assert"
	"barnabas/core/record"
	"barnabas/core/storage/journal"
)

// LogNumber names a log within its directory. It is never reused (rule J7); 0 is no log.
type LogNumber uint64

// batch is a row of a log's index: where a batch stands, and what must be known of it without reading it.
type batch struct {
	base, end     record.Offset
	maxTimestamp  int64
	producerID    int64
	at            journal.Location
	bytes         uint32
	epoch         record.LeaderEpoch
	sequence      int32
	producerEpoch int16
	attributes    record.Attributes
}

func indexed(h *record.Header, at journal.Location) batch {
	return batch{
		base: h.BaseOffset, end: h.EndOffset(), maxTimestamp: h.MaxTimestamp, producerID: h.ProducerID, at: at,
		bytes: uint32(h.Length), epoch: h.LeaderEpoch, sequence: h.BaseSequence, producerEpoch: h.ProducerEpoch,
		attributes: h.Attributes,
	}
}

// Log is one replica of a partition.
type Log struct {
	Number    LogNumber
	TopicID   [16]byte
	Partition int32
	Name      string // of its folder in Kafka's layout

	directory *Directory
	synced    bool // always durable before it counts, whatever the setting (rule S9)
	start     record.Offset
	end       record.Offset
	stable    record.Offset
	batches   []batch
	bytes     int64
	epochs    Epochs
	producers Producers
	onStable  func()
	cuts      uint64 // truncations so far
	config    LogConfig
}

// Start returns the log start offset.
func (l *Log) Start() record.Offset { return l.start }

// End returns the log end offset: what was appended.
func (l *Log) End() record.Offset { return l.end }

// StableEnd returns the end of what this replica may promise (rule S1).
func (l *Log) StableEnd() record.Offset { return l.stable }

// Epochs returns the log's leader epochs.
func (l *Log) Epochs() *Epochs { return &l.epochs }

// Bytes returns the size of the log's batches.
func (l *Log) Bytes() int64 { return l.bytes }

// OnStable has f called whenever the stable end moved forward.
func (l *Log) OnStable(f func()) { l.onStable = f }

// CheckProducer decides whether the batch may follow, see Producers. Nothing is changed.
func (l *Log) CheckProducer(h *record.Header) (*Duplicate, error) {
	if h.ProducerID == record.NoProducer {
		return nil, nil
	}
	return l.producers.check(h)
}

// AppendAsLeader gives the batch the next offsets and the epoch, appends it, and returns its base offset. p is copied.
// Errors: journal.ErrFull, journal.ErrOffline. Requires: the batch was checked, and its producer too.
func (l *Log) AppendAsLeader(p []byte, h record.Header, epoch record.LeaderEpoch) (record.Offset, error) {
	if err := l.room(len(p)); err != nil {
		return -1, err
	}
	assert.That(h.Length == len(p), "a leader appends one batch at a time")
	h.BaseOffset, h.LeaderEpoch = l.end, epoch
	if epoch > l.epochs.Latest() {
		l.BeginEpoch(epoch)
	}
	at, memory := l.journal(journal.Entry{
		Kind: journal.Append, Base: int64(h.BaseOffset), End: int64(h.EndOffset()), Epoch: int32(epoch),
	}, p)
	record.Patch(memory, h.BaseOffset, epoch)
	l.add(indexed(&h, at))
	l.directory.touch(l)
	return h.BaseOffset, nil
}

// AppendAsFollower appends batches as the leader sent them and returns the new end. Each must begin where the log ends
// and have been checked (rule S8). p is copied. Errors: journal.ErrFull, journal.ErrOffline, a gap.
func (l *Log) AppendAsFollower(p []byte) (record.Offset, error) {
	for len(p) > 0 {
		h, err := record.ParseHeader(p)
		if err != nil {
			return l.end, err
		}
		if h.BaseOffset != l.end {
			return l.end, fmt.Errorf("batch at offset %d does not follow the log's end %d", h.BaseOffset, l.end)
		}
		if err := l.room(h.Length); err != nil {
			return l.end, err
		}
		at, _ := l.journal(journal.Entry{
			Kind: journal.Append, Base: int64(h.BaseOffset), End: int64(h.EndOffset()), Epoch: int32(h.LeaderEpoch),
		}, p[:h.Length])
		l.add(indexed(&h, at))
		l.directory.touch(l)
		p = p[h.Length:]
	}
	return l.end, nil
}

// room says whether data may enter. The metadata log goes on in the reserve (rule J14), but no batch is larger than what
// fits into a segment with its commit.
func (l *Log) room(size int) error {
	if most := l.directory.options.Journal.SegmentBytes / 2; size > most {
		return fmt.Errorf("a batch of %d bytes: the journal takes at most %d, half a segment", size, most)
	}
	if l.synced && l.directory.journal.Failure() == nil {
		return nil
	}
	return l.directory.journal.Room(size)
}

// add makes the batch part of the log. Its epoch starts with it if it is new.
func (l *Log) add(b batch) {
	if b.epoch > l.epochs.Latest() {
		l.epochs.begin(b.epoch, b.base)
	}
	l.batches = append(l.batches, b)
	l.bytes += int64(b.bytes)
	l.end = b.end
	l.producers.note(&l.batches[len(l.batches)-1])
}

// BeginEpoch notes that the epoch starts at the log's end, also when it never writes anything (KAFKA-7415).
func (l *Log) BeginEpoch(epoch record.LeaderEpoch) {
	l.epochs.begin(epoch, l.end)
	l.journal(journal.Entry{Kind: journal.EpochStart, End: int64(l.end), Epoch: int32(epoch)}, nil)
}

// Truncate cuts the log so that it ends at the greatest batch border ≤ end, and returns the new end. Epochs that start at the
// end or beyond go too, also when no batch does: a leader that was replaced before it wrote anything has such an epoch, and
// keeping it would make every fetch diverge anew.
func (l *Log) Truncate(end record.Offset) record.Offset {
	l.cut(min(end, l.end))
	l.journal(journal.Entry{Kind: journal.Truncate, End: int64(l.end)}, nil)
	l.directory.capFlights(l)
	return l.end
}

func (l *Log) cut(end record.Offset) {
	keep := sort.Search(len(l.batches), func(i int) bool { return l.batches[i].end > end })
	for _, b := range l.batches[keep:] {
		l.bytes -= int64(b.bytes)
	}
	l.batches = l.batches[:keep]
	l.end = l.start
	if keep > 0 {
		l.end = l.batches[keep-1].end
	}
	l.stable = min(l.stable, l.end)
	l.cuts++
	l.epochs.truncateEnd(l.end)
	l.producers.rebuild(l.batches)
}

// Reset empties the log and has it start at the offset (a follower whose leader's log begins beyond our end).
func (l *Log) Reset(start record.Offset) {
	l.reset(start)
	l.journal(journal.Entry{Kind: journal.Reset, End: int64(start)}, nil)
	l.directory.capFlights(l)
}

func (l *Log) reset(start record.Offset) {
	l.batches, l.bytes = nil, 0
	l.start, l.end, l.stable = start, start, start
	l.cuts++
	l.epochs = Epochs{}
	l.producers = Producers{}
}

// MoveStart has the log start at the offset; what lies wholly below it is gone. Requires: start ≤ stable end.
func (l *Log) MoveStart(start record.Offset) {
	if start <= l.start {
		return
	}
	assert.That(start <= l.stable, "the log start does not pass the stable end")
	l.moveStart(start)
	l.journal(journal.Entry{Kind: journal.StartMoved, End: int64(start)}, nil)
}

func (l *Log) moveStart(start record.Offset) {
	first := sort.Search(len(l.batches), func(i int) bool { return l.batches[i].end > start })
	for _, b := range l.batches[:first] {
		l.bytes -= int64(b.bytes)
	}
	l.batches = l.batches[first:]
	l.start = start
	l.epochs.truncateStart(start)
}

// journal appends an entry of this log to the journal's open commit. The commit makes stable what the log's end is now; who
// moves the end after this touches the log again.
func (l *Log) journal(e journal.Entry, payload []byte) (journal.Location, []byte) {
	e.Log, e.Flags = uint64(l.Number), journal.FlagRequired
	at, memory := l.directory.journal.Append(e, payload, l.synced)
	l.directory.touch(l)
	return at, memory
}
