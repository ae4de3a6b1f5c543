package sim

import (
	"strings"
	"time"

	"barnabas/core/env"
	"barnabas/linearizability"
	"barnabas/sim/kernel"
)

// Porcupine judges some windows of the histories of some seeds, beside the fast checker, which judges all of every seed.
const (
	porcupineIn       = 8 // seeds
	porcupineWindows  = 4 // of each partition
	porcupinePatience = 20 * time.Second
)

// streamPorcupine decides which seeds.
const streamPorcupine env.Stream = kernel.StreamWorkload + 30

// judgeHistory judges what clients saw. Nothing happens in the world any more, so the digest is what it would be without.
func (w *world) judgeHistory() {
	h := w.witness.History()
	report, err := linearizability.Check(h)
	if err == nil && w.kernel.Random.OneIn(porcupineIn, streamPorcupine, w.plan.Seed) {
		report, err = linearizability.Examine(h, linearizability.Windows{Most: porcupineWindows, Patience: porcupinePatience})
	}
	if err != nil {
		panic(err) // the witness recorded nonsense
	}
	for i := range report.Findings {
		f := &report.Findings[i]
		name := f.Anomaly.String()
		w.violate(name, strings.TrimPrefix(h.Describe(f), name+": "))
	}
	if w.options.KeepHistory || !report.Clean() {
		w.result.History, w.result.Findings = h, report.Findings
	}
}
