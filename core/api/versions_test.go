package api_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"barnabas/core/metadata"
	"barnabas/core/protocol"
)

// minimal are the plainest requests of every API that is served: Kafka's defaults and one topic.
func minimal(key, version int16) protocol.Message {
	m := protocol.NewRequest(key)
	switch m := m.(type) {
	case *protocol.ProduceRequest:
		return produce("led", 1, batch("x"), version)
	case *protocol.FetchRequest:
		return fetch("led", 0, version)
	case *protocol.ListOffsetsRequest:
		return listOffsets("led", -1)
	case *protocol.MetadataRequest:
		m.Topics = []protocol.MetadataRequestTopic{{Name: protocol.String("led")}}
	case *protocol.FindCoordinatorRequest:
		if version >= 4 {
			m.CoordinatorKeys = []string{"group"}
		} else {
			m.Key = "group"
		}
	case *protocol.InitProducerIdRequest:
		m.TransactionalId = protocol.NullString{}
	case *protocol.CreateTopicsRequest:
		m.Topics = []protocol.CreatableTopic{{Name: fmt.Sprintf("made-%d", version), NumPartitions: 1, ReplicationFactor: 1}}
	case *protocol.DeleteRecordsRequest:
		return deleteRecords("led", 0)
	case *protocol.DescribeConfigsRequest:
		return describeConfigs(metadata.ResourceBroker, "1")
	case *protocol.CreatePartitionsRequest:
		more := protocol.NewCreatePartitionsTopic()
		more.Name, more.Count, more.Assignments = "led", int32(version)+2, nil
		m.Topics = []protocol.CreatePartitionsTopic{more}
	case *protocol.IncrementalAlterConfigsRequest:
		return alter(metadata.ResourceTopic, "led", alteration(set, "retention.ms", "1000000"))
	case *protocol.AlterConfigsRequest:
		m.Resources = []protocol.AlterConfigsResource{{ResourceType: metadata.ResourceTopic, ResourceName: "led"}}
	case *protocol.OffsetForLeaderEpochRequest:
		m.Topics = []protocol.OffsetForLeaderTopic{{Topic: "led", Partitions: []protocol.OffsetForLeaderPartition{
			{CurrentLeaderEpoch: -1, LeaderEpoch: 0},
		}}}
	case *protocol.DescribeProducersRequest:
		m.Topics = []protocol.DescribeProducersTopicRequest{{Name: "led", PartitionIndexes: []int32{0}}}
	case *protocol.DescribeTopicPartitionsRequest:
		m.Topics = []protocol.DescribeTopicPartitionsTopicRequest{{Name: "led"}}
	case *protocol.DeleteTopicsRequest:
		name := fmt.Sprintf("made-%d", min(version+1, 7))
		if version >= 6 {
			m.Topics = []protocol.DeleteTopicState{{Name: protocol.String(name)}}
		} else {
			m.TopicNames = []string{name}
		}
	}
	return m
}

// Whatever is advertised can be asked in every version, and the answer fits the version: it is encoded, and decodes.
func TestEveryAPIAnswersInEveryVersion(t *testing.T) {
	r := newRig(t, nil)
	create := protocol.NewCreateTopicsRequest()
	create.Topics = []protocol.CreatableTopic{{Name: "led", NumPartitions: 1, ReplicationFactor: 1}}
	id := r.ask(create, 7).(*protocol.CreateTopicsResponse).Topics[0].TopicId
	advertised := r.ask(protocol.NewApiVersionsRequest(), 4).(*protocol.ApiVersionsResponse)
	if len(advertised.ApiKeys) != 19 {
		t.Errorf("%d APIs are advertised, this test knows 19", len(advertised.ApiKeys))
	}
	for _, row := range advertised.ApiKeys {
		api, ok := protocol.APIByKey(row.ApiKey)
		if !ok || row.MaxVersion != api.Max || row.MinVersion != api.AdvertisedMin {
			t.Errorf("API %d is advertised from %d to %d", row.ApiKey, row.MinVersion, row.MaxVersion)
		}
		for version := api.Min; version <= api.Max; version++ {
			m := minimal(api.Key, version)
			switch m := m.(type) {
			case *protocol.ProduceRequest:
				if version >= 13 {
					m.TopicData[0].TopicId = id
				}
			case *protocol.FetchRequest:
				if version >= 13 {
					m.Topics[0].TopicId = id
				}
			}
			if code := codeIn(r.ask(m, version)); code != protocol.ErrNone && api.Key != protocol.KeyFindCoordinator {
				t.Errorf("%s version %d: %s", api.Name, version, code)
			}
		}
	}
}

// An empty request is legal in every API and version.
func TestEveryAPIAnswersAnEmptyRequest(t *testing.T) {
	r := newRig(t, nil)
	advertised := r.ask(protocol.NewApiVersionsRequest(), 4).(*protocol.ApiVersionsResponse)
	for _, row := range advertised.ApiKeys {
		api, _ := protocol.APIByKey(row.ApiKey)
		for version := api.Min; version <= api.Max; version++ {
			m := protocol.NewRequest(api.Key)
			if p, ok := m.(*protocol.ProduceRequest); ok {
				p.Acks = -1
			}
			r.ask(m, version)
		}
	}
}

// What is described and not advertised ends the connection, as a key that nobody knows does.
func TestWhatIsNotAdvertisedIsRefused(t *testing.T) {
	r := newRig(t, nil)
	advertised := r.ask(protocol.NewApiVersionsRequest(), 4).(*protocol.ApiVersionsResponse)
	refused := 0
	for api := range protocol.APIs {
		if slices.ContainsFunc(advertised.ApiKeys, func(row protocol.ApiVersion) bool { return row.ApiKey == api.Key }) {
			continue
		}
		q := r.begin(protocol.NewRequest(api.Key), api.Max)
		r.until("the end of the connection", func() bool { return q.done })
		if q.err == nil {
			t.Errorf("%s is answered, and not advertised", api.Name)
		}
		refused++
	}
	if refused < 50 { // less, as they are served
		t.Errorf("%d APIs are refused", refused)
	}
}

// codeIn returns the first error code of an answer that is none of NONE.
func codeIn(m protocol.Message) protocol.Error { return firstCode(reflect.ValueOf(m)) }

func firstCode(v reflect.Value) protocol.Error {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return firstCode(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if code := firstCode(v.Field(i)); code != protocol.ErrNone {
				return code
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			if code := firstCode(v.Index(i)); code != protocol.ErrNone {
				return code
			}
		}
	default:
		if code, ok := v.Interface().(protocol.Error); ok {
			return code
		}
	}
	return protocol.ErrNone
}

// each asks one thing in every version from first on, and holds the error code against what is wanted.
func (r *rig) each(name string, key, first int16, want protocol.Error, build func(version int16) protocol.Message) {
	r.t.Helper()
	api, _ := protocol.APIByKey(key)
	for version := max(first, api.Min); version <= api.Max; version++ {
		if got := codeIn(r.ask(build(version), version)); got != want {
			r.t.Errorf("%s version %d, %s: %q, want %q", api.Name, version, name, got, want)
		}
	}
}
