package api_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"barnabas/core/compress"
	"barnabas/core/protocol"
	"barnabas/core/record"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The codecs, by number.
var codecs = []kgo.CompressionCodec{
	kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression(),
}

// packed returns the batch with its records compressed by a client's code.
func packed(batch []byte, number int) []byte {
	if number == 0 {
		return batch
	}
	c, err := kgo.DefaultCompressor(codecs[number])
	if err != nil {
		panic(err)
	}
	h, err := record.ParseHeader(batch)
	if err != nil {
		panic(err)
	}
	var out bytes.Buffer
	records, _ := c.Compress(&out, batch[record.HeaderBytes:])
	p := append(bytes.Clone(batch[:record.HeaderBytes]), records...)
	record.Repack(p, &h, number)
	return p
}

// opened returns the records of a batch, as a client opens it.
func opened(batch []byte) (record.Header, []string) {
	h, err := record.Check(batch)
	if err != nil {
		panic(err)
	}
	records, err := kgo.DefaultDecompressor().Decompress(batch[record.HeaderBytes:h.Length], kgo.CompressionCodecType(h.Attributes.Codec()))
	if err != nil {
		panic(err)
	}
	var all []string
	if err := record.Walk(records, h.Count, func(r *record.Record) error {
		all = append(all, fmt.Sprintf("%d@%d %s", r.OffsetDelta, h.BaseTimestamp+r.TimestampDelta, r.Value))
		return nil
	}); err != nil {
		panic(err)
	}
	return h, all
}

// stored returns the batch at the offset as a consumer gets it.
func (r *rig) stored(name string, offset int64) []byte {
	r.t.Helper()
	row := first(r.ask(fetch(name, offset, 12), 12))
	if row.ErrorCode != protocol.ErrNone || len(row.Records.Bytes) == 0 {
		r.t.Fatalf("fetch of %s: %s, %d bytes", name, row.ErrorCode, len(row.Records.Bytes))
	}
	h, err := record.Check(row.Records.Bytes)
	if err != nil {
		r.t.Fatal(err)
	}
	return row.Records.Bytes[:h.Length]
}

func withTopics(t *testing.T, topics map[string][]string, given ...string) *rig {
	r := scripted(t, given...)
	names := make([]string, 0, len(topics))
	for name := range topics {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		r.publish(topic(name, 1, []int32{1}, []int32{1}, topics[name]...)...)
	}
	return r
}

func answered(m protocol.Message) protocol.PartitionProduceResponse {
	return m.(*protocol.ProduceResponse).Responses[0].PartitionResponses[0]
}

// wall is the rig's time of day at its start.
const wall = 1_000_000

