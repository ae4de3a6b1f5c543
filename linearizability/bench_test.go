//go:build unix

package linearizability

import (
	"bytes"
	"syscall"
	"testing"
	"time"
)

// benchOperations is how many operations the benchmarks judge at once.
const benchOperations = 1_000_000

func BenchmarkCheck(b *testing.B) {
	h := longHistory(benchOperations)
	b.ReportAllocs()
	begun := processorTime()
	for b.Loop() {
		if report, err := Check(h); err != nil || !report.Clean() {
			b.Fatal(report, err)
		}
	}
	b.ReportMetric(float64(b.N)*benchOperations/b.Elapsed().Seconds(), "operations/s")
	b.ReportMetric(float64(b.N)*benchOperations/(processorTime()-begun).Seconds(), "operations/core-s")
}

// processorTime is how much of it the process has used, the garbage collector included: what other processes do to a
// machine shows less in it.
func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func BenchmarkRead(b *testing.B) {
	var text bytes.Buffer
	if _, err := longHistory(benchOperations).WriteTo(&text); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(text.Len()))
	begun := processorTime()
	for b.Loop() {
		if _, err := Read(bytes.NewReader(text.Bytes())); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*benchOperations/b.Elapsed().Seconds(), "operations/s")
	b.ReportMetric(float64(b.N)*benchOperations/(processorTime()-begun).Seconds(), "operations/core-s")
}
