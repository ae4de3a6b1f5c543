package sim

import (
	"testing"
	"time"
)

// BenchmarkReference runs the reference load of rule O6: 5 brokers, 16 clients, 40 acks=all batches and 1 fault a second.
func BenchmarkReference(b *testing.B) {
	p := Draw(Options{Seed: 1, Virtual: 2 * time.Minute, Profile: "reference"})
	for b.Loop() {
		r := RunPlan(p, Options{})
		if len(r.Violations) > 0 {
			b.Fatal(r.Violations)
		}
		seconds := r.Wall.Seconds()
		faults := uint64(len(p.Faults))
		b.ReportMetric(float64(r.Events)/seconds, "events/s")
		b.ReportMetric(float64(r.Acked)/seconds, "acked/s")
		b.ReportMetric(float64(faults)/seconds, "faults/s")
		b.ReportMetric(r.Virtual.Seconds()/seconds, "×real")
	}
}
