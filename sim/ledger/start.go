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
	sent      int64 // bytes of batches that it may hold
}

// Retains gives the partition its retention. Requires: before anything is sent to it.
func (l *Ledger) Retains(p Partition, r Retention) { l.of(p).retention = r }

// Sent notes that a batch of so many bytes is on its way to the partition: it may count for its retention by size. A repeat may
// be stored too, unless brokers know it as one.
func (l *Ledger) Sent(p Partition, values []Value, bytes int) {
	from := l.producers[values[0].Producer]
	size := &from.sizes[values[0].Number]
	if *size == 0 || !from.Idempotent || l.Memory < remembers {
		l.of(p).sent += int64(bytes)
	}
	*size = int32(bytes)
}

// remembers is how long brokers must remember producers to know every repeat of a run.
const remembers = 12 * time.Hour

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
	if aged > max(p.start, p.asked) && !l.sizeAllows(p, aged) {
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

// sizeAllows says whether retention by size may have deleted what lies below start: at least as many bytes as are kept may
// lie behind it.
func (l *Ledger) sizeAllows(p *partition, start int64) bool {
	if p.retention.Bytes < 0 {
		return false
	}
	behind := p.sent // but for batches that are known to begin below the start
	for offset := range min(start, int64(len(p.slots))) {
		if s := &p.slots[offset]; s.known {
			behind -= int64(l.producers[s.value.Producer].sizes[s.value.Number])
		}
	}
	return behind >= p.retention.Bytes
}
