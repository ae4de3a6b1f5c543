package storage

import (
	"slices"
	"testing"
	"time"

	"barnabas/core/task"
	"barnabas/sim/simdisk"
)

// A sync of a folder fails after a file or folder was made in it, the process goes, and the next finds it there. What that one
// then saves in it survives a power loss all the same.
func TestWhatIsSavedIsInFilesWhoseNamesAreDurable(t *testing.T) {
	failed := 0
	for seed := range uint64(120) {
		p := newPlay(seed, []simdisk.Strictness{simdisk.PosixMin, simdisk.Adversarial}[seed%2])
		var broken *simdisk.Injection
		rule := simdisk.Rule{Kinds: simdisk.Of(simdisk.OpSyncDir), Effect: simdisk.FailPartly, Times: 1}
		if rule.Files = "data/orders-0"; seed%4 < 2 {
			rule.Files, rule.First = "data", 1+seed/4%4
		}
		err := p.live(func(t *task.Task) error {
			l := p.create([16]byte{1}, 0, "orders-0")
			if err := p.append(t, l, 1, 4000, 7); err != nil {
				return err
			}
			if err := p.checkpoints(t); err != nil {
				return err
			}
			broken = p.machine.Inject(rule)
			other := p.create([16]byte{1}, 1, "orders-1")
			for range 6 {
				if p.append(t, l, 1, 4000, 7) != nil || p.append(t, other, 1, 4000, 7) != nil {
					return nil
				}
			}
			_ = p.checkpoints(t)
			return p.rest(t, 50*time.Millisecond)
		})
		if broken.Fired > 0 && p.directory != nil && p.directory.Failure() != nil {
			failed++
		} else if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		broken.End()
		p.end(simdisk.ProcessDeath)
		err = p.live(func(t *task.Task) error {
			found, err := p.observe(t)
			if err != nil {
				return err
			}
			p.adopt(found)
			for _, l := range p.directory.Logs().All {
				for range 6 {
					if err := p.append(t, l, 1, 4000, 7); err != nil {
						return err
					}
				}
			}
			return p.checkpoints(t)
		})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		p.end(simdisk.PowerLoss)
		if _, err := p.recovered(p.moments[p.floor:]); err != nil {
			t.Errorf("seed %d: %.600v", seed, err)
		}
		for _, l := range p.directory.Logs().All {
			for _, s := range l.segments {
				if s.base < l.saved && !slices.Contains(p.machine.Files(), l.path(s)) {
					t.Errorf("seed %d: %s is gone, and offsets up to %d were saved", seed, l.path(s), l.saved)
				}
			}
		}
	}
	if failed < 20 {
		t.Errorf("%d times a sync failed: the test tells little", failed)
	}
}
