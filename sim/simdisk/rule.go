package simdisk

import (
	"barnabas/core/assert"
	"barnabas/core/env"
	"barnabas/core/task"
)

// Effect is what becomes of an operation that meets a fault.
type Effect uint8

// The effects. Crashing ends the process, or the machine, in the instant the operation would have been done; nobody is
// told of it.
const (
	FailBefore  Effect = iota // it fails and did nothing
	FailPartly                // it fails and did a part, which is drawn; a sync spoils what it should have made durable
	FailAfter                 // it fails and did everything
	Lie                       // of Syncs: it succeeds and made nothing durable
	Misdirect                 // of a read, a direct write or a sync: it succeeds and takes one block for another
	CrashBefore               // it did nothing
	CrashDuring               // it was in progress
	CrashAfter                // it did everything
)

func (e Effect) String() string {
	return [...]string{
		"fails before", "fails partly", "fails after", "lies", "misdirects",
		"crashes before", "crashes during", "crashes after",
	}[e]
}

// Crashes says whether the effect is the end of the process.
func (e Effect) Crashes() bool { return e >= CrashBefore }

func (e Effect) fails() bool { return e <= FailAfter }

// Rule is a fault and which operations meet it. They are matched when they are submitted, in the order of the program.
type Rule struct {
	Kinds Kinds        // which kinds; 0 is all
	Files string       // a pattern as Match takes it: which files
	Class string       // as Class gives it: which files; "" is all
	First uint64       // the number of the first matching operation that meets it; 0 and 1 are the first one
	Times uint64       // how many meet it; 0 is no bound
	OneIn uint64       // each meets it with this chance; 0 and 1 are always
	Until task.Instant // when the rule ends by itself; 0 is never

	// Variant gives other draws to an effect that is partly drawn.
	Variant uint64

	Effect Effect
	Error  error  // of the effects that fail; nil is env.ErrIO
	Crash  Crash  // of the effects that crash
	Onto   string // of Misdirect: a pattern of the files where the wrong block lies; "" is the file itself
	// Witnessed, of Misdirect: a direct write that went astray has not, if its process ends before another one to the same file
	// followed it. A journal can't tell such a write from one that was never issued, whatever it does (rule O3).
	Witnessed bool
	Fault     string // as what it is counted; "" is the row of the fault matrix that fits
}

// Injection is a rule in force on a machine.
type Injection struct {
	Rule
	// Met counts the operations that matched, Fired those on which it took effect: a lie about nothing is none.
	Met, Fired uint64

	number uint64 // among those of the machine
	taken  uint64
	ended  bool
	spares func(*operation) bool // of those that match, which go well nevertheless
}

// End takes the rule back. What has met it is not spared.
func (i *Injection) End() { i.ended = true }

// Inject puts a rule in force, for all processes of the machine. When an operation could meet several, it meets the one
// that was injected first.
func (m *Machine) Inject(r Rule) *Injection {
	assert.That(r.Effect != Lie || r.Kinds.within(Syncs), "only syncs lie")
	assert.That(r.Effect != Misdirect || r.Kinds.within(misdirected), "only reads, direct writes and syncs go astray")
	if r.Effect.fails() && r.Error == nil {
		r.Error = env.ErrIO
	}
	if r.Fault == "" {
		r.Fault = r.row()
	}
	m.injected++
	i := &Injection{Rule: r, number: m.injected}
	m.rules = append(m.rules, i)
	return i
}

const misdirected = 1<<OpReadAt | 1<<OpWriteSync | 1<<OpSync

// row is the row of the fault matrix that the rule belongs to.
func (r *Rule) row() string {
	switch {
	case r.Effect.Crashes():
		return [...]string{"P1", "P2"}[r.Crash]
	case r.Effect == Lie:
		return "D4"
	case r.Effect == Misdirect:
		return "D10"
	case r.Error != env.ErrIO:
		return "D7"
	case r.Kinds.within(Syncs):
		return "D5"
	}
	return "D6"
}

// EndFaults ends every rule and every window, and the noting of sites. Damage that is done stays.
func (m *Machine) EndFaults() {
	m.seen = nil
	for _, i := range m.rules {
		i.End()
	}
	m.rules = nil
	m.fullUntil, m.limpUntil = 0, 0
}

// faultOf returns the rule that an operation meets, or nil.
func (m *Machine) faultOf(o *operation) (meets *Injection) {
	left := m.rules[:0]
	for _, i := range m.rules {
		if i.ended || i.Until > 0 && m.kernel.Now() >= i.Until {
			continue
		}
		left = append(left, i)
		if !i.matches(o) {
			continue
		}
		i.Met++
		if meets == nil && i.takes(m) && (i.spares == nil || !i.spares(o)) {
			i.taken++
			meets = i
		}
	}
	clear(m.rules[len(left):])
	m.rules = left
	return meets
}

func (i *Injection) matches(o *operation) bool {
	return i.Kinds.Has(o.kind) && (i.Class == "" || i.Class == Class(o.name())) && Match(i.Files, o.name())
}

// takes says whether the rule wants the matching operation it has met last.
func (i *Injection) takes(m *Machine) bool {
	if i.Met < i.First || i.Times > 0 && i.taken >= i.Times {
		return false
	}
	return i.OneIn <= 1 || m.kernel.Random.OneIn(i.OneIn, streamFault, m.id, i.number, i.Met)
}

// fired notes that the fault of an operation took effect.
func (m *Machine) fired(i *Injection) {
	i.Fired++
	m.count(i.Fault)
}
