package simdisk

import (
	"bytes"
	"slices"
	"unsafe"

	"barnabas/core/assert"
	"barnabas/core/env"
)

// poison fills memory that nobody may use.
const poison = 0xDB

var poisoned = bytes.Repeat([]byte{poison}, env.BlockBytes)

func fill(p []byte) {
	for len(p) > 0 {
		p = p[copy(p, poisoned):]
	}
}

// buffer is one piece of memory from Buffer.
type buffer struct {
	memory []byte
	base   uintptr
	used   bool
	owners int // operations in progress that own a part of it
}

// buffers keeps the memory of one process and stops the run when it is used wrongly: freed twice, freed while an
// operation owns it, written after it was freed, or not from here.
type buffers struct {
	machine *Machine
	all     []*buffer // by address
	free    []*buffer
}

// take returns memory of at least size bytes, whose content nobody may count on.
func (b *buffers) take(size int, alive bool) []byte {
	size = max(int(blocks(int64(size))), env.BlockBytes)
	if !alive {
		return aligned(size) // of a dead process: nobody looks at it
	}
	if got := takeFit(&b.free, size); got != nil {
		assert.That(isPoisoned(got.memory), "nobody writes to a freed buffer")
		got.used = true
		return got.memory
	}
	got := takeFit(&b.machine.buffers, size)
	if got == nil {
		memory := aligned(size)
		got = &buffer{memory: memory, base: address(memory)}
	}
	at, _ := slices.BinarySearchFunc(b.all, got.base, compareBase)
	b.all = slices.Insert(b.all, at, got)
	got.used = true
	fill(got.memory)
	return got.memory
}

// takeFit takes the last buffer of exactly the size out of a list, or returns nil.
func takeFit(list *[]*buffer, size int) *buffer {
	for i := len(*list) - 1; i >= 0; i-- {
		if u := (*list)[i]; len(u.memory) == size {
			*list = slices.Delete(*list, i, i+1)
			return u
		}
	}
	return nil
}

// give takes memory back and poisons it.
func (b *buffers) give(p []byte) {
	u := b.find(p)
	assert.That(u != nil && u.base == address(p) && len(u.memory) == cap(p), "only a whole buffer is freed")
	assert.That(u.used, "a buffer is freed once")
	assert.That(u.owners == 0, "no operation owns a buffer that is freed")
	u.used = false
	fill(u.memory)
	b.free = append(b.free, u)
}

// find returns the buffer that p is part of, or nil.
func (b *buffers) find(p []byte) *buffer {
	if cap(p) == 0 {
		return nil
	}
	base := address(p)
	at, found := slices.BinarySearchFunc(b.all, base, compareBase)
	if !found {
		at--
	}
	if at < 0 || base >= b.all[at].base+uintptr(len(b.all[at].memory)) {
		return nil
	}
	return b.all[at]
}

// holds says whether p is aligned memory in use from here.
func (b *buffers) holds(p []byte) bool {
	if len(p) == 0 {
		return true
	}
	u := b.find(p)
	return u != nil && u.used && (address(p)-u.base)%env.BlockBytes == 0
}

// own notes that an operation owns its memory, which matters when that is a buffer.
func (b *buffers) own(o *operation) {
	if len(o.memory) > 0 {
		if u := b.find(o.memory); u != nil {
			u.owners++
		}
	}
}

func (b *buffers) release(o *operation) {
	if len(o.memory) > 0 {
		if u := b.find(o.memory); u != nil {
			u.owners--
		}
	}
}

// abandon gives the machine all memory of a dead process.
func (b *buffers) abandon() {
	for _, u := range b.all {
		u.used, u.owners = false, 0
		if len(b.machine.buffers) < 256 {
			b.machine.buffers = append(b.machine.buffers, u)
		}
	}
	b.all, b.free = nil, nil
}

func isPoisoned(p []byte) bool {
	for at := 0; at < len(p); at += env.BlockBytes {
		if !bytes.Equal(p[at:at+env.BlockBytes], poisoned) {
			return false
		}
	}
	return true
}

// aligned returns memory aligned to a block. The allocator aligns such sizes already; should it ever not, the piece is
// cut out of a larger one.
func aligned(size int) []byte {
	p := make([]byte, size)
	if address(p)%env.BlockBytes != 0 {
		p = make([]byte, size+env.BlockBytes)
		skip := env.BlockBytes - int(address(p)%env.BlockBytes)
		p = p[skip : skip+size : skip+size]
	}
	return p
}

// address is only compared, so that no run depends on where memory lies.
func address(p []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(p))) }

func compareBase(u *buffer, base uintptr) int {
	switch {
	case u.base < base:
		return -1
	case u.base > base:
		return 1
	}
	return 0
}
