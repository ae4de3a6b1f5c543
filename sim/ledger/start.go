package ledger

import (
	"fmt"
	"time"
)

// Retention is what a partition's settings allow to be deleted without being asked.
type Retention struct {
	Age   time.Duration // of the newest record of a segment; negative: for ever
	Bytes int64         // that are kept in any case; negative: without bound
}

// Forever is the retention that deletes nothing.
var Forever = Retention{Age: -1, Bytes: -1}

// starts is what is known of where a partition's log starts, and may.
type starts struct {
	retention Retention
	start     int64 // the highest that was seen, and was legal
	asked     int64 // DeleteRecords asked for it, at most
	deleted   int64 // DeleteRecords said so: nothing below may come back
	sent      int64 // bytes of records sent to it, repeats included
}

// Retains gives the partition its retention. Requires: before anything is sent to it.
func (l *Ledger) Retains(p Partition, r Retention) { l.of(p).retention = r }

// Sent notes that so many bytes of records are on their way to the partition: they may count for its retention by size.
func (l *Ledger) Sent(p Partition, bytes int) { l.of(p).sent += int64(bytes) }

// AskDelete notes that the deletion of records below the offset was asked for.
func (l *Ledger) AskDelete(p Partition, before int64) {
	known := l.of(p)
	known.asked = max(known.asked, before)
}

// Deleted notes that a broker said that no replica has a record below the offset any more.
func (l *Ledger) Deleted(p Partition, before int64) {
	known := l.of(p)
	known.deleted = max(known.deleted, before)
	l.SeeStart(p, before)
}

// Start returns the highest start of the partition's log that was seen.
func (l *Ledger) Start(p Partition) int64 { return l.of(p).start }

// SeeStart judges a log start that a broker told or that stands on a disk: something must entitle it. From then on what
// lies below is not owed.
//
// The start moves by whole segments, of which the broker deletes the oldest first: some because more bytes than are kept
// lie behind them, the rest because all their records are older than the age. What was asked for is below both.
func (l *Ledger) SeeStart(name Partition, start int64) {
	p := l.of(name)
	if start <= p.start || p.gone {
		return
	}
	aged := start // from here on all records below start are old enough
	if p.retention.Age >= 0 {
		limit := l.Wall() - p.retention.Age.Milliseconds()
		for aged > max(p.start, p.asked) && l.olderThan(p, aged-1, limit) {
			aged--
		}
	}
	if aged > max(p.start, p.asked) && !p.sizeAllows(aged) {
		l.Violate("StartWithoutReason", fmt.Sprintf("%s starts at %d, after %d; records may be deleted by request below %d, by age (%v) from %d on, and %d bytes are kept",
			name, start, p.start, p.asked, p.retention.Age, aged, p.retention.Bytes))
		return
	}
	p.start = start
}

// olderThan says whether the record at the offset is older than the limit, or unknown.
func (l *Ledger) olderThan(p *partition, offset, limit int64) bool {
	if offset >= int64(len(p.slots)) || !p.slots[offset].known {
		return true
	}
	v := p.slots[offset].value
	return l.producers[v.Producer].stamps[v.Number] <= limit
}

// recordBytes is a bound from below of what one record takes in a log.
const recordBytes = ValueBytes + 7

// sizeAllows says whether retention by size may have deleted what lies below start: at least as many bytes as are kept may
// lie behind it.
func (p *partition) sizeAllows(start int64) bool {
	return p.retention.Bytes >= 0 && p.sent-start*recordBytes >= p.retention.Bytes
}
