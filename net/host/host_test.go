package host_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"barnabas/core/env"
	"barnabas/core/task"
	"barnabas/net/host"
)

// patience is how long a test waits for what must come. It only ends tests that fail.
const patience = 20 * time.Second

// running runs the host until the test ends; end stops it and returns what Run returned.
func running(t *testing.T, h *host.Host) (end func() error) {
	t.Helper()
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- h.Run(stop) }()
	end = sync.OnceValue(func() error {
		close(stop)
		select {
		case err := <-ended:
			return err
		case <-time.After(patience):
			t.Error("the host does not end")
			return nil
		}
	})
	t.Cleanup(func() { _ = end() })
	return end
}

func await(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
	}
}

func TestInputsOfEveryGoroutineArriveInItsOrder(t *testing.T) {
	h := host.New(host.Options{})
	running(t, h)
	const posters, posts = 4, 5000
	next := make([]int, posters)
	left := posters * posts
	done := make(chan struct{})
	var group sync.WaitGroup
	for poster := range posters {
		group.Go(func() {
			for i := range posts {
				h.Post(host.Call(func() {
					if next[poster] != i {
						t.Errorf("input %d of poster %d came as number %d", i, poster, next[poster])
					}
					next[poster]++
					if left--; left == 0 {
						close(done)
					}
				}), false)
			}
		})
	}
	group.Wait()
	await(t, "all inputs", done)
}

func TestStepTakesTheWholeInboxCompletionsFirst(t *testing.T) {
	h := host.New(host.Options{})
	var happened []string
	note := func(word string) host.Call { return func() { happened = append(happened, word) } }
	h.AfterStep(func() { happened = append(happened, "flush") })
	done := make(chan struct{})
	h.Post(note("arrival 1"), false)
	h.Post(note("completion 1"), true)
	h.Post(host.Call(func() {
		h.Loop().Later(func() { happened = append(happened, "continuation") })
		h.Post(host.Call(func() { close(done) }), false)
	}), false)
	h.Post(note("completion 2"), true)
	h.Post(note("arrival 2"), false)
	end := running(t, h)
	await(t, "the next step", done)
	_ = end()
	want := []string{"completion 1", "completion 2", "arrival 1", "continuation", "arrival 2", "flush"}
	if len(happened) < len(want) || !slices.Equal(happened[:len(want)], want) {
		t.Errorf("happened: %q", happened)
	}
}

func TestTimersFireAndTheLoopSleepsUntilThen(t *testing.T) {
	h := host.New(host.Options{})
	steps, atFirst, atSecond := 0, 0, 0
	h.AfterStep(func() { steps++ })
	done := make(chan struct{})
	h.Post(host.Call(func() {
		now := h.Loop().Now()
		later := now.Add(40 * time.Millisecond)
		h.Loop().At(later, func() {
			atSecond = steps
			if h.Loop().Now() < later {
				t.Error("a timer fired early")
			}
			close(done)
		})
		h.Loop().At(now.Add(10*time.Millisecond), func() { atFirst = steps })
	}), false)
	end := running(t, h)
	await(t, "the timers", done)
	_ = end()
	if atFirst < 1 || atSecond-atFirst > 2 || atFirst > 3 {
		t.Errorf("%d steps before the first timer and %d between them: the loop does not sleep",
			atFirst, atSecond-atFirst)
	}
}

func TestWhatIsReadyBetweenStepsRunsWithoutAnInput(t *testing.T) {
	h := host.New(host.Options{})
	done := make(chan struct{})
	h.Loop().Go("start", func(t *task.Task) {
		for range 5 {
			t.Yield()
		}
		close(done)
	})
	running(t, h)
	await(t, "the task", done)
}

func TestStopWaitsForWhatIsRegistered(t *testing.T) {
	h := host.New(host.Options{})
	var order []string
	begun := make(chan func(), 2)
	for range 2 {
		h.AtStop(func(done func()) { begun <- done })
	}
	h.AtEnd(func() { order = append(order, "first made") })
	h.AtEnd(func() { order = append(order, "last made") })
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- h.Run(stop) }()
	close(stop)
	one, two := <-begun, <-begun
	one()
	one()
	for range 3 {
		still := make(chan struct{})
		h.Post(host.Call(func() { close(still) }), false)
		await(t, "a step while stopping", still)
	}
	two()
	if err := <-ended; err != nil {
		t.Errorf("a clean stop returned %v", err)
	}
	if !slices.Equal(order, []string{"last made", "first made"}) {
		t.Errorf("the parts ended in the order %q", order)
	}
	h.Post(host.Call(func() { t.Error("an input after the end happened") }), false)
	if !h.Loop().Dead() {
		t.Error("the loop was not ended")
	}
}

func TestFailEndsTheHostWithTheFirstReason(t *testing.T) {
	var said []string
	h := host.New(host.Options{Say: func(line string) { said = append(said, line) }})
	e := h.Env(nil, nil)
	reason := errors.New("the disk is gone")
	flushed := false
	h.Post(host.Call(func() {
		e.Talk.Say("ready")
		e.Talk.Fail(reason)
		e.Talk.Fail(errors.New("and more"))
	}), false)
	h.AfterStep(func() { flushed = true })
	if err := h.Run(make(chan struct{})); !errors.Is(err, reason) {
		t.Errorf("Run returned %v", err)
	}
	if !slices.Equal(said, []string{"ready"}) || !flushed {
		t.Errorf("said %q, flushed %v", said, flushed)
	}
}

func TestWallClockStandsStillInAStepAndIsNow(t *testing.T) {
	h := host.New(host.Options{})
	e := h.Env(nil, nil)
	done := make(chan struct{})
	h.Post(host.Call(func() {
		defer close(done)
		wall := e.Clock.Wall()
		if off := env.Timestamp(time.Now().UnixMilli()) - wall; off < 0 || off > 10_000 {
			t.Errorf("the wall clock is %d ms off", off)
		}
		for began := time.Now(); time.Since(began) < 3*time.Millisecond; {
			if e.Clock.Wall() != wall {
				t.Error("the wall clock moved within a step")
				return
			}
		}
	}), false)
	running(t, h)
	await(t, "the step", done)
}

func TestEveryStartHasItsOwnSeedAndSecrets(t *testing.T) {
	one, two := host.New(host.Options{}).Env(nil, nil), host.New(host.Options{}).Env(nil, nil)
	if one.Random.Uint64(1) == two.Random.Uint64(1) {
		t.Error("two hosts have one seed")
	}
	var a, b [16]byte
	one.Secrets.Fill(a[:])
	one.Secrets.Fill(b[:])
	if a == b || a == [16]byte{} {
		t.Error("secrets repeat")
	}
}

// BenchmarkPost is one input at a time through a loop that sleeps: a wake-up each way.
func BenchmarkPost(b *testing.B) {
	h := host.New(host.Options{})
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() { _ = h.Run(stop); close(ended) }()
	back := make(chan struct{}, 1)
	in := host.Call(func() { back <- struct{}{} })
	b.ReportAllocs()
	for b.Loop() {
		h.Post(in, false)
		<-back
	}
	close(stop)
	<-ended
}
