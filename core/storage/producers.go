package storage

import (
	"fmt"
	"slices"

	"barnabas/core/mutant"
	"barnabas/core/ordered"
	"barnabas/core/protocol"
	"barnabas/core/record"
)

// windowBatches is how many batches of a producer are remembered: as many as a client keeps in flight (KIP-98).
const windowBatches = 5

// producedBatch is one remembered batch.
type producedBatch struct {
	first, last int32 // sequences
	base        record.Offset
	end         record.Offset
	timestamp   int64 // the greatest of its records
}

// producer is what a log remembers of one producer id.
type producer struct {
	epoch  int16
	window []producedBatch // oldest first
}

// Producers is a log's memory of its idempotent producers.
type Producers struct {
	byID ordered.Map[int64, *producer]
}

// Len returns how many producers are remembered.
func (p *Producers) Len() int { return p.byID.Len() }

// Duplicate is what a batch turned out to repeat.
type Duplicate struct {
	Base, End record.Offset // of the batch it repeats
}

// check decides whether a batch of an idempotent producer may be appended. It returns the batch it repeats, if any.
// Errors: INVALID_PRODUCER_EPOCH, OUT_OF_ORDER_SEQUENCE_NUMBER.
func (p *Producers) check(h *record.Header) (*Duplicate, error) {
	known, ok := p.byID.Get(h.ProducerID)
	if !ok {
		return nil, nil // no memory: expired, or the log start moved; any sequence is taken
	}
	if h.ProducerEpoch < known.epoch {
		return nil, fmt.Errorf("%w: epoch %d of producer %d, its newest is %d",
			protocol.ErrInvalidProducerEpoch, h.ProducerEpoch, h.ProducerID, known.epoch)
	}
	if h.ProducerEpoch > known.epoch {
		if h.BaseSequence != 0 {
			return nil, fmt.Errorf("%w: epoch %d of producer %d begins with sequence %d, want 0",
				protocol.ErrOutOfOrderSequenceNumber, h.ProducerEpoch, h.ProducerID, h.BaseSequence)
		}
		return nil, nil
	}
	for _, b := range known.window {
		if b.first == h.BaseSequence && b.last == h.LastSequence() {
			return &Duplicate{b.base, b.end}, nil
		}
	}
	last := known.window[len(known.window)-1].last
	if want := record.AddSequence(last, 1); h.BaseSequence != want && !mutant.On(mutant.SequenceGapAccepted) {
		return nil, fmt.Errorf("%w: sequence %d of producer %d, expected %d",
			protocol.ErrOutOfOrderSequenceNumber, h.BaseSequence, h.ProducerID, want)
	}
	return nil, nil
}

// note remembers an appended batch. Followers and redo only note, they never check.
func (p *Producers) note(b *batch) {
	if b.producerID == record.NoProducer {
		return
	}
	known, ok := p.byID.Get(b.producerID)
	if !ok {
		known = &producer{}
		p.byID.Set(b.producerID, known)
	}
	if !ok || b.producerEpoch != known.epoch {
		known.epoch, known.window = b.producerEpoch, known.window[:0]
	}
	if len(known.window) == windowBatches-mutant.One(mutant.WindowOffByOne) {
		known.window = append(known.window[:0], known.window[1:]...)
	}
	known.window = append(known.window, producedBatch{
		first: b.sequence, last: record.AddSequence(b.sequence, int32(b.end-b.base-1)), base: b.base, end: b.end,
		timestamp: b.maxTimestamp,
	})
}

// ActiveProducer is what a log remembers of a producer, as clients are told.
type ActiveProducer struct {
	ID            int64
	Epoch         int16
	LastSequence  int32 // of the last record it appended
	LastTimestamp int64 // the greatest in its last batch
}

// ActiveProducers yields the producers that are remembered, in the order of their ids.
func (l *Log) ActiveProducers(yield func(ActiveProducer) bool) {
	for id, known := range l.producers.byID.All {
		last := known.window[len(known.window)-1]
		if !yield(ActiveProducer{id, known.epoch, last.last, last.timestamp}) {
			return
		}
	}
}

// clone returns a copy that shares nothing.
func (p *Producers) clone() Producers {
	var c Producers
	for id, known := range p.byID.All {
		c.byID.Set(id, &producer{known.epoch, slices.Clone(known.window)})
	}
	return c
}

// cut forgets what was remembered of batches that end beyond the offset, and producers of whom nothing is left.
func (p *Producers) cut(end record.Offset) {
	p.remove(func(known *producer) bool {
		n := len(known.window)
		for n > 0 && known.window[n-1].end > end {
			n--
		}
		known.window = known.window[:n]
		return n == 0
	})
}

// expire forgets producers whose newest batch is older than the timestamp, and returns how many those are.
func (p *Producers) expire(before int64) int {
	return p.remove(func(known *producer) bool {
		return known.window[len(known.window)-1].timestamp < before
	})
}

func (p *Producers) remove(which func(*producer) bool) int {
	var gone []int64
	for id, known := range p.byID.All {
		if which(known) {
			gone = append(gone, id)
		}
	}
	for _, id := range gone {
		p.byID.Delete(id)
	}
	return len(gone)
}
