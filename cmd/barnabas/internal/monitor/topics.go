package monitor

import (
	"barnabas/core"
	"barnabas/core/replica"
)

// topicsMax is how many topics have series of their own.
const topicsMax = 200

// otherTopics is the label of all others.
const otherTopics = "*"

// topics decides which topics have series of their own. One that has keeps them, and one of the others stays there, so that
// no counter goes back; what topics of the others counted until they were deleted stays in their sum.
type topics struct {
	own    map[string]bool
	others map[string]replica.Traffic
	gone   replica.Traffic
}

// bounded returns at most topicsMax topics and one for the others.
func (t *topics) bounded(all []core.TopicMetrics) []core.TopicMetrics {
	if t.own == nil {
		t.own, t.others = make(map[string]bool), make(map[string]replica.Traffic)
	}
	t.forget(all)
	var bounded []core.TopicMetrics
	var sum replica.Traffic
	for _, m := range all {
		_, among := t.others[m.Topic]
		switch {
		case t.own[m.Topic], !among && len(t.own) < topicsMax:
			t.own[m.Topic] = true
			bounded = append(bounded, m)
		default:
			t.others[m.Topic] = m.Traffic
			sum.Add(&m.Traffic)
		}
	}
	sum.Add(&t.gone)
	if len(t.others) > 0 || sum != (replica.Traffic{}) {
		bounded = append(bounded, core.TopicMetrics{Topic: otherTopics, Traffic: sum})
	}
	return bounded
}

// forget gives up what is no more.
func (t *topics) forget(all []core.TopicMetrics) {
	there := make(map[string]bool, len(all))
	for i := range all {
		there[all[i].Topic] = true
	}
	for name := range t.own {
		if !there[name] {
			delete(t.own, name)
		}
	}
	for name, last := range t.others {
		if !there[name] {
			t.gone.Add(&last)
			delete(t.others, name)
		}
	}
}
