package hostile

import (
	"encoding/binary"
	"fmt"

	"barnabas/core/protocol"
)

// Heavy returns the requests that ask for most with least: those that a broker must withstand again and again without
// taking memory for them.
func Heavy(topic string) []Case {
	c := &corpus{topic: topic}
	c.heavy()
	return c.cases
}

// heavy are 8 MiB each, but for what needs less.
func (c *corpus) heavy() {
	const size = 8 << 20
	// An array of so many elements of nothing: empty strings, which are two bytes each.
	empty := func(key, version int16, before string, element string, after string) []byte {
		count := (size - len(before) - len(after)) / len(element)
		p := append(head(key, version, false), before...)
		p = binary.BigEndian.AppendUint32(p, uint32(count))
		for range count {
			p = append(p, element...)
		}
		return framed(append(p, after...))
	}
	c.add("rows/Metadata of 4 million empty names", empty(3, 1, "", "\x00\x00", ""))
	c.add("rows/CreateTopics of empty names", empty(19, 2, "", "\x00\x00\x00\x00\x00\x01\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00", "\x00\x00\x00\x00\x00"))
	c.add("rows/DeleteTopics of empty names", empty(20, 1, "", "\x00\x00", "\x00\x00\x00\x00"))
	c.add("rows/ListOffsets of topics without partitions", empty(2, 1, "\xff\xff\xff\xff", "\x00\x01t\x00\x00\x00\x00", ""))
	c.add("rows/Produce to a million partitions", empty(0, 3, "\xff\xff\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x01t", "\x00\x00\x00\x07\xff\xff\xff\xff", ""))
	c.add("tags/50 million of them", framed(head(18, 3, true), []byte("\x02a\x02b\x80\xe1\xeb\x17")))
	c.add("tags/4 billion of them", framed(head(18, 3, true), []byte("\x02a\x02b\xff\xff\xff\xff\x0f")))
	c.add("tags/8 MiB of them", framed(head(18, 3, true), []byte("\x02a\x02b\x80\x80\x80\x02"), make([]byte, size)))
	// What is just not refused.
	some := func(key, version int16, n uint32, before, element, after string) []byte {
		p := binary.BigEndian.AppendUint32(append(head(key, version, false), before...), n)
		for i := range n {
			p = append(p, 0, 8)
			p = fmt.Appendf(p, "%08d", i)
			p = append(p, element...)
		}
		return framed(append(p, after...))
	}
	c.add("rows/Metadata of 5,000 topics that are not there", some(3, 4, 5_000, "", "", "\x00"))
	c.add("rows/CreateTopics of 5,000, to see whether it could", some(19, 2, 5_000, "", "\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00", "\x00\x00\x00\x00\x01"))
	c.add("rows/DeleteTopics of 10,000", some(20, 1, 10_000, "", "", "\x00\x00\x00\x00"))
	c.add("rows/8 MiB of nothing", framed(head(3, 1, false), make([]byte, size)))
}

// rows are about requests that ask for much.
func (c *corpus) rows() {
	c.heavy()
	fetch := protocol.NewFetchRequest()
	fetch.MaxWaitMs, fetch.MinBytes, fetch.MaxBytes = 0, 0, 1<<30
	row := protocol.NewFetchPartition()
	row.PartitionMaxBytes = 1 << 30
	t := protocol.FetchTopic{Topic: c.topic}
	for range 90_000 {
		t.Partitions = append(t.Partitions, row)
	}
	fetch.Topics = []protocol.FetchTopic{t}
	c.add("rows/Fetch of one partition 90,000 times", request(fetch, 4))
	metadata := protocol.NewMetadataRequest()
	metadata.AllowAutoTopicCreation = false
	for range 9_000 {
		metadata.Topics = append(metadata.Topics, protocol.MetadataRequestTopic{Name: protocol.String(c.topic)})
	}
	c.add("rows/Metadata of one topic 9,000 times", request(metadata, 8))
	configs := protocol.NewDescribeConfigsRequest()
	for range 9_000 {
		configs.Resources = append(configs.Resources, protocol.DescribeConfigsResource{ResourceType: 2, ResourceName: c.topic})
	}
	c.add("rows/DescribeConfigs of one topic 9,000 times", request(configs, 1))
	listOffsets := protocol.NewListOffsetsRequest()
	listOffsets.Topics = []protocol.ListOffsetsTopic{{Name: c.topic}}
	for range 19_000 {
		p := protocol.NewListOffsetsPartition()
		p.Timestamp = 5
		listOffsets.Topics[0].Partitions = append(listOffsets.Topics[0].Partitions, p)
	}
	c.add("rows/ListOffsets of one partition 19,000 times", request(listOffsets, 7))
	for _, name := range []string{"", ".", "..", "../../etc/passwd", "a/b", "a\x00b", "\xff\xfe", "\x1b[31mred", string(repeat('x', 250)), string(repeat('x', 30_000))} {
		m := protocol.NewMetadataRequest()
		m.AllowAutoTopicCreation = true
		m.Topics = []protocol.MetadataRequestTopic{{Name: protocol.String(name)}}
		c.add(fmt.Sprintf("rows/a topic called %.20q of %d bytes", name, len(name)), request(m, 8))
		create := protocol.NewCreateTopicsRequest()
		create.Topics = []protocol.CreatableTopic{{Name: name, NumPartitions: 1, ReplicationFactor: 1}}
		c.add(fmt.Sprintf("rows/making a topic called %.20q of %d bytes", name, len(name)), request(create, 7))
	}
	for _, n := range []int32{-2, 0, 1 << 30, 1<<31 - 1} {
		create := protocol.NewCreateTopicsRequest()
		create.Topics = []protocol.CreatableTopic{{Name: "many", NumPartitions: n, ReplicationFactor: 1}}
		c.add(fmt.Sprintf("rows/making a topic of %d partitions", n), request(create, 7))
	}
	for _, offset := range []int64{-1 << 63, -2, 1<<63 - 1} {
		m := protocol.NewFetchRequest()
		p := protocol.NewFetchPartition()
		p.FetchOffset, p.PartitionMaxBytes = offset, -1
		m.Topics, m.MaxWaitMs, m.MinBytes, m.MaxBytes = []protocol.FetchTopic{{Topic: c.topic, Partitions: []protocol.FetchPartition{p}}}, 0, -1, -1
		c.add(fmt.Sprintf("rows/Fetch from offset %d", offset), request(m, 4))
	}
	pipelined := request(protocol.NewMetadataRequest(), 8)
	var many []byte
	for range 2000 {
		many = append(many, pipelined...)
	}
	c.add("rows/2000 requests at once", many)
}
