package ledger

import (
	"slices"
	"testing"
)

// The records have the timestamps 10, 30, 20, 40.
func TestLookUpsAreJudged(t *testing.T) {
	for _, test := range []struct {
		name                       string
		stamp, offset, told, start int64
		wrong                      bool
	}{
		{"the first of that time", 30, 1, 30, 0, false},
		{"the first that is not older", 15, 1, 30, 0, false},
		{"it is older", 30, 2, 20, 0, true},
		{"it is not the first", 15, 2, 20, 0, true},
		{"its time is told wrongly", 30, 1, 31, 0, true},
		{"none is left", 50, -1, -1, 0, false},
		{"none, though there is one", 40, -1, -1, 0, true},
		{"the first may have gone", 15, 2, 20, 2, false},
	} {
		var got []string
		l := New(func(invariant, _ string) { got = append(got, invariant) }, func() int64 { return 100 })
		p := l.AddProducer(Class{Partition: part, Lasting: true})
		for i, stamp := range []int64{10, 30, 20, 40} {
			l.Ack([]Value{l.Issue(p, stamp)}, int64(i))
		}
		l.JudgeLookUp(part, test.stamp, test.offset, test.told, test.start)
		if wrong := slices.Equal(got, []string{"OffsetOfTimestamp"}); wrong != test.wrong || !wrong && len(got) > 0 {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

func TestAStampIsOfARecordThatIsThere(t *testing.T) {
	l := New(func(string, string) {}, func() int64 { return 100 })
	if _, ok := l.Stamp(part, 3); ok {
		t.Error("an empty partition has a stamp")
	}
	p := l.AddProducer(Class{Partition: part, Lasting: true})
	for i, stamp := range []int64{10, 30, 20} {
		l.Ack([]Value{l.Issue(p, stamp)}, int64(i))
	}
	l.AskDelete(part, 1)
	l.SeeStart(part, 1)
	seen := map[int64]bool{}
	for draw := range uint64(10) {
		stamp, ok := l.Stamp(part, draw)
		seen[stamp] = ok
	}
	if len(seen) != 2 || !seen[30] || !seen[20] {
		t.Error(seen)
	}
}
