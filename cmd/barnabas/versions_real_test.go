package main

import (
	"fmt"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	errorNone                    = 0
	errorCoordinatorNotAvailable = 15
	errorUnsupportedVersion      = 35
)

// servedVersions are those of Kafka 4.3, for what is served. Produce is announced from 0 and served from 3.
var servedVersions = []kmsg.ApiVersionsResponseApiKey{
	{ApiKey: 0, MinVersion: 0, MaxVersion: 13},
	{ApiKey: 1, MinVersion: 4, MaxVersion: 18},
	{ApiKey: 2, MinVersion: 1, MaxVersion: 11},
	{ApiKey: 3, MinVersion: 0, MaxVersion: 13},
	{ApiKey: 10, MinVersion: 0, MaxVersion: 6},
	{ApiKey: 18, MinVersion: 0, MaxVersion: 4},
	{ApiKey: 19, MinVersion: 2, MaxVersion: 7},
	{ApiKey: 20, MinVersion: 1, MaxVersion: 6},
	{ApiKey: 21, MinVersion: 0, MaxVersion: 2},
	{ApiKey: 22, MinVersion: 0, MaxVersion: 5},
	{ApiKey: 23, MinVersion: 2, MaxVersion: 4},
	{ApiKey: 32, MinVersion: 1, MaxVersion: 4},
	{ApiKey: 33, MinVersion: 0, MaxVersion: 2},
	{ApiKey: 35, MinVersion: 1, MaxVersion: 5},
	{ApiKey: 37, MinVersion: 0, MaxVersion: 3},
	{ApiKey: 44, MinVersion: 0, MaxVersion: 1},
	{ApiKey: 60, MinVersion: 0, MaxVersion: 2},
	{ApiKey: 61, MinVersion: 0, MaxVersion: 0},
	{ApiKey: 75, MinVersion: 0, MaxVersion: 0},
}

// TestRealVersions asks for everything at every version, and holds each answer to be good and well-formed.
func TestRealVersions(t *testing.T) {
	b := startBroker(t, t.TempDir())
	r := dial(t, b)
	greeting := r.ask(4, kmsg.NewPtrApiVersionsRequest()).(*kmsg.ApiVersionsResponse)
	if !slices.EqualFunc(greeting.ApiKeys, servedVersions, func(a, b kmsg.ApiVersionsResponseApiKey) bool {
		return a.ApiKey == b.ApiKey && a.MinVersion == b.MinVersion && a.MaxVersion == b.MaxVersion
	}) {
		t.Errorf("served: %+v", greeting.ApiKeys)
	}
	v := versions{raw: r, topic: "topic", ids: map[int64]bool{}}
	v.id = r.describe(v.topic).TopicID
	for _, api := range servedVersions {
		first := api.MinVersion
		if api.ApiKey == 0 {
			first = 3
		}
		for version := first; version <= api.MaxVersion; version++ {
			t.Run(fmt.Sprintf("%s-%d", kmsg.NameForKey(api.ApiKey), version), func(t *testing.T) {
				v.t = t
				v.ask(api.ApiKey, version)
			})
		}
	}
}

// versions is what the requests are about.
type versions struct {
	*raw
	topic    string
	id       [16]byte
	produced int64
	ids      map[int64]bool // producer ids given
}

// named returns name and id as the version has them: one of both.
func (v *versions) named(byID bool) (string, [16]byte) {
	if byID {
		return "", v.id
	}
	return v.topic, [16]byte{}
}

func (v *versions) ask(key, version int16) {
	v.t.Helper()
	switch key {
	case 0:
		v.produce(version)
	case 1:
		v.fetch(version)
	case 2:
		v.listOffsets(version)
	case 3:
		v.metadata(version)
	case 10:
		v.findCoordinator(version)
	case 18:
		request := kmsg.NewPtrApiVersionsRequest()
		request.ClientSoftwareName, request.ClientSoftwareVersion = "raw", "1"
		answer := v.raw.ask(version, request).(*kmsg.ApiVersionsResponse)
		v.want(answer.ErrorCode, errorNone, answer)
	case 19:
		v.createTopics(version)
	case 20:
		v.deleteTopics(version)
	case 21:
		v.deleteRecords(version)
	case 32:
		v.describeConfigs(version)
	case 22:
		answer := v.raw.ask(version, kmsg.NewPtrInitProducerIDRequest()).(*kmsg.InitProducerIDResponse)
		v.want(answer.ErrorCode, errorNone, answer)
		if v.ids[answer.ProducerID] || answer.ProducerEpoch != 0 {
			v.t.Errorf("producer id %d with epoch %d is not new", answer.ProducerID, answer.ProducerEpoch)
		}
		v.ids[answer.ProducerID] = true
	case 23, 35, 60, 61, 75:
		v.describing(key, version)
	case 33, 37, 44:
		v.altering(key, version)
	default:
		v.t.Errorf("nothing asks for key %d", key)
	}
}

