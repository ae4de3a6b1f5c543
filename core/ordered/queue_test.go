package ordered

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A queue is compared with a slice.
func TestQueueGivesInTheOrderItTook(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q Queue[int]
		var want []int
		for n := range rapid.IntRange(1, 300).Draw(t, "operations") {
			switch rapid.IntRange(0, 9).Draw(t, "operation") {
			case 0, 1, 2, 3, 4:
				q.Push(n)
				want = append(want, n)
			case 9:
				if rapid.IntRange(0, 9).Draw(t, "rest") == 0 {
					if got := q.Rest(); !slices.Equal(got, want) {
						t.Fatalf("the rest is %v, want %v", got, want)
					}
					want = nil
				}
			default:
				if len(want) == 0 {
					continue
				}
				if q.First() != want[0] || q.Last() != want[len(want)-1] {
					t.Fatalf("first %d, last %d of %v", q.First(), q.Last(), want)
				}
				if got := q.Pop(); got != want[0] {
					t.Fatalf("popped %d, want %d", got, want[0])
				}
				want = want[1:]
			}
			if q.Len() != len(want) {
				t.Fatalf("%d, want %d", q.Len(), len(want))
			}
		}
	})
}

func TestQueueTakesNoMemoryOnceItHasSome(t *testing.T) {
	var q Queue[int]
	for n := range 5 {
		q.Push(n)
	}
	if n := testing.AllocsPerRun(1000, func() { q.Push(q.Pop()) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
