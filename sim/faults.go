package sim

import (
	"time"

	"barnabas/core/env"
	"barnabas/sim/kernel"
)

// The streams of fault times and sizes.
const (
	streamWhen env.Stream = kernel.StreamFault + iota
	streamSize
	streamWho
)

// Kinds of fault, by the rows of the fault matrix; each broker's fault of a kind has its own keys.
const (
	faultCrash uint64 = iota
	faultPower
	faultPause
	faultLimp
	faultLeader
	faultStop
	faultClock
)

// schedule has a fault happen again and again, at drawn times, until the world is healed.
func (w *world) schedule(every time.Duration, kind, who uint64, happen func(turn uint64)) {
	if every == 0 {
		return
	}
	turn := uint64(0)
	var next func()
	next = func() {
		turn++
		delay := time.Duration(w.kernel.Random.Below(uint64(2*every), streamWhen, kind, who, turn))
		this := turn
		w.kernel.At(w.kernel.Now().Add(delay), func() {
			if w.healed {
				return
			}
			happen(this)
			next()
		})
	}
	next()
}

func (w *world) size(n uint64, kind, who, turn uint64) uint64 {
	return w.kernel.Random.Below(n, streamSize, kind, who, turn)
}

func (w *world) scheduleFaults() {
	f := w.plan.faults
	for _, b := range w.brokers {
		who := uint64(b.id)
		w.schedule(f.crashEvery, faultCrash, who, func(turn uint64) {
			if w.down() < w.minority() {
				w.crashSoon(b, false, 50, faultCrash, turn)
			}
		})
		w.schedule(f.pauseEvery, faultPause, who, func(turn uint64) { w.pause(b, turn) })
		w.schedule(f.limpEvery, faultLimp, who, func(turn uint64) {
			d := 50*time.Millisecond + time.Duration(w.size(uint64(3*time.Second), faultLimp, who, turn))
			b.machine.Limp(w.kernel.Now().Add(d), 10<<w.size(6, faultLimp, who, turn^1<<32))
		})
		w.schedule(f.stopEvery, faultStop, who, func(turn uint64) {
			if w.down() < w.minority() {
				w.stop(b, turn)
			}
		})
		w.scheduleDiskFaults(b)
		w.schedule(f.clockEvery, faultClock, who, func(turn uint64) { w.shiftClock(b, turn) })
	}
	w.schedule(f.powerEvery, faultPower, 0, w.powerLoss)
	if w.script != nil {
		w.schedule(f.leaderEvery, faultLeader, 0, func(turn uint64) { w.script.electAny(turn | 1<<40) })
	}
}

// minority is how many brokers may be down at once: with one broker, that one.
func (w *world) minority() int { return max(1, (len(w.brokers)-1)/2) }

func (w *world) down() (n int) {
	for _, b := range w.brokers {
		if !b.node.Alive() {
			n++
		}
	}
	return n
}
