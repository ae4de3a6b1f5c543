package main

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// codecs are Kafka's names and numbers of compression.
var codecs = []struct {
	name   string
	codec  kgo.CompressionCodec
	number int16
}{
	{"none", kgo.NoCompression(), 0},
	{"gzip", kgo.GzipCompression(), 1},
	{"snappy", kgo.SnappyCompression(), 2},
	{"lz4", kgo.Lz4Compression(), 3},
	{"zstd", kgo.ZstdCompression(), 4},
}

// values are texts that compress well and differ.
func values(of string, count int) (records []*kgo.Record) {
	for i := range count {
		value := fmt.Appendf(nil, "%s %04d %s", of, i, bytes.Repeat([]byte("abcd"), 20))
		records = append(records, &kgo.Record{Key: fmt.Append(nil, i), Value: value})
	}
	return records
}

// TestRealProduceAndConsume goes through acknowledgements, idempotence and compression. Topics make themselves.
func TestRealProduceAndConsume(t *testing.T) {
	b := startBroker(t, t.TempDir())
	t.Logf("ready in %v on an empty folder", b.took)
	producers := []struct {
		name    string
		options []kgo.Opt
	}{
		{"idempotent", nil},
		{"all", []kgo.Opt{kgo.DisableIdempotentWrite(), kgo.RequiredAcks(kgo.AllISRAcks())}},
		{"one", []kgo.Opt{kgo.DisableIdempotentWrite(), kgo.RequiredAcks(kgo.LeaderAck())}},
		{"zero", []kgo.Opt{kgo.DisableIdempotentWrite(), kgo.RequiredAcks(kgo.NoAck())}},
	}
	for _, p := range producers {
		for _, codec := range codecs {
			t.Run(p.name+"-"+codec.name, func(t *testing.T) {
				topic := p.name + "-" + codec.name
				producer := client(t, b, append(p.options, kgo.AllowAutoTopicCreation(), kgo.DefaultProduceTopic(topic),
					kgo.ProducerBatchCompression(codec.codec), kgo.ProducerLinger(5*time.Millisecond))...)
				sent := values(topic, 100)
				results := producer.ProduceSync(within(t), sent...)
				for i, r := range results {
					if r.Err != nil || p.name != "zero" && r.Record.Offset != int64(i) {
						t.Fatalf("record %d: offset %d, %v", i, r.Record.Offset, r.Err)
					}
				}
				same(t, sent, consume(t, b, topic, kgo.NewOffset().AtStart(), len(sent)))
				for _, header := range storedHeaders(t, b, topic) {
					if got := header.Attributes & 7; got != codec.number {
						t.Errorf("the batch at %d is stored with codec %d, want %d", header.FirstOffset, got, codec.number)
					}
				}
			})
		}
	}
}

// consume reads count records of partition 0, from there on.
func consume(t *testing.T, b *broker, topic string, from kgo.Offset, count int) (got []*kgo.Record) {
	t.Helper()
	c := client(t, b, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: from}}))
	defer c.Close()
	ctx := within(t)
	for len(got) < count {
		got = append(got, poll(t, ctx, c)...)
	}
	return got
}

func poll(t *testing.T, ctx context.Context, c *kgo.Client) []*kgo.Record {
	t.Helper()
	fetches := c.PollFetches(ctx)
	if errs := fetches.Errors(); len(errs) > 0 {
		t.Fatalf("fetch: %+v", errs)
	}
	return fetches.Records()
}

func same(t *testing.T, want, got []*kgo.Record) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d records, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i].Offset != got[0].Offset+int64(i) || !bytes.Equal(got[i].Value, want[i].Value) || !bytes.Equal(got[i].Key, want[i].Key) {
			t.Fatalf("record %d is %q=%q at offset %d, want %q=%q", i, got[i].Key, got[i].Value, got[i].Offset, want[i].Key, want[i].Value)
		}
	}
}

