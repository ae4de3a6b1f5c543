package simdisk

import (
	"barnabas/core/assert"
	"barnabas/core/env"
	"barnabas/core/task"
	"barnabas/sim/kernel"
)

// Disk is what one process sees of a machine's disk. Once the process is dead its operations are never submitted and
// never complete.
type Disk struct {
	machine *Machine
	life    int
	loop    *task.Loop
	dead    bool
	buffers buffers
}

func (d *Disk) alive() bool {
	return !d.dead && d.machine.node.Alive() && d.life == d.machine.node.Life()
}

// onPath returns a new operation on a path.
func (d *Disk) onPath(kind Kind, path string) *operation {
	o := d.machine.newOperation(d, kind)
	o.path = path
	o.key = kernel.HashBytes([]byte(path))
	d.machine.ownMaps()
	d.machine.turns[path]++
	o.turn = d.machine.turns[path]
	return o
}

// start submits an operation that only succeeds or fails.
func (d *Disk) start(o *operation) *task.Pending[task.Done] {
	o.done = task.NewPending[task.Done](d.loop)
	outcome := o.done
	d.submit(o)
	return outcome
}

// submit hands the operation to the machine unless the process is dead.
func (d *Disk) submit(o *operation) {
	if d.alive() {
		d.machine.settle()
		d.machine.submit(o)
	}
}

// Open opens the file at path.
func (d *Disk) Open(path string, mode env.OpenMode) *task.Pending[env.File] {
	o := d.onPath(OpOpen, path)
	o.mode = mode
	outcome := task.NewPending[env.File](d.loop)
	o.opened = outcome
	d.submit(o)
	return outcome
}

// List returns the names in a folder.
func (d *Disk) List(folder string) *task.Pending[[]string] {
	o := d.onPath(OpList, folder)
	outcome := task.NewPending[[]string](d.loop)
	o.names = outcome
	d.submit(o)
	return outcome
}

// MakeFolder makes the folder and its parents.
func (d *Disk) MakeFolder(folder string) *task.Pending[task.Done] {
	return d.start(d.onPath(OpMakeFolder, folder))
}

// Rename gives a file or folder another name.
func (d *Disk) Rename(from, to string) *task.Pending[task.Done] {
	o := d.onPath(OpRename, from)
	o.to = to
	return d.start(o)
}

// Remove removes a file or an empty folder.
func (d *Disk) Remove(path string) *task.Pending[task.Done] { return d.start(d.onPath(OpRemove, path)) }

// SyncDir makes the names in a folder stable.
func (d *Disk) SyncDir(folder string) *task.Pending[task.Done] {
	return d.start(d.onPath(OpSyncDir, folder))
}

// Lock takes the lock file at path, or the one in the folder at path.
func (d *Disk) Lock(path string) *task.Pending[task.Done] { return d.start(d.onPath(OpLock, path)) }

// Buffer returns zeroed memory.
func (d *Disk) Buffer(size int) []byte { return d.buffers.take(size, d.alive()) }

// FreeBuffer takes memory back.
func (d *Disk) FreeBuffer(p []byte) {
	if d.alive() {
		d.buffers.give(p)
	}
}

// Describe says that the disk is simulated.
func (d *Disk) Describe() env.DiskDescription {
	return env.DiskDescription{FileSystem: "simulated", Backend: "simulated", Write: "simulated", Durable: true}
}

// File is a file a process has open.
type File struct {
	disk   *Disk
	inode  *inode
	path   string
	closed bool
}

// onFile returns a new operation on the file.
func (f *File) onFile(kind Kind, memory []byte, offset int64) *operation {
	assert.That(!f.closed || !f.disk.alive(), "a closed file is not used")
	assert.That(offset >= 0, "offsets are not negative")
	o := f.disk.machine.newOperation(f.disk, kind)
	o.file, o.handle, o.key, o.turn = f.inode, f, f.inode.key, f.inode.next()
	o.memory, o.offset = memory, offset
	f.disk.buffers.own(o)
	return o
}

// Size returns the present length.
func (f *File) Size() *task.Pending[int64] {
	o := f.onFile(OpSize, nil, 0)
	outcome := task.NewPending[int64](f.disk.loop)
	o.number64 = outcome
	f.disk.submit(o)
	return outcome
}

// ReadAt reads at offset. Until it completes, p is overwritten with poison.
func (f *File) ReadAt(p []byte, offset int64) *task.Pending[int] {
	o := f.onFile(OpReadAt, p, offset)
	outcome := task.NewPending[int](f.disk.loop)
	o.count = outcome
	if f.disk.alive() {
		fill(p)
	}
	f.disk.submit(o)
	return outcome
}

// WriteAt writes into the page cache.
func (f *File) WriteAt(p []byte, offset int64) *task.Pending[task.Done] {
	o := f.onFile(OpWriteAt, p, offset)
	o.copied = append(o.copied[:0], p...)
	return f.disk.start(o)
}

// WriteCached writes into the page cache, as WriteAt always does here.
func (f *File) WriteCached(p []byte, offset int64) *task.Pending[task.Done] {
	return f.WriteAt(p, offset)
}

// WriteSync writes to the device.
func (f *File) WriteSync(p []byte, offset int64) *task.Pending[task.Done] {
	assert.That(len(p)%env.BlockBytes == 0 && offset%env.BlockBytes == 0, "direct writes are whole blocks")
	o := f.onFile(OpWriteSync, p, offset)
	if f.disk.alive() {
		assert.That(f.disk.buffers.holds(p), "direct writes come from Buffer")
		for at := 0; at < len(p); at += env.BlockBytes {
			o.blocks = append(o.blocks, f.disk.machine.newPage(p[at:at+env.BlockBytes]))
		}
	}
	return f.disk.start(o)
}

// Truncate sets the length.
func (f *File) Truncate(size int64) *task.Pending[task.Done] {
	return f.disk.start(f.onFile(OpTruncate, nil, size))
}

// Sync makes completed writes and the length stable.
func (f *File) Sync() *task.Pending[task.Done] { return f.disk.start(f.onFile(OpSync, nil, 0)) }

// Close gives the file up. Operations in progress complete.
func (f *File) Close() {
	if f.closed || !f.disk.alive() {
		return
	}
	f.closed = true
	f.inode.opens--
	f.disk.machine.release(f.inode)
}