// Every codec meets the same verdicts, since every batch is opened.
func TestRecordsHaveTheSameVerdictUnderEveryCodec(t *testing.T) {
	r := withTopics(t, map[string][]string{
		"compacted": {"cleanup.policy", "compact"},
		"early":     {"message.timestamp.before.max.ms", "1000"},
		"late":      {"message.timestamp.after.max.ms", "50000"},
		"stamped":   {"message.timestamp.type", "LogAppendTime"},
	})
	at := func(timestamps ...int64) []byte {
		b := record.NewBuilder(nil, 0, 0)
		for i, timestamp := range timestamps {
			var key []byte
			if i != 1 {
				key = []byte("key")
			}
			b.Append(timestamp, key, []byte("v"))
		}
		return b.Finish(0)
	}
	damaged := func(change func(p []byte)) []byte {
		p := at(wall, wall)
		change(p)
		return p
	}
	now := wall + int64(r.kernel.Now()/1e6)
	for number := range codecs {
		f := func(name, topic string, batch []byte, want protocol.Error, records ...int32) {
			t.Helper()
			p := packed(batch, number)
			binary.BigEndian.PutUint32(p[17:], record.Checksum(p[21:]))
			row := answered(r.ask(produce(topic, 1, p, 12), 12))
			var got []int32
			for _, e := range row.RecordErrors {
				got = append(got, e.BatchIndex)
				if e.BatchIndexErrorMessage.Value == "" {
					t.Errorf("%v, codec %d: record %d is refused without a word", name, number, e.BatchIndex)
				}
			}
			if row.ErrorCode != want || !slices.Equal(got, records) || (want != 0) != row.ErrorMessage.Valid {
				t.Errorf("%s, codec %d: %q %v %q, want %q %v", name, number, row.ErrorCode, got, row.ErrorMessage.Value, want, records)
			}
		}
		f("a key is missing", "compacted", at(1, 2, 3), protocol.ErrInvalidRecord, 1)
		f("keys are there", "compacted", keyedBatch("a", "b"), protocol.ErrNone)
		f("no key, not compacted", "led", at(1, 2), protocol.ErrNone)
		f("in time", "early", at(now-500, now+3_000_000), protocol.ErrNone)
		f("too early", "early", at(now, now, now-90_000), protocol.ErrInvalidTimestamp, 2)
		f("no timestamp", "early", at(-1, -1), protocol.ErrNone)
		f("far in the past where that is allowed", "late", at(-5_000_000_000, 5), protocol.ErrNone)
		f("too late", "late", at(now, now+90_000, now+80_000), protocol.ErrInvalidTimestamp, 1)
		f("too late by default", "led", at(now, now+4_000_000), protocol.ErrInvalidTimestamp, 1)
		f("any time where the broker sets it", "stamped", at(now, now+1<<40), protocol.ErrNone)
		f("a producer that sets the type", "stamped", damaged(func(p []byte) { p[22] |= 8 }), protocol.ErrInvalidTimestamp)
		f("a count too high", "led", damaged(func(p []byte) { p[60]++; p[26]++ }), protocol.ErrInvalidRecord)
		f("a count too low", "led", damaged(func(p []byte) { p[60]--; p[26]-- }), protocol.ErrInvalidRecord)
		f("offsets with a gap", "led", damaged(func(p []byte) { p[record.HeaderBytes+3] = 2 }), protocol.ErrInvalidRecord)
		f("a delete horizon", "led", damaged(func(p []byte) { p[22] |= 64 }), protocol.ErrInvalidRecord)
		f("a control batch", "led", damaged(func(p []byte) { p[22] |= 32 }), protocol.ErrInvalidRecord)
		if number > 0 {
			batch := damaged(func(p []byte) { p[22] |= byte(number) }) // plain, and says otherwise
			row := answered(r.ask(produce("led", 1, resealed(batch), 12), 12))
			if row.ErrorCode != protocol.ErrInvalidRecord {
				t.Errorf("codec %d that was not used: %q", number, row.ErrorCode)
			}
		}
	}
	zeros := packed(batch(string(make([]byte, 40<<20))), 4)
	if row := answered(r.ask(produce("led", 1, zeros, 12), 12)); row.ErrorCode != protocol.ErrMessageTooLarge {
		t.Errorf("40 MiB of zeros: %q", row.ErrorCode)
	}
	for version := int16(3); version < 8; version++ {
		want := protocol.ErrNone
		if version < 7 {
			want = protocol.ErrUnsupportedCompressionType
		}
		if row := answered(r.ask(produce("led", 1, packed(batch("a"), 4), version), version)); row.ErrorCode != want {
			t.Errorf("zstd in version %d: %q", version, row.ErrorCode)
		}
	}
}

// resealed puts the checksum right.
func resealed(p []byte) []byte {
	binary.BigEndian.PutUint32(p[17:], record.Checksum(p[21:]))
	return p
}

// What nothing is wrong with is stored as it came, to the byte, but for base offset and leader epoch.
func TestBatchesStayAsTheyCame(t *testing.T) {
	r := scripted(t)
	for number := range codecs {
		sent := packed(batch("a", "b", "c"), number)
		base := r.produced("led", sent)
		want := bytes.Clone(sent)
		record.Patch(want, record.Offset(base), 3)
		if got := r.stored("led", base); !bytes.Equal(got, want) {
			t.Errorf("codec %d:\nsent   %x\nstored %x", number, want, got)
		}
	}
}

// A header that lies about its records' times is put right, as the time index goes by it.
func TestTheMaxTimestampIsThatOfTheRecords(t *testing.T) {
	r := scripted(t)
	for number := range codecs {
		p := packed(batch("a", "b"), number) // 1000, 1010
		binary.BigEndian.PutUint64(p[35:], 1<<50)
		p[22] |= 8 // no LogAppendTime either
		base := r.produced("led", resealed(p))
		h, records := opened(r.stored("led", base))
		if h.MaxTimestamp != 1010 || h.Attributes.IsLogAppendTime() || !slices.Equal(records, []string{"0@1000 a", "1@1010 b"}) {
			t.Errorf("codec %d: %+v %v", number, h, records)
		}
	}
}

