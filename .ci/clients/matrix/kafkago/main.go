// Command kafkago is Segment's client in the matrix.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/compress"

	"barnabas/ci/matrix/feature"
)

var (
	bootstrap = os.Getenv("BOOTSTRAP")
	client    = &kafka.Client{Addr: kafka.TCP(bootstrap), Timeout: 20 * time.Second}
)

func within() context.Context {
	ctx, _ := context.WithTimeout(context.Background(), 30*time.Second) //nolint:govet // it ends with the program
	return ctx
}

func create(topic string, partitions int) error {
	r, err := client.CreateTopics(within(), &kafka.CreateTopicsRequest{
		Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: partitions, ReplicationFactor: 1}},
	})
	if err != nil {
		return err
	}
	return r.Errors[topic]
}

func roundTrip(topic string, acks kafka.RequiredAcks, codec compress.Compression) error {
	if err := create(topic, 1); err != nil {
		return err
	}
	w := &kafka.Writer{Addr: kafka.TCP(bootstrap), Topic: topic, RequiredAcks: acks, Compression: codec, BatchTimeout: time.Millisecond}
	var all []kafka.Message
	for i := range feature.Records {
		all = append(all, kafka.Message{Key: fmt.Append(nil, i), Value: []byte(feature.Value(i))})
	}
	if err := w.WriteMessages(within(), all...); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return receive(topic, kafka.FirstOffset, feature.Records)
}

func receive(topic string, from int64, n int) error {
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{bootstrap}, Topic: topic, Partition: 0, MaxWait: 100 * time.Millisecond})
	defer r.Close()
	if err := r.SetOffset(from); err != nil {
		return err
	}
	first := max(from, 0)
	for i := range n {
		m, err := r.ReadMessage(within())
		if err != nil {
			return fmt.Errorf("%d of %d records came: %w", i, n, err)
		}
		if want := feature.Value(int(first) + i); string(m.Value) != want || m.Offset != first+int64(i) {
			return fmt.Errorf("offset %d holds %q, want %q", m.Offset, m.Value, want)
		}
	}
	return nil
}

func main() {
	feature.Try("connect", func() error { _, err := client.ApiVersions(within(), &kafka.ApiVersionsRequest{}); return err })
	feature.Try("create topic", func() error { return create("kafkago", 2) })
	feature.Try("list topics", func() error {
		m, err := client.Metadata(within(), &kafka.MetadataRequest{Topics: []string{"kafkago"}})
		if err != nil {
			return err
		}
		return feature.Want("partitions", len(m.Topics[0].Partitions), 2)
	})
	feature.Try("produce acks=0", func() error { return roundTrip("kafkago-0", kafka.RequireNone, 0) })
	feature.Try("produce acks=1", func() error { return roundTrip("kafkago-1", kafka.RequireOne, 0) })
	feature.Try("produce acks=all", func() error { return roundTrip("kafkago-all", kafka.RequireAll, 0) })
	for name, codec := range map[string]compress.Compression{
		"gzip": compress.Gzip, "snappy": compress.Snappy, "lz4": compress.Lz4, "zstd": compress.Zstd,
	} {
		feature.Try(name, func() error { return roundTrip("kafkago-"+name, kafka.RequireAll, codec) })
	}
	feature.Try("consume from an offset", func() error { return receive("kafkago-all", 60, 40) })
	feature.Try("consume in a group", func() error { return feature.ErrNeedsGroups })
	feature.Try("offsets by time", func() error {
		r, err := client.ListOffsets(within(), &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{
			"kafkago-all": {kafka.FirstOffsetOf(0), kafka.LastOffsetOf(0), kafka.TimeOffsetOf(0, time.Now().Add(-time.Hour))},
		}})
		if err != nil {
			return err
		}
		return feature.Want("end", r.Topics["kafkago-all"][0].LastOffset, int64(feature.Records))
	})
	feature.Try("describe configs", func() error {
		r, err := client.DescribeConfigs(within(), &kafka.DescribeConfigsRequest{
			Resources: []kafka.DescribeConfigRequestResource{{ResourceType: kafka.ResourceTypeTopic, ResourceName: "kafkago"}},
		})
		if err != nil {
			return err
		}
		if r.Resources[0].Error != nil || len(r.Resources[0].ConfigEntries) == 0 {
			return fmt.Errorf("%+v", r.Resources[0])
		}
		return nil
	})
	feature.Try("alter configs", func() error {
		r, err := client.IncrementalAlterConfigs(within(), &kafka.IncrementalAlterConfigsRequest{
			Resources: []kafka.IncrementalAlterConfigsRequestResource{{
				ResourceType: kafka.ResourceTypeTopic, ResourceName: "kafkago",
				Configs: []kafka.IncrementalAlterConfigsRequestConfig{{Name: "retention.ms", Value: "12345678"}},
			}},
		})
		if err != nil {
			return err
		}
		return r.Resources[0].Error
	})
	feature.Try("add partitions", func() error {
		r, err := client.CreatePartitions(within(), &kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{{Name: "kafkago", Count: 4}}})
		if err != nil {
			return err
		}
		return r.Errors["kafkago"]
	})
	feature.Try("delete topic", func() error {
		r, err := client.DeleteTopics(within(), &kafka.DeleteTopicsRequest{Topics: []string{"kafkago"}})
		if err != nil {
			return err
		}
		return r.Errors["kafkago"]
	})
	feature.Exit()
}
