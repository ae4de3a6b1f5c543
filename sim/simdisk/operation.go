package simdisk

import (
	"bytes"
	"errors"
	"fmt"

	"barnabas/core/assert"
	"barnabas/core/env"
	"barnabas/core/task"
)

// operation is one request to the disk on its way. It is the input that tells the process, too.
type operation struct {
	disk   *Disk
	kind   Kind
	number uint64 // among all of the machine
	key    uint64 // of its file, or of its path
	turn   uint64 // among those of its key
	mark   uint64 // the machine's clock when it was submitted: what a sync covers
	due    task.Instant
	fault  *Injection // what it meets, or nil

	file   *inode
	path   string
	to     string
	mode   env.OpenMode
	offset int64
	memory []byte  // the caller's, owned until completion
	copied []byte  // its bytes at submission, for buffered writes
	blocks []*page // its bytes at submission, for direct ones

	done     *task.Pending[task.Done]
	number64 *task.Pending[int64]
	count    *task.Pending[int]
	names    *task.Pending[[]string]
	opened   *task.Pending[env.File]

	err     error
	result  int64
	listing []string
	handle  *File
}

// bytes returns how many bytes the operation moves.
func (o *operation) bytes() int { return len(o.memory) }

// payload is the operation in the digest.
func (o *operation) payload() uint64 {
	return o.key ^ o.turn*0x9e3779b97f4a7c15 ^ uint64(o.kind)<<56 ^ uint64(o.offset)<<20 ^ uint64(len(o.memory))
}

// What describes the operation that is done.
func (o *operation) What() string {
	text := o.kind.String() + " " + o.name()
	if len(o.memory) > 0 {
		text += fmt.Sprintf(" %d bytes at %d", len(o.memory), o.offset)
	}
	if o.fault != nil {
		text += ", with a fault that " + o.fault.Effect.String()
	}
	return text
}

// Happen tells the process.
func (o *operation) Happen() {
	d := o.disk
	m := d.machine
	if !d.alive() {
		return
	}
	m.settle()
	m.kernel.Note(uint64(o.result)<<8 | errorClass(o.err))
	if o.err != nil {
		o.err = fmt.Errorf("%s %s: %w", o.kind, o.name(), o.err)
	}
	switch o.kind {
	case OpOpen:
		o.tellOpened()
	case OpList:
		o.names.Complete(o.listing, o.err)
	case OpSize:
		o.number64.Complete(o.result, o.err)
	case OpReadAt:
		o.count.Complete(int(o.result), o.err)
	default:
		o.done.Complete(task.Done{}, o.err)
	}
	m.retire(o)
}

func (o *operation) tellOpened() {
	if o.err != nil {
		o.opened.Complete(nil, o.err)
		return
	}
	o.opened.Complete(o.handle, nil)
}

// name is what the operation's errors call its file.
func (o *operation) name() string {
	if o.handle != nil {
		return o.handle.path
	}
	return o.path
}

var classes = []error{
	env.ErrNotExist, env.ErrExist, env.ErrLocked, env.ErrNoSpace, env.ErrIO, env.ErrReadOnly, env.ErrTooManyFiles,
}

// errorClass numbers the errors for the digest.
func errorClass(err error) uint64 {
	if err == nil {
		return 0
	}
	for i, class := range classes {
		if errors.Is(err, class) {
			return uint64(i) + 1
		}
	}
	return 99
}

// apply lets an operation take effect.
func (m *Machine) apply(o *operation) {
	m.clock++
	if o.kind == OpWriteAt || o.kind == OpWriteSync {
		o.checkOwnership()
	}
	if o.fault != nil {
		m.meet(o)
	} else {
		m.perform(o)
		if len(m.strays) > 0 && o.kind == OpWriteSync && o.err == nil {
			m.witnessed(o)
		}
	}
	o.disk.buffers.release(o)
}

// perform has the effect that the operation is there for.
func (m *Machine) perform(o *operation) {
	switch o.kind {
	case OpSize:
		o.result = o.file.size
	case OpReadAt:
		o.result, o.err = m.read(o.file, o.memory, o.offset)
	case OpWriteAt:
		o.err = m.write(o.file, o.copied, o.offset, o.turn)
	case OpWriteSync:
		if o.err = m.writeSync(o); o.err == nil {
			m.noteWritten(o)
		}
	case OpTruncate:
		o.err = m.truncate(o.file, o.offset, o.turn)
	case OpSync:
		m.Syncs++
		m.sync(o.file, o.mark)
	default:
		m.applyToTree(o)
	}
}

// checkOwnership stops the run when the caller changed bytes that a write owned: a device may read them at any time.
func (o *operation) checkOwnership() {
	if o.disk.dead {
		return
	}
	if o.kind == OpWriteAt {
		assert.That(bytes.Equal(o.copied, o.memory), "a write owns its bytes until it completes")
		return
	}
	for i, p := range o.blocks {
		block := o.memory[i*env.BlockBytes:][:env.BlockBytes]
		assert.That(p.equal(block), "a write owns its bytes until it completes")
	}
}

// newOperation returns an operation of the disk, from the free list if there is one.
func (m *Machine) newOperation(d *Disk, kind Kind) *operation {
	var o *operation
	if last := len(m.retired) - 1; last >= 0 {
		o = m.retired[last]
		m.retired = m.retired[:last]
	} else {
		o = &operation{}
	}
	o.disk, o.kind = d, kind
	return o
}

// retire keeps an operation for reuse. Requires: it was delivered.
func (m *Machine) retire(o *operation) {
	copied, list := o.copied[:0], o.blocks[:0]
	if cap(copied) > 1<<20 {
		copied = nil
	}
	*o = operation{copied: copied, blocks: list}
	m.retired = append(m.retired, o)
}
