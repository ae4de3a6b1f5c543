// Command sarama is IBM's client in the matrix.
package main

import (
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/IBM/sarama"

	"barnabas/ci/matrix/feature"
)

var (
	bootstrap = []string{os.Getenv("BOOTSTRAP")}
	admin     sarama.ClusterAdmin
)

func config() *sarama.Config {
	c := sarama.NewConfig()
	c.Version = sarama.V3_6_0_0
	c.Producer.Return.Successes = true
	c.Consumer.Return.Errors = true
	c.Net.ReadTimeout, c.Admin.Timeout = 20*time.Second, 20*time.Second
	return c
}

func send(topic string, c *sarama.Config, n int) error {
	p, err := sarama.NewSyncProducer(bootstrap, c)
	if err != nil {
		return err
	}
	defer p.Close()
	var all []*sarama.ProducerMessage
	for i := range n {
		all = append(all, &sarama.ProducerMessage{
			Topic: topic, Key: sarama.StringEncoder(fmt.Sprint(i)), Value: sarama.StringEncoder(feature.Value(i)),
			Headers: []sarama.RecordHeader{{Key: []byte("h"), Value: []byte("v")}}, Partition: 0,
		})
	}
	return p.SendMessages(all)
}

func receive(topic string, from int64, n int) error {
	c, err := sarama.NewConsumer(bootstrap, config())
	if err != nil {
		return err
	}
	defer c.Close()
	p, err := c.ConsumePartition(topic, 0, from)
	if err != nil {
		return err
	}
	defer p.Close()
	first := max(from, 0)
	for i := range n {
		select {
		case m := <-p.Messages():
			if want := feature.Value(int(first) + i); string(m.Value) != want || m.Offset != first+int64(i) {
				return fmt.Errorf("offset %d holds %q, want %q at %d", m.Offset, m.Value, want, first+int64(i))
			}
		case err := <-p.Errors():
			return err
		case <-time.After(20 * time.Second):
			return fmt.Errorf("%d of %d records came", i, n)
		}
	}
	return nil
}

func roundTrip(topic string, change func(*sarama.Config)) error {
	if err := admin.CreateTopic(topic, &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 1}, false); err != nil {
		return err
	}
	c := config()
	change(c)
	if err := send(topic, c, feature.Records); err != nil {
		return err
	}
	return receive(topic, sarama.OffsetOldest, feature.Records)
}

func main() {
	sarama.Logger = log.New(io.Discard, "", 0)
	var err error
	feature.Try("connect", func() error { admin, err = sarama.NewClusterAdmin(bootstrap, config()); return err })
	if admin == nil {
		feature.Exit()
	}
	feature.Try("create topic", func() error {
		return admin.CreateTopic("sarama", &sarama.TopicDetail{NumPartitions: 2, ReplicationFactor: 1}, false)
	})
	feature.Try("list topics", func() error {
		all, err := admin.ListTopics()
		if err != nil {
			return err
		}
		return feature.Want("partitions", all["sarama"].NumPartitions, 2)
	})
	for name, acks := range map[string]sarama.RequiredAcks{"acks=1": sarama.WaitForLocal, "acks=all": sarama.WaitForAll} {
		feature.Try("produce "+name, func() error {
			return roundTrip("sarama-"+name[5:], func(c *sarama.Config) { c.Producer.RequiredAcks = acks })
		})
	}
	feature.Try("produce acks=0", func() error {
		return roundTrip("sarama-0", func(c *sarama.Config) { c.Producer.RequiredAcks = sarama.NoResponse })
	})
	feature.Try("produce idempotent", func() error {
		return roundTrip("sarama-idempotent", func(c *sarama.Config) {
			c.Producer.Idempotent, c.Producer.RequiredAcks, c.Net.MaxOpenRequests = true, sarama.WaitForAll, 1
		})
	})
	for name, codec := range map[string]sarama.CompressionCodec{
		"gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy, "lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD,
	} {
		feature.Try(name, func() error {
			return roundTrip("sarama-"+name, func(c *sarama.Config) { c.Producer.Compression = codec })
		})
	}
	feature.Try("consume from an offset", func() error { return receive("sarama-all", 60, 40) })
	feature.Try("consume in a group", func() error { return feature.ErrNeedsGroups })
	feature.Try("offsets by time", func() error {
		client, err := sarama.NewClient(bootstrap, config())
		if err != nil {
			return err
		}
		defer client.Close()
		if at, err := client.GetOffset("sarama-all", 0, time.Now().Add(-time.Hour).UnixMilli()); err != nil || at != 0 {
			return fmt.Errorf("an hour ago is at %d: %v", at, err)
		}
		end, err := client.GetOffset("sarama-all", 0, sarama.OffsetNewest)
		if err != nil {
			return err
		}
		return feature.Want("end", end, int64(feature.Records))
	})
	feature.Try("describe configs", func() error {
		rows, err := admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: "sarama"})
		if err != nil || len(rows) == 0 {
			return fmt.Errorf("%d rows: %v", len(rows), err)
		}
		return nil
	})
	feature.Try("alter configs", func() error {
		value := "12345678"
		err := admin.IncrementalAlterConfig(sarama.TopicResource, "sarama",
			map[string]sarama.IncrementalAlterConfigsEntry{"retention.ms": {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &value}}, false)
		if err != nil {
			return err
		}
		rows, err := admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: "sarama", ConfigNames: []string{"retention.ms"}})
		if err != nil || len(rows) != 1 {
			return fmt.Errorf("%v: %v", rows, err)
		}
		return feature.Want("retention.ms", rows[0].Value, value)
	})
	feature.Try("add partitions", func() error { return admin.CreatePartitions("sarama", 4, nil, false) })
	feature.Try("delete records", func() error { return admin.DeleteRecords("sarama-all", map[int32]int64{0: 10}) })
	feature.Try("describe cluster", func() error {
		brokers, _, err := admin.DescribeCluster()
		if err != nil {
			return err
		}
		return feature.Want("brokers", len(brokers), 1)
	})
	feature.Try("delete topic", func() error { return admin.DeleteTopic("sarama") })
	feature.Exit()
}
