package segment

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"barnabas/core/record"
)

func words(values ...uint32) (p []byte) {
	for _, v := range values {
		p = binary.BigEndian.AppendUint32(p, v)
	}
	return p
}

func TestAnIndexOfTheWrongShape(t *testing.T) {
	times := func(pairs ...int64) (p []byte) {
		for i := 0; i < len(pairs); i += 2 {
			p = binary.BigEndian.AppendUint64(p, uint64(pairs[i]))
			p = binary.BigEndian.AppendUint32(p, uint32(pairs[i+1]))
		}
		return p
	}
	cases := []struct {
		name           string
		offsets, times []byte
		want           string // part of the error; "" for none
	}{
		{"empty", nil, nil, ""},
		{"whole", words(1, 10, 2, 20), times(0, 0, 7, 1), ""},
		{"as far as numbers go", words(1<<31-1, 1<<31-1), times(1<<62, 1<<31-1), ""},
		{"part of an entry", words(1, 10, 2), nil, "offset index: not in its format: 12 bytes"},
		{"part of a time entry", nil, times(1, 2)[:11], "time index: not in its format: 11 bytes"},
		{"the first batch", words(0, 10), nil, "entry 0: not in its format: offset 1000 is not above 1000"},
		{"the first byte", words(1, 0), nil, "entry 0: not in its format: position 0"},
		{"an offset twice", words(1, 10, 1, 20), nil, "entry 1: not in its format: offset 1001 is not above 1001"},
		{"offsets descend", words(1, 10, 5, 20, 4, 30), nil, "entry 2: not in its format: offset 1004 is not above 1005"},
		{"a position twice", words(1, 10, 2, 10), nil, "entry 1: not in its format: position 10 is not above 10"},
		{"positions descend", words(1, 10, 2, 9), nil, "entry 1: not in its format: position 9"},
		{"an offset below the base", words(1<<32-1, 10), nil, "entry 0: not in its format: offset 999"},
		{"a negative position", words(1, 1<<31), nil, "position -2147483648 is negative"},
		{"zeros at the end", words(1, 10, 0, 0), nil, "entry 1"},
		{"a timestamp twice", nil, times(7, 1, 7, 2), "time index, entry 1: not in its format: timestamp 7 is not above 7"},
		{"timestamps descend", nil, times(7, 1, 6, 2), "entry 1: not in its format: timestamp 6"},
		{"no timestamp", nil, times(-1, 1), "entry 0: not in its format: timestamp -1"},
		{"an offset of two timestamps", nil, times(7, 1, 8, 1), "entry 1: not in its format: offset 1001 is not above 1001"},
		{"times below the base", nil, times(7, -1), "entry 0: not in its format: offset 999"},
	}
	for _, c := range cases {
		x, err := ParseIndex(1000, 4096, c.offsets, c.times)
		switch {
		case c.want == "":
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			} else if !bytes.Equal(x.OffsetBytes(0), c.offsets) || !bytes.Equal(x.TimeBytes(0), c.times) {
				t.Errorf("%s: %x %x", c.name, x.OffsetBytes(0), x.TimeBytes(0))
			}
		case err == nil || !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want):
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

func TestZerosAfterTheLastEntryAreKafkas(t *testing.T) {
	cases := []struct {
		name           string
		offsets, times []byte
		entries, dated int
		wrong          bool
	}{
		{"all of it", make([]byte, 800), make([]byte, 1200), 0, 0, false},
		{"after entries", words(1, 10, 3, 0x100, 0, 0), words(0, 7, 1, 0, 9, 0x300, 0, 0, 0), 2, 2, false},
		{"none", words(1, 10), words(0, 7, 1), 1, 1, false},
		{"an entry of 1970", nil, words(0, 0, 0), 0, 1, false},
		{"between entries", words(1, 10, 0, 0, 2, 20), nil, 0, 0, true},
		{"a part of one", words(1, 10, 0), nil, 0, 0, true},
	}
	for _, c := range cases {
		x, err := ParseKafkaIndex(1000, 4096, c.offsets, c.times)
		if (err != nil) != c.wrong {
			t.Errorf("%s: error %v", c.name, err)
		}
		if o, e := x.Len(); err == nil && (o != c.entries || e != c.dated) {
			t.Errorf("%s: %d and %d entries, want %d and %d", c.name, o, e, c.entries, c.dated)
		}
	}
}

func TestAnEntryAgainstItsBatch(t *testing.T) {
	h := record.Header{BaseOffset: 10, LastOffsetDelta: 4, MaxTimestamp: 77}
	cases := []struct {
		name string
		err  error
		ok   bool
	}{
		{"entry", Entry{14, 5}.Verify(&h), true},
		{"entry for the batch before", Entry{9, 5}.Verify(&h), false},
		{"entry with the base offset", Entry{10, 5}.Verify(&h), false},
		{"entry for the batch after", Entry{15, 5}.Verify(&h), false},
		{"time entry", TimeEntry{77, 14}.Verify(&h), true},
		{"time entry with another offset", TimeEntry{77, 13}.Verify(&h), false},
		{"time entry with another timestamp", TimeEntry{76, 14}.Verify(&h), false},
	}
	for _, c := range cases {
		if (c.err == nil) != c.ok || c.err != nil && !errors.Is(c.err, ErrInvalid) {
			t.Errorf("%s: %v", c.name, c.err)
		}
	}
}

func TestAnIndexBeyondItsSegment(t *testing.T) {
	x := NewIndex(100, 0)
	x.Append(104, 0, 7)
	x.Append(109, 50, 9)
	for _, c := range []struct {
		end   record.Offset
		bytes uint32
		ok    bool
	}{{110, 51, true}, {109, 51, false}, {110, 50, false}} {
		if err := x.Within(c.end, c.bytes); (err == nil) != c.ok {
			t.Errorf("%d %d: %v", c.end, c.bytes, err)
		}
	}
	undated := NewIndex(100, 0)
	undated.Append(104, 0, -1)
	undated.Append(109, 50, -1)
	if err := undated.Within(109, 51); err == nil {
		t.Error("an entry at the end is let pass")
	}
	sealed := NewIndex(100, 1000)
	sealed.Append(104, 0, 7)
	sealed.Seal()
	if err := sealed.Within(104, 50); err == nil {
		t.Error("a time entry at the end is let pass")
	}
}
