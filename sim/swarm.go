package sim

import (
	"strconv"
	"time"

	"barnabas/core/config"
	"barnabas/core/env"
	"barnabas/sim/client"
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
)

// plan is everything a seed decides before its run begins.
type plan struct {
	brokers    int
	clients    []clientPlan
	settings   []config.Pair
	partitions []ledger.Partition
	faults     faultPlan
	network    simnet.Faults
	disks      func(r env.Random, machine uint64) simdisk.Profile
	chances    bool // in-code rare paths are on
	fast       bool // the fastest world: for measuring the simulator
}

type clientPlan struct {
	producers    []client.ProducerPlan
	consumers    []client.ConsumerPlan
	fetchVersion int16
}

// faultPlan says which faults happen, and how often on average. Zero: never.
type faultPlan struct {
	crashEvery  time.Duration // P1, of each broker
	powerEvery  time.Duration // P2, of some brokers at once
	pauseEvery  time.Duration // P3, of each broker
	limpEvery   time.Duration // D1, of each disk
	leaderEvery time.Duration // the controller moves a leader without need
}

// Profiles returns the ways to draw worlds.
func Profiles() []Profile {
	return []Profile{
		{"swarm", "everything drawn by the seed; one seed in ten has no fault"},
		{"calm", "topology, settings and work drawn by the seed, no fault"},
		{"single", "swarm with one broker and its own metadata quorum"},
		{"replicas", "swarm with three brokers, and one partition on all of them"},
		{"full", "swarm with a journal so small that it fills up"},
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
	partitions := 1
	if p.brokers == 1 {
		partitions = 1 + int(topology.below(3))
	}
	for i := range partitions {
		p.partitions = append(p.partitions, ledger.Partition{Topic: "topic-" + strconv.Itoa(i)})
	}
	p.drawClients(o, random, topology)
	return p
}

// fullJournal is a journal.max.bytes that a minute of work fills.
const fullJournal = "4194304"

func (p *plan) drawSettings(o Options, random env.Random) {
	p.settings = config.Draw(func(name string, n int) int {
		return int(random.Below(uint64(n), streamSetting, kernel.HashBytes([]byte(name))))
	})
	journal := "268435456"
	if o.Profile == "full" || o.Profile == "swarm" && p.brokers == 1 && random.OneIn(20, streamSetting) {
		journal = fullJournal
	}
	p.set("journal.max.bytes", journal)
	p.set("num.partitions", "1")
	if journal == fullJournal {
		p.set("journal.segment.bytes", "65536")
	}
	if o.Profile == "speed" {
		p.set("durability", "fsync")
		p.set("journal.max.bytes", "8589934592")
		p.set("journal.segment.bytes", "4194304")
		p.set("journal.commit.max.bytes", "65536")
		p.set("arena.chunk.bytes", "65536")
		p.set("arena.max.bytes", "1048576")
		p.set("fetch.max.bytes", "57671680")
	}
	for _, name := range []string{"message.max.bytes", "journal.commit.max.bytes"} {
		if n, most := p.number(name), p.number("journal.segment.bytes")/2; n > most {
			p.set(name, strconv.Itoa(most))
		}
	}
}

func (p *plan) number(name string) int {
	for _, pair := range p.settings {
		if pair.Name == name {
			n, _ := strconv.Atoi(pair.Value)
			return n
		}
	}
	return 0
}

func (p *plan) set(name, value string) {
	for i := range p.settings {
		if p.settings[i].Name == name {
			p.settings[i].Value = value
			return
		}
	}
	p.settings = append(p.settings, config.Pair{Name: name, Value: value})
}

func (p *plan) setting(name string) string {
	for _, pair := range p.settings {
		if pair.Name == name {
			return pair.Value
		}
	}
	return ""
}

// drawFaults turns each kind of fault on or off, and draws how bad it is.
func (p *plan) drawFaults(random env.Random) {
	d := &drawer{random: random, stream: streamFault}
	pick := func(least, most time.Duration) time.Duration {
		if d.oneIn(2) {
			return 0
		}
		return d.between(least, most)
	}
	p.faults = faultPlan{
		crashEvery: pick(3*time.Second, 30*time.Second), powerEvery: pick(1500*time.Millisecond, 24*time.Second),
		pauseEvery: pick(4*time.Second, 40*time.Second), limpEvery: pick(5*time.Second, 40*time.Second),
		leaderEvery: pick(4*time.Second, 40*time.Second),
	}
	if p.setting("durability") == "replicated" && p.brokers == 1 {
		p.faults.powerEvery = 0 // with no other replica, that setting promises nothing about power
	}
	if p.setting("journal.max.bytes") == fullJournal {
		// Every start takes some of the reserve for control entries; few starts do not use it up.
		p.faults.crashEvery, p.faults.powerEvery = max(p.faults.crashEvery, 20*time.Second), 0
	}
	n := &drawer{random: random, stream: streamNet}
	if n.oneIn(2) {
		p.network.DelayMin, p.network.DelayMean = n.between(50*time.Microsecond, 5*time.Millisecond), n.between(100*time.Microsecond, 20*time.Millisecond)
		p.network.TailIn = 100 + n.below(2000)
	}
	if n.oneIn(2) {
		p.network.LossIn = 50 << n.below(7)
	}
	if n.oneIn(2) {
		p.network.ChunkPercent, p.network.SlowPercent = n.below(100), n.below(20)
		p.network.HalfOpenPercent, p.network.HalfOpenMax = n.below(100), n.between(time.Second, 8*time.Second)
	}
}

func (p *plan) drawClients(o Options, random env.Random, topology *drawer) {
	count := 2 + int(topology.below(7))
	if p.fast {
		count = 8
	}
	if o.Clients > 0 {
		count = o.Clients
	}
	for i := range count {
		d := &drawer{random: random, stream: streamClient, key: uint64(i) << 32}
		versions := []int16{4, 7, 11, 12, 13, 15, 16, 17, 18}
		c := clientPlan{fetchVersion: versions[d.below(uint64(len(versions)))]}
		if !d.oneIn(6) || i == 0 || p.fast {
			c.producers = append(c.producers, p.drawProducer(d))
		}
		if !d.oneIn(3) || p.fast {
			c.consumers = append(c.consumers, p.drawConsumer(d))
		}
		p.clients = append(p.clients, c)
	}
}

func (p *plan) drawProducer(d *drawer) client.ProducerPlan {
	versions := []int16{3, 5, 8, 9, 10, 12, 13}
	plan := client.ProducerPlan{
		Partition: p.partitions[d.below(uint64(len(p.partitions)))], Idempotent: !d.oneIn(3), Acks: -1, Lasting: true,
		Interval: d.between(20*time.Millisecond, 500*time.Millisecond), RecordsMax: 1 + d.below(8), ValueMax: 1 + d.below(1000),
		Version: versions[d.below(uint64(len(versions)))],
	}
	if d.oneIn(3) {
		plan.ValueMax = 12_000 / plan.RecordsMax // commits of several blocks, which tear
	}
	if d.oneIn(2) {
		plan.Impatient = 1 + d.below(10)
	}
	if !plan.Idempotent && d.oneIn(2) {
		plan.Acks = 1
		plan.Lasting = p.brokers == 1
	}
	if p.fast {
		plan.Interval, plan.Impatient, plan.RecordsMax, plan.ValueMax = 200*time.Millisecond, 0, 1, 100
		plan.Idempotent, plan.Acks = true, -1
	}
	return plan
}

func (p *plan) drawConsumer(d *drawer) client.ConsumerPlan {
	plan := client.ConsumerPlan{
		Partition: p.partitions[d.below(uint64(len(p.partitions)))],
		WaitMax:   d.between(100*time.Millisecond, 2*time.Second), BytesMin: 1, BytesMax: 1 << 20,
	}
	if d.oneIn(3) {
		plan.WaitMax = 10 * time.Minute // so long that only a wake-up ends it
	}
	if d.oneIn(3) {
		plan.BytesMin = 1 + int32(d.below(200))
	}
	if d.oneIn(3) {
		plan.BytesMax = 1 + int32(d.below(4000))
	}
	if p.fast {
		plan.WaitMax, plan.BytesMin, plan.BytesMax = 500*time.Millisecond, 1, 1<<20
	}
	return plan
}
