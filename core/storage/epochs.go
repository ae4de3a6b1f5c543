package storage

import (
	"slices"

	"barnabas/core/record"
)

// EpochStart says where a leader epoch begins.
type EpochStart struct {
	Epoch record.LeaderEpoch
	Start record.Offset
}

// Epochs is a log's leader epochs, ascending in both fields. An epoch that wrote nothing is in it all the same
// (KAFKA-7415).
type Epochs struct{ starts []EpochStart }

// Latest returns the newest epoch, or -1.
func (e *Epochs) Latest() record.LeaderEpoch {
	if len(e.starts) == 0 {
		return -1
	}
	return e.starts[len(e.starts)-1].Epoch
}

// All returns the epochs in ascending order. The slice is the cache's own.
func (e *Epochs) All() []EpochStart { return e.starts }

// begin notes that the epoch starts at the offset. Entries at or above the offset, or of a later epoch, were of a history
// that is gone.
func (e *Epochs) begin(epoch record.LeaderEpoch, start record.Offset) {
	for n := len(e.starts); n > 0; n-- {
		last := e.starts[n-1]
		if last.Epoch < epoch && last.Start < start {
			break
		}
		if last.Epoch == epoch && last.Start <= start {
			return
		}
		e.starts = e.starts[:n-1]
	}
	e.starts = append(e.starts, EpochStart{epoch, start})
}

// truncateEnd forgets what starts at or after the end.
func (e *Epochs) truncateEnd(end record.Offset) {
	for n := len(e.starts); n > 0 && e.starts[n-1].Start >= end; n-- {
		e.starts = e.starts[:n-1]
	}
}

// truncateStart forgets epochs that ended at or before the start, and lets the one it falls into begin there.
func (e *Epochs) truncateStart(start record.Offset) {
	first := 0
	for first+1 < len(e.starts) && e.starts[first+1].Start <= start {
		first++
	}
	e.starts = slices.Delete(e.starts, 0, first)
	if len(e.starts) > 0 && e.starts[0].Start < start {
		e.starts[0].Start = start
	}
}

// EndOf returns the largest known epoch ≤ epoch and the offset where it ends, as OffsetForLeaderEpoch answers: the
// start of the next epoch, or the log's end for the newest. Below the first known epoch it returns the epoch itself and
// the first start; (-1, -1) when nothing is known, or epoch is beyond the newest.
func (e *Epochs) EndOf(epoch record.LeaderEpoch, logEnd record.Offset) (record.LeaderEpoch, record.Offset) {
	if len(e.starts) == 0 || epoch > e.Latest() || epoch < 0 {
		return -1, -1
	}
	next := len(e.starts)
	for i, s := range e.starts {
		if s.Epoch > epoch {
			next = i
			break
		}
	}
	if next == 0 {
		return epoch, e.starts[0].Start
	}
	if next == len(e.starts) {
		return e.starts[next-1].Epoch, logEnd
	}
	return e.starts[next-1].Epoch, e.starts[next].Start
}

// At returns the epoch that wrote the offset, or -1.
func (e *Epochs) At(offset record.Offset) record.LeaderEpoch {
	for _, s := range slices.Backward(e.starts) {
		if s.Start <= offset {
			return s.Epoch
		}
	}
	return -1
}
