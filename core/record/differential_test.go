package record

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"
)

// maybeBytes draws bytes that may be null.
func maybeBytes(t *rapid.T, label string) []byte {
	if rapid.Bool().Draw(t, label+" is null") {
		return nil
	}
	return rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, label)
}

func same(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

// foreign draws a batch and encodes it with a client's code, not ours.
func foreign(t *rapid.T) (kmsg.RecordBatch, []kmsg.Record, []byte) {
	b := kmsg.RecordBatch{
		FirstOffset: rapid.Int64Range(0, 1<<50).Draw(t, "offset"), PartitionLeaderEpoch: rapid.Int32().Draw(t, "epoch"),
		Magic: 2, Attributes: rapid.SampledFrom([]int16{0, 8, 16, 48}).Draw(t, "attributes"),
		FirstTimestamp: rapid.Int64Range(0, 1<<45).Draw(t, "time"), ProducerID: rapid.Int64().Draw(t, "producer"),
		ProducerEpoch: rapid.Int16().Draw(t, "producer epoch"), FirstSequence: rapid.Int32().Draw(t, "sequence"),
	}
	b.MaxTimestamp = b.FirstTimestamp
	var records []kmsg.Record
	for i := range rapid.IntRange(1, 20).Draw(t, "records") {
		r := kmsg.Record{
			TimestampDelta64: rapid.Int64Range(-1<<40, 1<<40).Draw(t, "delta"), OffsetDelta: int32(i),
			Key: maybeBytes(t, "key"), Value: maybeBytes(t, "value"),
		}
		for range rapid.IntRange(0, 3).Draw(t, "headers") {
			r.Headers = append(r.Headers, kmsg.Header{Key: rapid.String().Draw(t, "name"), Value: maybeBytes(t, "header")})
		}
		r.Length = int32(len(r.AppendTo(nil)) - 1) // a length of 0 takes one byte
		b.Records = r.AppendTo(b.Records)
		b.MaxTimestamp = max(b.MaxTimestamp, b.FirstTimestamp+r.TimestampDelta64)
		records = append(records, r)
	}
	b.NumRecords, b.LastOffsetDelta = int32(len(records)), int32(len(records)-1)
	b.Length = int32(len(b.AppendTo(nil)) - lengthBefore)
	b.CRC = int32(Checksum(b.AppendTo(nil)[21:]))
	return b, records, b.AppendTo(nil)
}

func sameHeader(t *rapid.T, h Header, b kmsg.RecordBatch) {
	want := Header{
		BaseOffset: Offset(b.FirstOffset), Length: int(b.Length) + lengthBefore, LeaderEpoch: LeaderEpoch(b.PartitionLeaderEpoch),
		CRC: uint32(b.CRC), Attributes: Attributes(b.Attributes), LastOffsetDelta: b.LastOffsetDelta,
		BaseTimestamp: b.FirstTimestamp, MaxTimestamp: b.MaxTimestamp, ProducerID: b.ProducerID, ProducerEpoch: b.ProducerEpoch,
		BaseSequence: b.FirstSequence, Count: b.NumRecords,
	}
	if h != want {
		t.Fatalf("got  %+v\nwant %+v", h, want)
	}
}

func TestWhatAClientWritesIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, records, p := foreign(t)
		h, err := Check(p)
		if err != nil {
			t.Fatal(err)
		}
		sameHeader(t, h, b)
		at := 0
		err = Walk(p[HeaderBytes:h.Length], h.Count, func(r *Record) error {
			want := &records[at]
			at++
			if r.OffsetDelta != want.OffsetDelta || r.TimestampDelta != want.TimestampDelta64 || !same(r.Key, want.Key) ||
				!same(r.Value, want.Value) || len(r.Headers) != len(want.Headers) {
				t.Fatalf("record %d: got %+v, want %+v", at-1, r, want)
			}
			for i, header := range r.Headers {
				if header.Key != want.Headers[i].Key || !same(header.Value, want.Headers[i].Value) {
					t.Fatalf("record %d: got header %+v, want %+v", at-1, header, want.Headers[i])
				}
			}
			return nil
		})
		if err != nil || at != len(records) {
			t.Fatalf("%d of %d records: %v", at, len(records), err)
		}
		if f := Inspect(p); f.Err != nil || f.Batches != 1 {
			t.Fatalf("%+v", f)
		}
	})
}

func TestWhatWeWriteAClientReads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.SliceOfN(rapid.Byte(), 0, 5).Draw(t, "before")
		builder := NewBuilder(bytes.Clone(prefix), Attributes(rapid.SampledFrom([]int16{0, 16, 32}).Draw(t, "attributes")), 7)
		if rapid.Bool().Draw(t, "idempotent") {
			builder.SetProducer(5, 6, rapid.Int32Range(0, 1<<31-1).Draw(t, "sequence"))
		}
		type row struct {
			time       int64
			key, value []byte
		}
		var rows []row
		for range rapid.IntRange(1, 20).Draw(t, "records") {
			r := row{rapid.Int64Range(0, 1<<45).Draw(t, "time"), maybeBytes(t, "key"), maybeBytes(t, "value")}
			rows = append(rows, r)
			builder.Append(r.time, r.key, r.value)
		}
		p := builder.Finish(9)
		if !bytes.HasPrefix(p, prefix) {
			t.Fatal("what stood before is gone")
		}
		p = p[len(prefix):]
		var b kmsg.RecordBatch
		if err := b.ReadFrom(p); err != nil {
			t.Fatal(err)
		}
		h, err := Check(p)
		if err != nil {
			t.Fatal(err)
		}
		sameHeader(t, h, b)
		if !bytes.Equal(b.AppendTo(nil), p) {
			t.Fatal("written anew it differs")
		}
		rest := b.Records
		for i, want := range rows {
			var r kmsg.Record
			if err := r.ReadFrom(rest); err != nil {
				t.Fatal(err)
			}
			length := len(r.AppendTo(nil))
			rest = rest[length:]
			if r.OffsetDelta != int32(i) || b.FirstTimestamp+r.TimestampDelta64 != want.time || !same(r.Key, want.key) ||
				!same(r.Value, want.value) {
				t.Fatalf("record %d: %+v, want %+v", i, r, want)
			}
		}
		if len(rest) != 0 || b.MaxTimestamp < rows[len(rows)-1].time {
			t.Fatalf("%d bytes left, greatest time %d", len(rest), b.MaxTimestamp)
		}
	})
}

func TestNoBytesMakeItPanic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, _, p := foreign(t)
		for range rapid.IntRange(0, 6).Draw(t, "changes") {
			p[rapid.IntRange(0, len(p)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		}
		p = p[:rapid.IntRange(0, len(p)).Draw(t, "length")]
		if h, err := ParseHeader(p); err == nil {
			_ = Walk(p[HeaderBytes:h.Length], h.Count, nil)
			change := bytes.Clone(p[:h.Length])
			binary.BigEndian.PutUint32(change[17:], Checksum(change[21:]))
			Inspect(change)
		}
		Inspect(p)
	})
}
