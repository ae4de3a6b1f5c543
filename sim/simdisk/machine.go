package simdisk

import (
	"maps"

	"barnabas/core/assert"
	"barnabas/core/env"
	"barnabas/core/task"
	"barnabas/sim/kernel"
)

// Machine is the disk of one machine of the world. It stays when processes die.
type Machine struct {
	// Counted, if set, is called when a fault took effect, with the row of the fault matrix: "D1" to "D13".
	Counted func(kind string)
	// OnCrash, if set, ends the process, or all of the machine, when a rule says so: it calls ProcessDied or PowerLost and
	// kills the node. Without it the machine does just that.
	OnCrash func(Crash)
	// Statistics of the whole life of the machine.
	Operations, Syncs, BytesWritten uint64

	kernel  *kernel.Kernel
	node    *kernel.Node
	id      uint64
	profile Profile

	root   *inode
	births map[string]uint64 // how often a path was created, so that a file's key does not depend on other files
	turns  map[string]uint64 // operations on each path
	// ownsMaps is false when a clone has the two maps too, and neither may change them.
	ownsMaps bool
	changes  []change // of names, not yet stable, in the order they were made
	round    uint64   // counts visits of all inodes
	clock    uint64   // counts effects; versions and changes carry it
	used     int64

	disks    []*Disk // of the present incarnation
	locks    []*inode
	flight   []*operation // in progress, by due time; those before flightAt are settled
	flightAt int
	issued   uint64
	latest   uint64 // the highest number among settled operations

	limpUntil   task.Instant
	limpFactor  int64
	limpCounted bool

	took      map[string]uint64 // faults that took effect
	rules     []*Injection
	injected  uint64 // rules, ever
	fullUntil task.Instant
	fullBytes int64 // that may be used until then
	rots      uint64
	written   [4]Written // the last direct writes that succeeded, the newest first
	lostNames []Damage
	strays    []stray
	hasClean  bool // some changes of names are marked clean

	seen  map[Site]uint64 // if sites are noted
	sites []Site

	exhaustive bool   // no history is bounded
	applied    func() // called after each operation that took effect

	pages   [len(pageRooms)][]*page // free
	retired []*operation            // free
	buffers []*buffer               // of dead incarnations, free
}

// New returns an empty disk for the node's processes.
func New(k *kernel.Kernel, node *kernel.Node, profile Profile) *Machine {
	m := &Machine{profile: profile, births: map[string]uint64{}, turns: map[string]uint64{}, ownsMaps: true}
	m.root = m.newFolder("")
	m.Attach(k, node)
	return m
}

// Attach gives the machine to another node, which may be of another world. Requires: no process uses it.
func (m *Machine) Attach(k *kernel.Kernel, node *kernel.Node) {
	assert.That(m.inFlight() == 0, "a machine in use stays where it is")
	m.kernel, m.node, m.id = k, node, uint64(node.ID)
}

// Disk returns the disk as a process of the incarnation sees it. Two of one incarnation are two processes of the
// machine: they share files, not locks or buffers.
func (m *Machine) Disk(life int) *Disk {
	assert.That(m.node.Alive() && life == m.node.Life(), "only a living process has a disk")
	if len(m.disks) > 0 && m.disks[0].life != life {
		m.ProcessDied() // nobody said how the last one ended
	}
	d := &Disk{machine: m, life: life, loop: m.node.Loop()}
	d.buffers.machine = m
	m.disks = append(m.disks, d)
	return d
}

// ownMaps copies the maps that a clone has too. Call it before every change of them.
func (m *Machine) ownMaps() {
	if !m.ownsMaps {
		m.births, m.turns, m.ownsMaps = maps.Clone(m.births), maps.Clone(m.turns), true
	}
}

// Profile returns how fast and strict the disk is.
func (m *Machine) Profile() Profile { return m.profile }

// SetCapacity changes what fits; 0 is no bound (fault D7).
func (m *Machine) SetCapacity(bytes int64) { m.profile.Capacity = bytes }

// Used returns the bytes files take, in whole blocks, holes included.
func (m *Machine) Used() int64 {
	m.settle()
	return m.used
}

// Limp makes operations submitted before until so many times slower (fault D1).
func (m *Machine) Limp(until task.Instant, factor int64) {
	m.limpUntil, m.limpFactor, m.limpCounted = until, max(factor, 1), false
}

// countLimp counts a window once, when it first slowed something.
func (m *Machine) countLimp() {
	if !m.limpCounted {
		m.limpCounted = true
		m.count("D1")
	}
}

// Took returns how often a fault took effect on the machine, by its row of the fault matrix.
func (m *Machine) Took(fault string) uint64 { return m.took[fault] }

func (m *Machine) count(kind string) {
	if m.took == nil {
		m.took = map[string]uint64{}
	}
	m.took[kind]++
	if m.Counted != nil {
		m.Counted(kind)
	}
}

// InFlight returns how many operations are in progress: a crash now is worth more than a crash of an idle disk.
func (m *Machine) InFlight() int {
	m.settle()
	return m.inFlight()
}

func (m *Machine) inFlight() int { return len(m.flight) - m.flightAt }

// submit starts an operation: it will be settled at its due time, and the process told.
func (m *Machine) submit(o *operation) {
	m.issued++
	m.Operations++
	o.number = m.issued
	o.mark = m.clock
	if m.seen != nil {
		m.noteSite(o)
	}
	if len(m.rules) > 0 {
		o.fault = m.faultOf(o)
	}
	now := m.kernel.Now()
	o.due = now.Add(m.latency(o))
	m.flight = append(m.flight, o)
	for i := len(m.flight) - 1; i > m.flightAt && m.flight[i-1].due > o.due; i-- {
		m.flight[i-1], m.flight[i] = m.flight[i], m.flight[i-1]
	}
	if o.fault != nil && o.fault.Effect.Crashes() {
		m.stopWith(o)
		return
	}
	m.node.Deliver(o.due, kernel.KindDisk, true, o.payload(), o)
}

// settle lets what the device has done by now take effect, in the order it was done.
func (m *Machine) settle() {
	if m.kernel == nil {
		return
	}
	now := m.kernel.Now()
	for m.flightAt < len(m.flight) && m.flight[m.flightAt].due <= now {
		o := m.flight[m.flightAt]
		if o.fault != nil && o.fault.Effect == CrashDuring {
			break
		}
		m.flight[m.flightAt] = nil
		m.flightAt++
		if o.number < m.latest {
			m.count("D11")
		}
		m.latest = max(m.latest, o.number)
		m.apply(o)
		if m.applied != nil {
			m.applied()
		}
	}
	if m.flightAt == len(m.flight) {
		m.flight, m.flightAt = m.flight[:0], 0
	} else if m.flightAt > 64 {
		m.flight = append(m.flight[:0], m.flight[m.flightAt:]...)
		m.flightAt = 0
	}
}

// blocks rounds up to whole blocks.
func blocks(size int64) int64 { return (size + env.BlockBytes - 1) &^ (env.BlockBytes - 1) }
