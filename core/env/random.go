package env

import "math/bits"

// Random draws by key, not in sequence: the same seed, stream and keys always give the same number. Removing one event
// from a run therefore leaves the draws of all others as they were, which is what lets a failing plan shrink.
//
// It is for identifiers and for the simulator; secrets come from Secrets (rule T5).
type Random struct{ low, high uint64 }

// NewRandom returns the randomness of a seed. The host of a real process takes both halves from the kernel at every
// start and never stores or prints them.
func NewRandom(low, high uint64) Random { return Random{low, high} }

// Stream names a family of draws, one constant per use.
type Stream uint64

// Uint64 draws a number for these keys.
func (r Random) Uint64(stream Stream, keys ...uint64) uint64 {
	h := mix(r.low^0x9e3779b97f4a7c15, r.high^uint64(stream)*0xd6e8feb86659fd93)
	for i, k := range keys {
		h = mix(h^k, 0xa0761d6478bd642f+uint64(i)*0x8ebc6af09c88c6e3)
	}
	return mix(h, r.high|1)
}

// Below draws a number in [0, n). Requires: n > 0.
func (r Random) Below(n uint64, stream Stream, keys ...uint64) uint64 {
	high, _ := bits.Mul64(r.Uint64(stream, keys...), n)
	return high
}

// OneIn says yes once in n draws on average.
func (r Random) OneIn(n uint64, stream Stream, keys ...uint64) bool {
	return r.Below(n, stream, keys...) == 0
}

// Sub returns the randomness of a part that has keys of its own (a node, a seed's workload).
func (r Random) Sub(stream Stream, keys ...uint64) Random {
	low := r.Uint64(stream, keys...)
	return Random{low, mix(low, r.high^0x589965cc75374cc3)}
}

// mix folds a 128-bit product, and keeps going when one factor is zero.
func mix(a, b uint64) uint64 {
	high, low := bits.Mul64(a^0x2d358dccaa6c78a5, b^0x8bb84b93962eacc9)
	h := high ^ low
	h ^= h >> 32
	h *= 0xe9846af9b1a615d
	return h ^ h>>29
}

// The streams of core. The simulator's own start at StreamSimulator.
const (
	StreamClusterID Stream = iota + 1
	StreamDirectoryID
	StreamTopicID
	StreamIncarnationID
	StreamJournalID
	StreamSimulator Stream = 1000
)

// UUID draws 16 bytes for these keys.
func (r Random) UUID(stream Stream, keys ...uint64) (id [16]byte) {
	high := r.Uint64(stream, append([]uint64{0}, keys...)...)
	low := r.Uint64(stream, append([]uint64{1}, keys...)...)
	for i := range 8 {
		id[i] = byte(high >> (56 - 8*i))
		id[8+i] = byte(low >> (56 - 8*i))
	}
	return id
}
