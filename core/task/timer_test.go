package task

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestTimersFireByInstantThenInOrder(t *testing.T) {
	var n notes
	l := NewLoop(0, nil)
	for _, when := range []Instant{30, 10, 20, 10} {
		l.At(when, func() { n.add(fmt.Sprint(when)) })
	}
	l.At(10, func() { n.add("last of 10") })
	if l.NextDeadline() != 10 {
		t.Errorf("next deadline %d", l.NextDeadline())
	}
	l.Step(9, nil, nil)
	n.want(t)
	l.Step(20, nil, nil)
	n.want(t, "10", "10", "last of 10", "20")
	l.Step(1000, nil, nil)
	n.want(t, "30")
}

func TestATimerSetByATimerForNowWaitsForTheNextStep(t *testing.T) {
	var n notes
	l := NewLoop(0, nil)
	var again func()
	again = func() {
		n.add("fired")
		l.At(0, again)
	}
	l.At(0, again)
	l.Step(5, nil, nil)
	n.want(t, "fired")
	l.Step(5, nil, nil)
	n.want(t, "fired")
}

func TestAStoppedTimerDoesNotFire(t *testing.T) {
	var n notes
	l := NewLoop(0, nil)
	var timers []*Timer
	for i := range 5 {
		timers = append(timers, l.At(10, func() { n.add(fmt.Sprint(i)) }))
	}
	l.At(10, func() { timers[4].Stop() }) // set last, so too late
	timers[0].Stop()
	timers[3].Stop()
	timers[3].Stop()
	l.At(5, func() { timers[1].Stop() })
	l.Step(10, nil, nil)
	n.want(t, "2", "4")
	timers[2].Stop() // it has fired
	(*Timer)(nil).Stop()
	l.Step(20, nil, nil)
	n.want(t)
}

// TestTheHeapSortsWhateverIsStopped compares the heap with a sorted list.
func TestTheHeapSortsWhateverIsStopped(t *testing.T) {
	l := NewLoop(0, nil)
	type row struct{ when, sequence int }
	var want, got []row
	var timers []*Timer
	rows := map[int]row{}
	next := uint64(1)
	for i := range 500 {
		next = next*6364136223846793005 + 1442695040888963407
		r := row{int(next >> 33 % 50), i}
		rows[i] = r
		timers = append(timers, l.At(Instant(r.when), func() { got = append(got, r) }))
	}
	for i, timer := range timers {
		if i%3 == 1 {
			timer.Stop()
			continue
		}
		want = append(want, rows[i])
	}
	slices.SortFunc(want, func(a, b row) int {
		if a.when != b.when {
			return a.when - b.when
		}
		return a.sequence - b.sequence
	})
	for now := range Instant(50) {
		l.Step(now, nil, nil)
	}
	if !slices.Equal(got, want) {
		t.Errorf("fired %v\nwant  %v", got, want)
	}
}

func TestInstantsAddAndSubtract(t *testing.T) {
	if got := Instant(5).Add(2 * time.Nanosecond).Sub(3); got != 4 {
		t.Errorf("got %v", got)
	}
}
