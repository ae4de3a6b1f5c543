package simdisk

import (
	"slices"

	"barnabas/core/env"
)

// chooser picks among what a crash may leave. Choice 0 is the least effect, the last one the most.
type chooser interface {
	among(n uint64, stream env.Stream, key, turn, which uint64) uint64
	// rarely says yes to what should not happen to every block.
	rarely(stream env.Stream, key, turn, which uint64) bool
	// arrange brings what was in progress into the order in which it takes effect.
	arrange(kind Crash, flight []*operation)
	// scattered says whether one of the units of a direct write is new, when any may be.
	scattered(m *Machine, o *operation, unit, units uint64) bool
	// garbage returns how many units of a direct write are garbage, from 1 to most.
	garbage(m *Machine, o *operation, most uint64) uint64
}

// keyed draws the choices of a run. Some crashes lose everything, some nothing, since both are rare otherwise.
type keyed struct {
	random env.Random
	id     uint64
	mood   uint64
}

const (
	moodLose = iota
	moodKeep
	moods = 8
)

func (m *Machine) keyed() chooser {
	return keyed{m.kernel.Random, m.id, m.kernel.Random.Below(moods, streamMood, m.id, m.issued)}
}

func (k keyed) among(n uint64, stream env.Stream, key, turn, which uint64) uint64 {
	if stream == streamPage || stream == streamLength || stream == streamName {
		switch k.mood {
		case moodLose:
			return 0
		case moodKeep:
			return n - 1
		}
	}
	return k.random.Below(n, stream, k.id, key, turn, which)
}

func (k keyed) rarely(stream env.Stream, key, turn, which uint64) bool {
	return k.random.OneIn(6, stream, k.id, key, turn, which, 1)
}

func (k keyed) arrange(kind Crash, flight []*operation) { maybeReverse(k, kind, flight) }

func maybeReverse(c chooser, kind Crash, flight []*operation) {
	if kind == PowerLoss && len(flight) > 1 && c.among(2, streamInterrupted, flight[0].key, flight[0].turn, 1) == 1 {
		slices.Reverse(flight)
	}
}

func (keyed) scattered(m *Machine, o *operation, unit, _ uint64) bool {
	return drawScattered(m, o, unit)
}

func (keyed) garbage(m *Machine, o *operation, most uint64) uint64 { return drawGarbage(m, o, most) }

func drawScattered(m *Machine, o *operation, unit uint64) bool {
	return m.kernel.Random.OneIn(2, streamTear, m.id, o.key, o.turn, 3, unit)
}

func drawGarbage(m *Machine, o *operation, most uint64) uint64 {
	return 1 + m.kernel.Random.Below(most, streamGarbage, m.id, o.key, o.turn)
}

// odometer makes the same choices in every combination, one a run. What needs too many, it draws.
type odometer struct {
	choices, counts []uint64
	at              int
}

func (o *odometer) among(n uint64, _ env.Stream, _, _, _ uint64) uint64 {
	if n <= 1 {
		return 0
	}
	if o.at == len(o.choices) {
		o.choices, o.counts = append(o.choices, 0), append(o.counts, n)
	}
	o.at++
	return o.choices[o.at-1]
}

func (o *odometer) rarely(stream env.Stream, key, turn, which uint64) bool {
	return o.among(2, stream, key, turn, which) == 1
}

func (o *odometer) arrange(kind Crash, flight []*operation) { maybeReverse(o, kind, flight) }

func (*odometer) scattered(m *Machine, w *operation, unit, _ uint64) bool {
	return drawScattered(m, w, unit)
}

func (*odometer) garbage(m *Machine, w *operation, most uint64) uint64 {
	return drawGarbage(m, w, most)
}

// next moves on to the next combination and says whether there is one.
func (o *odometer) next() bool {
	last := o.at - 1
	for last >= 0 && o.choices[last]+1 == o.counts[last] {
		last--
	}
	o.choices, o.counts, o.at = o.choices[:last+1], o.counts[:last+1], 0
	if last < 0 {
		return false
	}
	o.choices[last]++
	return true
}

// CrashStates calls visit with every different state that a crash now may leave, each on a machine of its own that no
// process uses yet. When that takes more than limit combinations it visits what limit keyed samples give, and says that
// it is not complete. The machine itself does not change.
func (m *Machine) CrashStates(kind Crash, limit int, visit func(*Machine)) (states int, complete bool) {
	m.settle()
	seen := map[uint64]bool{}
	look := func(c chooser) {
		left := m.Clone()
		left.crash(kind, c)
		if h := left.Hash(); !seen[h] {
			seen[h] = true
			visit(left)
		}
	}
	if m.combinations(kind, limit) <= limit {
		for o := (&odometer{}); ; {
			look(o)
			if !o.next() {
				return len(seen), true
			}
		}
	}
	for i := range uint64(limit) {
		look(keyed{m.kernel.Random.Sub(streamSample, i), m.id, i % moods})
	}
	return len(seen), false
}

// combinations counts the combinations of choices, up to one more than limit.
func (m *Machine) combinations(kind Crash, limit int) int {
	o := &odometer{}
	for count := 1; ; count++ {
		m.Clone().crash(kind, o)
		if count > limit || !o.next() {
			return count
		}
	}
}
