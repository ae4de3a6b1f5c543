// Package metric is what the broker counts with: plain integers that belong to the loop. Whoever shows them asks on the loop
// for a copy; nothing here is shared, and nothing decides by it.
package metric

import "time"

// bounds of a histogram, inclusive.
var bounds = [...]time.Duration{
	50 * time.Microsecond, 100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond,
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second,
}

// Bounds returns the upper bounds of a histogram's buckets, inclusive, in ascending order; one more bucket holds what is
// above the last.
func Bounds() []time.Duration {
	all := make([]time.Duration, len(bounds))
	for i := range all {
		all[i] = bounds[i]
	}
	return all
}

// Histogram counts durations. The zero value is empty.
type Histogram struct {
	Buckets [len(bounds) + 1]int64
	Sum     time.Duration
}

// Observe counts one duration.
func (h *Histogram) Observe(d time.Duration) {
	i := 0
	for i < len(bounds) && d > bounds[i] {
		i++
	}
	h.Buckets[i]++
	h.Sum += d
}

// Count returns how many were observed.
func (h *Histogram) Count() int64 {
	var n int64
	for _, bucket := range h.Buckets {
		n += bucket
	}
	return n
}
