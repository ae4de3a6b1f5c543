package sim

import (
	"cmp"
	"slices"
	"time"

	"barnabas/sim/plan"
)

// rates says which faults happen, and how often on average. Zero: never.
type rates struct {
	crash  time.Duration // P1, of each broker
	power  time.Duration // P2, of some brokers at once
	pause  time.Duration // P3, of each broker
	limp   time.Duration // D1, of each disk
	leader time.Duration // the controller moves a leader without need
	stop   time.Duration // P5, of each broker
	clock  time.Duration // T1, of each broker
}

// diskRates is rates for the faults of disks.
type diskRates struct {
	errors   time.Duration // D5, D6
	full     time.Duration // D7, no room
	refuses  time.Duration // D7, read-only or without descriptors
	damage   time.Duration // D8, D9, D10, with one broker: damage must be detected
	lie      time.Duration // D4, with several
	rollback time.Duration // D13, with several
}

// drawFaults turns each kind of fault on or off, draws how bad it is, and then the faults themselves.
func (s *swarm) drawFaults() {
	d := &drawer{random: s.random, stream: streamFault}
	pick := func(least, most time.Duration) time.Duration {
		if d.oneIn(2) {
			return 0
		}
		return d.between(least, most)
	}
	r := rates{
		crash: pick(3*time.Second, 30*time.Second), power: pick(1500*time.Millisecond, 24*time.Second),
		pause: pick(4*time.Second, 40*time.Second), limp: pick(5*time.Second, 40*time.Second),
		leader: pick(4*time.Second, 40*time.Second),
	}
	if s.Value("durability") == "replicated" && s.Brokers() == 1 {
		r.power = 0 // with no other replica, that setting promises nothing about power
	}
	s.drawMoreFaults(&r)
	s.drawNetwork()
	disk := s.drawDiskFaults()
	if s.profile.sound {
		disk = diskRates{}
	}
	aimed := s.drawAimedFaults(&disk)
	if s.focus != unfocused { // what is aimed at needs disks that keep what they say they have
		disk.damage, disk.lie, disk.rollback, aimed.rotLast = 0, 0, 0, 0
	}
	s.drawProcessEvents(r)
	s.drawDiskEvents(disk)
	s.drawAimedEvents(aimed)
	s.number()
}

// number puts the faults in the order of time, and numbers them.
func (s *swarm) number() {
	slices.SortStableFunc(s.Faults, func(a, b plan.Fault) int { return cmp.Compare(a.At, b.At) })
	for i := range s.Faults {
		s.Faults[i].ID = uint64(i) + 1
	}
}

func (s *swarm) drawNetwork() {
	n, f := &drawer{random: s.random, stream: streamNet}, &s.Network
	if n.oneIn(2) {
		f.DelayMin, f.DelayMean = n.between(50*time.Microsecond, 5*time.Millisecond), n.between(100*time.Microsecond, 20*time.Millisecond)
		f.TailIn = 100 + n.below(2000)
	}
	if n.oneIn(2) {
		f.LossIn = 50 << n.below(7)
	}
	if n.oneIn(2) {
		f.ChunkPercent, f.SlowPercent = n.below(100), n.below(20)
		f.HalfOpenPercent, f.HalfOpenMax = n.below(100), n.between(time.Second, 8*time.Second)
	}
}

// drawMoreFaults draws the kinds that came later, in a stream of their own, so that they changed no other draw.
func (s *swarm) drawMoreFaults(r *rates) {
	d := &drawer{random: s.random, stream: streamFault2}
	if d.oneIn(3) {
		r.stop = d.between(5*time.Second, 40*time.Second)
	}
	if d.oneIn(3) {
		r.clock = d.between(2*time.Second, 30*time.Second)
	}
}

// drawDiskFaults gives disks errors in some worlds, and in a few makes them lose or spoil what they held.
func (s *swarm) drawDiskFaults() diskRates {
	d := &drawer{random: s.random, stream: streamDiskFault}
	pick := func(oneIn uint64, least, most time.Duration) time.Duration {
		on, every := d.oneIn(oneIn), d.between(least, most)
		if !on {
			return 0
		}
		return every
	}
	r := diskRates{
		errors:   pick(5, 2*time.Second, 30*time.Second),
		full:     pick(5, 2*time.Second, 30*time.Second),
		refuses:  pick(8, 5*time.Second, 30*time.Second),
		lie:      pick(6, 2*time.Second, 30*time.Second),
		rollback: pick(6, 5*time.Second, 30*time.Second),
		damage:   pick(6, time.Second, 16*time.Second),
	}
	if s.Value("durability") == "replicated" {
		r.errors = 0 // a sync that fails may take what that setting had acknowledged
	}
	return r
}

// happen has a fault happen again and again, at drawn times, until the end. Each kind and broker has its own keys.
func (s *swarm) happen(every time.Duration, kind plan.Kind, broker int32, draw func(d *drawer, f plan.Fault)) {
	if every == 0 {
		return
	}
	d := &drawer{random: s.random, stream: streamWhen, key: uint64(kind)<<48 | uint64(broker)<<32}
	for at := d.upTo(2 * every); at < s.Virtual; at += time.Microsecond + d.upTo(2*every) {
		draw(d, plan.Fault{At: at, Kind: kind, Broker: broker})
	}
}

func (s *swarm) add(f plan.Fault) { s.Faults = append(s.Faults, f) }

// downMax is how long a broker stays down, at most.
const downMax = 3 * time.Second

