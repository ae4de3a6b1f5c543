package wire_test

import (
	"fmt"
	"slices"
	"testing"

	"barnabas/core/env"
	"barnabas/core/protocol"
	"barnabas/core/wire"
)

// inspected returns what is made of a request before the loop.
func inspected(t testing.TB, m protocol.Message, version int16) *wire.Facts {
	t.Helper()
	w := protocol.NewWriter(nil)
	if err := protocol.EncodeRequest(w, protocol.RequestHeader{RequestApiVersion: version}, m); err != nil {
		t.Fatal(err)
	}
	return wire.NewInspect(env.Inline{}, 1<<20)(w.Bytes()[4:], nil).(*wire.Facts)
}

// What is named twice is answered once, in its first place, as its last place says.
func TestWhatARequestNamesTwiceItNamesOnce(t *testing.T) {
	for _, many := range []int{1, 20} { // with few rows and with many
		fetch := protocol.NewFetchRequest()
		deleteRecords := protocol.NewDeleteRecordsRequest()
		metadata, configs := protocol.NewMetadataRequest(), protocol.NewDescribeConfigsRequest()
		var want []string
		for i := range many {
			name := fmt.Sprint("t", i)
			want = append(want, fmt.Sprintf("%s [1 0 2] [40 30 20]", name))
			for _, name := range []string{name, "same", name} {
				f := protocol.FetchTopic{Topic: name}
				d := protocol.DeleteRecordsTopic{Name: name}
				for k, partition := range []int32{1, 0, 2, 0, 1} {
					offset := int64(10 * k)
					row := protocol.NewFetchPartition()
					row.Partition, row.FetchOffset = partition, offset
					f.Partitions = append(f.Partitions, row)
					d.Partitions = append(d.Partitions, protocol.DeleteRecordsPartition{PartitionIndex: partition, Offset: offset})
				}
				fetch.Topics = append(fetch.Topics, f)
				deleteRecords.Topics = append(deleteRecords.Topics, d)
				metadata.Topics = append(metadata.Topics, protocol.MetadataRequestTopic{Name: protocol.String(name)})
				configs.Resources = append(configs.Resources, protocol.DescribeConfigsResource{ResourceType: 2, ResourceName: name})
			}
		}
		want = slices.Insert(want, 1, "same [1 0 2] [40 30 20]")
		var got [2][]string
		for _, topic := range inspected(t, fetch, 4).Message.(*protocol.FetchRequest).Topics {
			got[0] = append(got[0], shown(topic.Topic, topic.Partitions, func(p protocol.FetchPartition) (int32, int64) { return p.Partition, p.FetchOffset }))
		}
		for _, topic := range inspected(t, deleteRecords, 0).Message.(*protocol.DeleteRecordsRequest).Topics {
			got[1] = append(got[1], shown(topic.Name, topic.Partitions, func(p protocol.DeleteRecordsPartition) (int32, int64) { return p.PartitionIndex, p.Offset }))
		}
		for i := range got {
			if !slices.Equal(got[i], want) {
				t.Errorf("request %d:\n got %q\nwant %q", i, got[i], want)
			}
		}
		if n := len(inspected(t, metadata, 1).Message.(*protocol.MetadataRequest).Topics); n != many+1 {
			t.Errorf("metadata of %d topics", n)
		}
		if n := len(inspected(t, configs, 1).Message.(*protocol.DescribeConfigsRequest).Resources); n != many+1 {
			t.Errorf("configs of %d resources", n)
		}
	}
}

func shown[P any](name string, partitions []P, of func(P) (int32, int64)) string {
	var numbers []int32
	var values []int64
	for _, p := range partitions {
		number, value := of(p)
		numbers, values = append(numbers, number), append(values, value)
	}
	return fmt.Sprint(name, " ", numbers, " ", values)
}

func TestNoAnswerHasMillionsOfRows(t *testing.T) {
	const many = 100_001
	fetch := protocol.NewFetchRequest()
	fetch.Topics = []protocol.FetchTopic{{Topic: "t", Partitions: make([]protocol.FetchPartition, many)}}
	for i := range fetch.Topics[0].Partitions {
		fetch.Topics[0].Partitions[i] = protocol.NewFetchPartition()
		fetch.Topics[0].Partitions[i].Partition = int32(i)
	}
	if f := inspected(t, fetch, 4); f.Err == nil {
		t.Error("a fetch of 100,001 partitions is answered")
	}
	fetch.Topics[0].Partitions = fetch.Topics[0].Partitions[:90_000]
	for i := range fetch.Topics[0].Partitions {
		fetch.Topics[0].Partitions[i].Partition = int32(i % 7)
	}
	if f := inspected(t, fetch, 4); f.Err != nil || len(f.Message.(*protocol.FetchRequest).Topics[0].Partitions) != 7 {
		t.Errorf("a fetch of seven partitions, again and again: %v", f.Err)
	}
	produce := protocol.NewProduceRequest()
	produce.TopicData = []protocol.TopicProduceData{{Name: "t", PartitionData: make([]protocol.PartitionProduceData, many)}}
	if f := inspected(t, produce, 3); f.Err == nil {
		t.Error("a produce to 100,001 partitions is answered")
	}
}
