package sim

import (
	"time"

	"barnabas/core/task"
	"barnabas/sim/kernel"
	"barnabas/sim/plan"
)

// crashSoon kills the broker's process in a moment when its disk has something in progress, if one comes within so many
// tries: that is where bugs are.
func (w *world) crashSoon(b *broker, power bool, tries int, down time.Duration) {
	if !b.node.Alive() || w.healed {
		return
	}
	if tries > 0 && b.machine.InFlight() == 0 && !w.weak.crashIdle {
		w.kernel.At(w.kernel.Now().Add(200*time.Microsecond), func() { w.crashSoon(b, power, tries-1, down) })
		return
	}
	w.crash(b, power, down)
}

// crash ends the broker's process and starts another one after a while.
func (w *world) crash(b *broker, power bool, down time.Duration) {
	if w.weak.crashIdle && b.machine.InFlight() > 0 {
		w.kernel.At(w.kernel.Now().Add(50*time.Microsecond), func() {
			if b.node.Alive() && !w.healed {
				w.crash(b, power, down)
			}
		})
		return
	}
	if power {
		w.count("P2")
	} else {
		w.count("P1")
	}
	w.trace(func() string { return "crash" })
	b.crash(power)
	w.startAgain(b, down)
}

// startAgain starts another process of a broker that has none, after a while.
func (w *world) startAgain(b *broker, down time.Duration) {
	if w.script != nil {
		w.script.died(b)
	}
	w.kernel.At(w.kernel.Now().Add(down), func() {
		if !b.node.Alive() {
			b.start()
		}
	})
}

// powerLoss takes the power from a broker's machine, in a moment when its disk is at work unless others lose theirs at the
// same moment.
func (w *world) powerLoss(b *broker, f *plan.Fault) {
	if w.plan.Value("durability") == "replicated" || w.anyLies() {
		// What was not synced survives a power loss as long as another replica keeps what was acknowledged. With one broker
		// there is none.
		if len(w.brokers) == 1 || w.down() > 0 || !w.allComplete() {
			return
		}
	}
	if f.Flag && b.node.Alive() {
		w.crash(b, true, f.Down)
		return
	}
	w.crashSoon(b, true, crashTries, f.Down)
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

// pause stops a broker's steps for a while; the network and its disk go on.
func (w *world) pause(b *broker, lasts time.Duration) {
	if !b.node.Alive() {
		return
	}
	life := b.node.Life()
	w.count("P3")
	b.node.Pause()
	b.paused = max(b.paused, w.kernel.Now().Add(lasts))
	w.kernel.At(w.kernel.Now().Add(lasts), func() {
		if b.node.Life() == life {
			b.node.Resume()
		}
	})
}

// stopPatience is how long a process may take to stop before it is killed, as an operator's tools would.
const stopPatience = 10 * time.Second

// stop ends the broker's process as an operator does, and starts another one. Half of the times the machine loses its
// power once the process is gone: a clean stop leaves nothing that this could take, whatever the setting.
func (w *world) stop(b *broker, f *plan.Fault) {
	if !b.up || !b.node.Alive() {
		return
	}
	life, process := b.node.Life(), b.process
	gone := func(cleanly bool) {
		if b.node.Life() != life || w.healed && !cleanly {
			return
		}
		w.count("P5")
		if cleanly {
			w.sometimes("broker-stopped-cleanly")
		} else {
			w.sometimes("broker-killed-stopping")
		}
		b.crash(false)
		if cleanly && !b.lies() && f.Flag {
			b.machine.PowerLost()
		}
		w.startAgain(b, f.Down)
	}
	b.node.Deliver(w.kernel.Now(), kernel.KindControl, false, f.ID, call(func() {
		process.Stop().Then(func(_ task.Done, err error) {
			w.kernel.At(w.kernel.Now(), func() { gone(err == nil) })
		})
	}))
	w.kernel.At(w.kernel.Now().Add(stopPatience), func() { gone(false) })
}

// shiftClock sets the broker's wall clock wrong by so much, or right again. Its monotonic clock goes on as before.
func (w *world) shiftClock(b *broker, by time.Duration) {
	w.count("T1")
	b.shift = by.Milliseconds()
	w.shiftMax = max(w.shiftMax, b.shift)
}
