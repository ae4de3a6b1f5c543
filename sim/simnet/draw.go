package simnet

import (
	"math/bits"
	"time"
)

// exponential turns a draw into an exponentially distributed time with the mean given, in whole numbers: -ln(u) is
// ln 2 times the leading zeros of u, and the rest of the logarithm is taken as a straight line between powers of two.
func exponential(draw uint64, mean time.Duration) time.Duration {
	const (
		unit = 1 << 16
		ln2  = 45426 // × unit
		// scale takes back what the straight line adds to the mean.
		scale = 62_800 // × unit
	)
	zeros := bits.LeadingZeros64(draw | 1)
	fraction := draw << (zeros + 1) >> 48 // the 16 bits after the first one
	log2 := uint64(zeros)*unit + (unit - fraction)
	factor := log2 * ln2 / unit * scale / unit
	if mean < 1<<32 {
		return time.Duration(uint64(mean) * factor / unit)
	}
	return mean / unit * time.Duration(factor)
}

// delay draws how long a chunk takes over the link.
func (n *Network) delay(l *link, draw uint64) time.Duration {
	d := l.min + exponential(draw, l.mean)
	if in := n.faults.TailIn; in > 0 && bits.RotateLeft64(draw*0x9e3779b97f4a7c15, 32)%in == 0 {
		n.count("N1")
		return d * tailFactor
	}
	return d
}

// percent says yes so many times in a hundred.
func percent(draw, percent uint64) bool { return draw%100 < percent }
