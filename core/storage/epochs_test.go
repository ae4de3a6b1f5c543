package storage

import (
	"slices"
	"testing"

	"barnabas/core/record"
)

func epochs(pairs ...int64) *Epochs {
	e := &Epochs{}
	for i := 0; i < len(pairs); i += 2 {
		e.begin(record.LeaderEpoch(pairs[i]), record.Offset(pairs[i+1]))
	}
	return e
}

func (e *Epochs) pairs() (pairs []int64) {
	for _, s := range e.starts {
		pairs = append(pairs, int64(s.Epoch), int64(s.Start))
	}
	return pairs
}

// The cases are those of Kafka's LeaderEpochFileCache (KIP-101, KIP-279).
func TestEpochsBegin(t *testing.T) {
	cases := []struct {
		name        string
		begin, want []int64
	}{
		{"ascending", []int64{2, 6, 3, 7}, []int64{2, 6, 3, 7}},
		{"the same epoch keeps its first offset", []int64{2, 6, 2, 7}, []int64{2, 6}},
		{"the same epoch at an earlier offset", []int64{2, 7, 2, 6}, []int64{2, 6}},
		{"an epoch that wrote nothing is there while it is the newest", []int64{1, 0, 5, 10}, []int64{1, 0, 5, 10}},
		{"and gives way to the next one at its offset", []int64{1, 0, 5, 10, 6, 10}, []int64{1, 0, 6, 10}},
		{"a lower epoch ends the history of higher ones", []int64{1, 5, 3, 10, 4, 20, 2, 15}, []int64{1, 5, 2, 15}},
		{"a lower offset too", []int64{1, 5, 3, 10, 4, 20, 5, 10}, []int64{1, 5, 5, 10}},
		{"all of it", []int64{1, 5, 3, 10, 0, 0}, []int64{0, 0}},
		{"not ascending in the epoch only", []int64{3, 5, 2, 9}, []int64{2, 9}},
	}
	for _, c := range cases {
		if got := epochs(c.begin...).pairs(); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestTheEndOfAnEpoch(t *testing.T) {
	const end = 30
	known := epochs(2, 5, 4, 10, 5, 20)
	cases := []struct {
		name      string
		e         *Epochs
		epoch     record.LeaderEpoch
		wantEpoch record.LeaderEpoch
		want      record.Offset
	}{
		{"nothing is known", &Epochs{}, 3, -1, -1},
		{"undefined", known, -1, -1, -1},
		{"the newest ends at the log's end", known, 5, 5, end},
		{"one before ends where the next begins", known, 4, 4, 20},
		{"a gap answers for the epoch below it (KIP-279)", known, 3, 2, 10},
		{"below the first: the epoch itself, the first start", known, 1, 1, 5},
		{"zero is an epoch", known, 0, 0, 5},
		{"beyond the newest nothing is known", known, 6, -1, -1},
	}
	for _, c := range cases {
		if epoch, got := c.e.EndOf(c.epoch, end); epoch != c.wantEpoch || got != c.want {
			t.Errorf("%s: (%d, %d), want (%d, %d)", c.name, epoch, got, c.wantEpoch, c.want)
		}
	}
}

func TestEpochsAreTruncated(t *testing.T) {
	known := []int64{2, 6, 3, 8, 4, 11}
	cases := []struct {
		name string
		cut  func(e *Epochs)
		want []int64
	}{
		{"the end at a start takes that epoch", func(e *Epochs) { e.truncateEnd(8) }, []int64{2, 6}},
		{"the end within an epoch leaves it", func(e *Epochs) { e.truncateEnd(9) }, []int64{2, 6, 3, 8}},
		{"the end beyond all leaves all", func(e *Epochs) { e.truncateEnd(12) }, known},
		{"the end below all takes all", func(e *Epochs) { e.truncateEnd(6) }, nil},
		{"the start at a start", func(e *Epochs) { e.truncateStart(8) }, []int64{3, 8, 4, 11}},
		{"the start within an epoch moves it", func(e *Epochs) { e.truncateStart(9) }, []int64{3, 9, 4, 11}},
		{"the start before the first leaves it", func(e *Epochs) { e.truncateStart(1) }, known},
		{"the start beyond the last leaves the last", func(e *Epochs) { e.truncateStart(20) }, []int64{4, 20}},
	}
	for _, c := range cases {
		e := epochs(known...)
		c.cut(e)
		if got := e.pairs(); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestTheEpochOfAnOffset(t *testing.T) {
	e := epochs(2, 6, 3, 8)
	for offset, want := range map[record.Offset]record.LeaderEpoch{0: -1, 5: -1, 6: 2, 7: 2, 8: 3, 100: 3} {
		if got := e.At(offset); got != want {
			t.Errorf("offset %d: epoch %d, want %d", offset, got, want)
		}
	}
	if (&Epochs{}).Latest() != -1 || e.Latest() != 3 {
		t.Error("the latest epoch is wrong")
	}
}
