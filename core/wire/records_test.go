package wire_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"testing"

	"barnabas/core/compress"
	"barnabas/core/env"
	"barnabas/core/protocol"
	"barnabas/core/record"
	"barnabas/core/wire"

	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"
)

// looked returns what a look at a produce request with these batches finds, one partition each.
func looked(t testing.TB, openedMax int64, batches ...[]byte) []record.Facts {
	request := protocol.NewProduceRequest()
	topic := protocol.TopicProduceData{Name: "t"}
	for _, b := range batches {
		topic.PartitionData = append(topic.PartitionData, protocol.PartitionProduceData{Records: protocol.Records{Bytes: b}})
	}
	request.TopicData = []protocol.TopicProduceData{topic}
	w := protocol.NewWriter(nil)
	if err := protocol.EncodeRequest(w, protocol.RequestHeader{RequestApiVersion: 9}, request); err != nil {
		t.Fatal(err)
	}
	facts := wire.NewInspect(env.Inline{}, openedMax)(w.Bytes()[4:], nil).(*wire.Facts)
	if facts.Err != nil {
		t.Fatal(facts.Err)
	}
	return facts.Records
}

// packed returns the batch with its records compressed by a client's code.
func packed(t testing.TB, batch []byte, codec kgo.CompressionCodec, number int) []byte {
	c, err := kgo.DefaultCompressor(codec)
	if err != nil {
		t.Fatal(err)
	}
	h, err := record.ParseHeader(batch)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	records, _ := c.Compress(&out, batch[record.HeaderBytes:])
	p := append(bytes.Clone(batch[:record.HeaderBytes]), records...)
	record.Repack(p, &h, number)
	return p
}

var codecs = []kgo.CompressionCodec{
	kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression(),
}

// aboutRecords is what facts say of the records alone, however they are packed.
func aboutRecords(f record.Facts) record.Facts {
	f.Header = record.Header{BaseTimestamp: f.BaseTimestamp, Count: f.Count}
	return f
}

// The files are of Kafka's own client: .ci/kafka/Batches.java.
func TestBatchesOfKafkasClientAreOpened(t *testing.T) {
	for number, name := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		p, err := os.ReadFile("testdata/java/" + name + ".batch")
		if err != nil {
			t.Fatal(err)
		}
		f := looked(t, 1<<20, p)[0]
		if f.Err != nil || f.Attributes.Codec() != number || !f.Opened || f.Batches != 1 || f.Count != 40 ||
			f.Keyless != 5 || f.KeylessFirst != [8]int32{3, 11, 19, 27, 35} ||
			f.MinTimestamp != 1_700_000_000_000 || f.MinTimestampAt != 0 || f.MaxSeen != 1_700_000_000_975 || f.MaxSeenAt != 25 {
			t.Errorf("%s: %+v", name, f)
		}
		if f.MaxSeen != f.MaxTimestamp {
			t.Errorf("%s: the header's max timestamp is %d", name, f.MaxTimestamp)
		}
	}
}

// A codec changes nothing of what is found out about the records, however they lie in the windows of a stream.
func TestCompressedOrNotTheFactsAreTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := record.NewBuilder(nil, 0, 0)
		for range rapid.IntRange(1, 30).Draw(t, "records") {
			var key []byte
			if rapid.Bool().Draw(t, "key") {
				key = make([]byte, rapid.IntRange(0, 100).Draw(t, "key bytes"))
			}
			b.Append(rapid.Int64Range(-1, 1<<45).Draw(t, "time"), key, make([]byte, rapid.IntRange(0, 40_000).Draw(t, "value bytes")))
		}
		plain := b.Finish(0)
		want := looked(nil, 1, plain)[0]
		if want.Err != nil || !want.Opened {
			t.Fatalf("%+v", want)
		}
		for number, codec := range codecs[1:] {
			got := looked(nil, 4<<20, packed(nil, plain, codec, number+1))[0]
			if aboutRecords(got) != aboutRecords(want) {
				t.Fatalf("codec %d: %+v\nplain: %+v", number+1, got, want)
			}
		}
	})
}