// fill produces records one by one, their timestamps a second apart, so that each is a batch.
func fill(t *testing.T, b *broker, topic string, count int, options ...kgo.Opt) []*kgo.Record {
	t.Helper()
	c := client(t, b, append(options, kgo.AllowAutoTopicCreation(), kgo.DefaultProduceTopic(topic))...)
	defer c.Close()
	records := values(topic, count)
	for i, r := range records {
		r.Timestamp = time.Unix(1_700_000_000+int64(i), 0)
		if err := c.ProduceSync(within(t), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	return records
}

// TestRealConsumeFrom starts consumers at the start, an offset, a time, the end, and a little before it.
func TestRealConsumeFrom(t *testing.T) {
	b := startBroker(t, t.TempDir())
	records := fill(t, b, "topic", 20)
	for _, c := range []struct {
		name string
		from kgo.Offset
		want int
	}{
		{"start", kgo.NewOffset().AtStart(), 0},
		{"offset 7", kgo.NewOffset().At(7), 7},
		{"last", kgo.NewOffset().At(19), 19},
		{"time", kgo.NewOffset().AfterMilli(1_700_000_012_000), 12},
		{"between times", kgo.NewOffset().AfterMilli(1_700_000_012_001), 13},
		{"end - 3", kgo.NewOffset().AtEnd().Relative(-3), 17},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := consume(t, b, "topic", c.from, len(records)-c.want)
			same(t, records[c.want:], got)
			if got[0].Offset != int64(c.want) || got[0].Timestamp.UnixMilli() != records[c.want].Timestamp.UnixMilli() {
				t.Errorf("begins at offset %d of %v, want %d", got[0].Offset, got[0].Timestamp, c.want)
			}
		})
	}
	t.Run("end", func(t *testing.T) {
		consumer := client(t, b, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{"topic": {0: kgo.NewOffset().AtEnd()}}))
		// What a consumer at the end sees depends on when it asks where that is: it goes on asking until it has an answer.
		ctx, found := within(t), make(chan *kgo.Record, 1)
		go func() {
			for ctx.Err() == nil {
				if records := consumer.PollFetches(ctx).Records(); len(records) > 0 {
					found <- records[0]
					return
				}
			}
		}()
		producer := client(t, b, kgo.DefaultProduceTopic("topic"))
		for {
			if err := producer.ProduceSync(ctx, kgo.StringRecord("later")).FirstErr(); err != nil {
				t.Fatal(err)
			}
			select {
			case r := <-found:
				if r.Offset < 20 || string(r.Value) != "later" {
					t.Errorf("the first record from the end is %q at %d", r.Value, r.Offset)
				}
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
}

// TestRealListOffsets asks for ends and times of batches of one record and of many, compressed and not.
func TestRealListOffsets(t *testing.T) {
	b := startBroker(t, t.TempDir())
	fill(t, b, "plain", 10, kgo.ProducerBatchCompression(kgo.NoCompression()))
	fill(t, b, "zstd", 10, kgo.ProducerBatchCompression(kgo.ZstdCompression()))
	batch := values("batch", 10)
	for i, r := range batch {
		r.Timestamp = time.Unix(1_700_000_000+int64(i), 0)
	}
	c := client(t, b, kgo.AllowAutoTopicCreation(), kgo.DefaultProduceTopic("batch"), kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.ProducerLinger(20*time.Millisecond))
	if err := c.ProduceSync(within(t), batch...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	admin := kadm.NewClient(c)
	after := func(ms int64) func(context.Context, ...string) (kadm.ListedOffsets, error) {
		return func(ctx context.Context, topics ...string) (kadm.ListedOffsets, error) {
			return admin.ListOffsetsAfterMilli(ctx, ms, topics...)
		}
	}
	for _, topic := range []string{"plain", "zstd", "batch"} {
		for _, ask := range []struct {
			name            string
			list            func(context.Context, ...string) (kadm.ListedOffsets, error)
			want, timestamp int64
		}{
			{"start", admin.ListStartOffsets, 0, -1},
			{"end", admin.ListEndOffsets, 10, -1},
			{"greatest time", admin.ListMaxTimestampOffsets, 9, 1_700_000_009_000},
			{"the first time", after(1_700_000_000_000), 0, 1_700_000_000_000},
			{"before all", after(1), 0, 1_700_000_000_000},
			{"a time", after(1_700_000_004_000), 4, 1_700_000_004_000},
			{"between two", after(1_700_000_004_001), 5, 1_700_000_005_000},
			{"after all", after(1_700_000_009_001), 10, -1}, // kadm makes the end of the protocol's -1
		} {
			all, err := ask.list(within(t), topic)
			if err != nil {
				t.Fatal(err)
			}
			got, found := all.Lookup(topic, 0)
			if !found || got.Err != nil || got.Offset != ask.want || got.Timestamp != ask.timestamp {
				t.Errorf("%s of %s: %+v, want offset %d of %d", ask.name, topic, got, ask.want, ask.timestamp)
			}
		}
	}
}

// TestRealBothIPVersions goes in through either loopback address and must be sent back to the one it came in on.
func TestRealBothIPVersions(t *testing.T) {
	b := startBroker(t, t.TempDir())
	for _, host := range []string{"127.0.0.1", "::1"} {
		t.Run(host, func(t *testing.T) {
			if host == "::1" && !hasIPv6() {
				t.Skip("this machine has no IPv6 loopback address")
			}
			address := host + ":" + b.port()
			if host == "::1" {
				address = "[::1]:" + b.port()
			}
			c := client(t, b, kgo.SeedBrokers(address), kgo.AllowAutoTopicCreation(), kgo.DefaultProduceTopic("topic"))
			if err := c.ProduceSync(within(t), kgo.StringRecord(host)).FirstErr(); err != nil {
				t.Fatal(err)
			}
			brokers, err := kadm.NewClient(c).ListBrokers(within(t))
			if err != nil || len(brokers) != 1 || brokers[0].Host != host || fmt.Sprint(brokers[0].Port) != b.port() {
				t.Errorf("brokers %+v, %v; want %s", brokers, err, address)
			}
		})
	}
}
