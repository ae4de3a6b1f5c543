//go:build mutants

package sim

import (
	"testing"
	"time"

	"barnabas/core/mutant"
)

// Every mutant of the museum is found by an oracle outside its package within a bounded number of fresh seeds. Without it the same seeds are
// clean, which TestSwarmIsClean and the campaigns see to.
func TestEveryMutantIsFound(t *testing.T) {
	defer mutant.Switch(mutant.None)
	for _, m := range mutant.Museum() {
		t.Run(m.Name, func(t *testing.T) {
			mutant.Switch(m.ID)
			for seed := uint64(1); seed <= 400; seed++ {
				r := Run(Options{Seed: seed, Virtual: time.Minute, Profile: "swarm"})
				for _, v := range r.Violations {
					if Outside(v.Invariant, m.Package) {
						t.Logf("found at seed %d by %s: %s", seed, v.Invariant, v.Detail)
						return
					}
				}
			}
			t.Fatal("not found in 400 seeds")
		})
	}
}

// The history of clients alone shows lost records, and what it shows is what the ledger finds earlier.
func TestClientsNoticeLostRecords(t *testing.T) {
	defer mutant.Switch(mutant.None)
	mutant.Switch(mutant.AckBeforeSync)
	for seed := uint64(1); seed <= 100; seed++ {
		for _, v := range Run(Options{Seed: seed, Virtual: time.Minute, Profile: "swarm", LedgerOff: true}).Violations {
			switch v.Invariant {
			case "lost-write", "unseen":
				t.Logf("found at seed %d: %s", seed, v.Detail)
				return
			case "AckedOnDisk", "RecoveredCoversPromised", "LostWrite":
				t.Fatalf("seed %d: %s with the ledger off", seed, v.Invariant)
			}
		}
	}
	t.Fatal("not found in 100 seeds")
}

// A plan that was made with a mutant still finds it, if not with the draws that it was made with, then with others: what a
// broker does when has changed since, which moves a fault off the spot that it was shrunk onto.
func TestPlansFindTheirMutants(t *testing.T) {
	defer mutant.Switch(mutant.None)
	const tries = 100
	for file, p := range regressions(t) {
		if p.Mutant == "" {
			continue
		}
		m, ok := mutant.Find(p.Mutant)
		if !ok {
			t.Errorf("%s: there is no mutant %s", file, p.Mutant)
			continue
		}
		mutant.Switch(m.ID)
		found := 0
		for try := 1; try <= tries && found == 0; try++ {
			for _, v := range RunPlan(p, Options{UntilViolation: true}).Violations {
				if v.Invariant == p.Expect || Outside(v.Invariant, m.Package) {
					found = try
				}
			}
			p.Seed++
		}
		if t.Logf("%s: found at try %d", file, found); found == 0 {
			t.Errorf("%s is dead: make it anew (just regression %s)", file, p.Mutant)
		}
	}
}
