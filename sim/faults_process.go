package sim

import (
	"time"

	"barnabas/core/task"
	"barnabas/sim/kernel"
)

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
	w.startAgain(b, kind, turn)
}

// startAgain starts another process of a broker that has none, after a drawn time.
func (w *world) startAgain(b *broker, kind, turn uint64) {
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
	if w.plan.setting("durability") == "replicated" || w.anyLies() {
		// What was not synced survives a power loss as long as another replica keeps what was acknowledged.
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

// anyLies says whether some disk may have less than it said.
func (w *world) anyLies() bool {
	for _, b := range w.brokers {
		if b.lies() {
			return true
		}
	}
	return false
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

// stopPatience is how long a process may take to stop before it is killed, as an operator's tools would.
const stopPatience = 10 * time.Second

// stop ends the broker's process as an operator does, and starts another one. Half of the times the machine loses its
// power once the process is gone: a clean stop leaves nothing that this could take, whatever the setting.
func (w *world) stop(b *broker, turn uint64) {
	if !b.up || !b.node.Alive() {
		return
	}
	life, process := b.node.Life(), b.process
	gone := func(cleanly bool) {
		if b.node.Life() != life || w.healed && !cleanly {
			return
		}
		w.count("P5")
		b.crash(false)
		if cleanly && !b.lies() && w.size(2, faultStop, uint64(b.id), turn) == 0 {
			b.machine.PowerLost()
		}
		w.startAgain(b, faultStop, turn)
	}
	b.node.Deliver(w.kernel.Now(), kernel.KindControl, false, turn, call(func() {
		process.Stop().Then(func(_ task.Done, err error) {
			w.kernel.At(w.kernel.Now(), func() { gone(err == nil) })
		})
	}))
	w.kernel.At(w.kernel.Now().Add(stopPatience), func() { gone(false) })
}

// shiftClock sets the broker's wall clock wrong, or right again: mostly by little, by an hour at most. Its monotonic clock
// goes on as before.
func (w *world) shiftClock(b *broker, turn uint64) {
	w.count("T1")
	const hour = 3_600_000
	reach := uint64(hour) >> w.size(12, faultClock, uint64(b.id), turn)
	b.shift = int64(w.size(2*reach+1, faultClock, uint64(b.id), turn^1<<32)) - int64(reach)
	if w.size(3, faultClock, uint64(b.id), turn^1<<33) == 0 {
		b.shift = 0
	}
	w.shiftMax = max(w.shiftMax, b.shift)
}
