//go:build mutants

package sim

import (
	"testing"
	"time"

	"barnabas/core/mutant"
)

// Every mutant of the museum is found by an oracle within a bounded number of fresh seeds. Without it the same seeds are
// clean, which TestSwarmIsClean and the campaigns see to.
func TestEveryMutantIsFound(t *testing.T) {
	defer mutant.Switch(mutant.None)
	for _, m := range mutant.Museum() {
		t.Run(m.Name, func(t *testing.T) {
			mutant.Switch(m.ID)
			for seed := uint64(1); seed <= 400; seed++ {
				r := Run(Options{Seed: seed, Virtual: time.Minute, Profile: "swarm"})
				if len(r.Violations) > 0 {
					t.Logf("found at seed %d by %s: %s", seed, r.Violations[0].Invariant, r.Violations[0].Detail)
					return
				}
			}
			t.Fatal("not found in 400 seeds")
		})
	}
}