func TestLogAppendTimeIsTheBrokers(t *testing.T) {
	r := withTopics(t, map[string][]string{"stamped": {"message.timestamp.type", "LogAppendTime"}})
	for number := range codecs {
		r.pass(50 * time.Millisecond)
		before := wall + int64(r.kernel.Now()/1e6)
		sent := packed(batch("a", "b"), number)
		row := answered(r.ask(produce("stamped", -1, sent, 12), 12))
		after := wall + int64(r.kernel.Now()/1e6)
		h, records := opened(r.stored("stamped", row.BaseOffset))
		if row.ErrorCode != 0 || h.MaxTimestamp < before || h.MaxTimestamp > after || row.LogAppendTimeMs != h.MaxTimestamp ||
			!h.Attributes.IsLogAppendTime() || h.Attributes.Codec() != number || h.BaseTimestamp != 1000 || len(records) != 2 {
			t.Errorf("codec %d: answered %+v, stored %+v %v, want %d to %d", number, row, h, records, before, after)
		}
		found := r.ask(listOffsets("stamped", h.MaxTimestamp), 7).(*protocol.ListOffsetsResponse).Topics[0].Partitions[0]
		if found.Offset != row.BaseOffset || found.Timestamp != h.MaxTimestamp {
			t.Errorf("codec %d: that time is at offset %d, %d", number, found.Offset, found.Timestamp)
		}
	}
	if row := answered(r.ask(produce("led", -1, batch("a"), 12), 12)); row.LogAppendTimeMs != -1 {
		t.Errorf("CreateTime is answered with the append's time %d", row.LogAppendTimeMs)
	}
}

func TestATopicsOwnCompression(t *testing.T) {
	topics := map[string][]string{}
	for c := compress.None; c <= compress.Zstd; c++ {
		topics["as-"+c.String()] = []string{"compression.type", c.String()}
	}
	topics["hard"] = []string{"compression.type", "gzip", "compression.gzip.level", "9", "message.timestamp.type", "LogAppendTime"}
	topics["tiny"] = []string{"compression.type", "uncompressed", "max.message.bytes", "1000"}
	r := withTopics(t, topics)
	for number := range codecs {
		for c := compress.None; c <= compress.Zstd; c++ {
			sent := packed(batch("a", "b", "c"), number)
			base := r.produced("as-"+c.String(), sent)
			got := r.stored("as-"+c.String(), base)
			h, records := opened(got)
			if h.Attributes.Codec() != int(c) || !slices.Equal(records, []string{"0@1000 a", "1@1010 b", "2@1020 c"}) || h.MaxTimestamp != 1020 {
				t.Errorf("sent with codec %d, stored as %v: %+v %v", number, c, h, records)
			}
			if int(c) == number && !bytes.Equal(got[16:], sent[16:]) {
				t.Errorf("codec %d is the topic's, and the batch was changed", number)
			}
		}
		h, _ := opened(r.stored("hard", r.produced("hard", packed(batch("a"), number))))
		if h.Attributes.Codec() != 1 || !h.Attributes.IsLogAppendTime() || h.MaxTimestamp < wall {
			t.Errorf("codec %d into gzip with the broker's time: %+v", number, h)
		}
		row := answered(r.ask(produce("tiny", 1, packed(batch(string(make([]byte, 2000))), number), 12), 12))
		if row.ErrorCode != protocol.ErrMessageTooLarge {
			t.Errorf("codec %d: 2000 bytes opened where 1000 are the most: %q", number, row.ErrorCode)
		}
	}
}

