package shrink

import (
	"slices"

	"barnabas/sim/plan"
)

// without returns the list without those that out says yes to, numbered from *at on, which it moves on.
func without[T any](list []T, at *int, out func(i int) bool) []T {
	return slices.DeleteFunc(list, func(T) bool {
		*at++
		return out(*at - 1)
	})
}

// plain is a part that is one list.
func plain[T any](list func(p *plan.Plan) *[]T) part {
	return part{
		count: func(p *plan.Plan) int { return len(*list(p)) },
		remove: func(p *plan.Plan, out func(int) bool) {
			at, l := 0, list(p)
			*l = without(*l, &at, out)
		},
	}
}

// spread is a part of which a plan has several lists, visited in order.
func spread(visit func(p *plan.Plan, each func(length int, keep func(at *int, out func(int) bool)))) part {
	return part{
		count: func(p *plan.Plan) (n int) {
			visit(p, func(length int, _ func(*int, func(int) bool)) { n += length })
			return n
		},
		remove: func(p *plan.Plan, out func(int) bool) {
			at := 0
			visit(p, func(_ int, keep func(*int, func(int) bool)) { keep(&at, out) })
		},
	}
}

// one visits one list.
func one[T any](list *[]T, each func(int, func(*int, func(int) bool))) {
	each(len(*list), func(at *int, out func(int) bool) { *list = without(*list, at, out) })
}

// The parts of a plan.
var (
	clients  = plain(func(p *plan.Plan) *[]plan.Client { return &p.Clients })
	faults   = plain(func(p *plan.Plan) *[]plan.Fault { return &p.Faults })
	chances  = plain(func(p *plan.Plan) *[]string { return &p.Chances })
	settings = plain(func(p *plan.Plan) *[]plan.Setting { return &p.Settings })

	// scripts are what clients do, each as a whole.
	scripts = spread(func(p *plan.Plan, each func(int, func(*int, func(int) bool))) {
		for i := range p.Clients {
			c := &p.Clients[i]
			one(&c.Producers, each)
			one(&c.Consumers, each)
			one(&c.Churns, each)
			one(&c.Deletions, each)
		}
	})
	sends = spread(func(p *plan.Plan, each func(int, func(*int, func(int) bool))) {
		for i := range p.Clients {
			c := &p.Clients[i]
			for k := range c.Producers {
				one(&c.Producers[k].Sends, each)
			}
			for k := range c.Churns {
				one(&c.Churns[k].Producer.Sends, each)
			}
		}
	})
	// deletions are deletions of records and of topics, and the settings of those.
	deletions = spread(func(p *plan.Plan, each func(int, func(*int, func(int) bool))) {
		for i := range p.Clients {
			c := &p.Clients[i]
			for k := range c.Deletions {
				one(&c.Deletions[k].Turns, each)
			}
			for k := range c.Churns {
				one(&c.Churns[k].Deletes, each)
				one(&c.Churns[k].Settings, each)
			}
		}
	})
	// topics are those that nobody uses any more, all but one.
	topics = part{
		count: func(p *plan.Plan) int { return len(unused(p)) },
		remove: func(p *plan.Plan, out func(int) bool) {
			idle, at := unused(p), 0
			gone := without(slices.Clone(idle), &at, func(i int) bool { return !out(i) })
			p.Topics = slices.DeleteFunc(p.Topics, func(t string) bool { return slices.Contains(gone, t) })
		},
	}
)

// unused returns the topics that no client uses; one topic always counts as used.
func unused(p *plan.Plan) (idle []string) {
	used := make(map[string]bool)
	for i := range p.Clients {
		c := &p.Clients[i]
		for k := range c.Producers {
			used[c.Producers[k].Topic] = true
		}
		for k := range c.Consumers {
			used[c.Consumers[k].Topic] = true
		}
		for k := range c.Deletions {
			used[c.Deletions[k].Topic] = true
		}
	}
	for _, t := range p.Topics {
		if !used[t] {
			idle = append(idle, t)
		}
	}
	if len(idle) == len(p.Topics) {
		idle = idle[1:]
	}
	return idle
}
