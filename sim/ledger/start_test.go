package ledger

import (
	"slices"
	"testing"
	"time"
)

// Records 0 to 9 have the timestamps 0, 100, 200, …; a second has passed since the last but one. Of another partition's four
// records the second and the last are new.
func TestALogStartNeedsAReason(t *testing.T) {
	const now = 1800
	young := Partition{Topic: "young"}
	for _, test := range []struct {
		name    string
		happens func(l *Ledger)
		want    []string
	}{
		{"it stays", func(l *Ledger) { l.SeeStart(part, 0) }, nil},
		{"nothing allows it to move", func(l *Ledger) { l.SeeStart(part, 1) }, []string{"StartWithoutReason"}},
		{"records are old enough", func(l *Ledger) {
			l.Retains(part, Retention{Age: time.Second, Bytes: -1})
			l.SeeStart(part, 9)
		}, nil},
		{"one record is not", func(l *Ledger) {
			l.Retains(part, Retention{Age: time.Second, Bytes: -1})
			l.SeeStart(part, 10)
		}, []string{"StartWithoutReason"}},
		{"enough bytes may stay behind", func(l *Ledger) {
			l.Retains(part, Retention{Age: -1, Bytes: 700})
			l.SeeStart(part, 10)
		}, nil},
		{"too few bytes stay behind", func(l *Ledger) {
			l.Retains(part, Retention{Age: -1, Bytes: 800})
			l.SeeStart(part, 10)
		}, []string{"StartWithoutReason"}},
		{"some go by size and the rest by age", func(l *Ledger) {
			l.Retains(young, Retention{Age: time.Second, Bytes: 940})
			l.SeeStart(young, 3)
		}, nil},
		{"some go too early by size, though the rest are old", func(l *Ledger) {
			l.Retains(young, Retention{Age: time.Second, Bytes: 941})
			l.SeeStart(young, 3)
		}, []string{"StartWithoutReason"}},
		{"it was asked for", func(l *Ledger) {
			l.AskDelete(part, 4)
			l.SeeStart(part, 4)
		}, nil},
		{"more goes than was asked for", func(l *Ledger) {
			l.AskDelete(part, 4)
			l.SeeStart(part, 5)
		}, []string{"StartWithoutReason"}},
		{"what was deleted comes back", func(l *Ledger) {
			l.AskDelete(part, 4)
			l.Deleted(part, 4)
			l.Finish(func(p Partition) (from, to int64) {
				if p == young {
					return 0, 4
				}
				return 3, 10
			})
		}, []string{"DeletedRecordsBack"}},
		{"a deleted topic may do as it likes", func(l *Ledger) {
			l.Gone(part)
			l.SeeStart(part, 10)
		}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			l := New(func(invariant, _ string) { got = append(got, invariant) }, func() int64 { return now })
			p := l.AddProducer(Class{Partition: part, Idempotent: true, Lasting: true})
			for i := range int64(10) { // 10 batches of 30 bytes, sent twice, and 700 bytes that nobody knows the place of
				v := []Value{l.Issue(p, i*100)}
				l.Ack(v, i)
				l.Sent(part, v, 30)
				l.Sent(part, v, 30)
			}
			l.Sent(part, []Value{l.Issue(p, 0)}, 700)
			q := l.AddProducer(Class{Partition: young, Lasting: true})
			for i, stamp := range []int64{0, now, 0, now} {
				v := []Value{l.Issue(q, stamp)}
				l.Ack(v, int64(i))
				l.Sent(young, v, 30)
			}
			l.Sent(young, []Value{l.Issue(q, 0)}, 880)
			test.happens(l)
			if !slices.Equal(got, test.want) {
				t.Errorf("broken: %v, want %v", got, test.want)
			}
		})
	}
}
