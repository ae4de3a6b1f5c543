// Command franzgo is franz-go (kgo and kadm) in the matrix.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"barnabas/ci/matrix/feature"
)

var bootstrap = kgo.SeedBrokers(os.Getenv("BOOTSTRAP"))

func within() context.Context {
	ctx, _ := context.WithTimeout(context.Background(), 30*time.Second) //nolint:govet // it ends with the program
	return ctx
}

func roundTrip(admin *kadm.Client, topic string, options ...kgo.Opt) error {
	if _, err := admin.CreateTopic(within(), 1, 1, nil, topic); err != nil {
		return err
	}
	c, err := kgo.NewClient(append(options, bootstrap, kgo.DefaultProduceTopic(topic))...)
	if err != nil {
		return err
	}
	defer c.Close()
	for i := range feature.Records {
		c.Produce(within(), &kgo.Record{Key: fmt.Append(nil, i), Value: []byte(feature.Value(i))}, func(_ *kgo.Record, e error) {
			if e != nil {
				err = e
			}
		})
	}
	if flushed := c.Flush(within()); flushed != nil || err != nil {
		return fmt.Errorf("%w, %w", flushed, err)
	}
	return receive(topic, 0, feature.Records)
}

func receive(topic string, from int64, n int) error {
	c, err := kgo.NewClient(bootstrap, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().At(from)}}))
	if err != nil {
		return err
	}
	defer c.Close()
	for i := 0; i < n; {
		f := c.PollFetches(within())
		if err := f.Err(); err != nil {
			return fmt.Errorf("%d of %d records came: %w", i, n, err)
		}
		for _, r := range f.Records() {
			if want := feature.Value(int(from) + i); string(r.Value) != want || r.Offset != from+int64(i) {
				return fmt.Errorf("offset %d holds %q, want %q", r.Offset, r.Value, want)
			}
			i++
		}
	}
	return nil
}

func main() {
	c, err := kgo.NewClient(bootstrap)
	feature.Try("connect", func() error {
		if err != nil {
			return err
		}
		return c.Ping(within())
	})
	admin := kadm.NewClient(c)
	feature.Try("create topic", func() error { _, err := admin.CreateTopic(within(), 2, 1, nil, "franzgo"); return err })
	feature.Try("list topics", func() error {
		all, err := admin.ListTopics(within(), "franzgo")
		if err != nil {
			return err
		}
		return feature.Want("partitions", len(all["franzgo"].Partitions), 2)
	})
	plain := kgo.DisableIdempotentWrite()
	none := kgo.ProducerBatchCompression(kgo.NoCompression())
	feature.Try("produce acks=0", func() error { return roundTrip(admin, "franzgo-0", plain, none, kgo.RequiredAcks(kgo.NoAck())) })
	feature.Try("produce acks=1", func() error { return roundTrip(admin, "franzgo-1", plain, none, kgo.RequiredAcks(kgo.LeaderAck())) })
	feature.Try("produce acks=all", func() error { return roundTrip(admin, "franzgo-all", plain, none) })
	feature.Try("produce idempotent", func() error { return roundTrip(admin, "franzgo-idempotent", none) })
	for _, c := range []struct { // in this order: it is that of the table's rows
		name  string
		codec kgo.CompressionCodec
	}{
		{"gzip", kgo.GzipCompression()},
		{"snappy", kgo.SnappyCompression()},
		{"lz4", kgo.Lz4Compression()},
		{"zstd", kgo.ZstdCompression()},
	} {
		feature.Try(c.name, func() error { return roundTrip(admin, "franzgo-"+c.name, kgo.ProducerBatchCompression(c.codec)) })
	}
	feature.Try("consume from an offset", func() error { return receive("franzgo-all", 60, 40) })
	feature.Try("consume in a group", func() error { return feature.ErrNeedsGroups })
	feature.Try("offsets by time", func() error {
		at, err := admin.ListOffsetsAfterMilli(within(), time.Now().Add(-time.Hour).UnixMilli(), "franzgo-all")
		if err != nil {
			return err
		}
		return feature.Want("an hour ago", at["franzgo-all"][0].Offset, int64(0))
	})
	feature.Try("describe configs", func() error {
		rows, err := admin.DescribeTopicConfigs(within(), "franzgo")
		if err != nil || len(rows) != 1 || rows[0].Err != nil || len(rows[0].Configs) == 0 {
			return fmt.Errorf("%v: %w", rows, err)
		}
		return nil
	})
	feature.Try("alter configs", func() error {
		value := "12345678"
		rows, err := admin.AlterTopicConfigs(within(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: &value}}, "franzgo")
		if err != nil {
			return err
		}
		return rows[0].Err
	})
	feature.Try("add partitions", func() error {
		rows, err := admin.UpdatePartitions(within(), 4, "franzgo")
		if err != nil {
			return err
		}
		return rows.Error()
	})
	feature.Try("delete records", func() error {
		var to kadm.Offsets
		to.AddOffset("franzgo-all", 0, 10, -1)
		rows, err := admin.DeleteRecords(within(), to)
		if err != nil {
			return err
		}
		return rows.Error()
	})
	feature.Try("describe cluster", func() error {
		m, err := admin.BrokerMetadata(within())
		if err != nil {
			return err
		}
		return feature.Want("brokers", len(m.Brokers), 1)
	})
	feature.Try("delete topic", func() error {
		rows, err := admin.DeleteTopics(within(), "franzgo")
		if err != nil {
			return err
		}
		return rows.Error()
	})
	feature.Exit()
}
