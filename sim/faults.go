package sim

import (
	"time"

	"barnabas/core/env"
	"barnabas/sim/kernel"
	"barnabas/sim/plan"
)

// The streams of fault times and of what a fault draws when it happens.
const (
	streamWhen env.Stream = kernel.StreamFault + iota
	streamSize
)

// crashTries is how often a crash waits for the disk to be at work, and killTries how often after damage.
const (
	crashTries = 50
	killTries  = 5
)

// scheduleFaults has the plan's faults happen, until the world is healed.
func (w *world) scheduleFaults() {
	for i := range w.plan.Faults {
		f := &w.plan.Faults[i]
		w.kernel.At(instant(f.At), func() {
			if !w.healed {
				w.happen(f)
			}
		})
	}
	for _, b := range w.brokers {
		if w.plan.Has(plan.Rollback, b.id) {
			w.keepPast(b)
		}
	}
}

// size draws a number below n for a fault that happens.
func (w *world) size(n uint64, f *plan.Fault, which uint64) uint64 {
	return w.kernel.Random.Below(n, streamSize, f.ID, which)
}

// happen has one fault happen, if the world is such that it can.
func (w *world) happen(f *plan.Fault) {
	b := w.broker(f.Broker)
	until := w.kernel.Now().Add(f.For)
	switch f.Kind {
	case plan.Crash:
		if w.down() < minority(len(w.brokers)) {
			w.crashSoon(b, false, crashTries, f.Down)
		}
	case plan.Power:
		w.powerLoss(b, f)
	case plan.Pause:
		w.pause(b, f.For)
	case plan.Limp:
		b.machine.Limp(until, int64(f.Number))
	case plan.Lead:
		if w.script != nil {
			w.sometimes("leader-moved-without-need")
			w.script.electAny()
		}
	case plan.Stop:
		if w.down() < minority(len(w.brokers)) {
			w.stop(b, f)
		}
	case plan.Clock:
		w.shiftClock(b, f.For)
	case plan.FailSync:
		b.trouble.errors = append(b.trouble.errors, diskError{Injection: b.machine.FailSync(f.Files)})
	case plan.Fail:
		b.trouble.errors = append(b.trouble.errors, diskError{Injection: b.machine.Fail(0, "", until, f.Number)})
	case plan.Full:
		b.machine.Fill(until, int64(f.Number))
	case plan.ReadOnly:
		b.trouble.errors = append(b.trouble.errors, diskError{Injection: b.machine.MakeReadOnly(until)})
	case plan.NoDescriptors:
		b.trouble.errors = append(b.trouble.errors, diskError{Injection: b.machine.TakeDescriptors(until)})
	case plan.Damage:
		w.damage(b, f)
	case plan.Lie:
		if len(w.brokers) > 1 && w.mayLose(b) {
			b.trouble.lied = append(b.trouble.lied, b.machine.LieAboutSyncs("journal-*.segment", until, f.Number))
		}
	case plan.Rollback:
		w.rollBack(b, f)
	case plan.Aim:
		if w.down() < minority(len(w.brokers)) {
			w.aim(b, f)
		}
	case plan.Depose:
		w.depose(f)
	case plan.RotLast:
		w.rotLast(b, f, rotTries)
	case plan.CrashTopic:
		b.onTopic = f
	}
}

// minority is how many of so many brokers may be down at once: of one, that one.
func minority(brokers int) int { return max(1, (brokers-1)/2) }

func (w *world) down() (n int) {
	for _, b := range w.brokers {
		if !b.node.Alive() {
			n++
		}
	}
	return n
}

// elapsed is the virtual time since the run began.
func (w *world) elapsed() time.Duration { return time.Duration(w.kernel.Now()) }