func (s *swarm) drawProcessEvents(r rates) {
	for i := range s.Brokers() {
		id := int32(i + 1)
		s.happen(r.crash, plan.Crash, id, func(d *drawer, f plan.Fault) {
			f.Down = d.upTo(downMax)
			s.add(f)
		})
		s.happen(r.pause, plan.Pause, id, func(d *drawer, f plan.Fault) {
			f.For = 10*time.Millisecond<<d.below(9) + d.upTo(10*time.Millisecond)
			s.add(f)
		})
		s.happen(r.limp, plan.Limp, id, func(d *drawer, f plan.Fault) {
			f.For, f.Number = 50*time.Millisecond+d.upTo(3*time.Second), 10<<d.below(6)
			s.add(f)
		})
		s.happen(r.stop, plan.Stop, id, func(d *drawer, f plan.Fault) {
			f.Down, f.Flag = d.upTo(downMax), d.oneIn(2)
			s.add(f)
		})
		s.happen(r.clock, plan.Clock, id, func(d *drawer, f plan.Fault) {
			// Mostly by little, by an hour at most.
			reach := time.Hour >> d.below(12)
			f.For = (d.upTo(2*reach) - reach).Truncate(time.Millisecond)
			if d.oneIn(3) {
				f.For = 0
			}
			s.add(f)
		})
	}
	s.happen(r.power, plan.Power, 0, s.drawPower)
	if s.Brokers() > 1 {
		s.happen(r.leader, plan.Lead, 0, func(_ *drawer, f plan.Fault) { s.add(f) })
	}
}

// drawPower takes the power from some brokers at the same moment: mostly a minority, sometimes all of them.
func (s *swarm) drawPower(d *drawer, f plan.Fault) {
	all := s.Brokers()
	count := 1 + int(d.below(uint64(minority(all))))
	if d.oneIn(4) {
		count = all
	}
	first := int(d.below(uint64(all)))
	for i := range count {
		f.Broker, f.Down, f.Flag = int32((first+i)%all+1), d.upTo(downMax), count > 1
		s.add(f)
	}
}

// window draws how long a condition lasts.
func window(d *drawer) time.Duration {
	return 20*time.Millisecond<<d.below(8) + d.upTo(20*time.Millisecond)
}

// targets are the files that damage is aimed at, by kind, so that rare kinds get their share.
var targets = [...]string{"journal-*.segment", "journal-*.checkpoint", "*.log", "*.index", "*.timeindex", ""}

func (s *swarm) drawDiskEvents(r diskRates) {
	for i := range s.Brokers() {
		id := int32(i + 1)
		s.happen(r.errors, plan.Fail, id, s.drawError)
		s.happen(r.full, plan.Full, id, func(d *drawer, f plan.Fault) {
			f.For, f.Number = window(d), d.below(3)<<14
			s.add(f)
		})
		s.happen(r.refuses, plan.ReadOnly, id, func(d *drawer, f plan.Fault) {
			if f.For = window(d); d.oneIn(2) {
				f.Kind = plan.NoDescriptors
			}
			s.add(f)
		})
		if s.Brokers() == 1 {
			s.happen(r.damage, plan.Damage, id, s.drawDamage)
			continue
		}
		s.happen(r.lie, plan.Lie, id, func(d *drawer, f plan.Fault) {
			f.For, f.Number = window(d), 1+d.below(4)
			s.add(f)
		})
		s.happen(r.rollback, plan.Rollback, id, func(d *drawer, f plan.Fault) {
			f.Number, f.Down = 1+d.below(pastMax), d.upTo(downMax)
			s.add(f)
		})
	}
}

// drawError lets one sync, or for a moment some operations, fail.
func (s *swarm) drawError(d *drawer, f plan.Fault) {
	switch d.below(3) {
	case 0:
		f.Kind = plan.FailSync
	case 1:
		f.Kind, f.Files = plan.FailSync, targets[d.below(uint64(len(targets)))]
	default:
		f.For, f.Number = window(d), 1<<d.below(7)
	}
	s.add(f)
}

func (s *swarm) drawDamage(d *drawer, f plan.Fault) {
	f.Files = targets[d.below(uint64(len(targets)))]
	switch d.below(3) {
	case 0:
		f.How = plan.Unreadable
	case 1:
		f.How = plan.Astray
	default:
		f.How = plan.Rots()[d.below(4)]
	}
	f.Flag, f.Down = d.oneIn(2), d.upTo(downMax)
	s.add(f)
}

// drawReferenceFaults has one fault a second, of the kinds that every world has.
func (s *swarm) drawReferenceFaults() {
	kinds := []plan.Kind{plan.Crash, plan.Pause, plan.Limp, plan.Stop, plan.Clock, plan.Power}
	d := &drawer{random: s.random, stream: streamFault}
	for at := d.upTo(time.Second); at < s.Virtual; at += time.Second {
		f := plan.Fault{At: at, Kind: kinds[d.below(uint64(len(kinds)))], Broker: int32(1 + d.below(uint64(s.Brokers())))}
		switch f.Kind {
		case plan.Pause:
			f.For = d.upTo(time.Second)
		case plan.Limp:
			f.For, f.Number = d.upTo(time.Second), 10
		case plan.Clock:
			f.For = d.upTo(time.Minute).Truncate(time.Millisecond)
		default:
			f.Down = d.upTo(time.Second)
		}
		s.add(f)
	}
	s.number()
}
