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

// crashSoon kills the broker's process in a moment when its disk has something in progress, if one comes within so many
// tries: that is where bugs are.
func (w *world) crashSoon(b *broker, power bool, tries int, kind, turn uint64) {
	if !b.node.Alive() || w.healed {
		return
	}
	if tries > 0 && b.machine.InFlight() == 0 {
		w.kernel.At(w.kernel.Now().Add(200*time.Microsecond), func() { w.crashSoon(b, power, tries-1, kind, turn) })
		return
	}
	w.crash(b, power, kind, turn)
}

// crash ends the broker's process and starts another one after a drawn time.
func (w *world) crash(b *broker, power bool, kind, turn uint64) {
	if power {
		w.count("P2")
	} else {
		w.count("P1")
	}
	w.trace(func() string { return "crash" })
	b.crash(power)
	if w.script != nil {
		w.script.died(b)
	}
	delay := time.Duration(w.size(uint64(3*time.Second), kind, uint64(b.id), turn^1<<33))
	w.kernel.At(w.kernel.Now().Add(delay), func() {
		if !b.node.Alive() {
			b.start()
		}
	})
}

// powerLoss takes the power from some brokers at the same moment: mostly a minority, sometimes all of them.
func (w *world) powerLoss(turn uint64) {
	count := int(w.size(uint64(w.minority()), faultPower, 0, turn)) + 1
	if w.size(4, faultPower, 1, turn) == 0 {
		count = len(w.brokers)
	}
	if w.plan.setting("durability") == "replicated" {
		// That setting survives a power loss as long as another replica keeps what was acknowledged.
		if count = 1; w.down() > 0 || !w.allComplete() {
			return
		}
	}
	first := int(w.kernel.Random.Below(uint64(len(w.brokers)), streamWho, turn))
	for i := range count {
		b := w.brokers[(first+i)%len(w.brokers)]
		if !b.node.Alive() {
			continue
		}
		if count == 1 {
			w.crashSoon(b, true, 50, faultPower, turn)
		} else {
			w.crash(b, true, faultPower, turn)
		}
	}
}

// allComplete says whether every broker holds all that was committed.
func (w *world) allComplete() bool {
	for _, b := range w.brokers {
		if b.process == nil || b.process.Replicas() == nil || !b.mayBeElected() {
			return false
		}
	}
	return true
}

// pause stops a broker's steps for a drawn time; the network and its disk go on.
func (w *world) pause(b *broker, turn uint64) {
	if !b.node.Alive() {
		return
	}
	life := b.node.Life()
	d := 10*time.Millisecond<<w.size(9, faultPause, uint64(b.id), turn) + time.Duration(w.size(uint64(10*time.Millisecond), faultPause, uint64(b.id), turn^1<<32))
	w.count("P3")
	b.node.Pause()
	w.kernel.At(w.kernel.Now().Add(d), func() {
		if b.node.Life() == life {
			b.node.Resume()
		}
	})
}
