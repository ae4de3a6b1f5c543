package simdisk

import (
	"slices"

	"barnabas/sim/kernel"
)

// Exploration says how to crash a machine wherever its state changes, in every way its Strictness allows.
type Exploration struct {
	// Kinds are the ways to crash; none is both.
	Kinds []Crash
	// CombinationsMax bounds the choices tried of one moment and one kind. Where there are more, as many samples are
	// tried too. 0 is 1<<16.
	CombinationsMax int
	// Promised, if set, returns a number that changes whenever more must survive. A state is judged again for it.
	Promised func() uint64
	// Judge says what is wrong with a state. It has a machine of its own that no process uses yet, attached to the old
	// world. It may explore it in turn, which is how a recovery is crashed.
	Judge func(left *Machine, kind Crash) error
	// Seen holds the states judged before; explorations that share it judge none twice. Nil is a new one.
	Seen map[uint64]bool
}

// Explored is what an exploration did.
type Explored struct {
	Moments      int // at which the state was another one
	Combinations int // of choices, tried
	States       int // judged
	Incomplete   int // moments and kinds that had more combinations than were tried
	Wrong        []error
}

// Explore calls run, which has the machine's world go on, and crashes a copy of the machine at every moment: after every
// operation the device is done with, and after every step of the machine's process. The first state that is wrong
// ends the exploration, not the run. The machine forgets no version of a block or a length from now on.
func (m *Machine) Explore(e Exploration, run func()) Explored {
	x := explorer{Exploration: e, machine: m, last: moment{clock: ^uint64(0)}}
	if x.Kinds == nil {
		x.Kinds = []Crash{ProcessDeath, PowerLoss}
	}
	if x.CombinationsMax == 0 {
		x.CombinationsMax = 1 << 16
	}
	if x.Seen == nil {
		x.Seen = map[uint64]bool{}
	}
	m.exhaustive, m.applied = true, x.look
	k, node, after := m.kernel, m.node, m.kernel.AfterStep
	k.AfterStep = func(n *kernel.Node) {
		if after != nil {
			after(n)
		}
		if n == node {
			x.look()
		}
	}
	x.look()
	run()
	m.settle()
	x.look()
	k.AfterStep, m.applied = after, nil
	return x.done
}

// explorer is an exploration under way.
type explorer struct {
	Exploration
	machine *Machine
	last    moment
	done    Explored
}

// moment is what tells the states of one machine apart, as time goes on.
type moment struct {
	clock, issued, promised uint64
	flight                  int
}

// look crashes the machine now, if it is not as it was.
func (x *explorer) look() {
	m := x.machine
	now := moment{clock: m.clock, issued: m.issued, flight: m.inFlight()}
	if x.Promised != nil {
		now.promised = x.Promised()
	}
	if now == x.last || len(x.done.Wrong) > 0 {
		return
	}
	x.last = now
	x.done.Moments++
	for _, kind := range x.Kinds {
		x.crash(kind)
	}
}

// crash tries all combinations of choices, or as many as may be and samples.
func (x *explorer) crash(kind Crash) {
	m, every := x.machine, &every{}
	tried := 0
	for tried < x.CombinationsMax {
		tried++
		x.judge(kind, every)
		if len(x.done.Wrong) > 0 {
			return
		}
		if !every.next() {
			if every.partial {
				x.done.Incomplete++
			}
			return
		}
	}
	x.done.Incomplete++
	for i := range uint64(x.CombinationsMax) {
		x.judge(kind, keyed{m.kernel.Random.Sub(streamSample, i), m.id, i % moods})
	}
}

// judge has one state judged, if it is new.
func (x *explorer) judge(kind Crash, c chooser) {
	x.done.Combinations++
	left := x.machine.Clone()
	left.crash(kind, c)
	h := fold(fold(left.fingerprint(), x.last.promised), uint64(kind))
	if x.Seen[h] || len(x.done.Wrong) > 0 {
		return
	}
	x.Seen[h] = true
	x.done.States++
	left.exhaustive = false
	if err := x.Judge(left, kind); err != nil {
		x.done.Wrong = append(x.done.Wrong, err)
	}
}

// every is an odometer that also takes every subset of the sectors of a torn write, and every order of what was in
// progress. Where that is too much it is partial.
type every struct {
	odometer
	partial bool
}

const (
	scatteredMax = 8 // units of a write whose subsets are taken
	arrangedMax  = 4 // operations whose orders are taken
)

func (e *every) scattered(m *Machine, o *operation, unit, units uint64) bool {
	if units > scatteredMax {
		e.partial = true
		return drawScattered(m, o, unit)
	}
	return e.among(2, streamTear, o.key, o.turn, unit) == 1
}

func (e *every) garbage(_ *Machine, o *operation, most uint64) uint64 {
	return 1 + e.among(most, streamGarbage, o.key, o.turn, 0)
}

// arrange takes every order of the operations whose effects may depend on it.
func (e *every) arrange(kind Crash, flight []*operation) {
	var places []int
	for i, o := range flight {
		if orderMatters.Has(o.kind) {
			places = append(places, i)
		}
	}
	if len(places) > arrangedMax {
		e.partial = true
		maybeReverse(e, kind, flight)
		return
	}
	for i := range places {
		j := i + int(e.among(uint64(len(places)-i), streamInterrupted, 0, 0, uint64(i)))
		flight[places[i]], flight[places[j]] = flight[places[j]], flight[places[i]]
	}
}

const orderMatters Kinds = 1<<OpOpen | 1<<OpMakeFolder | 1<<OpRename | 1<<OpRemove | 1<<OpWriteAt | 1<<OpTruncate

// fingerprint is a hash of everything that a later crash may bring to light: Hash leaves out history.
func (m *Machine) fingerprint() uint64 {
	h := m.root.fingerprint()
	for _, c := range m.changes {
		h = fold(fold(h, kernel.HashBytes([]byte(c.name))), c.folder.key)
		if c.to != nil {
			h = fold(h, c.to.key)
		}
	}
	return h
}

func (f *inode) fingerprint() uint64 {
	h := f.hash()
	h = f.names.fingerprint(h)
	if !slices.Equal(f.names.entries, f.stableNames.entries) {
		h = f.stableNames.fingerprint(h)
	}
	for _, l := range f.sizes {
		h = fold(h, uint64(l.size))
	}
	for _, block := range f.dirty {
		if d := f.slots[block].dirty; d != nil {
			for _, v := range d.versions {
				h = fold(h, uint64(v.page.checksum())<<1|1)
			}
		}
	}
	return h
}

func (n *names) fingerprint(h uint64) uint64 {
	h = fold(h, uint64(n.Len()))
	for _, e := range n.entries {
		h = fold(fold(h, kernel.HashBytes([]byte(e.name))), e.inode.fingerprint())
	}
	return h
}
