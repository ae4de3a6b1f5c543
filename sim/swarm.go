package sim

import (
	"strconv"
	"time"

	"barnabas/core/env"
	"barnabas/sim/kernel"
	"barnabas/sim/plan"
	"barnabas/sim/simdisk"
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
	streamSite
	streamAimed
	streamWander
	streamFocus
	streamFocusFault
	streamFocusClient
)

// Profile is a named way to draw worlds.
type Profile struct {
	Name string
	Doc  string

	brokers   int  // 0: the seed decides
	calm      bool // no fault
	sound     bool // disks neither fail nor lose anything, but for what a power loss takes
	full      bool // a journal so small that it is full at times
	fast      bool // a fixed small workload and the fastest world
	reference bool // the load of rule O6
}

// Profiles returns the ways to draw worlds.
func Profiles() []Profile {
	return []Profile{
		{Name: "swarm", Doc: "everything drawn by the seed; one seed in ten has no fault"},
		{Name: "calm", Doc: "topology, settings and work drawn by the seed, no fault", calm: true},
		{Name: "sound", Doc: "swarm with disks that neither fail nor lose anything, but for what a power loss takes", sound: true},
		{Name: "single", Doc: "swarm with one broker and its own metadata quorum", brokers: 1},
		{Name: "replicas", Doc: "swarm with three brokers, and one partition on all of them", brokers: 3},
		{Name: "full", Doc: "swarm with one broker, whose journal is so small that it is full at times", brokers: 1, full: true},
		{Name: "speed", Doc: "no fault, a fixed small workload and the fastest world: for measuring the simulator", brokers: 1, calm: true, fast: true},
		{
			Name: "reference", Doc: "5 brokers, 16 clients, 40 acks=all batches and 1 fault a virtual second: for measuring the simulator",
			brokers: 5, fast: true, reference: true,
		},
	}
}

func profileOf(name string) Profile {
	for _, p := range Profiles() {
		if p.Name == name {
			return p
		}
	}
	return Profile{Name: name}
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
	return min(most, base+time.Duration(d.below(uint64(base)))).Truncate(time.Microsecond)
}

// upTo draws a duration below the bound.
func (d *drawer) upTo(bound time.Duration) time.Duration {
	return time.Duration(d.below(uint64(bound))).Truncate(time.Microsecond)
}

// swarm draws one plan.
type swarm struct {
	*plan.Plan
	profile Profile
	random  env.Random
	focus   focus
}

// randomOf is the randomness of a seed, for drawing its plan and for what is too small to be in it.
func randomOf(seed uint64) env.Random { return env.NewRandom(seed, 0xba12aba5) }

// Draw decides everything about a run: it is a function of the options' seed, time, profile, brokers and clients.
func Draw(o Options) *plan.Plan {
	s := &swarm{Plan: &plan.Plan{Seed: o.Seed, Virtual: o.Virtual}, profile: profileOf(o.Profile), random: randomOf(o.Seed)}
	topology := &drawer{random: s.random, stream: streamTopology}
	chances := topology.oneIn(2)
	calm := topology.oneIn(10) && !s.profile.reference || s.profile.calm
	brokers := 1
	if topology.oneIn(2) {
		brokers = 3
	}
	if s.profile.brokers > 0 {
		brokers = s.profile.brokers
	}
	if o.Brokers > 0 {
		brokers = o.Brokers
	}
	s.focus = s.focusOf(calm)
	s.drawDisks(brokers)
	s.focusDisks()
	s.drawSettings()
	if chances && !s.profile.fast {
		s.drawChances()
	}
	s.focusChances()
	topics := 1
	if brokers == 1 {
		topics = 1 + int(topology.below(3))
	}
	for i := range topics {
		s.Topics = append(s.Topics, "topic-"+strconv.Itoa(i))
	}
	switch {
	case calm:
	case s.profile.reference:
		s.drawReferenceFaults()
	default:
		s.drawFaults()
		s.focusFaults()
	}
	s.drawClients(o, topology)
	s.drawChurn()
	s.drawOldRecords()
	s.drawWandering()
	s.focusClients()
	return s.Plan
}

func (s *swarm) drawDisks(brokers int) {
	for i := range brokers {
		disk := simdisk.Plain(simdisk.Ordered)
		if !s.profile.fast {
			disk = simdisk.Drawn(s.random, uint64(i))
		}
		s.Disks = append(s.Disks, disk)
	}
}

// drawChances turns half of the sites on.
func (s *swarm) drawChances() {
	for site := range env.Sites {
		if s.random.OneIn(2, streamSite, uint64(site)) {
			s.Chances = append(s.Chances, env.Site(site).String())
		}
	}
}
