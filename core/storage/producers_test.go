package storage

import (
	"encoding/hex"
	"errors"
	"math"
	"testing"

	"barnabas/core/protocol"
	"barnabas/core/record"
)

// taught is a memory that saw batches of one record, or more, of producer 7.
type sent struct {
	epoch    int16
	sequence int32
	count    int32
}

func taught(batches ...sent) *Producers {
	p := &Producers{}
	offset := record.Offset(100)
	for _, s := range batches {
		end := offset + record.Offset(s.count)
		p.note(&batch{base: offset, end: end, producerID: 7, producerEpoch: s.epoch, sequence: s.sequence})
		offset = end
	}
	return p
}

func TestTheWindowOfAProducer(t *testing.T) {
	ones := func(from, count int32) (s []sent) {
		for i := range count {
			s = append(s, sent{0, record.AddSequence(from, i), 1})
		}
		return s
	}
	const last = math.MaxInt32
	outOfOrder, stale := protocol.ErrOutOfOrderSequenceNumber, protocol.ErrInvalidProducerEpoch
	cases := []struct {
		name   string
		known  []sent
		next   sent
		repeat record.Offset // base of the batch it repeats, or -1
		err    error
	}{
		{"an unknown producer begins anywhere", nil, sent{0, 42, 3}, -1, nil},
		{"the next in order", ones(0, 3), sent{0, 3, 2}, -1, nil},
		{"a gap", ones(0, 3), sent{0, 4, 1}, -1, outOfOrder},
		{"the last one again", ones(0, 3), sent{0, 2, 1}, 102, nil},
		{"the fifth last one again", ones(0, 8), sent{0, 3, 1}, 103, nil},
		{"the sixth last is forgotten", ones(0, 8), sent{0, 2, 1}, -1, outOfOrder},
		{"the same begin and another length is no repetition", ones(0, 3), sent{0, 2, 2}, -1, outOfOrder},
		{"sequences wrap to 0", ones(last-1, 2), sent{0, 0, 1}, -1, nil},
		{"and not to -2^31", ones(last-1, 2), sent{0, math.MinInt32, 1}, -1, outOfOrder},
		{"a batch over the wrap", []sent{{0, last - 1, 4}}, sent{0, 2, 1}, -1, nil},
		{"which is known when it comes again", []sent{{0, last - 1, 4}}, sent{0, last - 1, 4}, 100, nil},
		{"an older epoch", []sent{{3, 0, 1}}, sent{2, 1, 1}, -1, stale},
		{"a new epoch begins with 0", []sent{{3, 0, 1}}, sent{4, 0, 1}, -1, nil},
		{"and with nothing else", []sent{{3, 0, 1}}, sent{4, 1, 1}, -1, outOfOrder},
		{"a new epoch forgets the window", []sent{{3, 0, 1}, {3, 1, 1}, {4, 0, 1}}, sent{4, 1, 1}, -1, nil},
		{"and its batches are no repetitions of the old", []sent{{3, 0, 1}, {3, 1, 1}, {4, 0, 1}}, sent{4, 0, 1}, 102, nil},
	}
	for _, c := range cases {
		h := record.Header{
			ProducerID: 7, ProducerEpoch: c.next.epoch, BaseSequence: c.next.sequence, LastOffsetDelta: c.next.count - 1,
		}
		repeat, err := taught(c.known...).check(&h)
		if !errors.Is(err, c.err) || c.err == nil && err != nil {
			t.Errorf("%s: %v, want %v", c.name, err, c.err)
		}
		got := record.Offset(-1)
		if repeat != nil {
			got = repeat.Base
		}
		if got != c.repeat {
			t.Errorf("%s: repeats %d, want %d", c.name, got, c.repeat)
		}
	}
}

func TestBatchesWithoutProducerLeaveNoTrace(t *testing.T) {
	p := &Producers{}
	p.note(&batch{producerID: record.NoProducer, end: 5})
	if p.Len() != 0 {
		t.Errorf("%d producers", p.Len())
	}
}

// What an append's entry says of its producer is on disks (decision 15).
func TestTheProducerOfAnEntryIsFrozen(t *testing.T) {
	h := record.Header{ProducerID: 1<<40 + 7, ProducerEpoch: 3, BaseSequence: math.MaxInt32, MaxTimestamp: 1700000000123}
	p := appendProducer(nil, &h)
	const want = "0000010000000007" + "0003" + "7fffffff" + "0000018bcfe5687b"
	if got := hex.EncodeToString(p); got != want || len(p) != producerBytes {
		t.Errorf("got %s, want %s", got, want)
	}
	b := batch{producerID: record.NoProducer, maxTimestamp: -1}
	if b.readProducer(p[:producerBytes-1]); b.producerID != record.NoProducer {
		t.Errorf("half an entry's body is read as producer %d", b.producerID)
	}
	b.readProducer(append(p, 1, 2)) // a later version may say more
	if b.producerID != h.ProducerID || b.producerEpoch != 3 || b.sequence != math.MaxInt32 || b.maxTimestamp != h.MaxTimestamp {
		t.Errorf("read back as %+v", b)
	}
}
