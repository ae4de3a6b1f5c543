package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"barnabas/core/protocol"
	"barnabas/core/record"
)

// word is an error code's name.
func word(code protocol.Error) string { return strings.SplitN(code.Error(), ":", 2)[0] }

func TestDescribeCluster(t *testing.T) {
	r := newRig(t, nil)
	for version := int16(0); version <= 2; version++ {
		m := protocol.NewDescribeClusterRequest()
		m.IncludeClusterAuthorizedOperations = version == 1
		answer := r.ask(m, version).(*protocol.DescribeClusterResponse)
		if answer.ErrorCode != protocol.ErrNone || answer.ClusterId != "cluster" || answer.ControllerId != 1 || answer.EndpointType != 1 {
			t.Errorf("version %d: %+v", version, answer)
		}
		if len(answer.Brokers) != 1 || answer.Brokers[0].BrokerId != 1 || answer.Brokers[0].Host != "n0" || answer.Brokers[0].Port != 9092 {
			t.Errorf("version %d: brokers %+v", version, answer.Brokers)
		}
		want := int32(-1 << 31)
		if version == 1 {
			want = 0b1111110100000 // as Kafka without an authoriser: 8096
		}
		if answer.ClusterAuthorizedOperations != want {
			t.Errorf("version %d: operations %d, want %d", version, answer.ClusterAuthorizedOperations, want)
		}
	}
	for endpoint, want := range map[int8]protocol.Error{
		2: protocol.ErrMismatchedEndpointType, 3: protocol.ErrUnsupportedEndpointType,
	} {
		m := protocol.NewDescribeClusterRequest()
		m.EndpointType = endpoint
		answer := r.ask(m, 1).(*protocol.DescribeClusterResponse)
		if answer.ErrorCode != want || !answer.ErrorMessage.Valid || len(answer.Brokers) > 0 {
			t.Errorf("endpoint type %d: %+v", endpoint, answer)
		}
	}
}

func TestFencedBrokersAreDescribedWhenAskedFor(t *testing.T) {
	r := scripted(t)
	fenced := protocol.NewRegisterBrokerRecord()
	fenced.BrokerId, fenced.Fenced, fenced.Rack = 7, true, protocol.String("shelf")
	fenced.EndPoints = []protocol.BrokerEndpoint{{Name: "PLAINTEXT", Host: "seven", Port: 70}}
	r.publish(protocol.Record{Message: fenced, Version: 3})
	for _, include := range []bool{false, true} {
		m := protocol.NewDescribeClusterRequest()
		m.IncludeFencedBrokers = include
		brokers := r.ask(m, 2).(*protocol.DescribeClusterResponse).Brokers
		at := slices.IndexFunc(brokers, func(b protocol.DescribeClusterBroker) bool { return b.BrokerId == 7 })
		if at >= 0 != include {
			t.Errorf("included %t: %+v", include, brokers)
		}
		if include && (!brokers[at].IsFenced || brokers[at].Host != "seven" || brokers[at].Port != 70 || brokers[at].Rack.Value != "shelf") {
			t.Errorf("broker 7 is %+v", brokers[at])
		}
	}
}

// pages asks for topic partitions page by page, and renders each page.
func (r *rig) pages(limit int32, cursor *protocol.DescribeTopicPartitionsRequestCursor, topics ...string) (pages []string) {
	for len(pages) < 20 {
		m := protocol.NewDescribeTopicPartitionsRequest()
		m.ResponsePartitionLimit, m.Cursor = limit, cursor
		for _, name := range topics {
			m.Topics = append(m.Topics, protocol.DescribeTopicPartitionsTopicRequest{Name: name})
		}
		answer := r.ask(m, 0).(*protocol.DescribeTopicPartitionsResponse)
		page := ""
		for _, row := range answer.Topics {
			page += row.Name.Value
			if row.ErrorCode != protocol.ErrNone {
				page += "(" + word(row.ErrorCode) + ")"
			}
			for _, p := range row.Partitions {
				page += fmt.Sprintf(" %d", p.PartitionIndex)
			}
			page += "; "
		}
		pages = append(pages, strings.TrimSuffix(page, "; "))
		if answer.NextCursor == nil {
			return pages
		}
		cursor = &protocol.DescribeTopicPartitionsRequestCursor{
			TopicName: answer.NextCursor.TopicName, PartitionIndex: answer.NextCursor.PartitionIndex,
		}
	}
	return pages
}