// Compressing takes a while, apart from the loop. What one producer sent meanwhile is not appended before.
func TestRepackedBatchesKeepTheirOrder(t *testing.T) {
	r := withTopics(t, map[string][]string{"squeezed": {"compression.type", "zstd"}})
	var messages []protocol.Message
	for i := range 15 { // a peer holds 16 answers
		b := record.NewBuilder(nil, 0, 0)
		b.SetProducer(77, 0, int32(i))
		b.Append(1000, nil, fmt.Append(nil, i))
		p := b.Finish(0)
		if i%3 == 0 {
			p = packed(p, 4) // this one is not held up by itself
		}
		m := produce("squeezed", -1, p, 12)
		if i%4 == 1 { // and one that goes elsewhere too
			m.TopicData = append(m.TopicData, produce("led", -1, batch(fmt.Sprint(i)), 12).TopicData...)
		}
		messages = append(messages, m)
	}
	all := r.askOver(r.peer(), 12, messages...)
	r.until("the answers", func() bool { return all[len(all)-1].done })
	for i, q := range all {
		if q.err != nil {
			t.Fatal(q.err)
		}
		if row := answered(q.answer); row.ErrorCode != 0 || row.BaseOffset != int64(i) {
			t.Errorf("batch %d: %q at %d", i, row.ErrorCode, row.BaseOffset)
		}
	}
	if got := r.values("led", 0); !slices.Equal(got, []string{"1", "5", "9", "13"}) {
		t.Errorf("elsewhere: %v", got)
	}
}

func TestRepackingOutlivesItsConnectionAndItsBroker(t *testing.T) {
	r := withTopics(t, map[string][]string{"squeezed": {"compression.type", "zstd"}})
	for i := range 30 {
		peer := r.peer()
		r.askOver(peer, 12, produce("squeezed", -1, batch(fmt.Sprint(i)), 12))
		r.pass(time.Duration(i) * 50 * time.Microsecond)
		r.asker.Deliver(r.kernel.Now(), 0, false, 0, call(peer.Close))
	}
	r.pass(time.Second)
	if got := r.produced("squeezed", batch("more")); got == 0 || got > 30 {
		t.Errorf("a batch after them is at %d", got)
	}
	r.begin(produce("squeezed", -1, batch("x"), 12), 12)
	r.pass(500 * time.Microsecond)
	r.crash(false)
	r.pass(time.Second)
}

func TestListOffsetsOpensBatches(t *testing.T) {
	r := scripted(t)
	for number := range codecs {
		base := r.produced("led", packed(batchAt(1000+int64(number)*10_000, "0", "1", "2", "3"), number))
		for i := range int64(4) {
			timestamp := 1000 + int64(number)*10_000 + 10*i
			row := r.ask(listOffsets("led", timestamp-5), 7).(*protocol.ListOffsetsResponse).Topics[0].Partitions[0]
			if row.ErrorCode != 0 || row.Offset != base+i || row.Timestamp != timestamp || row.LeaderEpoch != 3 {
				t.Errorf("codec %d, %d: offset %d, timestamp %d, want %d, %d", number, timestamp-5, row.Offset, row.Timestamp, base+i, timestamp)
			}
		}
		row := r.ask(listOffsets("led", -3), 7).(*protocol.ListOffsetsResponse).Topics[0].Partitions[0]
		if row.Offset != base+3 || row.Timestamp != 1030+int64(number)*10_000 {
			t.Errorf("codec %d: the greatest timestamp %d is at %d", number, row.Timestamp, row.Offset)
		}
	}
}

// A record below the log's start is not found, though its batch is still there.
func TestListOffsetsPassesOverDeletedRecords(t *testing.T) {
	for number := range codecs {
		r := scripted(t)
		r.produced("led", packed(batchAt(5000, "0", "1"), number)) // 5000 5010
		b := record.NewBuilder(nil, 0, 0)
		for _, timestamp := range []int64{9000, 100, 200} {
			b.Append(timestamp, nil, []byte("x"))
		}
		r.produced("led", packed(b.Finish(0), number)) // 2 3 4
		r.produced("led", packed(batchAt(7000, "5"), number))
		r.ask(deleteRecords("led", 3), 2)
		row := r.ask(listOffsets("led", 6000), 7).(*protocol.ListOffsetsResponse).Topics[0].Partitions[0]
		if row.ErrorCode != 0 || row.Offset != 5 || row.Timestamp != 7000 {
			t.Errorf("codec %d: %q offset %d, timestamp %d, want 5, 7000", number, row.ErrorCode, row.Offset, row.Timestamp)
		}
	}
}
