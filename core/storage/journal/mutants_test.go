//go:build mutants

package journal

import (
	"strings"
	"testing"

	"barnabas/core/mutant"
	"barnabas/sim/simdisk"
)

// TestMutantsAreFound switches each mutant of the journal on and expects the small worlds to show what it breaks.
func TestMutantsAreFound(t *testing.T) {
	for _, c := range []struct {
		id   mutant.ID
		want string
	}{
		{mutant.AckBeforeSync, "is lost"},
		{mutant.TornCommitAccepted, "was issued there"},
	} {
		mutant.Switch(c.id)
		found := map[string]bool{}
		for _, w := range worlds {
			for _, strictness := range []simdisk.Strictness{simdisk.Ordered, simdisk.PosixMin, simdisk.Adversarial} {
				e := newEveryCrash(w, strictness, 0)
				e.run()
				for _, wrong := range e.wrong {
					if strings.Contains(wrong, c.want) {
						found[w.name] = true
					} else {
						t.Errorf("mutant %d in %s: %s", c.id, w.name, wrong)
					}
				}
			}
		}
		mutant.Switch(mutant.None)
		t.Logf("mutant %d is found in %d of %d worlds", c.id, len(found), len(worlds))
		if len(found) == 0 {
			t.Errorf("mutant %d is not found", c.id)
		}
	}
}