func TestTopicPartitionsAreDescribedInPages(t *testing.T) {
	r := newRig(t, nil)
	r.made("a", 3)
	r.made("b", 1)
	r.made("c", 2)
	at := func(name string, partition int32) *protocol.DescribeTopicPartitionsRequestCursor {
		return &protocol.DescribeTopicPartitionsRequestCursor{TopicName: name, PartitionIndex: partition}
	}
	for _, c := range []struct {
		what   string
		limit  int32
		cursor *protocol.DescribeTopicPartitionsRequestCursor
		topics []string
		want   string
	}{
		{"all", 2000, nil, nil, "a 0 1 2; b 0; c 0 1"},
		{"two a page", 2, nil, nil, "a 0 1 | a 2; b 0 | c 0 1"},
		{"three a page", 3, nil, nil, "a 0 1 2 | b 0; c 0 1"},
		{"less than one", -5, nil, []string{"a"}, "a 0 | a 1 | a 2"},
		{"some, in order, each once", 2000, nil, []string{"c", "a", "c"}, "a 0 1 2; c 0 1"},
		{"unknown ones", 3, nil, []string{"x", "b", "0"}, "0(UNKNOWN_TOPIC_OR_PARTITION); b 0; x(UNKNOWN_TOPIC_OR_PARTITION)"},
		{"from a cursor", 2000, at("a", 2), nil, "a 2; b 0; c 0 1"},
		{"from the cursor of a topic that is gone", 2000, at("aa", 2), nil, "b 0; c 0 1"},
		{"from beyond the last partition", 2000, at("b", 5), nil, "b; c 0 1"},
		{"from a cursor below all", 2000, at("a", -1), []string{"a"}, "a(INVALID_REQUEST)"},
	} {
		if got := strings.Join(r.pages(c.limit, c.cursor, c.topics...), " | "); got != c.want {
			t.Errorf("%s: %s\nwant %s", c.what, got, c.want)
		}
	}
}

func TestTopicPartitionsSayWhereTheyAre(t *testing.T) {
	r := scripted(t)
	m := protocol.NewDescribeTopicPartitionsRequest()
	m.Topics = []protocol.DescribeTopicPartitionsTopicRequest{{Name: "followed"}, {Name: "leaderless"}}
	answer := r.ask(m, 0).(*protocol.DescribeTopicPartitionsResponse)
	row, p := answer.Topics[0], answer.Topics[0].Partitions[0]
	if row.TopicId != idOf("followed") || row.IsInternal || row.TopicAuthorizedOperations != 0b110111111000 {
		t.Errorf("topic %+v", row)
	}
	if p.LeaderId != 2 || p.LeaderEpoch != 3 || !slices.Equal(p.ReplicaNodes, []int32{1, 2}) || !slices.Equal(p.IsrNodes, []int32{1, 2}) ||
		!slices.Equal(p.OfflineReplicas, []int32{2}) || p.EligibleLeaderReplicas == nil || p.LastKnownElr == nil {
		t.Errorf("partition %+v", p)
	}
	if p := answer.Topics[1].Partitions[0]; p.ErrorCode != protocol.ErrLeaderNotAvailable || p.LeaderId != -1 {
		t.Errorf("leaderless %+v", p)
	}
}

