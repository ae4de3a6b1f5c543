package segment

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
	"testing"

	"pgregory.net/rapid"

	"barnabas/core/record"
)

// stored is a batch of a segment, as an index is told of it.
type stored struct {
	base, last record.Offset
	position   uint32
	bytes      uint32
	timestamp  int64
}

// story is a segment as a list of batches.
type story struct {
	base     record.Offset
	interval int
	batches  []stored
}

func (s *story) end() (record.Offset, uint32) {
	if len(s.batches) == 0 {
		return s.base, 0
	}
	b := s.batches[len(s.batches)-1]
	return b.last + 1, b.position + b.bytes
}

func (s *story) grow(t *rapid.T) stored {
	end, position := s.end()
	gap := record.Offset(rapid.IntRange(0, 2).Draw(t, "gap")) // compaction leaves gaps
	b := stored{base: end + gap, position: position, bytes: uint32(rapid.IntRange(61, 300).Draw(t, "bytes"))}
	b.last = b.base + record.Offset(rapid.IntRange(0, 3).Draw(t, "records"))
	b.timestamp = int64(rapid.IntRange(-1, 40).Draw(t, "timestamp"))
	s.batches = append(s.batches, b)
	return b
}

// naive writes the two files as Kafka's LogSegment.append and onBecomeInactiveSegment would in one run.
func (s *story) naive(sealed bool) (offsets, times []byte) {
	since, greatest, noted := 0, TimeEntry{-1, s.base}, int64(-1)
	note := func() {
		if greatest.Timestamp > noted {
			noted = greatest.Timestamp
			times = binary.BigEndian.AppendUint64(times, uint64(greatest.Timestamp))
			times = binary.BigEndian.AppendUint32(times, uint32(greatest.Last-s.base))
		}
	}
	for _, b := range s.batches {
		if b.timestamp > greatest.Timestamp {
			greatest = TimeEntry{b.timestamp, b.last}
		}
		if since > s.interval {
			offsets = binary.BigEndian.AppendUint32(offsets, uint32(b.last-s.base))
			offsets = binary.BigEndian.AppendUint32(offsets, b.position)
			note()
			since = 0
		}
		since += int(b.bytes)
	}
	if sealed {
		note()
	}
	return offsets, times
}

// resume appends again what an index asks for.
func (s *story) resume(x *Index) {
	for _, b := range s.batches {
		if b.position >= x.Resume() {
			x.Append(b.last, b.position, b.timestamp)
		}
	}
}

// holding returns the number of the first batch that reaches the offset, looking from the position on.
func (s *story) holding(offset record.Offset, from uint32) int {
	for i, b := range s.batches {
		if b.position >= from && b.last >= offset {
			return i
		}
	}
	return -1
}

// reaching returns the number of the first batch that reaches the timestamp, looking from the position on.
func (s *story) reaching(timestamp int64, from uint32) int {
	for i, b := range s.batches {
		if b.position >= from && b.timestamp >= timestamp {
			return i
		}
	}
	return -1
}

func (s *story) check(t *rapid.T, x *Index, sealed bool) {
	offsets, times := s.naive(sealed)
	if got := x.OffsetBytes(0); !bytes.Equal(got, offsets) {
		t.Fatalf("offset index\n%x\nwant\n%x", got, offsets)
	}
	if got := x.TimeBytes(0); !bytes.Equal(got, times) {
		t.Fatalf("time index\n%x\nwant\n%x", got, times)
	}
	table := crc32.MakeTable(crc32.Castagnoli)
	if o, e := x.Sums(); o != crc32.Checksum(offsets, table) || e != crc32.Checksum(times, table) {
		t.Fatalf("sums %08x %08x of\n%x\n%x", o, e, offsets, times)
	}
	if o, e := x.Len(); o != len(offsets)/8 || e != len(times)/12 {
		t.Fatalf("%d and %d entries, want %d and %d", o, e, len(offsets)/8, len(times)/12)
	}
	s.checkLookups(t, x)
	if err := x.Within(s.end()); err != nil {
		t.Fatal(err)
	}
}

// checkLookups: who begins where the index says finds what reading the whole segment finds, and the index does not send
// anybody further back than it must.
func (s *story) checkLookups(t *rapid.T, x *Index) {
	end, _ := s.end()
	offsets, _ := x.Len()
	for offset := s.base - 1; offset <= end+1; offset++ {
		position, last, ok := x.Lookup(offset)
		if s.holding(offset, position) != s.holding(offset, 0) {
			t.Fatalf("offset %d: not found from position %d on", offset, position)
		}
		var want Entry
		found := false
		for n := range offsets {
			if e := x.Entry(n); e.Last <= offset {
				want, found = e, true
			}
		}
		if ok != found || ok && (want != Entry{last, position}) || !ok && (position != 0 || last != s.base) {
			t.Fatalf("offset %d: entry %d at %d %v, want %v", offset, last, position, ok, want)
		}
	}
	greatest := TimeEntry{-1, s.base}
	for _, b := range s.batches {
		if b.timestamp > greatest.Timestamp {
			greatest = TimeEntry{b.timestamp, b.last}
		}
	}
	if x.Greatest() != greatest {
		t.Fatalf("greatest timestamp %v, want %v", x.Greatest(), greatest)
	}
	_, times := x.Len()
	for timestamp := int64(-2); timestamp <= 42; timestamp++ {
		last, ok := x.LookupTimestamp(timestamp)
		position := uint32(0)
		if ok {
			position, _, _ = x.Lookup(last)
		}
		if s.reaching(timestamp, position) != s.reaching(timestamp, 0) {
			t.Fatalf("timestamp %d: not found from offset %d on", timestamp, last)
		}
		want, found := s.base, false
		for n := range times {
			if e := x.TimeEntry(n); e.Timestamp <= timestamp {
				want, found = e.Last, true
			}
		}
		if ok != found || last != want {
			t.Fatalf("timestamp %d: offset %d %v, want %d", timestamp, last, ok, want)
		}
	}
}

