package sim

import (
	"time"
	"unsafe"
)

// plants are the nondeterminisms that the determinism check must notice: each gives a number that a program should not
// depend on. They stand outside core, where the architecture test would refuse them.
func plants() map[string]func() uint64 {
	return map[string]func() uint64{
		"map-range":     rangeOverMap,
		"wall-clock":    func() uint64 { return uint64(time.Now().UnixNano()) },
		"pointer-order": orderOfPointers,
	}
}

// Plants returns the names of the planted nondeterminisms.
func Plants() []string { return []string{"map-range", "pointer-order", "wall-clock"} }

// rangeOverMap returns the first key of a map's walk.
func rangeOverMap() uint64 {
	for k := range map[uint64]bool{1: true, 2: true, 3: true, 4: true, 5: true, 6: true, 7: true, 8: true, 9: true} {
		return k
	}
	return 0
}

// kept keeps what orderOfPointers looks at from standing in one place for ever.
var kept [64]*[128]byte

// orderOfPointers says how the addresses of new objects are ordered, as sorting by pointer would.
func orderOfPointers() (order uint64) {
	for i := range kept {
		kept[i] = new([128]byte)
		order = order*31 + uint64(uintptr(unsafe.Pointer(kept[i]))>>4)
	}
	return order
}
