package compress

import (
	"bytes"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// Encoder compresses one batch at a time. The zero value is ready. What a codec needs is made for each batch anew: few
// topics have a compression.type of their own, and levels differ.
type Encoder struct {
	block []byte
}

// Append appends p, compressed, to dst. level is the one of Kafka's setting for the codec (compression.gzip.level, …);
// snappy has none. Errors: ErrCodec.
func (e *Encoder) Append(dst []byte, codec Codec, level int, p []byte) ([]byte, error) {
	out := bytes.NewBuffer(dst)
	var w io.WriteCloser
	var err error
	switch codec {
	case None:
		return append(dst, p...), nil
	case Gzip:
		w, err = gzip.NewWriterLevel(out, level)
	case Snappy:
		return e.appendSnappy(dst, p), nil
	case LZ4:
		w, err = lz4Writer(out, level)
	case Zstd:
		w, err = zstd.NewWriter(out, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(level)),
			zstd.WithWindowSize(zstdWindow(len(p))), zstd.WithLowerEncoderMem(true), zstd.WithZeroFrames(true))
	default:
		return dst, fmt.Errorf("%w: %d", ErrCodec, codec)
	}
	if err != nil {
		return dst, fmt.Errorf("%v at level %d: %w", codec, level, err)
	}
	if _, err := w.Write(p); err != nil {
		return dst, err
	}
	if err := w.Close(); err != nil {
		return dst, err
	}
	return out.Bytes(), nil
}

// lz4Writer writes frames as Kafka's clients do: blocks of 64 KiB, each for itself, no checksums of contents.
func lz4Writer(out io.Writer, level int) (io.WriteCloser, error) {
	// Kafka's levels go to 17, as those of its library; this one has 9.
	levels := [...]lz4.CompressionLevel{
		lz4.Level1, lz4.Level2, lz4.Level3, lz4.Level4, lz4.Level5, lz4.Level6, lz4.Level7, lz4.Level8, lz4.Level9,
	}
	w := lz4.NewWriter(out)
	err := w.Apply(lz4.BlockSizeOption(lz4.Block64Kb), lz4.ChecksumOption(false), lz4.ConcurrencyOption(1),
		lz4.CompressionLevelOption(levels[min(max(level, 1), len(levels))-1]))
	return w, err
}

// zstdWindow returns the least window that holds all of a batch.
func zstdWindow(size int) int {
	window := zstd.MinWindowSize
	for window < size && window < windowMax/2 {
		window *= 2
	}
	return window
}
