package sim

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"barnabas/core/env"
	"barnabas/sim/plan"
	"barnabas/sim/simdisk"
)

// Faults of disks come in three classes, by what a broker owes when one takes effect.
//
//   - Errors (D5, D6, D7): nothing durable is harmed. A broker that met one may give up its log directory; its process is
//     then started anew, as an operator would. A disk without room entitles nobody to give up, but at the very first start.
//   - Loss of what was durable, with other replicas (D4, D13): the faults share one budget (rule O3), decided when one is
//     injected: afterwards everything acknowledged is still on another member of the ISR, and the broker that lost its
//     tail is not elected before it has it again.
//   - Damage with a single replica (D8, D9, D10), in worlds that expect it to be detected: every acknowledged record is
//     served as it was, or its place answers KAFKA_STORAGE_ERROR, or the start is refused with a message that names the
//     place. Nothing else is owed, and nothing wrong may be served.

// trouble is what a broker's disk did to it.
type trouble struct {
	errors  []diskError          // in force, or past
	damaged bool                 // blocks at rest are not what was written, for good
	lied    []*simdisk.Injection // syncs since the last power loss that may not have been true
	harmed  bool                 // so the power took more than the end of what was written
	refused int                  // starts in a row that failed
	past    []past               // of the disk, for a rollback
}

// past is a disk as it was once.
type past struct {
	simdisk.Snapshot
	harmed bool // it had less than it had said, and no power loss had shown it yet
}

// diskError is a fault that entitles a process which met it to give up.
type diskError struct {
	*simdisk.Injection
	before uint64 // how often it had fired when the present process started
}

// newLife is told that a process starts.
func (t *trouble) newLife() {
	for i := range t.errors {
		t.errors[i].before = t.errors[i].Fired
	}
}

// damage harms a block at rest of one kind of file, or lets a block of the next write go astray, and may have the process
// killed, so that the next one has to find it. It is for worlds with one broker.
func (w *world) damage(b *broker, f *plan.Fault) {
	blocks := b.machine.Blocks(f.Files)
	if len(blocks) == 0 {
		blocks = b.machine.Blocks("")
	}
	if len(blocks) == 0 || len(w.brokers) > 1 {
		return
	}
	target := blocks[w.size(uint64(len(blocks)), f, 0)]
	b.trouble.damaged = true
	switch f.How {
	case plan.Unreadable:
		b.machine.Unreadable(target)
	case plan.Astray:
		stray := simdisk.Of(simdisk.OpWriteSync, simdisk.OpSync)
		// A commit that went astray is noticed by what follows it. Of the last ones before a process ends nothing tells, and a
		// start can't but take them for writes that were never done: that is more than any journal notices (rule S13), so it
		// does not happen.
		b.machine.Inject(simdisk.Rule{Kinds: stray, Times: 4, Effect: simdisk.Misdirect, Witnessed: true})
	default:
		rots := plan.Rots()
		b.machine.Rot(target, simdisk.Rot(slices.Index(rots[:], f.How)))
	}
	w.trace(func() string { return fmt.Sprintf("damage of %s, block %d", target.Path, target.Block) })
	if f.Flag {
		w.crashSoon(b, false, killTries, f.Down)
	}
}

// mayLose is the budget of rule O3: what the broker holds may be lost if all that was acknowledged is durable, by the bytes
// of their disks, on the others, none of which has lost anything that it does not have again, and all of which are there.
func (w *world) mayLose(b *broker) bool {
	if w.plan.Value("durability") != "fsync" || !w.allComplete() {
		return false
	}
	for _, other := range w.brokers {
		if other == b {
			continue
		}
		if len(other.trouble.lied) > 0 || other.trouble.harmed {
			return false
		}
		held, err := other.durable.Read(other.image(true))
		if err != nil || !w.ledger.Holds(held) {
			return false
		}
	}
	return true
}

// lies says whether the broker's disk has less than it said.
func (b *broker) lies() bool {
	for _, i := range b.trouble.lied {
		if i.Fired > 0 {
			return true
		}
	}
	return false
}

// pastMax is how many snapshots of a disk are kept, and pastEvery how far they are apart.
const (
	pastMax   = 4
	pastEvery = 3 * time.Second
)

