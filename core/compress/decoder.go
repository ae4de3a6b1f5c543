package compress

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// Decoder opens one batch at a time. The zero value is ready.
type Decoder struct {
	in     bytes.Reader
	from   io.Reader // of the codec in use
	left   int64     // bytes that may still come out
	codec  Codec
	gzip   *gzip.Reader
	snappy snappyReader
	lz4    *lz4.Reader
	zstd   *zstd.Decoder
}

// Open returns what p holds compressed, as a stream. After most bytes of it reading fails with ErrTooLarge; what the codec
// can't read fails with ErrCorrupt. The stream reads p as it goes; it ends with Close, or with the next Open.
// Errors: ErrCodec, ErrCorrupt.
func (d *Decoder) Open(codec int, p []byte, most int64) (io.Reader, error) {
	d.in.Reset(p)
	d.left, d.codec, d.from = most, Codec(codec), nil
	var err error
	switch d.codec {
	case None:
		d.from = &d.in
	case Gzip:
		err = d.openGzip()
	case Snappy:
		d.snappy.reset(p, most)
		d.from = &d.snappy
	case LZ4:
		if d.lz4 == nil {
			d.lz4 = lz4.NewReader(nil)
		}
		d.lz4.Reset(&d.in)
		d.from = d.lz4
	case Zstd:
		err = d.openZstd()
	default:
		return nil, fmt.Errorf("%w: %d", ErrCodec, codec)
	}
	if err != nil {
		return nil, d.broken(err)
	}
	return d, nil
}

func (d *Decoder) openGzip() error {
	if d.gzip != nil {
		d.from = d.gzip
		return d.gzip.Reset(&d.in)
	}
	opened, err := gzip.NewReader(&d.in)
	if err != nil {
		return err
	}
	d.gzip, d.from = opened, opened
	return nil
}

func (d *Decoder) openZstd() error {
	if d.zstd == nil {
		opened, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(windowMax))
		if err != nil {
			return err
		}
		d.zstd = opened
	}
	d.from = d.zstd
	return d.zstd.Reset(&d.in)
}

// Read reads what the present batch holds.
func (d *Decoder) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if d.from == nil {
		return 0, io.EOF
	}
	// One byte beyond the cap tells that there is more from that there is an end.
	n, err := d.from.Read(p[:min(int64(len(p)), d.left+1)])
	d.left -= int64(n)
	if d.left < 0 {
		return 0, ErrTooLarge
	}
	if err != nil && err != io.EOF {
		return n, d.broken(err)
	}
	return n, err
}

// Close lets go of the batch. The codecs' memory is kept for the next.
func (d *Decoder) Close() {
	d.in.Reset(nil)
	d.from = nil
	d.snappy.close()
}

func (d *Decoder) broken(err error) error {
	switch {
	case errors.Is(err, ErrTooLarge), errors.Is(err, ErrCorrupt):
		return err
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF // where a codec's header should be
	}
	return fmt.Errorf("%w: %v: %v", ErrCorrupt, d.codec, err)
}