func (v *versions) want(got, want int16, answer kmsg.Response) {
	v.t.Helper()
	if got != want {
		v.t.Errorf("error %d, want %d: %+v", got, want, answer)
	}
}

func (v *versions) produce(version int16) {
	name, id := v.named(version >= 13)
	answer := v.raw.ask(version, produceRequest(name, id, batch(nobody, "value"))).(*kmsg.ProduceResponse)
	partition := answer.Topics[0].Partitions[0]
	v.want(partition.ErrorCode, errorNone, answer)
	if partition.BaseOffset != v.produced {
		v.t.Errorf("appended at %d, want %d", partition.BaseOffset, v.produced)
	}
	v.produced++
}

func (v *versions) fetch(version int16) {
	name, id := v.named(version >= 13)
	answer := v.raw.ask(version, fetchRequest(name, id, 0, 0))
	if got, want := len(records(v.t, answer)), len(batch(nobody, "value"))*int(v.produced); got != want {
		v.t.Errorf("%d bytes, want %d", got, want)
	}
}

func (v *versions) listOffsets(version int16) {
	request := kmsg.NewPtrListOffsetsRequest()
	partition := kmsg.NewListOffsetsRequestTopicPartition()
	partition.Timestamp = -1
	topic := kmsg.NewListOffsetsRequestTopic()
	topic.Topic, topic.Partitions = v.topic, []kmsg.ListOffsetsRequestTopicPartition{partition}
	request.Topics = []kmsg.ListOffsetsRequestTopic{topic}
	answer := v.raw.ask(version, request).(*kmsg.ListOffsetsResponse)
	row := answer.Topics[0].Partitions[0]
	v.want(row.ErrorCode, errorNone, answer)
	if row.Offset != v.produced {
		v.t.Errorf("the end is %d, want %d", row.Offset, v.produced)
	}
}

func (v *versions) metadata(version int16) {
	ask := func(topics ...kmsg.MetadataRequestTopic) *kmsg.MetadataResponse {
		request := kmsg.NewPtrMetadataRequest()
		request.Topics = topics
		return v.raw.ask(version, request).(*kmsg.MetadataResponse)
	}
	asked := map[string]*kmsg.MetadataResponse{"all": ask(), "name": ask(kmsg.MetadataRequestTopic{Topic: &v.topic})}
	if version >= 12 {
		asked["id"] = ask(kmsg.MetadataRequestTopic{TopicID: v.id})
	}
	for how, answer := range asked {
		if len(answer.Topics) != 1 || len(answer.Brokers) != 1 {
			v.t.Fatalf("%s: %+v", how, answer)
		}
		topic := answer.Topics[0]
		v.want(topic.ErrorCode, errorNone, answer)
		if topic.Topic == nil || *topic.Topic != v.topic || len(topic.Partitions) != 1 || version >= 10 && topic.TopicID != v.id ||
			topic.Partitions[0].Leader != answer.Brokers[0].NodeID {
			v.t.Errorf("%s: %+v", how, topic)
		}
	}
}

func (v *versions) findCoordinator(version int16) {
	request := kmsg.NewPtrFindCoordinatorRequest()
	request.CoordinatorKey, request.CoordinatorKeys = "group", []string{"group"}
	answer := v.raw.ask(version, request).(*kmsg.FindCoordinatorResponse)
	code := answer.ErrorCode
	if version >= 4 {
		code = answer.Coordinators[0].ErrorCode
	}
	v.want(code, errorCoordinatorNotAvailable, answer)
}