func TestAnIndexIsWhatKafkaWouldWrite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := story{
			base:     record.Offset(rapid.Int64Range(0, 1<<40).Draw(t, "base")),
			interval: rapid.SampledFrom([]int{0, 60, 61, 200, 1000}).Draw(t, "interval"),
		}
		x, sealed := NewIndex(s.base, s.interval), false
		grow := func(t *rapid.T) {
			if sealed {
				t.Skip("the segment is closed")
			}
			for range rapid.IntRange(1, 8).Draw(t, "batches") {
				b := s.grow(t)
				x.Append(b.last, b.position, b.timestamp)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"":          func(t *rapid.T) { s.check(t, &x, sealed) },
			"grow":      grow,
			"grow more": grow,
			"seal": func(*rapid.T) {
				x.Seal()
				sealed = true
			},
			"truncate": func(t *rapid.T) {
				end, _ := s.end()
				if keep := rapid.IntRange(0, len(s.batches)).Draw(t, "keep"); keep < len(s.batches) {
					end = s.batches[keep].base
					s.batches = s.batches[:keep]
				}
				x.Truncate(end)
				resume := uint32(0)
				if offsets, _ := s.naive(false); len(offsets) > 0 {
					resume = binary.BigEndian.Uint32(offsets[len(offsets)-4:])
				}
				if x.Resume() != resume {
					t.Fatalf("resumes at %d, want %d", x.Resume(), resume)
				}
				s.resume(&x)
				sealed = false
			},
			"again": func(*rapid.T) {
				for _, b := range s.batches {
					x.Append(b.last, b.position, b.timestamp)
				}
			},
			"parse": func(t *rapid.T) {
				parsed, err := ParseIndex(s.base, s.interval, x.OffsetBytes(0), x.TimeBytes(0))
				if err != nil {
					t.Fatal(err)
				}
				x = parsed
				s.resume(&x)
			},
			"export": func(t *rapid.T) {
				offsets, times := x.Len()
				from := rapid.IntRange(0, offsets).Draw(t, "offsets")
				if got := x.OffsetBytes(from); !bytes.Equal(got, x.OffsetBytes(0)[8*from:]) {
					t.Fatalf("offset index from %d: %x", from, got)
				}
				from = rapid.IntRange(0, times).Draw(t, "times")
				if got := x.TimeBytes(from); !bytes.Equal(got, x.TimeBytes(0)[12*from:]) {
					t.Fatalf("time index from %d: %x", from, got)
				}
			},
		})
	})
}

func TestBytesAreTheCallers(t *testing.T) {
	x := NewIndex(0, 0)
	x.Append(0, 0, 1)
	x.Append(1, 100, 2)
	offsets, times := x.OffsetBytes(0), x.TimeBytes(0)
	x.Truncate(0)
	x.Append(0, 0, 8)
	x.Append(7, 100, 9)
	if offsets[3] != 1 || times[7] != 2 {
		t.Errorf("changed to %x %x", offsets, times)
	}

	parsed, err := ParseIndex(0, 0, offsets, times)
	if err != nil {
		t.Fatal(err)
	}
	offsets[3], times[7] = 99, 99
	if e, d := parsed.Entry(0), parsed.TimeEntry(0); e.Last != 1 || d.Timestamp != 2 {
		t.Errorf("changed to %v %v", e, d)
	}
}

func TestWhatFitsIntoAnIndex(t *testing.T) {
	x := NewIndex(100, 0)
	for offset, want := range map[record.Offset]bool{
		99: false, 100: true, 100 + math.MaxInt32: true, 101 + math.MaxInt32: false, math.MaxInt64: false,
	} {
		if x.Fits(offset) != want {
			t.Errorf("offset %d: %v, want %v", offset, !want, want)
		}
	}
}

// Kafka gives a time index one entry less than the file has room for, which is for the one of Seal.
func TestAFullIndex(t *testing.T) {
	cases := []struct {
		name       string
		timestamps []int64 // of batches that all get an entry, but for the first
		bytesMax   int
		want       bool
	}{
		{"no entries", []int64{5}, 24, false},
		{"offsets: room for one", []int64{5, 5}, 23, true},
		{"offsets: the last but one", []int64{5, 5, 5, 5}, 39, false},
		{"offsets: the last", []int64{5, 5, 5, 5, 5}, 39, true},
		{"times: one entry of two", []int64{5, 5}, 35, true},
		{"times: one entry of three", []int64{5, 5}, 36, false},
		{"times: two entries of three", []int64{5, 5, 6}, 47, true},
		{"times: two entries of four", []int64{5, 5, 6}, 48, false},
	}
	for _, c := range cases {
		x := NewIndex(0, 0)
		for i, timestamp := range c.timestamps {
			x.Append(record.Offset(i), uint32(i), timestamp)
		}
		if got := x.Full(c.bytesMax); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