func TestTheEndOfALeaderEpoch(t *testing.T) {
	r := scripted(t)
	r.produced("led", batch("a", "b")) // in epoch 3
	change := protocol.NewPartitionChangeRecord()
	change.TopicId, change.PartitionId, change.Leader = idOf("led"), 0, 1
	r.publish(protocol.Record{Message: change, Version: 1})
	r.produced("led", batch("c")) // in epoch 4
	ask := func(topic string, current, epoch int32) (protocol.OffsetForLeaderEpochEpochEndOffset, string) {
		m := protocol.NewOffsetForLeaderEpochRequest()
		m.ReplicaId = -1
		m.Topics = []protocol.OffsetForLeaderTopic{{Topic: topic, Partitions: []protocol.OffsetForLeaderPartition{
			{CurrentLeaderEpoch: current, LeaderEpoch: epoch},
		}}}
		var row protocol.OffsetForLeaderEpochEpochEndOffset
		for version := int16(2); version <= 4; version++ {
			row = r.ask(m, version).(*protocol.OffsetForLeaderEpochResponse).Topics[0].Partitions[0]
		}
		return row, fmt.Sprintf("%s %d %d", word(row.ErrorCode), row.LeaderEpoch, row.EndOffset)
	}
	for _, c := range []struct {
		topic          string
		current, epoch int32
		want           string
	}{
		{"led", -1, 3, "NONE 3 2"},
		{"led", 4, 4, "NONE 4 3"},
		{"led", -1, 5, "NONE -1 -1"},
		{"led", -1, 1, "NONE 1 0"},
		{"led", 3, 3, "FENCED_LEADER_EPOCH -1 -1"},
		{"led", 9, 3, "UNKNOWN_LEADER_EPOCH -1 -1"},
		{"followed", -1, 3, "NOT_LEADER_OR_FOLLOWER -1 -1"},
		{"nowhere", -1, 3, "UNKNOWN_TOPIC_OR_PARTITION -1 -1"},
	} {
		if _, got := ask(c.topic, c.current, c.epoch); got != c.want {
			t.Errorf("%s, current %d, epoch %d: %s, want %s", c.topic, c.current, c.epoch, got, c.want)
		}
	}
}

func TestDescribeProducers(t *testing.T) {
	r := scripted(t)
	b := record.NewBuilder(nil, 0, 0)
	b.SetProducer(77, 2, 0)
	b.Append(5000, nil, []byte("x"))
	b.Append(4000, nil, []byte("y"))
	r.produced("led", b.Finish(0))
	m := protocol.NewDescribeProducersRequest()
	m.Topics = []protocol.DescribeProducersTopicRequest{
		{Name: "led", PartitionIndexes: []int32{0, 0, 1}}, {Name: "followed", PartitionIndexes: []int32{0}},
	}
	answer := r.ask(m, 0).(*protocol.DescribeProducersResponse)
	got := ""
	for _, topic := range answer.Topics {
		for _, p := range topic.Partitions {
			got += fmt.Sprintf("%s-%d %s %v\n", topic.Name, p.PartitionIndex, word(p.ErrorCode), p.ActiveProducers)
			if (p.ErrorCode == protocol.ErrNone) == p.ErrorMessage.Valid {
				t.Errorf("%s-%d: %v", topic.Name, p.PartitionIndex, p.ErrorMessage)
			}
		}
	}
	want := `led-0 NONE [{77 2 1 5000 -1 -1}]
led-0 INVALID_REQUEST []
led-1 UNKNOWN_TOPIC_OR_PARTITION []
followed-0 NOT_LEADER_OR_FOLLOWER []
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestDescribeLogDirs(t *testing.T) {
	r := scripted(t)
	b := batch("a", "b")
	r.produced("led", b)
	ask := func(version int16, topics []protocol.DescribableLogDirTopic) protocol.DescribeLogDirsResult {
		m := protocol.NewDescribeLogDirsRequest()
		m.Topics = topics
		answer := r.ask(m, version).(*protocol.DescribeLogDirsResponse)
		if len(answer.Results) != 1 || answer.ErrorCode != protocol.ErrNone || answer.Results[0].LogDir != "data" {
			t.Fatalf("version %d: %+v", version, answer)
		}
		return answer.Results[0]
	}
	for version := int16(1); version <= 5; version++ {
		row := ask(version, nil)
		if len(row.Topics) != 6 || row.TotalBytes != -1 || row.UsableBytes != -1 {
			t.Errorf("version %d: %+v", version, row)
		}
	}
	row := ask(5, []protocol.DescribableLogDirTopic{{Topic: "led", Partitions: []int32{0, 9, 0}}, {Topic: "elsewhere", Partitions: []int32{0}}})
	want := []protocol.DescribeLogDirsPartition{{PartitionIndex: 0, PartitionSize: int64(len(b))}}
	if len(row.Topics) != 1 || row.Topics[0].Name != "led" || !slices.Equal(row.Topics[0].Partitions, want) {
		t.Errorf("led is %+v", row.Topics)
	}
	if row = ask(5, []protocol.DescribableLogDirTopic{}); len(row.Topics) != 0 {
		t.Errorf("no topics are %+v", row.Topics)
	}
}
