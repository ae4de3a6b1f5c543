package simdisk

import (
	"encoding/binary"

	"barnabas/core/env"
)

// sectorBytes is what a device writes whole.
const sectorBytes = 512

const sectors = env.BlockBytes / sectorBytes

// The shapes of a torn write.
const (
	tornNothing = iota
	tornWhole
	tornPrefix
	tornSuffix
	tornSubset
	tornGarbage
)

// tear leaves some of a direct write that was in progress when the power went (D3), and says whether that is neither
// all nor nothing.
func (m *Machine) tear(o *operation, c chooser) bool {
	unit, shapes := sectorBytes, uint64(tornSubset+1)
	switch m.profile.Strictness {
	case Ordered:
		unit = env.BlockBytes
	case Adversarial:
		shapes = tornGarbage + 1
	}
	units := len(o.blocks) * env.BlockBytes / unit
	if units == 1 {
		shapes = tornWhole + 1
	}
	shape := c.among(shapes, streamTear, o.key, o.turn, 0)
	t := m.shapeTear(o, shape, uint64(units), c)
	end := o.offset + int64(len(o.blocks))*env.BlockBytes
	if end > o.file.size {
		grown := shape == tornWhole
		if m.profile.Strictness != Ordered {
			grown = c.among(2, streamTear, o.key, o.turn, 2) == 1
		}
		if grown {
			o.file.size, o.file.stable = end, end
		}
	}
	for i := range o.blocks {
		if start := o.offset + int64(i)*env.BlockBytes; start < o.file.size {
			m.tearBlock(o, i, unit, t, c)
		}
	}
	m.trim(o.file)
	return shape != tornNothing && shape != tornWhole
}

// torn says which units of a write are new, and which are garbage.
type torn struct {
	shape, units uint64
	cut          uint64 // prefix and garbage: units before it are new; suffix: units from it
	garbageUntil uint64
}

func (m *Machine) shapeTear(o *operation, shape, units uint64, c chooser) torn {
	t := torn{shape: shape, units: units}
	switch shape {
	case tornPrefix, tornSuffix:
		t.cut = 1 + c.among(units-1, streamTear, o.key, o.turn, 1)
	case tornGarbage:
		t.cut = c.among(units, streamTear, o.key, o.turn, 1)
		t.garbageUntil = t.cut + c.garbage(m, o, units-t.cut)
	}
	return t
}

// fate says what became of a unit: old, new or garbage.
func (m *Machine) fate(t torn, o *operation, unit uint64, c chooser) (isNew, garbage bool) {
	switch t.shape {
	case tornWhole:
		return true, false
	case tornPrefix:
		return unit < t.cut, false
	case tornSuffix:
		return unit >= t.cut, false
	case tornSubset:
		return c.scattered(m, o, unit, t.units), false
	case tornGarbage:
		return unit < t.cut, unit >= t.cut && unit < t.garbageUntil
	}
	return false, false
}

func (m *Machine) tearBlock(o *operation, i, unit int, t torn, c chooser) {
	block := int(o.offset/env.BlockBytes) + i
	left, fresh := o.file.block(block).whole(), o.blocks[i].whole()
	for at := 0; at < env.BlockBytes; at += unit {
		number := uint64((i*env.BlockBytes + at) / unit)
		isNew, garbage := m.fate(t, o, number, c)
		if isNew {
			copy(left[at:at+unit], fresh[at:])
		}
		if garbage {
			m.garble(left[at:at+unit], o.key, o.turn, number)
		}
	}
	m.putStable(o.file, block, m.newPage(left[:]))
}

// garble fills p with noise.
func (m *Machine) garble(p []byte, key, turn, which uint64) {
	for at := 0; at < len(p); at += 8 {
		binary.LittleEndian.PutUint64(p[at:], m.kernel.Random.Uint64(streamGarbage, m.id, key, turn, which, uint64(at)))
	}
}
