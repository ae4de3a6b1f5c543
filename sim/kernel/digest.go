package kernel

import "math/bits"

// Digest is a running 64-bit hash of a sequence of values.
type Digest struct{ a, b uint64 }

func newDigest() Digest { return Digest{0x243f6a8885a308d3, 0x13198a2e03707344} }

// Add mixes in one value.
func (d *Digest) Add(v uint64) {
	high, low := bits.Mul64(d.a^v^0x2d358dccaa6c78a5, d.b^0x8bb84b93962eacc9)
	d.a = high ^ low ^ bits.RotateLeft64(d.a, 23)
	d.b += 0x9e3779b97f4a7c15
}

// Sum returns the hash so far.
func (d *Digest) Sum() uint64 {
	high, low := bits.Mul64(d.a^0x452821e638d01377, d.b|1)
	return high ^ low
}

// HashBytes hashes bytes into one value for the digest.
func HashBytes(p []byte) uint64 {
	h := uint64(len(p)) * 0x9e3779b97f4a7c15
	for len(p) >= 8 {
		v := uint64(p[0]) | uint64(p[1])<<8 | uint64(p[2])<<16 | uint64(p[3])<<24 |
			uint64(p[4])<<32 | uint64(p[5])<<40 | uint64(p[6])<<48 | uint64(p[7])<<56
		high, low := bits.Mul64(h^v, 0xd6e8feb86659fd93)
		h = high ^ low ^ v
		p = p[8:]
	}
	for _, c := range p {
		h = (h ^ uint64(c)) * 0x100000001b3
	}
	return h ^ h>>31
}
