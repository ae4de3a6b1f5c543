package sim

import (
	"strconv"
	"time"

	"barnabas/core/config"
	"barnabas/core/env"
	"barnabas/sim/kernel"
	"barnabas/sim/ledger"
	"barnabas/sim/simdisk"
	"barnabas/sim/simnet"
)

// The streams of the swarm's draws.
const (
	streamTopology env.Stream = kernel.StreamSwarm + iota
	streamSetting
	streamFault
	streamClient
	streamNet
	streamFault2
	streamChurn
	streamOld
	streamDiskFault
)

// plan is everything a seed decides before its run begins.
type plan struct {
	brokers    int
	clients    []clientPlan
	settings   []config.Pair
	partitions []ledger.Partition
	retention  ledger.Retention // of these
	faults     faultPlan
	disk       diskFaultPlan
	network    simnet.Faults
	disks      func(r env.Random, machine uint64) simdisk.Profile
	chances    bool // in-code rare paths are on
	fast       bool // the fastest world: for measuring the simulator
}

// Profiles returns the ways to draw worlds.
func Profiles() []Profile {
	return []Profile{
		{"swarm", "everything drawn by the seed; one seed in ten has no fault"},
		{"calm", "topology, settings and work drawn by the seed, no fault"},
		{"sound", "swarm with disks that neither fail nor lose anything, but for what a power loss takes"},
		{"single", "swarm with one broker and its own metadata quorum"},
		{"replicas", "swarm with three brokers, and one partition on all of them"},
		{"full", "swarm with one broker, whose journal is so small that it is full at times"},
		{"speed", "no fault, a fixed small workload and the fastest world: for measuring the simulator"},
	}
}

// drawer draws by name-less keys in one stream after another; each call has its own key.
type drawer struct {
	random env.Random
	stream env.Stream
	key    uint64
}

func (d *drawer) below(n uint64) uint64 {
	d.key++
	return d.random.Below(n, d.stream, d.key)
}

func (d *drawer) oneIn(n uint64) bool { return d.below(n) == 0 }

// between draws a duration, evenly on a logarithmic scale of factors of two.
func (d *drawer) between(least, most time.Duration) time.Duration {
	steps := uint64(0)
	for x := least; x < most; x *= 2 {
		steps++
	}
	base := least << d.below(steps+1)
	return min(most, base+time.Duration(d.below(uint64(base))))
}

// draw decides everything about a run.
func draw(o Options, random env.Random) plan {
	topology := &drawer{random: random, stream: streamTopology}
	p := plan{brokers: 1, disks: simdisk.Drawn, chances: topology.oneIn(2)}
	calm := topology.oneIn(10) || o.Profile == "calm" || o.Profile == "speed"
	if topology.oneIn(2) || o.Profile == "replicas" {
		p.brokers = 3
	}
	if o.Profile == "single" || o.Profile == "full" || o.Profile == "speed" {
		p.brokers = 1
	}
	if o.Brokers > 0 {
		p.brokers = o.Brokers
	}
	p.drawSettings(o, random)
	if o.Profile == "speed" {
		p.fast = true
		p.disks = func(env.Random, uint64) simdisk.Profile { return simdisk.Plain(simdisk.Ordered) }
	}
	if !calm {
		p.drawFaults(random)
	}
	if o.Profile == "sound" {
		p.disk = diskFaultPlan{}
	}
	partitions := 1
	if p.brokers == 1 {
		partitions = 1 + int(topology.below(3))
	}
	for i := range partitions {
		p.partitions = append(p.partitions, ledger.Partition{Topic: "topic-" + strconv.Itoa(i)})
	}
	p.drawClients(o, random, topology)
	p.drawChurn(random)
	p.drawOldRecords(random)
	return p
}
