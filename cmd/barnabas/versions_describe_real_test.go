package main

import "github.com/twmb/franz-go/pkg/kmsg"

// describing asks what only describes, and holds the answers against the topic that is there.
func (v *versions) describing(key, version int16) {
	v.t.Helper()
	switch key {
	case 23:
		request := kmsg.NewPtrOffsetForLeaderEpochRequest()
		partition := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
		request.Topics = []kmsg.OffsetForLeaderEpochRequestTopic{{
			Topic: v.topic, Partitions: []kmsg.OffsetForLeaderEpochRequestTopicPartition{partition},
		}}
		row := v.raw.ask(version, request).(*kmsg.OffsetForLeaderEpochResponse).Topics[0].Partitions[0]
		if row.ErrorCode != errorNone || row.LeaderEpoch != 0 || row.EndOffset != v.produced {
			v.t.Errorf("%+v", row)
		}
	case 35:
		answer := v.raw.ask(version, kmsg.NewPtrDescribeLogDirsRequest()).(*kmsg.DescribeLogDirsResponse)
		v.want(answer.Dirs[0].ErrorCode, errorNone, answer)
		for _, topic := range answer.Dirs[0].Topics {
			if topic.Topic == v.topic && topic.Partitions[0].Size == int64(len(batch(nobody, "value")))*v.produced {
				return
			}
		}
		v.t.Errorf("%+v", answer)
	case 60:
		request := kmsg.NewPtrDescribeClusterRequest()
		answer := v.raw.ask(version, request).(*kmsg.DescribeClusterResponse)
		v.want(answer.ErrorCode, errorNone, answer)
		if len(answer.Brokers) != 1 || answer.Brokers[0].NodeID != answer.ControllerID || answer.ClusterID == "" {
			v.t.Errorf("%+v", answer)
		}
	case 61:
		request := kmsg.NewPtrDescribeProducersRequest()
		request.Topics = []kmsg.DescribeProducersRequestTopic{{Topic: v.topic, Partitions: []int32{0}}}
		row := v.raw.ask(version, request).(*kmsg.DescribeProducersResponse).Topics[0].Partitions[0]
		if row.ErrorCode != errorNone || len(row.ActiveProducers) != 0 {
			v.t.Errorf("%+v", row)
		}
	case 75:
		request := kmsg.NewPtrDescribeTopicPartitionsRequest()
		request.Topics = []kmsg.DescribeTopicPartitionsRequestTopic{{Topic: v.topic}}
		answer := v.raw.ask(version, request).(*kmsg.DescribeTopicPartitionsResponse)
		v.want(answer.Topics[0].ErrorCode, errorNone, answer)
		if topic := answer.Topics[0]; topic.TopicID != v.id || len(topic.Partitions) != 1 || answer.NextCursor != nil {
			v.t.Errorf("%+v", answer)
		}
	}
}
