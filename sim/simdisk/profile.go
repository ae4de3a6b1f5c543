package simdisk

import (
	"time"

	"barnabas/core/env"
	"barnabas/sim/kernel"
)

// The streams of the disk's draws.
const (
	streamLatency = kernel.StreamDisk + iota
	streamProfile
	streamMood
	streamInterrupted
	streamPage
	streamLength
	streamName
	streamTear
	streamGarbage
	streamSample
)

// The streams of the draws of faults.
const (
	streamFault = kernel.StreamDiskFault + iota
	streamPart
	streamRot
)

// Strictness says which crash states a file system may leave.
type Strictness uint8

const (
	// Ordered is a file system that journals its metadata and writes data first, as ext4 does by default: names change
	// in the order they were changed, a file never has a length without the bytes, and a page is whole.
	Ordered Strictness = iota
	// PosixMin promises what POSIX does: what was not synced is there or not, in any combination, and direct writes
	// tear between sectors. A rename is whole.
	PosixMin
	// Adversarial is PosixMin where also buffered pages tear, bytes never written are garbage, and of a rename one half
	// may be left.
	Adversarial
)

func (s Strictness) String() string { return [...]string{"ordered", "posix-min", "adversarial"}[s] }

// Profile is how fast and how strict a disk is.
type Profile struct {
	Strictness Strictness
	// Call is the time of an operation that the page cache serves, Read of a read, Sync of one that reaches the device.
	Call, Read, Sync time.Duration
	// BytesPerMicrosecond is the device's bandwidth.
	BytesPerMicrosecond int64
	// Jitter is the largest keyed addition to an operation's time, in percent.
	Jitter int64
	// SlowOneIn makes one in so many operations up to SlowFactor times slower, so that others overtake it (D11).
	SlowOneIn, SlowFactor int64
	// Capacity is what fits, in bytes, or 0 for no bound. Beyond it writes that grow a file get ErrNoSpace.
	Capacity int64
}

// Plain returns a disk like a good SSD of a virtual machine.
func Plain(s Strictness) Profile {
	return Profile{
		Strictness: s, Call: 4 * time.Microsecond, Read: 60 * time.Microsecond, Sync: 150 * time.Microsecond,
		BytesPerMicrosecond: 800, Jitter: 60, SlowOneIn: 200, SlowFactor: 12,
	}
}

// Drawn returns the disk a seed gives a machine: from a fast local one to a slow remote one, with any strictness.
func Drawn(r env.Random, machine uint64) Profile {
	p := Plain(Strictness(r.Below(3, streamProfile, machine, 0)))
	p.Sync = time.Duration(30+r.Below(30, streamProfile, machine, 1)) * time.Microsecond << r.Below(8, streamProfile, machine, 2)
	p.Read = p.Sync/4 + p.Call
	p.BytesPerMicrosecond = 50 << r.Below(6, streamProfile, machine, 3)
	p.Jitter = int64(r.Below(300, streamProfile, machine, 4))
	p.SlowOneIn = 10 << r.Below(8, streamProfile, machine, 5)
	p.SlowFactor = 2 << r.Below(6, streamProfile, machine, 6)
	return p
}

// latency draws how long an operation takes.
func (m *Machine) latency(o *operation) time.Duration {
	p := &m.profile
	d := p.Call
	switch o.kind {
	case OpReadAt:
		d = p.Read
	case OpWriteSync, OpSync, OpSyncDir:
		d = p.Sync
	}
	d += time.Duration(o.bytes()) * time.Microsecond / time.Duration(p.BytesPerMicrosecond)
	draw := m.kernel.Random.Uint64(streamLatency, m.id, o.key, o.turn)
	d += d * time.Duration(int64(draw&0x3ff)*p.Jitter/100) >> 10
	if draw>>10&0xffff < uint64(0x10000/p.SlowOneIn) {
		d *= time.Duration(2 + int64(draw>>26)%max(p.SlowFactor-1, 1))
	}
	if m.limpUntil > m.kernel.Now() {
		d *= time.Duration(m.limpFactor)
		m.countLimp()
	}
	return min(d, latencyMax)
}

// latencyMax is the longest an operation takes, however slow the disk and however it limps: beyond that a real one would
// have failed it, and a cluster could not be expected to settle in time.
const latencyMax = 3 * time.Second
