package sim

import (
	"fmt"
	"slices"
	"time"

	"barnabas/core/env"
	"barnabas/sim/plan"
	"barnabas/sim/simdisk"
)

// Most moments are harmless. What breaks brokers is a crash within one short window, a tail that is cut just after it went to
// files, a commit that rots before anything followed it (hazards R22). Each of these faults waits for its moment, and gives up
// when none comes.

// aimPatience is how long an aimed crash waits for its operation.
const aimPatience = 5 * time.Second

// aim has the broker's process end, or its machine lose its power, before, during or after an operation that is to come.
func (w *world) aim(b *broker, f *plan.Fault) {
	sights := plan.Sights()
	sight := sights[slices.IndexFunc(sights, func(s plan.Sight) bool { return s.Name == f.How })]
	crash := simdisk.ProcessDeath
	if f.Flag && w.mayLosePower() {
		crash = simdisk.PowerLoss
	}
	nth, effect, _ := f.Instant()
	b.aimed = f
	b.machine.Inject(simdisk.Rule{
		Kinds: sight.Kinds, Files: sight.Files, First: nth, Times: 1, Until: w.kernel.Now().Add(f.For),
		Effect: effect, Crash: crash,
	})
}

// crashed is told by the broker's disk that an aimed crash has its moment. The operation is never answered, so the process
// ends in any case.
func (b *broker) crashed(how simdisk.Crash) {
	b.world.trace(func() string { return "an aimed crash: " + b.aimed.How })
	b.world.sometimes("crashed-at-operation")
	b.crash(how == simdisk.PowerLoss)
	b.world.startAgain(b, b.aimed.Down)
	if _, _, twice := b.aimed.Instant(); twice && !b.world.healed && !b.world.weak.noPower {
		b.world.sometimes("crashed-twice")
		b.world.aim(b, b.aimed.Second())
	}
}

// mayLosePower says whether any broker's power may go at any moment: nothing rests on what is not synced, and every disk is
// honest.
func (w *world) mayLosePower() bool {
	return w.plan.Value("durability") == "fsync" && !w.plan.Has(plan.Lie, 0)
}

// depose leaves a leader with a tail that nobody else has, and then has another one lead: its followers stand still for a
// while, during which it goes on appending, filling files and writing checkpoints. Cutting that tail is what a replica has to
// get right (rule J10), so its process may end soon after.
func (w *world) depose(f *plan.Fault) {
	if w.script == nil || w.down() > 0 {
		return
	}
	leader := w.broker(w.script.partition().Leader)
	if leader == nil || !leader.up {
		return
	}
	var others []*broker
	for _, b := range w.brokers {
		if b != leader {
			others = append(others, b)
			w.pause(b, f.For)
		}
	}
	w.kernel.At(w.kernel.Now().Add(f.For), func() {
		next := others[w.size(uint64(len(others)), f, 0)]
		if w.healed || w.script.partition().Leader != leader.id || !next.up || !next.mayBeElected() {
			return
		}
		w.trace(func() string { return fmt.Sprintf("broker %d leads instead of broker %d", next.id, leader.id) })
		if f.Number > 0 {
			leader.deposed = f
		}
		w.sometimes("leader-deposed")
		w.script.elect(next.id)
	})
}

// noticed is told of the marks that the broker's process reaches.
func (b *broker) noticed(mark env.Mark) {
	f := b.deposed
	if mark != env.MarkCutBelowFilled || f == nil {
		return
	}
	b.deposed = nil
	w, life := b.world, b.node.Life()
	w.kernel.At(w.kernel.Now().Add(time.Duration(f.Number)*time.Microsecond), func() {
		if b.node.Life() == life && b.node.Alive() && !w.healed && w.down() < minority(len(w.brokers)) {
			w.sometimes("crashed-after-cut")
			w.crash(b, f.Flag && w.mayLosePower(), f.Down)
		}
	})
}

// quiet is how long nothing was written when a commit counts as the last of a burst: long enough for the empty commit that
// has to witness it (rule J4). rotTries is how often rot looks for such a moment, every rotEvery.
const (
	quiet    = 30 * time.Millisecond
	rotTries = 400
	rotEvery = 5 * time.Millisecond
)

// rotLast waits for a moment of quiet, lets a block of one of the last commits rot, and ends the process before anything
// follows. It is for worlds with one broker. There is one such block at a time, so all of it must be noticed.
func (w *world) rotLast(b *broker, f *plan.Fault, tries int) {
	if w.healed || !b.up || !b.node.Alive() || tries == 0 || len(w.brokers) > 1 {
		return
	}
	writes := b.machine.LastWrites("journal-*.segment")
	// A process that stands still can't write the empty commit.
	if len(writes) < int(f.Number) || b.machine.InFlight() > 0 || w.kernel.Now().Sub(max(writes[len(writes)-1].At, b.paused)) < quiet {
		w.kernel.At(w.kernel.Now().Add(rotEvery), func() { w.rotLast(b, f, tries-1) })
		return
	}
	last, rots := writes[len(writes)-int(f.Number)], plan.Rots()
	target := simdisk.Target{Path: last.Path, Block: last.Block + int(w.size(uint64(last.Blocks), f, 0))}
	if !b.machine.Rot(target, simdisk.Rot(slices.Index(rots[:], f.How))) {
		return
	}
	w.trace(func() string { return fmt.Sprintf("rot of the last commits: %s, block %d", target.Path, target.Block) })
	b.trouble.damaged = true
	w.sometimes("last-commit-rotted")
	w.crash(b, f.Flag && w.mayLosePower(), f.Down)
}

// madeTopic is told that a topic was made, by the one broker there is. If a fault waits for that, its process ends before much
// of the topic is used.
func (w *world) madeTopic() {
	b := w.brokers[0]
	f := b.onTopic
	if f == nil {
		return
	}
	b.onTopic = nil
	w.kernel.At(w.kernel.Now().Add(f.For), func() {
		if !w.healed && b.node.Alive() {
			w.sometimes("crashed-after-topic")
			w.crash(b, f.Flag && w.mayLosePower(), f.Down)
		}
	})
}
