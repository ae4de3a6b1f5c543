package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"testing"
)

func TestSequencesWrap(t *testing.T) {
	const last = math.MaxInt32
	for _, c := range []struct{ sequence, delta, want int32 }{
		{0, 0, 0}, {5, 3, 8}, {last, 0, last}, {last, 1, 0}, {last - 1, 3, 1}, {last, last, last - 1},
	} {
		if got := AddSequence(c.sequence, c.delta); got != c.want {
			t.Errorf("%d + %d = %d, want %d", c.sequence, c.delta, got, c.want)
		}
	}
}

func TestPatchLeavesTheChecksumAlone(t *testing.T) {
	p := goldenBatch()
	Patch(p, 1<<40, 77)
	h, err := Check(p)
	if err != nil || h.BaseOffset != 1<<40 || h.LeaderEpoch != 77 {
		t.Errorf("%+v, %v", h, err)
	}
	for at := range p {
		if inside := at >= 21; inside {
			p[at] ^= 1
			if _, err := Check(p); !errors.Is(err, ErrCRC) && !errors.Is(err, ErrInvalid) {
				t.Errorf("a flip at %d: %v", at, err)
			}
			p[at] ^= 1
		}
	}
}

// hostile changes the golden batch and puts the checksum right.
func hostile(change func(p []byte) []byte) []byte {
	p := change(goldenBatch())
	if len(p) >= HeaderBytes {
		binary.BigEndian.PutUint32(p[17:], Checksum(p[21:]))
	}
	return p
}

func set32(at int, v int32) func([]byte) []byte {
	return func(p []byte) []byte {
		binary.BigEndian.PutUint32(p[at:], uint32(v))
		return p
	}
}

func TestHostileBatchesAreErrors(t *testing.T) {
	// records replaces what follows the header.
	records := func(count int32, records ...byte) func([]byte) []byte {
		return func(p []byte) []byte {
			p = append(p[:HeaderBytes], records...)
			binary.BigEndian.PutUint32(p[8:], uint32(len(p)-lengthBefore))
			return set32(57, count)(p)
		}
	}
	set8 := func(at int, v byte) func([]byte) []byte {
		return func(p []byte) []byte {
			p[at] = v
			return p
		}
	}
	cases := []struct {
		name   string
		change func([]byte) []byte
		want   error
	}{
		{"nothing at all", func([]byte) []byte { return []byte{0} }, ErrTruncated},
		{"half a header", func(p []byte) []byte { return p[:60] }, ErrTruncated},
		{"cut off", func(p []byte) []byte { return p[:len(p)-1] }, ErrTruncated},
		{"an old format", set8(16, 1), ErrMagic},
		{"a new format", set8(16, 3), ErrMagic},
		{"negative length", set32(8, -1), ErrInvalid},
		{"least length", set32(8, math.MinInt32), ErrInvalid},
		{"length within the header", set32(8, 48), ErrInvalid},
		{"greatest length", set32(8, math.MaxInt32), ErrTruncated},
		{"negative last offset delta", set32(23, -1), ErrInvalid},
		{"negative count", set32(57, -1), ErrInvalid},
		{"negative base offset", set8(0, 0xff), ErrInvalid},
		{"more records than there are", set32(57, 3), ErrInvalid},
		{"very many records", set32(57, math.MaxInt32), ErrInvalid},
		{"fewer records than there are", set32(57, 1), ErrInvalid},
		{"a record of no length", records(1, 0), ErrInvalid},
		{"a record of negative length", records(1, 1), ErrInvalid},
		{"a record longer than all", records(1, 0x7e), ErrInvalid},
		{"a length that does not end", records(1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), ErrInvalid},
		{"a key longer than the record", records(1, 12, 0, 0, 0, 40, 1, 0), ErrInvalid},
		{"a key of length -2", records(1, 12, 0, 0, 0, 3, 1, 0), ErrInvalid},
		{"bytes after the fields", records(1, 14, 0, 0, 0, 1, 1, 0, 9), ErrInvalid},
		{"more headers than bytes", records(1, 12, 0, 0, 0, 1, 1, 100), ErrInvalid},
		{"a negative number of headers", records(1, 12, 0, 0, 0, 1, 1, 1), ErrInvalid},
		{"a header with a null key", records(1, 16, 0, 0, 0, 1, 1, 2, 1, 1), ErrInvalid},
		{"an offset delta beyond the last", records(1, 12, 0, 0, 4, 1, 1, 0), ErrInvalid},
		{"a negative offset delta", records(1, 12, 0, 0, 1, 1, 1, 0), ErrInvalid},
		{"an offset delta beyond 32 bits", records(1, 20, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x20, 1, 1, 0), ErrInvalid},
		{"offset deltas that fall", records(2, 12, 0, 0, 2, 1, 1, 0, 12, 0, 0, 0, 1, 1, 0), ErrInvalid},
		{"offset deltas that stand", records(2, 12, 0, 0, 2, 1, 1, 0, 12, 0, 0, 2, 1, 1, 0), ErrInvalid},
	}
	for _, c := range cases {
		if f := Inspect(hostile(c.change)); !errors.Is(f.Err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, f.Err, c.want)
		}
	}
}

func TestInspectLooksAtEveryBatch(t *testing.T) {
	b := NewBuilder(goldenBatch(), 0, 1)
	b.Append(7, []byte("k"), nil)
	p := b.Finish(44)
	f := Inspect(p)
	if f.Err != nil || f.Batches != 2 || f.BaseOffset != 42 || f.Keyless != 1 || f.KeylessFirst[0] != 1 || f.MinTimestamp != 1_699_999_999_995 {
		t.Errorf("%+v", f)
	}
	p[len(p)-1] ^= 1
	if f := Inspect(p); !errors.Is(f.Err, ErrCRC) || f.Batches != 1 {
		t.Errorf("damage in the second batch: %+v", f)
	}
	if f := Inspect(nil); f.Err != nil || f.Batches != 0 {
		t.Errorf("no batch: %+v", f)
	}
	compressed := hostile(func(p []byte) []byte {
		p[22] = 4
		return append(p[:HeaderBytes], bytes.Repeat([]byte{0xff}, len(p)-HeaderBytes)...)
	})
	if f := Inspect(compressed); f.Err != nil || f.Keyless != 0 || f.Opened {
		t.Errorf("compressed records are looked into: %+v", f)
	}
}

func TestVisitStopsTheWalk(t *testing.T) {
	stop := errors.New("enough")
	p := goldenBatch()
	seen := 0
	err := Walk(p[HeaderBytes:], 2, func(*Record) error {
		seen++
		return stop
	})
	if !errors.Is(err, stop) || seen != 1 {
		t.Errorf("%d records, %v", seen, err)
	}
	if err := Walk(p[HeaderBytes:], 2, nil); err != nil {
		t.Error(err)
	}
}

func TestChecksumOfPartsIsThatOfTheWhole(t *testing.T) {
	p := goldenBatch()
	for cut := range p {
		if ChecksumOf(p[:cut], nil, p[cut:]) != Checksum(p) {
			t.Fatalf("cut at %d", cut)
		}
	}
	if Checksum([]byte("123456789")) != 0xe3069283 { // the check value of CRC-32C
		t.Error("not CRC-32C")
	}
}
