package wire

import (
	"fmt"

	"barnabas/core/protocol"
)

// rowsMax is how many partitions, topics or resources one request may name: an answer has a row for each, whose memory no
// look at the request's own size bounds. A cluster of that many partitions is asked about in parts.
const rowsMax = 200_000

// tidy makes an answer to m no larger than it has to be: what a request names twice it names once, as the last place says,
// as Kafka does it. It returns an error when there are too many rows.
func tidy(m protocol.Message) error {
	rows := 0
	switch m := m.(type) {
	case *protocol.ProduceRequest: // each place has records of its own
		for i := range m.TopicData {
			rows += 1 + len(m.TopicData[i].PartitionData)
		}
	case *protocol.FetchRequest:
		m.Topics = merged(m.Topics, func(t *protocol.FetchTopic) (topicKey, *[]protocol.FetchPartition) {
			return topicKey{t.Topic, t.TopicId}, &t.Partitions
		})
		for i := range m.Topics {
			m.Topics[i].Partitions = distinct(m.Topics[i].Partitions, func(p *protocol.FetchPartition) int32 { return p.Partition })
			rows += 1 + len(m.Topics[i].Partitions)
		}
	case *protocol.DeleteRecordsRequest:
		m.Topics = merged(m.Topics, func(t *protocol.DeleteRecordsTopic) (topicKey, *[]protocol.DeleteRecordsPartition) {
			return topicKey{name: t.Name}, &t.Partitions
		})
		for i := range m.Topics {
			m.Topics[i].Partitions = distinct(m.Topics[i].Partitions, func(p *protocol.DeleteRecordsPartition) int32 { return p.PartitionIndex })
			rows += 1 + len(m.Topics[i].Partitions)
		}
	case *protocol.ListOffsetsRequest: // refuses what is named twice
		for i := range m.Topics {
			rows += 1 + len(m.Topics[i].Partitions)
		}
	case *protocol.MetadataRequest:
		m.Topics = merged(m.Topics, func(t *protocol.MetadataRequestTopic) (topicKey, *[]struct{}) {
			return topicKey{t.Name.Value, t.TopicId}, nil
		})
		rows = len(m.Topics)
	case *protocol.DescribeConfigsRequest:
		m.Resources = merged(m.Resources, func(r *protocol.DescribeConfigsResource) (resourceKey, *[]struct{}) {
			return resourceKey{r.ResourceType, r.ResourceName}, nil
		})
		for i := range m.Resources {
			rows += 1 + len(m.Resources[i].ConfigurationKeys)
		}
	}
	if rows > rowsMax {
		return fmt.Errorf("a request names %d topics and partitions, at most %d are answered at once", rows, rowsMax)
	}
	return nil
}

type topicKey struct {
	name string
	id   protocol.UUID
}

type resourceKey struct {
	kind int8
	name string
}

// fewRows are compared one with each other, without a map.
const fewRows = 8

// merged returns the rows with those of one key made one: it has the parts of all.
func merged[T, P any, K comparable](rows []T, of func(*T) (K, *[]P)) []T {
	if len(rows) < 2 {
		return rows
	}
	var seen map[K]int
	if len(rows) > fewRows {
		seen = make(map[K]int, len(rows))
	}
	kept := 0
	for i := range rows {
		key, parts := of(&rows[i])
		at, found := -1, false
		if seen != nil {
			at, found = seen[key]
		} else {
			for k := range kept {
				if other, _ := of(&rows[k]); other == key {
					at, found = k, true
				}
			}
		}
		if found {
			if parts != nil {
				_, all := of(&rows[at])
				*all = append(*all, *parts...)
			}
			continue
		}
		if seen != nil {
			seen[key] = kept
		}
		rows[kept] = rows[i]
		kept++
	}
	return rows[:kept]
}

// distinct returns the rows without those whose partition comes again later; the later ones take their places. Rows in ascending
// order, as most clients send them, are only looked at.
func distinct[T any](rows []T, partition func(*T) int32) []T {
	ascend := true
	for i := 1; i < len(rows) && ascend; i++ {
		ascend = partition(&rows[i-1]) < partition(&rows[i])
	}
	if ascend {
		return rows
	}
	seen := make(map[int32]int, len(rows))
	kept := 0
	for i := range rows {
		k := partition(&rows[i])
		if at, found := seen[k]; found {
			rows[at] = rows[i]
			continue
		}
		seen[k] = kept
		rows[kept] = rows[i]
		kept++
	}
	return rows[:kept]
}
