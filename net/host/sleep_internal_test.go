package host

import (
	"testing"
	"time"
)

// An idle loop is woken by what happens and by nothing else.
func TestIdleLoopSleepsThrough(t *testing.T) {
	h := New(Options{})
	slept := 0
	stop := make(chan struct{})
	h.Post(Call(func() {
		before := h.sleeps
		h.Loop().At(h.Loop().Now().Add(50*time.Millisecond), func() {
			slept = h.sleeps - before
			close(stop)
		})
	}), false)
	if err := h.Run(stop); err != nil {
		t.Error(err)
	}
	if slept < 1 || slept > 2 {
		t.Errorf("slept %d times before a deadline, want once", slept)
	}
	h.Post(Call(func() {}), false)
	if len(h.arrivals) > 0 {
		t.Error("an input after the end is kept")
	}
}
