package quorum

import (
	"errors"
	"fmt"

	"barnabas/core/protocol"
	"barnabas/core/record"
	"barnabas/core/storage"
	"barnabas/core/task"
)

// Apache Kafka writes a snapshot of its metadata now and then (KIP-630), and may then drop the log below it. The newest one
// that is whole is where a replay begins; a damaged one is passed over as long as the log, or an older one, has what it had.
// None are written here, and none removed.

// Snapshot is the metadata that the records below End add up to, as batches of records of the same types.
type Snapshot struct {
	End     record.Offset
	Batches [][]byte // control batches too: they name the voters
}

// errSnapshot is a snapshot that is not whole.
var errSnapshot = errors.New("the snapshot is damaged")

// restore has the state machine begin with the newest usable snapshot, and returns where the replay goes on: at the log's
// start if there is none. Errors: the log's start needs one; the disk's.
func (q *Quorum) restore(t *task.Task) (record.Offset, error) {
	names, err := q.log.Snapshots(t)
	if err != nil {
		return 0, err
	}
	var damaged error
	for _, name := range names {
		if name.End < q.log.Start() {
			break // what lies between it and the log is gone
		}
		p, err := q.log.ReadSnapshot(t, name)
		if err != nil {
			return 0, err
		}
		s, err := parseSnapshot(name, p)
		if err != nil {
			damaged = fmt.Errorf("%s/%s: %w", LogName, name, err)
			continue
		}
		if err := q.machine.Restored(s); err != nil {
			return 0, fmt.Errorf("%s/%s: %w", LogName, name, err)
		}
		return s.End, nil
	}
	if q.log.Start() > 0 && damaged == nil {
		damaged = errors.New("no snapshot reaches there")
	}
	if q.log.Start() > 0 {
		return 0, fmt.Errorf("the metadata log begins at offset %d: %w", q.log.Start(), damaged)
	}
	return 0, nil
}

// parseSnapshot takes a snapshot's file apart and checks that it is whole: every batch by its checksum, one after the other
// without a gap, from a header to a footer. Errors: errSnapshot.
func parseSnapshot(name storage.MetadataSnapshot, p []byte) (s Snapshot, err error) {
	s.End = name.End
	var kinds []int16
	for next := record.Offset(0); len(p) > 0; {
		h, err := record.Check(p)
		if err != nil {
			return s, fmt.Errorf("%w: %w", errSnapshot, err)
		}
		if h.BaseOffset != next {
			return s, fmt.Errorf("%w: a batch has offset %d, not %d", errSnapshot, h.BaseOffset, next)
		}
		batch := p[:h.Length:h.Length]
		s.Batches = append(s.Batches, batch)
		kind := []int16{-1}
		if h.Attributes.IsControl() {
			if kind, err = controls(batch, &h); err != nil {
				return s, fmt.Errorf("%w: %w", errSnapshot, err)
			}
		}
		kinds = append(kinds, kind...)
		p, next = p[h.Length:], h.EndOffset()
	}
	const header, footer = 3, 4
	if n := len(kinds); n < 2 || kinds[0] != header || kinds[n-1] != footer {
		return s, fmt.Errorf("%w: it does not go from a header to a footer", errSnapshot)
	}
	return s, nil
}

// controls returns the types of the batch's control records.
func controls(batch []byte, h *record.Header) (kinds []int16, err error) {
	err = record.Walk(batch[record.HeaderBytes:h.Length], h.Count, func(r *record.Record) error {
		kind, err := protocol.ControlType(r.Key)
		kinds = append(kinds, kind)
		return err
	})
	return kinds, err
}
