package record

// polynomial is CRC-32C's, reflected: the highest bit is the constant term.
const polynomial = 0x82F63B78

// powers holds x^(2^n) modulo the polynomial.
var powers = makePowers()

func makePowers() (p [64]uint32) {
	p[0] = 1 << 30 // x
	for n := 1; n < len(p); n++ {
		p[n] = multiply(p[n-1], p[n-1])
	}
	return p
}

// multiply multiplies two polynomials over GF(2), modulo CRC-32C's.
func multiply(a, b uint32) (product uint32) {
	for ; a != 0; a <<= 1 {
		product ^= b & -(a >> 31)
		b = b>>1 ^ polynomial&-(b&1)
	}
	return product
}

// CombineChecksums returns the checksum of two parts as if they stood together, from those of the two and the length of the
// second: the first is multiplied by x to the power of the bits that follow it. It takes about a microsecond, whatever the length.
func CombineChecksums(first, second uint32, secondBytes int) uint32 {
	shift := uint32(1 << 31) // 1
	for n, bytes := 3, uint(secondBytes); bytes != 0; n, bytes = n+1, bytes>>1 {
		if bytes&1 != 0 {
			shift = multiply(powers[n], shift)
		}
	}
	return multiply(shift, first) ^ second
}
