package record

import (
	"testing"

	"pgregory.net/rapid"
)

func TestChecksumsOfPartsCombine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "first")
		second := rapid.SliceOfN(rapid.Byte(), 0, 3000).Draw(t, "second")
		want := ChecksumOf(first, second)
		if got := CombineChecksums(Checksum(first), Checksum(second), len(second)); got != want {
			t.Fatalf("combined %08x, of the whole %08x", got, want)
		}
	})
}

func BenchmarkCombineChecksums(b *testing.B) {
	sum := uint32(1)
	for b.Loop() {
		sum = CombineChecksums(sum, 0x12345678, 1_000_011)
	}
}
