package shrink

import (
	"slices"
	"time"

	"barnabas/sim/plan"
	"barnabas/sim/simdisk"
	"barnabas/sim/simnet"
)

// cutTail ends the plan where the failure was seen, or soon after.
func (s *shrinker) cutTail(at time.Duration) {
	for _, more := range []time.Duration{time.Millisecond, 100 * time.Millisecond, 2 * time.Second} {
		end := (at + more).Truncate(time.Millisecond)
		if end < s.best.Virtual && s.try(func(p *plan.Plan) { cut(p, end) }) {
			return
		}
	}
}

// cut ends the plan at that time.
func cut(p *plan.Plan, end time.Duration) {
	p.Virtual = max(end, time.Millisecond)
	p.Faults = slices.DeleteFunc(p.Faults, func(f plan.Fault) bool { return f.At >= end })
	for i := range p.Clients {
		c := &p.Clients[i]
		for k := range c.Producers {
			cutSends(&c.Producers[k], end)
		}
		for k := range c.Churns {
			churn := &c.Churns[k]
			cutSends(&churn.Producer, end)
			churn.Deletes = slices.DeleteFunc(churn.Deletes, func(at time.Duration) bool { return at >= end })
		}
		for k := range c.Deletions {
			d := &c.Deletions[k]
			d.Turns = slices.DeleteFunc(d.Turns, func(t plan.Turn) bool { return t.At >= end })
		}
	}
}

func cutSends(p *plan.Producer, end time.Duration) {
	p.Sends = slices.DeleteFunc(p.Sends, func(s plan.Send) bool { return s.At >= end })
}

// endEarlier ends the plan as early as it can, to a step or so.
func (s *shrinker) endEarlier(least time.Duration) {
	for step := s.best.Virtual / 2; step >= max(least, 10*time.Millisecond) && !s.Over(); {
		if end := (s.best.Virtual - step).Truncate(time.Millisecond); end <= 0 || !s.try(func(p *plan.Plan) { cut(p, end) }) {
			step /= 2
		}
	}
}

// lessTime ends the plan earlier, and takes idle time out of it.
func (s *shrinker) lessTime() {
	s.endEarlier(0)
	for i := 0; !s.Over(); i++ {
		gaps := gapsOf(s.best)
		if i >= len(gaps) {
			return
		}
		g := gaps[i]
		for _, part := range []time.Duration{1, 2, 8} {
			if s.try(func(p *plan.Plan) { shift(p, g.to, (g.to-g.from)/part) }) {
				i-- // there may be more to take out of it
				break
			}
		}
	}
}

// gap is a time in which the plan has nothing happen.
type gap struct{ from, to time.Duration }

// gapMin is how long a time without anything must be to be worth a run.
const gapMin = 100 * time.Millisecond

// gapsOf returns the plan's idle times, the longest first.
func gapsOf(p *plan.Plan) (gaps []gap) {
	var times []time.Duration
	each(p, func(at *time.Duration) { times = append(times, *at) })
	slices.Sort(times)
	from := time.Duration(0)
	for _, at := range times {
		if at-from >= gapMin {
			gaps = append(gaps, gap{from, at})
		}
		from = at
	}
	slices.SortStableFunc(gaps, func(a, b gap) int { return int((b.to - b.from) - (a.to - a.from)) })
	return gaps
}

// each visits all times at which something happens.
func each(p *plan.Plan, visit func(at *time.Duration)) {
	for i := range p.Faults {
		visit(&p.Faults[i].At)
	}
	for i := range p.Clients {
		c := &p.Clients[i]
		for k := range c.Producers {
			eachSend(&c.Producers[k], visit)
		}
		for k := range c.Churns {
			eachSend(&c.Churns[k].Producer, visit)
			for d := range c.Churns[k].Deletes {
				visit(&c.Churns[k].Deletes[d])
			}
		}
		for k := range c.Deletions {
			for t := range c.Deletions[k].Turns {
				visit(&c.Deletions[k].Turns[t].At)
			}
		}
	}
	visit(&p.Virtual)
}

func eachSend(p *plan.Producer, visit func(at *time.Duration)) {
	for i := range p.Sends {
		visit(&p.Sends[i].At)
	}
}

// shift has everything from a time on happen so much earlier.
func shift(p *plan.Plan, from, by time.Duration) {
	by = by.Truncate(time.Millisecond)
	each(p, func(at *time.Duration) {
		if *at >= from {
			*at -= by
		}
	})
	p.Virtual = max(p.Virtual, time.Millisecond)
}

