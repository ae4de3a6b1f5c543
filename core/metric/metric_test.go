package metric

import (
	"slices"
	"testing"
	"time"
)

func TestHistogram(t *testing.T) {
	var h Histogram
	last := bounds[len(bounds)-1]
	for _, d := range []time.Duration{0, bounds[0], bounds[0] + 1, last, last + 1} {
		h.Observe(d)
	}
	if h.Buckets[0] != 2 || h.Buckets[1] != 1 || h.Buckets[len(bounds)-1] != 1 || h.Buckets[len(bounds)] != 1 {
		t.Error(h.Buckets)
	}
	if h.Count() != 5 || h.Sum != 2*bounds[0]+2+2*last {
		t.Error(h.Count(), h.Sum)
	}
	if !slices.IsSorted(Bounds()) || len(slices.Compact(Bounds())) != len(bounds) {
		t.Error("the bounds do not ascend")
	}
}
