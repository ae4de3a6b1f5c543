// Package host is the real world's loop: it feeds a task.Loop what happened outside, and nothing else runs it.
//
// Everything outside the broker (connections, files, signals) posts inputs to the host's inbox. The loop goroutine
// takes the whole inbox as one step, so what piles up while it works costs one step and one wake-up, and one commit or
// one write covers all of it. A step therefore sees the same things here as in the simulator (rule T1): two lists of
// inputs and one `now`.
//
//	posts → inbox → Loop.Step → flushes (what the step sent leaves)
//
// The loop never polls: with nothing to do it sleeps until a post or the loop's next deadline. The goroutine is not
// locked to a thread, since waking a locked one costs 18 µs and more.
//
// What it does not do: it opens no file and no connection; packages net and disk post to it.
package host

import (
	"crypto/rand"
	"encoding/binary"
	"sync"
	"time"

	"barnabas/core/env"
	"barnabas/core/task"
)

// Options are what a host may be given. The zero value works.
type Options struct {
	// Say receives the broker's lines for its operator. It is called on the loop and must not block for long. Nil drops
	// them.
	Say func(line string)
}

// Host runs one loop. Make one with New.
type Host struct {
	loop    *task.Loop
	say     func(string)
	start   time.Time
	wall    env.Timestamp // of the present step
	flushes []func()      // what leaves after a step
	begins  []func(done func())
	ends    []func()

	mu          sync.Mutex
	completions []task.Input
	arrivals    []task.Input
	sleeping    bool
	over        bool // nothing is taken any more
	ending      bool // the loop goes on no further than the present step
	reason      error

	wake chan struct{} // a token when a post found the loop sleeping

	alarm      *time.Timer // wakes the loop at alarmedAt
	alarmedAt  task.Instant
	spare      [2][]task.Input // emptied lists of the step before
	stopsToRun int
	sleeps     int // how often the loop went to sleep; tests look at it
}

// New returns a host at instant zero. Nothing runs before Run.
func New(options Options) *Host {
	h := &Host{
		loop: task.NewLoop(0, nil), say: options.Say, start: time.Now(),
		wake: make(chan struct{}, 1), alarmedAt: task.Never,
	}
	h.wall = env.Timestamp(h.start.UnixMilli())
	h.alarm = time.AfterFunc(time.Hour, h.rouse)
	h.alarm.Stop()
	return h
}

// Loop returns the loop the host runs.
func (h *Host) Loop() *task.Loop { return h.loop }

// Env returns the world of the broker that runs on the host. The seed of its randomness is fresh (rule T5).
func (h *Host) Env(disk env.Disk, network env.Network) env.Env {
	var seed [16]byte
	secrets{}.Fill(seed[:])
	return env.Env{
		Loop: h.loop, Clock: clock{h}, Disk: disk, Network: network, Work: newWork(h),
		Random:  env.NewRandom(binary.NativeEndian.Uint64(seed[:8]), binary.NativeEndian.Uint64(seed[8:])),
		Secrets: secrets{}, Probe: env.NoProbe{}, Talk: talk{h},
	}
}

// AfterStep has flush called on the loop after every step, in the order of registration: the place where effects leave.
// Call before Run.
func (h *Host) AfterStep(flush func()) { h.flushes = append(h.flushes, flush) }

// AtStop has begin called on the loop when a stop was asked for. The host goes on until every begin's done was called;
// done may be called from any goroutine, once. Call before Run.
func (h *Host) AtStop(begin func(done func())) { h.begins = append(h.begins, begin) }

// AtEnd has f called after the last step, newest first: the place where the world's parts give up what they hold. They
// must be inert afterwards. Call before Run.
func (h *Host) AtEnd(f func()) { h.ends = append(h.ends, f) }

// Fail ends the host after the present step, with the reason as Run's error. It may be called from any goroutine; the
// first reason counts.
func (h *Host) Fail(reason error) {
	h.mu.Lock()
	if h.reason == nil {
		h.reason = reason
	}
	h.mu.Unlock()
	h.end()
}

func (h *Host) end() {
	h.mu.Lock()
	h.ending = true
	h.mu.Unlock()
	h.rouse()
}

type clock struct{ h *Host }

func (c clock) Wall() env.Timestamp { return c.h.wall }

// secrets come from the kernel, which can't fail to give them: crypto/rand ends the process instead.
type secrets struct{}

func (secrets) Fill(p []byte) { _, _ = rand.Read(p) }

type talk struct{ h *Host }

func (t talk) Say(line string) {
	if t.h.say != nil {
		t.h.say(line)
	}
}

func (t talk) Fail(reason error) { t.h.Fail(reason) }
