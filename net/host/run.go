package host

import (
	"sync"
	"time"

	"barnabas/core/env"
	"barnabas/core/task"
)

// Call is an input that calls a function on the loop.
type Call func()

// Happen calls the function.
func (c Call) Happen() { c() }

// Post hands the loop an input, as a completion or as an arrival. It may be called from any goroutine and never blocks.
// After the host's end inputs are dropped.
func (h *Host) Post(in task.Input, completion bool) {
	h.mu.Lock()
	if h.over {
		h.mu.Unlock()
		return
	}
	if completion {
		h.completions = append(h.completions, in)
	} else {
		h.arrivals = append(h.arrivals, in)
	}
	asleep := h.sleeping
	h.sleeping = false
	h.mu.Unlock()
	if asleep {
		h.token()
	}
}

// rouse wakes the loop if it sleeps.
func (h *Host) rouse() {
	h.mu.Lock()
	asleep := h.sleeping
	h.sleeping = false
	h.mu.Unlock()
	if asleep {
		h.token()
	}
}

// token never blocks: a token that nobody took yet wakes the loop as well as a second one.
func (h *Host) token() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// Run runs the loop on the calling goroutine until stop is closed and everything registered with AtStop is done (nil),
// or until Fail (its reason).
func (h *Host) Run(stop <-chan struct{}) error {
	ended := make(chan struct{})
	var watcher sync.WaitGroup
	watcher.Go(func() {
		select {
		case <-stop:
			h.Post(Call(h.beginStop), false)
		case <-ended:
		}
	})
	for h.step() {
	}
	close(ended)
	watcher.Wait()
	return h.finish()
}

// step waits for something to do and does it. It says whether to go on.
func (h *Host) step() bool {
	completions, arrivals, ending := h.take()
	if ending {
		return false
	}
	now := time.Now()
	h.wall = env.Timestamp(now.UnixMilli())
	h.loop.Step(h.instant(now), completions, arrivals)
	for _, flush := range h.flushes {
		flush()
	}
	clear(completions)
	clear(arrivals)
	h.spare = [2][]task.Input{completions[:0], arrivals[:0]}
	return true
}

func (h *Host) instant(now time.Time) task.Instant { return task.Instant(now.Sub(h.start)) }

// take empties the inbox. It sleeps while there is nothing in it and no deadline has come.
func (h *Host) take() (completions, arrivals []task.Input, ending bool) {
	for {
		deadline := h.loop.NextDeadline()
		due := deadline != task.Never && deadline <= h.instant(time.Now())
		h.mu.Lock()
		if due || h.ending || len(h.completions)+len(h.arrivals) > 0 {
			completions, arrivals = h.completions, h.arrivals
			h.completions, h.arrivals = h.spare[0], h.spare[1]
			ending = h.ending
			h.mu.Unlock()
			return completions, arrivals, ending
		}
		h.sleeping = true
		h.mu.Unlock()
		h.sleeps++
		h.setAlarm(deadline)
		<-h.wake
	}
}

// setAlarm has the alarm wake the loop at the deadline. An alarm that stands is left alone: most sleeps end by a post,
// with the same deadline still ahead.
func (h *Host) setAlarm(deadline task.Instant) {
	if deadline == h.alarmedAt {
		return
	}
	h.alarmedAt = deadline
	if deadline == task.Never {
		h.alarm.Stop()
		return
	}
	h.alarm.Reset(deadline.Sub(h.instant(time.Now())))
}

// beginStop runs on the loop when a stop was asked for.
func (h *Host) beginStop() {
	h.stopsToRun = len(h.begins)
	if h.stopsToRun == 0 {
		h.end()
		return
	}
	for _, begin := range h.begins {
		begin(sync.OnceFunc(func() { h.Post(Call(h.oneStopped), true) }))
	}
}

func (h *Host) oneStopped() {
	h.stopsToRun--
	if h.stopsToRun == 0 {
		h.end()
	}
}

// finish makes the world inert, then ends the loop (rule T3).
func (h *Host) finish() error {
	h.alarm.Stop()
	h.mu.Lock()
	h.over = true
	h.mu.Unlock()
	for i := len(h.ends) - 1; i >= 0; i-- {
		h.ends[i]()
	}
	h.loop.Kill()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.completions, h.arrivals = nil, nil
	return h.reason
}
