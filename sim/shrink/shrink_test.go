package shrink

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"barnabas/sim"
	"barnabas/sim/plan"
)

// planted fails when three faults and three batches are there, in their order of time, and one setting.
func planted(p *plan.Plan) bool {
	var met []uint64
	for _, f := range p.Faults {
		if f.ID == 5 || f.ID == 9 || f.ID == 11 {
			met = append(met, f.ID)
		}
	}
	sent := 0
	for i := range p.Clients {
		for k := range p.Clients[i].Producers {
			for _, s := range p.Clients[i].Producers[k].Sends {
				if s.ID%40 == 7 {
					sent++
				}
			}
		}
	}
	return slices.Equal(met, []uint64{5, 9, 11}) && sent >= 3 && p.Value("durability") != ""
}

// drawn returns a plan with enough of everything.
func drawn(t *testing.T) *plan.Plan {
	for seed := uint64(1); ; seed++ {
		p := sim.Draw(sim.Options{Seed: seed, Virtual: time.Minute, Profile: "swarm"})
		if len(p.Faults) > 30 && p.Brokers() == 3 && planted(p) {
			t.Logf("seed %d: %d faults, %d operations", seed, len(p.Faults), p.Operations())
			return p
		}
	}
}

func TestWhatTheFailureDoesNotNeedGoes(t *testing.T) {
	var texts []string
	for _, jobs := range []int{1, 2, 7} {
		var runs atomic.Int64
		small, tried := Minimise(drawn(t), time.Minute, Options{
			Jobs: jobs, Over: func() bool { return false },
			Fails: func(p *plan.Plan) bool { runs.Add(1); return planted(p) },
		})
		if !planted(small) || int(runs.Load()) != tried {
			t.Fatalf("%d runs, %d told; fails: %t\n%s", runs.Load(), tried, planted(small), small)
		}
		most := 2 // brokers; as many as the faults that are left need
		for _, f := range small.Faults {
			most = max(most, int(f.Broker))
		}
		if len(small.Faults) != 3 || small.Operations() != 3 || small.Brokers() > most || len(small.Settings) != 1 || len(small.Chances) != 0 {
			t.Errorf("%d jobs: more than is needed is left:\n%s", jobs, small)
		}
		texts = append(texts, small.String())
	}
	if texts[0] != texts[1] || texts[0] != texts[2] {
		t.Error("what is left depends on how many runs there are at once")
	}
}

// A plan that was shrunk for no time at all still fails.
func TestTheTimeMayBeUp(t *testing.T) {
	for most := range 12 {
		runs := 0
		small, _ := Minimise(drawn(t), time.Minute, Options{
			Jobs: 1, Over: func() bool { return runs >= most }, Fails: func(p *plan.Plan) bool { runs++; return planted(p) },
		})
		if !planted(small) {
			t.Fatalf("after %d runs it does not fail any more", most)
		}
	}
}
