// Package compress opens and makes the compressed records of a batch: gzip, snappy, lz4 and zstd, as Kafka's clients
// write and read them.
//
// A Decoder and an Encoder keep what their codecs need from one batch to the next, and belong to one user at a time. They
// work where they are called: no goroutine, no clock, no state outside of them, so both worlds get the same bytes.
//
//	Decoder.Open ─ stream of at most so many bytes, then ErrTooLarge
//	Encoder.Append ─ the compressed form, appended
//
// Everything that is opened came from a peer. Output is counted as it comes, so a batch of a kilobyte that claims to be a
// gigabyte costs no more than the cap; the memory a codec takes is bounded by the constants below, whatever the input
// says.
//
// What it does not do: it knows no batch, no record and no setting, and no other package imports the libraries behind it.
package compress

import (
	"errors"
	"fmt"
)

// Codec is the number of a codec, as it stands in a batch's attributes.
type Codec int8

// The codecs of Kafka.
const (
	None Codec = iota
	Gzip
	Snappy
	LZ4
	Zstd
	codecs
)

// Known says whether there is such a codec.
func (c Codec) Known() bool { return c >= None && c < codecs }

// String returns the codec's name in Kafka's settings; none is "uncompressed".
func (c Codec) String() string {
	if !c.Known() {
		return fmt.Sprintf("codec %d", int8(c))
	}
	return [...]string{"uncompressed", "gzip", "snappy", "lz4", "zstd"}[c]
}

// ByName returns the codec of that name in Kafka's settings.
func ByName(name string) (Codec, bool) {
	for c := None; c < codecs; c++ {
		if c.String() == name {
			return c, true
		}
	}
	return None, false
}

// What can be wrong with compressed bytes. The text after the colon says more.
var (
	ErrCodec    = errors.New("compression codec is unknown")
	ErrCorrupt  = errors.New("compressed records can't be opened")
	ErrTooLarge = errors.New("compressed records are larger than allowed when opened")
)

const (
	// windowMax is how far back a zstd stream may refer, which it needs memory for. Kafka's clients ask for 8 MiB at most,
	// at their highest levels.
	windowMax = 8 << 20
	// keptMax is how much memory for one snappy block is kept for the next batch.
	keptMax = 256 << 10
)
