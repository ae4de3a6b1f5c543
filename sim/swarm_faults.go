package sim

import (
	"time"

	"barnabas/core/env"
)

// faultPlan says which faults happen, and how often on average. Zero: never.
type faultPlan struct {
	crashEvery  time.Duration // P1, of each broker
	powerEvery  time.Duration // P2, of some brokers at once
	pauseEvery  time.Duration // P3, of each broker
	limpEvery   time.Duration // D1, of each disk
	leaderEvery time.Duration // the controller moves a leader without need
	stopEvery   time.Duration // P5, of each broker
	clockEvery  time.Duration // T1, of each broker
}

// diskFaultPlan says which faults of disks happen, and how often on average. Zero: never.
type diskFaultPlan struct {
	errorsEvery   time.Duration // D5, D6
	fullEvery     time.Duration // D7, no room
	refusesEvery  time.Duration // D7, read-only or without descriptors
	damageEvery   time.Duration // D8, D9, D10, with one broker: damage must be detected
	lieEvery      time.Duration // D4, with several
	rollbackEvery time.Duration // D13, with several
}

// entitles says whether some fault may make a broker give up its log directory. Want of room does not.
func (f *diskFaultPlan) entitles() bool {
	return f.errorsEvery+f.refusesEvery+f.damageEvery+f.lieEvery+f.rollbackEvery > 0
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
	p.drawMoreFaults(random)
	p.drawDiskFaults(random)
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

// drawMoreFaults draws the kinds that came later, in a stream of their own, so that they changed no other draw.
func (p *plan) drawMoreFaults(random env.Random) {
	d := &drawer{random: random, stream: streamFault2}
	if d.oneIn(3) {
		p.faults.stopEvery = d.between(5*time.Second, 40*time.Second)
	}
	if d.oneIn(3) {
		p.faults.clockEvery = d.between(2*time.Second, 30*time.Second)
	}
}

// drawDiskFaults gives disks errors in some worlds, and in a few makes them lose or spoil what they held.
func (p *plan) drawDiskFaults(random env.Random) {
	d := &drawer{random: random, stream: streamDiskFault}
	pick := func(oneIn uint64, least, most time.Duration) time.Duration {
		on, every := d.oneIn(oneIn), d.between(least, most)
		if !on {
			return 0
		}
		return every
	}
	p.disk.errorsEvery = pick(5, 2*time.Second, 30*time.Second)
	p.disk.fullEvery = pick(5, 2*time.Second, 30*time.Second)
	p.disk.refusesEvery = pick(8, 5*time.Second, 30*time.Second)
	p.disk.lieEvery = pick(6, 2*time.Second, 30*time.Second)
	p.disk.rollbackEvery = pick(6, 5*time.Second, 30*time.Second)
	p.disk.damageEvery = pick(6, time.Second, 16*time.Second)
	if p.setting("durability") == "replicated" {
		p.disk.errorsEvery = 0 // a sync that fails may take what that setting had acknowledged
	}
}