// plainWorld has the network calm and the disks fast and honest, as a whole or in parts.
func (s *shrinker) plainWorld() {
	if s.best.Network != (simnet.Faults{}) && !s.try(func(p *plan.Plan) { p.Network = simnet.Faults{} }) {
		for _, calm := range []func(f *simnet.Faults){
			func(f *simnet.Faults) { f.DelayMin, f.DelayMean, f.TailIn = 0, 0, 0 },
			func(f *simnet.Faults) { f.LossIn = 0 },
			func(f *simnet.Faults) { f.ChunkPercent = 0 },
			func(f *simnet.Faults) { f.SlowPercent = 0 },
			func(f *simnet.Faults) { f.HalfOpenPercent, f.HalfOpenMax = 0, 0 },
		} {
			if f := s.best.Network; func() bool { calm(&f); return f != s.best.Network }() {
				s.try(func(p *plan.Plan) { calm(&p.Network) })
			}
		}
	}
	for i := range s.best.Disks {
		for _, strictness := range []simdisk.Strictness{simdisk.Ordered, simdisk.PosixMin, simdisk.Adversarial} {
			to := simdisk.Plain(strictness)
			if s.best.Disks[i] == to || s.try(func(p *plan.Plan) { p.Disks[i] = to }) {
				break
			}
		}
	}
}

// fewerBrokers takes out one broker after the other. Faults of others keep meeting whom they met.
func (s *shrinker) fewerBrokers() {
	for i := s.best.Brokers(); i >= 1 && s.best.Brokers() > 1 && !s.Over(); i-- {
		gone := int32(i)
		s.try(func(p *plan.Plan) {
			p.Disks = slices.Delete(p.Disks, i-1, i)
			p.Faults = slices.DeleteFunc(p.Faults, func(f plan.Fault) bool { return f.Broker == gone })
			for k := range p.Faults {
				if p.Faults[k].Broker > gone {
					p.Faults[k].Broker--
				}
			}
		})
	}
}

// simplerValues makes what is left plainer: batches of one small record that are sent once, faults that last no longer than
// they must.
func (s *shrinker) simplerValues() {
	s.try(func(p *plan.Plan) {
		eachProducer(p, func(one *plan.Producer) {
			for i := range one.Sends {
				one.Sends[i].Records, one.Sends[i].Bytes, one.Sends[i].Again = 1, 1, 0
			}
		})
	})
	s.try(func(p *plan.Plan) { eachProducer(p, func(one *plan.Producer) { again(one, 0) }) })
	for i := range s.best.Faults {
		if f := s.best.Faults[i]; f.Flag && f.Kind != plan.Power {
			s.try(func(p *plan.Plan) { p.Faults[i].Flag = false })
		}
		for _, d := range []time.Duration{10 * time.Millisecond, 100 * time.Millisecond, time.Second} {
			if f := s.best.Faults[i]; f.Down > d && s.try(func(p *plan.Plan) { p.Faults[i].Down = d }) {
				break
			}
		}
		for _, d := range []time.Duration{10 * time.Millisecond, 100 * time.Millisecond, time.Second} {
			if f := s.best.Faults[i]; f.For > d && s.try(func(p *plan.Plan) { p.Faults[i].For = d }) {
				break
			}
		}
	}
}

func eachProducer(p *plan.Plan, visit func(one *plan.Producer)) {
	for i := range p.Clients {
		for k := range p.Clients[i].Producers {
			visit(&p.Clients[i].Producers[k])
		}
		for k := range p.Clients[i].Churns {
			visit(&p.Clients[i].Churns[k].Producer)
		}
	}
}

func again(p *plan.Producer, after time.Duration) {
	for i := range p.Sends {
		p.Sends[i].Again = after
	}
}

// thin keeps one batch in so many, and lets each be as much larger: a failure often needs so many records, or bytes, and not
// so many batches.
func (s *shrinker) thin() {
	for _, in := range []int{16, 4, 2} {
		for s.try(func(p *plan.Plan) { keepOneIn(p, in, false) }) || s.try(func(p *plan.Plan) { keepOneIn(p, in, true) }) {
			if s.Over() || sends.count(s.best) < 2*in {
				break
			}
		}
	}
}

// batchBytesMax is what a batch may become: no drawn message.max.bytes is lower.
const batchBytesMax = 12_000

func keepOneIn(p *plan.Plan, in int, larger bool) {
	at := 0
	eachProducer(p, func(one *plan.Producer) {
		one.Sends = slices.DeleteFunc(one.Sends, func(plan.Send) bool {
			at++
			return at%in != 0
		})
		for i := range one.Sends {
			if s := &one.Sends[i]; larger {
				s.Records = max(s.Records, min(s.Records*uint64(in), batchBytesMax/(s.Bytes+40)))
			}
		}
	})
}