func (v *versions) createTopics(version int16) {
	request := kmsg.NewPtrCreateTopicsRequest()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = fmt.Sprint("made-", version), 2, 1
	request.Topics, request.TimeoutMillis = []kmsg.CreateTopicsRequestTopic{topic}, 1000
	answer := v.raw.ask(version, request).(*kmsg.CreateTopicsResponse)
	v.want(answer.Topics[0].ErrorCode, errorNone, answer)
}

// deleteTopics removes what createTopics made at a version one above, so that there is one for each.
func (v *versions) deleteTopics(version int16) {
	name := fmt.Sprint("made-", version+1)
	request := kmsg.NewPtrDeleteTopicsRequest()
	request.TopicNames, request.TimeoutMillis = []string{name}, 1000
	request.Topics = []kmsg.DeleteTopicsRequestTopic{{TopicID: v.describe(name).TopicID}}
	answer := v.raw.ask(version, request).(*kmsg.DeleteTopicsResponse)
	v.want(answer.Topics[0].ErrorCode, errorNone, answer)
}

// deleteRecords removes what lies below offset 0, which is nothing.
func (v *versions) deleteRecords(version int16) {
	request := kmsg.NewPtrDeleteRecordsRequest()
	request.Topics = []kmsg.DeleteRecordsRequestTopic{{
		Topic: v.topic, Partitions: []kmsg.DeleteRecordsRequestTopicPartition{{Offset: 0}},
	}}
	request.TimeoutMillis = 1000
	row := v.raw.ask(version, request).(*kmsg.DeleteRecordsResponse).Topics[0].Partitions[0]
	if row.ErrorCode != errorNone || row.LowWatermark != 0 {
		v.t.Errorf("%+v", row)
	}
}

// describeConfigs asks for one setting with all there is to say of it.
func (v *versions) describeConfigs(version int16) {
	request := kmsg.NewPtrDescribeConfigsRequest()
	request.Resources = []kmsg.DescribeConfigsRequestResource{{
		ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: v.topic, ConfigNames: []string{"segment.ms"},
	}}
	request.IncludeSynonyms = true
	answer := v.raw.ask(version, request).(*kmsg.DescribeConfigsResponse)
	v.want(answer.Resources[0].ErrorCode, errorNone, answer)
	if c := answer.Resources[0].Configs; len(c) != 1 || *c[0].Value != "604800000" || len(c[0].ConfigSynonyms) != 1 {
		v.t.Errorf("%+v", c)
	}
}

// TestRealUnknownVersions: ApiVersions of a version from the future is answered in the way every client understands
// (KIP-511). Anything else of an unknown version or key can't be answered at all.
func TestRealUnknownVersions(t *testing.T) {
	b := startBroker(t, t.TempDir())
	r := dial(t, b)
	request := kmsg.NewPtrApiVersionsRequest()
	request.SetVersion(127)
	r.send(request)
	request.SetVersion(0)
	answer := r.receive(request).(*kmsg.ApiVersionsResponse)
	if answer.ErrorCode != errorUnsupportedVersion || len(answer.ApiKeys) != 1 ||
		answer.ApiKeys[0].ApiKey != 18 || answer.ApiKeys[0].MaxVersion != 4 {
		t.Errorf("%+v", answer)
	}
	if answer := r.ask(4, request).(*kmsg.ApiVersionsResponse); answer.ErrorCode != errorNone {
		t.Errorf("the second question, of a known version: %+v", answer)
	}
	for _, unknown := range []struct {
		name    string
		request kmsg.Request
		version int16
	}{
		{"Produce 2", kmsg.NewPtrProduceRequest(), 2},
		{"Produce 14", kmsg.NewPtrProduceRequest(), 14},
		{"Fetch 3", kmsg.NewPtrFetchRequest(), 3},
		{"Metadata -1", kmsg.NewPtrMetadataRequest(), -1},
		{"JoinGroup", kmsg.NewPtrJoinGroupRequest(), 0},
	} {
		t.Run(unknown.name, func(t *testing.T) {
			r := dial(t, b)
			unknown.request.SetVersion(unknown.version)
			r.send(unknown.request)
			r.closed()
		})
	}
}