// Whatever lies in the compressed records, they have the same verdict as if they were plain.
func TestDamagedRecordsAreFoundUnderACodec(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := record.NewBuilder(nil, 0, 0)
		for range rapid.IntRange(1, 4).Draw(t, "records") {
			b.Append(5, []byte("key"), []byte("value"))
		}
		plain := b.Finish(0)
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			at := rapid.IntRange(record.HeaderBytes, len(plain)-1).Draw(t, "at")
			plain[at] = rapid.Byte().Draw(t, "byte")
		}
		if rapid.Bool().Draw(t, "count") {
			binary.BigEndian.PutUint32(plain[57:], uint32(rapid.IntRange(0, 6).Draw(t, "n")))
		}
		binary.BigEndian.PutUint32(plain[17:], record.Checksum(plain[21:]))
		want := looked(nil, 1<<20, plain)[0]
		for number, codec := range codecs[1:] {
			got := looked(nil, 1<<20, packed(nil, plain, codec, number+1))[0]
			if (got.Err == nil) != (want.Err == nil) || errors.Is(got.Err, record.ErrInvalid) != errors.Is(want.Err, record.ErrInvalid) {
				t.Fatalf("codec %d: %v; plain: %v", number+1, got.Err, want.Err)
			}
		}
	})
}

// A walk, which followers and tools use, and a scan agree on what a well-formed batch is.
func TestAScanAndAWalkAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := record.NewBuilder(nil, 0, 0)
		n := rapid.IntRange(1, 4).Draw(t, "records")
		for range n {
			b.Append(5, []byte("key"), []byte("value"))
		}
		p := b.Finish(0)[record.HeaderBytes:]
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			p[rapid.IntRange(0, len(p)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		}
		var s record.Scanner
		scanned, walked := s.Scan(p, int32(n), nil), record.Walk(p, int32(n), nil)
		if (scanned == nil) != (walked == nil) {
			t.Fatalf("%x: scanned %v, walked %v", p, scanned, walked)
		}
	})
}

func TestWhatComesOutOfAFrameIsCapped(t *testing.T) {
	const most = 1 << 20
	b := record.NewBuilder(nil, 0, 0)
	b.Append(5, nil, make([]byte, most-1000))
	fits := packed(t, b.Finish(0), kgo.ZstdCompression(), 4)
	b = record.NewBuilder(nil, 0, 0)
	b.Append(5, nil, make([]byte, most))
	large := packed(t, b.Finish(0), kgo.ZstdCompression(), 4)
	f := looked(t, most, fits, large, fits, fits)
	if f[0].Err != nil || !errors.Is(f[1].Err, compress.ErrTooLarge) {
		t.Errorf("%v, %v", f[0].Err, f[1].Err)
	}
	if !errors.Is(f[3].Err, compress.ErrTooLarge) {
		t.Errorf("a frame of a few kilobytes opens to four times what one batch may: %v", f[3].Err)
	}
	if f := looked(t, most, fits); f[0].Err != nil {
		t.Errorf("alone: %v", f[0].Err)
	}
}

// What a look takes does not grow with the number of records.
func TestALookTakesNoMemoryForARecord(t *testing.T) {
	batchOf := func(n int) []byte {
		b := record.NewBuilder(nil, 0, 0)
		for range n {
			b.Append(5, []byte("key"), []byte("some value that is not short"))
		}
		return b.Finish(0)
	}
	inspect := wire.NewInspect(env.Inline{}, 1<<20)
	for number, codec := range codecs {
		taken := func(n int) float64 {
			batch := batchOf(n)
			if number > 0 {
				batch = packed(t, batch, codec, number)
			}
			w := protocol.NewWriter(nil)
			request := protocol.NewProduceRequest()
			request.TopicData = []protocol.TopicProduceData{{PartitionData: []protocol.PartitionProduceData{{Records: protocol.Records{Bytes: batch}}}}}
			if err := protocol.EncodeRequest(w, protocol.RequestHeader{RequestApiVersion: 9}, request); err != nil {
				t.Fatal(err)
			}
			frame := w.Bytes()[4:]
			var last env.Facts
			return testing.AllocsPerRun(20, func() {
				last = inspect(frame, last)
				if f := last.(*wire.Facts); f.Records[0].Err != nil {
					t.Fatal(f.Records[0].Err)
				}
			})
		}
		one, many := taken(1), taken(1000)
		if number == 0 && one+many > 0 {
			t.Errorf("%v allocations for an uncompressed record, %v for a thousand", one, many)
		}
		if many > one+2 {
			t.Errorf("codec %d: %v allocations for one record, %v for a thousand", number, one, many)
		}
	}
}
