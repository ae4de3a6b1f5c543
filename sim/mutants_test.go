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
