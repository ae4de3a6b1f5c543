package sim

import (
	"time"

	"barnabas/sim/plan"
)

// aimedRates is rates for the faults that wait for their moment.
type aimedRates struct {
	aim     time.Duration // a crash at an operation, of each broker
	depose  time.Duration // with several
	rotLast time.Duration // D9 of the last commits, with one broker and no other damage
	topic   time.Duration // crashes after topics are made
}

// drawAimedFaults draws them in a stream of their own, so that they change no other draw.
func (s *swarm) drawAimedFaults(disk *diskRates) (r aimedRates) {
	d := &drawer{random: s.random, stream: streamAimed}
	pick := func(oneIn uint64, least, most time.Duration, possible bool) time.Duration {
		on, every := d.oneIn(oneIn), d.between(least, most)
		if !on || !possible {
			return 0
		}
		return every
	}
	alone := s.Brokers() == 1
	r.aim = pick(3, time.Second, 16*time.Second, true)
	r.depose = pick(2, time.Second, 8*time.Second, s.Brokers() > 2)
	r.topic = pick(2, 500*time.Millisecond, 4*time.Second, alone)
	r.rotLast = pick(5, time.Second, 8*time.Second, alone && s.Value("durability") == "fsync" && !s.profile.sound)
	if r.rotLast > 0 {
		disk.damage = 0
	}
	return r
}

func (s *swarm) drawAimedEvents(r aimedRates) {
	sights, rots := plan.Sights(), plan.Rots()
	for i := range s.Brokers() {
		s.happen(r.aim, plan.Aim, int32(i+1), func(d *drawer, f plan.Fault) {
			f.How, f.Number = sights[d.below(uint64(len(sights)))].Name, 1+d.below(18)
			f.For, f.Down, f.Flag = aimPatience, d.upTo(downMax), d.oneIn(2)
			s.add(f)
		})
	}
	s.happen(r.depose, plan.Depose, 0, func(d *drawer, f plan.Fault) {
		f.For, f.Down, f.Flag = 50*time.Millisecond<<d.below(7), d.upTo(downMax), d.oneIn(2)
		if !d.oneIn(4) {
			f.Number = 1 + d.below(1000<<d.below(9))
		}
		s.add(f)
	})
	s.happen(r.rotLast, plan.RotLast, 1, func(d *drawer, f plan.Fault) {
		f.How, f.Number, f.Down, f.Flag = rots[d.below(4)], 1+d.below(2), d.upTo(downMax), d.oneIn(2)
		s.add(f)
	})
	s.happen(r.topic, plan.CrashTopic, 1, func(d *drawer, f plan.Fault) {
		f.For, f.Down, f.Flag = time.Microsecond+d.upTo(time.Millisecond<<d.below(10)), d.upTo(downMax), d.oneIn(2)
		s.add(f)
	})
}

// drawWandering has some consumers fetch from anywhere now and then, and topics that are made again stay empty for a while.
func (s *swarm) drawWandering() {
	if s.profile.fast {
		return
	}
	for i := range s.Clients {
		d := &drawer{random: s.random, stream: streamWander, key: uint64(i) << 32}
		for k := range s.Clients[i].Consumers {
			if d.oneIn(3) {
				s.Clients[i].Consumers[k].Wanders = 1 + d.below(20)
			}
		}
		for k := range s.Clients[i].Churns {
			if d.oneIn(2) {
				s.Clients[i].Churns[k].Idle = d.between(50*time.Millisecond, time.Second)
			}
		}
	}
}
