// Command stored prints how the batches of a topic's partition 0 are stored, one line for each way: the codec, whether an
// idempotent producer wrote them, and how many there are.
//
//	go run ./.ci/clients/stored ADDRESS TOPIC
//
// Clients decompress what they fetch and say nothing of how it was stored. This looks at the batches as they come, and
// uses nothing of the broker's own code.
package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

var codecs = []string{"none", "gzip", "snappy", "lz4", "zstd", "5", "6", "7"}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: stored ADDRESS TOPIC")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "stored:", err)
		os.Exit(1)
	}
}

func run(address, topic string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(address))
	if err != nil {
		return err
	}
	defer client.Close()
	asked := kmsg.NewPtrMetadataRequest()
	asked.Topics = []kmsg.MetadataRequestTopic{{Topic: &topic}}
	described, err := asked.RequestWith(ctx, client)
	if err != nil {
		return err
	}
	if code := described.Topics[0].ErrorCode; code != 0 {
		return fmt.Errorf("topic %s: error %d", topic, code)
	}
	count := make(map[string]int)
	for offset := int64(0); ; {
		next, err := fetch(ctx, client, topic, described.Topics[0].TopicID, offset, count)
		if err != nil {
			return err
		}
		if next == offset {
			break
		}
		offset = next
	}
	var ways []string
	for way, n := range count {
		ways = append(ways, fmt.Sprint(way, " ", n))
	}
	slices.Sort(ways)
	for _, way := range ways {
		fmt.Println(way)
	}
	return nil
}

// fetch counts the batches from the offset on and returns the one after them.
func fetch(ctx context.Context, client *kgo.Client, topic string, id [16]byte, offset int64, count map[string]int) (int64, error) {
	request := kmsg.NewPtrFetchRequest()
	partition := kmsg.NewFetchRequestTopicPartition()
	partition.FetchOffset, partition.PartitionMaxBytes = offset, 50<<20
	of := kmsg.NewFetchRequestTopic()
	of.Topic, of.TopicID, of.Partitions = topic, id, []kmsg.FetchRequestTopicPartition{partition}
	request.MaxBytes, request.Topics = 50<<20, []kmsg.FetchRequestTopic{of}
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return 0, err
	}
	row := response.Topics[0].Partitions[0]
	if row.ErrorCode != 0 {
		return 0, fmt.Errorf("fetch from %s at %d: error %d", topic, offset, row.ErrorCode)
	}
	for rest := row.RecordBatches; len(rest) > 0; {
		var header kmsg.RecordBatch
		if err := header.ReadFrom(rest); err != nil {
			return 0, err
		}
		way := codecs[header.Attributes&7] + " plain"
		if header.ProducerID >= 0 {
			way = codecs[header.Attributes&7] + " idempotent"
		}
		count[way]++
		offset = header.FirstOffset + int64(header.LastOffsetDelta) + 1
		rest = rest[12+header.Length:]
	}
	return offset, nil
}
