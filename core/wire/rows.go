package wire

import (
	"barnabas/core/protocol"
)

// An answer has a row for most of what a request names, whose memory and time no look at the request's own size bounds, and
// all of it is made in one step. A cluster of more partitions is asked about in parts.
const (
	namedMaxData = 100_000 // topics, partitions and other elements in a Produce or Fetch
	namedMax     = 20_000  // … in what clients and tools ask about partitions
	namedMaxRare = 10_000  // … in all other requests
)

// mayName returns how many elements a request with the key may have.
func mayName(key int16) int {
	switch key {
	case protocol.KeyProduce, protocol.KeyFetch:
		return namedMaxData
	case protocol.KeyListOffsets, protocol.KeyOffsetForLeaderEpoch, protocol.KeyDeleteRecords,
		protocol.KeyOffsetCommit, protocol.KeyOffsetFetch:
		return namedMax
	}
	return namedMaxRare
}

// tidy makes an answer to m no larger than it has to be: what a request names twice it names once, as the last place says,
// as Kafka does it. ListOffsets refuses what is named twice; each place of a Produce has records of its own.
func tidy(m protocol.Message) {
	switch m := m.(type) {
	case *protocol.FetchRequest:
		m.Topics = merged(m.Topics, func(t *protocol.FetchTopic) (topicKey, *[]protocol.FetchPartition) {
			return topicKey{t.Topic, t.TopicId}, &t.Partitions
		})
		for i := range m.Topics {
			m.Topics[i].Partitions = distinct(m.Topics[i].Partitions, func(p *protocol.FetchPartition) int32 { return p.Partition })
		}
	case *protocol.DeleteRecordsRequest:
		m.Topics = merged(m.Topics, func(t *protocol.DeleteRecordsTopic) (topicKey, *[]protocol.DeleteRecordsPartition) {
			return topicKey{name: t.Name}, &t.Partitions
		})
		for i := range m.Topics {
			m.Topics[i].Partitions = distinct(m.Topics[i].Partitions, func(p *protocol.DeleteRecordsPartition) int32 { return p.PartitionIndex })
		}
	case *protocol.MetadataRequest:
		m.Topics = merged(m.Topics, func(t *protocol.MetadataRequestTopic) (topicKey, *[]struct{}) {
			return topicKey{t.Name.Value, t.TopicId}, nil
		})
	case *protocol.DescribeConfigsRequest:
		m.Resources = merged(m.Resources, func(r *protocol.DescribeConfigsResource) (resourceKey, *[]struct{}) {
			return resourceKey{r.ResourceType, r.ResourceName}, nil
		})
	}
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
