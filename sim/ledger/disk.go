package ledger

import "fmt"

// JudgeDisk compares what an image holds with what was acknowledged, or given to a consumer: every replica in sync holds
// each such record at its offset, in a batch with a good checksum, in the journal or in the log's folder. Both come from
// outside the broker, from the wire and from the disk's bytes.
func (l *Ledger) JudgeDisk(who string, held Holding) {
	for _, name := range l.Partitions() {
		p := l.partitions[name]
		log := held.find(name.String(), p.topic, p.named)
		from := p.start
		if log != nil {
			l.SeeStart(name, log.Start)
			from = max(from, p.start)
		}
		end := max(p.ackedEnd, p.readEnd)
		if end <= from {
			continue
		}
		if log == nil || log.End < end {
			l.Violate("AckedOnDisk", fmt.Sprintf("%s holds %v of %s; offset %d was acknowledged, %d was read", who, log, name, p.ackedEnd-1, p.readEnd-1))
			continue
		}
		if missing := p.missing(log.Runs, from); missing >= 0 {
			l.Violate("AckedOnDisk", fmt.Sprintf("%s holds %v of %s, but nowhere value %v, acknowledged or read at offset %d",
				who, log, name, p.slots[missing].value, missing))
		}
	}
}

// Holds says whether an image holds all that JudgeDisk asks for.
func (l *Ledger) Holds(held Holding) bool {
	for _, name := range l.Partitions() {
		p := l.partitions[name]
		log, end := held.find(name.String(), p.topic, p.named), max(p.ackedEnd, p.readEnd)
		if end > p.start && (log == nil || log.End < end || p.missing(log.Runs, max(p.start, log.Start)) >= 0) {
			return false
		}
	}
	return true
}

// missing returns the first offset from from on whose record is in none of the runs, or -1.
func (p *partition) missing(runs []Run, from int64) int64 {
	end := int64(len(p.slots))
	found := make([]bool, max(end-from, 0))
	for _, run := range runs {
		first := max(run.Base, from)
		for offset := first; offset < min(run.Base+int64(run.Count), end); offset++ {
			v := Value{run.First.Producer, run.First.Number + uint32(offset-run.Base)}
			if p.slots[offset].value == v {
				found[offset-from] = true
			}
		}
	}
	for i, ok := range found {
		if s := p.slots[from+int64(i)]; !ok && (s.acked || s.read) {
			return from + int64(i)
		}
	}
	return -1
}