// keepPast takes snapshots of the broker's disk, as a virtual machine's host does.
func (w *world) keepPast(b *broker) {
	w.kernel.At(w.kernel.Now().Add(pastEvery), func() {
		if w.healed {
			return
		}
		b.trouble.past = append(b.trouble.past, past{b.machine.Snapshot(), b.trouble.harmed || b.lies()})
		if len(b.trouble.past) > pastMax {
			b.trouble.past = b.trouble.past[1:]
		}
		w.keepPast(b)
	})
}

// rollBack ends the broker's process and gives its machine the disk of some time before.
func (w *world) rollBack(b *broker, f *plan.Fault) {
	kept := len(b.trouble.past)
	if kept == 0 || !b.node.Alive() || !w.mayLose(b) {
		return
	}
	b.crash(true)
	then := b.trouble.past[kept-min(kept, int(f.Number))]
	b.machine.Restore(then.Snapshot)
	b.unclean, b.trouble.harmed = true, then.harmed
	w.startAgain(b, f.Down)
}

// place is what a message about damage must have in it: the file, or the offsets of a log that were found damaged before.
var place = regexp.MustCompile(`offsets \d+ to \d+ of|journal-[^ ]*(segment|checkpoint)|checkpoint|\.log\b|\.index\b|\.timeindex\b|meta\.properties`)

// gaveUp is told that the broker could not start, or that its log directory is offline. It says whether a fault entitles
// it to that, and sees to it that the broker comes back, if it can.
func (b *broker) gaveUp(reason error) bool {
	w := b.world
	// A start needs no room, but for the first one, which makes the log directory (rules J15, A5).
	entitled := b.trouble.damaged || b.trouble.harmed || !b.made && errors.Is(reason, env.ErrNoSpace)
	for _, e := range b.trouble.errors {
		entitled = entitled || e.Fired > e.before
	}
	if !entitled {
		return false
	}
	w.sometimes("broker-gave-up")
	w.trace(func() string { return fmt.Sprintf("broker %d gave up: %v", b.id, reason) })
	life := b.node.Life()
	w.kernel.At(w.kernel.Now(), func() {
		if b.node.Life() != life {
			return
		}
		b.trouble.refused++
		b.crash(false)
		switch {
		case b.trouble.refused < refusalsMax && !(w.healed && b.trouble.damaged && b.trouble.refused >= refusalsHealed):
		case b.trouble.damaged && len(w.brokers) == 1:
			w.sometimes("broker-refused-for-good")
			b.judgeRefusal(reason)
			w.refused = true
			return
		case b.trouble.harmed:
			w.sometimes("broker-got-new-disk")
			b.machine.Restore(simdisk.Snapshot{}) // a new disk, and everything from the others
			b.unclean, b.made, b.trouble.harmed, b.trouble.refused = true, false, false, 0
		}
		w.startAgain(b, time.Duration(w.kernel.Random.Below(uint64(downMax), streamSize, uint64(b.id), b.starts, 1)))
	})
	return true
}

// comeBack starts a broker's process again that gave up with no right to, as an operator would.
func (b *broker) comeBack() {
	w, life := b.world, b.node.Life()
	w.kernel.At(w.kernel.Now(), func() {
		if b.node.Life() == life {
			b.crash(false)
			w.startAgain(b, downMax/2)
		}
	})
}

// refusalsMax is how many times in a row a broker may give up before it is not started again on the same disk.
const refusalsMax = 8

// refusalsHealed is how many tell, when faults have ended, that damage will not go away: a start that can't read a checkpoint
// tries for seconds.
const refusalsHealed = 3

// judgeRefusal sees to it that an operator is told where the damage is.
func (b *broker) judgeRefusal(reason error) {
	if !place.MatchString(reason.Error()) {
		b.world.violate("RefusalNamesPlace", fmt.Sprintf("broker %d gave up and does not say where the damage is: %v", b.id, reason))
	}
}

// healDisk ends what the disk still does to the broker. Damage stays.
func (b *broker) healDisk() {
	b.machine.EndFaults()
	b.machine.Limp(0, 1)
}
