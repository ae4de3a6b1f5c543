package compress

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// FuzzOpen opens anything: no more comes out than is allowed, errors are ours, and a second look finds the same.
func FuzzOpen(f *testing.F) {
	for codec, c := range foreign(f) {
		for _, p := range [][]byte{nil, []byte("a"), bytes.Repeat([]byte("text "), 1000), make([]byte, 100_000)} {
			f.Add(uint8(codec), uint16(2000), pack(f, c, p))
		}
	}
	for _, bomb := range bombs(f) {
		if len(bomb.p) < 10_000 {
			f.Add(uint8(bomb.codec), uint16(60_000), bomb.p)
		}
	}
	var d Decoder
	f.Fuzz(func(t *testing.T, codec uint8, most uint16, p []byte) {
		look := func(d *Decoder) (int64, error) {
			defer d.Close()
			stream, err := d.Open(int(codec%8), p, int64(most))
			if err != nil {
				return 0, err
			}
			return io.Copy(io.Discard, stream)
		}
		n, err := look(&d)
		if n > int64(most) && codec%8 != 0 {
			t.Fatalf("%d bytes, %d are allowed", n, most)
		}
		if err != nil && !errors.Is(err, ErrCodec) && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrTooLarge) {
			t.Fatal(err)
		}
		var fresh Decoder
		if again, err2 := look(&fresh); again != n || (err == nil) != (err2 == nil) {
			t.Fatalf("a used decoder finds %d bytes, %v; a new one %d, %v", n, err, again, err2)
		}
	})
}
