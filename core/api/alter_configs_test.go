package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"barnabas/core/metadata"
	"barnabas/core/protocol"
)

// operations of IncrementalAlterConfigs.
const (
	set = iota
	unset
	appended
	subtracted
)

// alteration is SETTING=VALUE with the operation.
func alteration(operation int8, name, value string) protocol.IncrementalAlterableConfig {
	c := protocol.IncrementalAlterableConfig{Name: name, ConfigOperation: operation}
	if operation != unset {
		c.Value = protocol.String(value)
	}
	return c
}

func alter(kind int8, name string, changes ...protocol.IncrementalAlterableConfig) *protocol.IncrementalAlterConfigsRequest {
	m := protocol.NewIncrementalAlterConfigsRequest()
	m.Resources = []protocol.IncrementalAlterConfigsResource{{ResourceType: kind, ResourceName: name, Configs: changes}}
	return m
}

// altered asks for a change and returns the error code's name, and the message.
func (r *rig) altered(m *protocol.IncrementalAlterConfigsRequest) (string, string) {
	r.t.Helper()
	row := r.ask(m, 1).(*protocol.IncrementalAlterConfigsResponse).Responses[0]
	return word(row.ErrorCode), row.ErrorMessage.Value
}

func (r *rig) mustAlter(kind int8, name string, changes ...protocol.IncrementalAlterableConfig) {
	r.t.Helper()
	if code, text := r.altered(alter(kind, name, changes...)); code != "NONE" {
		r.t.Fatalf("%s: %s", code, text)
	}
}

// setting describes one setting: its value, its source, its synonyms.
func (r *rig) setting(kind int8, resource, name string) string {
	r.t.Helper()
	m := describeConfigs(kind, resource)
	m.IncludeSynonyms = true
	m.Resources[0].ConfigurationKeys = []string{name}
	configs := r.ask(m, 4).(*protocol.DescribeConfigsResponse).Results[0].Configs
	if len(configs) != 1 {
		return fmt.Sprintf("%d of them", len(configs))
	}
	text := fmt.Sprintf("%s from %d:", configs[0].Value.Value, configs[0].ConfigSource)
	for _, s := range configs[0].Synonyms {
		text += fmt.Sprintf(" %s=%s(%d)", s.Name, s.Value.Value, s.Source)
	}
	if configs[0].ReadOnly {
		text += " read-only"
	}
	return text
}

func (r *rig) wantSetting(kind int8, resource, name, want string) {
	r.t.Helper()
	if got := r.setting(kind, resource, name); got != want {
		r.t.Errorf("%s of %d %q: %s, want %s", name, kind, resource, got, want)
	}
}

// takes says whether the topic takes a batch of so many bytes.
func (r *rig) takes(topic string, size int, want protocol.Error) {
	r.t.Helper()
	m := produce(topic, 1, batch(strings.Repeat("x", size)), 12)
	if row := r.ask(m, 12).(*protocol.ProduceResponse).Responses[0].PartitionResponses[0]; row.ErrorCode != want {
		r.t.Errorf("%d bytes to %s: %q, want %q", size, topic, row.ErrorCode, want)
	}
}

const (
	topics  = metadata.ResourceTopic
	brokers = metadata.ResourceBroker
)

func TestTopicSettingsAreAlteredAndCountAtOnce(t *testing.T) {
	r := newRig(t, nil)
	r.made("t", 1)
	r.takes("t", 200, protocol.ErrNone)
	r.mustAlter(topics, "t", alteration(set, "max.message.bytes", "100"), alteration(set, "retention.ms", "5000"))
	r.takes("t", 200, protocol.ErrMessageTooLarge)
	r.wantSetting(topics, "t", "max.message.bytes",
		"100 from 1: max.message.bytes=100(1) message.max.bytes=16384(4) message.max.bytes=1048588(5)")
	r.wantSetting(topics, "t", "retention.ms", "5000 from 1: retention.ms=5000(1) log.retention.hours=168(5)")
	r.mustAlter(topics, "t", alteration(unset, "max.message.bytes", ""), alteration(unset, "segment.ms", ""))
	r.takes("t", 200, protocol.ErrNone)
	r.wantSetting(topics, "t", "max.message.bytes", "16384 from 4: message.max.bytes=16384(4) message.max.bytes=1048588(5)")

	r.mustAlter(topics, "t", alteration(appended, "cleanup.policy", "compact,delete")) // onto the default
	r.wantSetting(topics, "t", "cleanup.policy", "delete,compact from 1: cleanup.policy=delete,compact(1) log.cleanup.policy=delete(5)")
	r.takes("t", 1, protocol.ErrInvalidRecord) // no key
	r.mustAlter(topics, "t", alteration(subtracted, "cleanup.policy", "compact, nothing"))
	r.takes("t", 1, protocol.ErrNone)
}

func TestBrokerSettingsAreAlteredForOneAndForAll(t *testing.T) {
	r := newRig(t, nil)
	r.made("t", 1)
	r.mustAlter(brokers, "", alteration(set, "message.max.bytes", "1000"), alteration(set, "log.retention.ms", "60000"))
	r.takes("t", 2000, protocol.ErrMessageTooLarge)
	all := "message.max.bytes=1000(3) message.max.bytes=16384(4) message.max.bytes=1048588(5)"
	r.wantSetting(topics, "t", "max.message.bytes", "1000 from 3: "+all)
	r.wantSetting(brokers, "1", "message.max.bytes", "1000 from 3: "+all)
	r.wantSetting(brokers, "", "message.max.bytes", "1000 from 3: message.max.bytes=1000(3)")
	r.wantSetting(topics, "t", "retention.ms", "60000 from 3: log.retention.ms=60000(3) log.retention.hours=168(5)")
	r.mustAlter(brokers, "1", alteration(set, "message.max.bytes", "3000"))
	r.takes("t", 2000, protocol.ErrNone)
	r.takes("t", 4000, protocol.ErrMessageTooLarge)
	r.wantSetting(topics, "t", "max.message.bytes", "3000 from 2: message.max.bytes=3000(2) "+all)
	r.wantSetting(brokers, "1", "node.id", "1 from 5: node.id=1(5) read-only")

	r.crash(true)
	r.start()
	r.takes("t", 2000, protocol.ErrNone)
	r.takes("t", 4000, protocol.ErrMessageTooLarge)
	r.mustAlter(brokers, "1", alteration(unset, "message.max.bytes", ""))
	r.takes("t", 2000, protocol.ErrMessageTooLarge)
	r.mustAlter(brokers, "", alteration(unset, "message.max.bytes", ""))
	r.takes("t", 2000, protocol.ErrNone)
	r.made("u", 1) // a topic that comes later has them too
	r.wantSetting(topics, "u", "retention.ms", "60000 from 3: log.retention.ms=60000(3) log.retention.hours=168(5)")
}

func TestAlterationsThatAreRefused(t *testing.T) {
	r := newRig(t, nil)
	r.made("t", 1)
	empty := alteration(set, "retention.ms", "")
	empty.Value.Valid = false
	for _, c := range []struct {
		kind           int8
		name           string
		change         protocol.IncrementalAlterableConfig
		code, contains string
	}{
		{topics, "x", alteration(set, "retention.ms", "1"), "UNKNOWN_TOPIC_OR_PARTITION", `no topic "x"`},
		{topics, "", alteration(set, "retention.ms", "1"), "INVALID_REQUEST", "topics in general"},
		{topics, "t", alteration(set, "retention.mx", "1"), "INVALID_CONFIG", "the nearest is retention.ms"},
		{topics, "t", alteration(unset, "retention.mx", ""), "INVALID_CONFIG", "the nearest is retention.ms"},
		{topics, "t", alteration(set, "retention.ms", "soon"), "INVALID_CONFIG", "retention.ms=soon is no whole number"},
		{topics, "t", alteration(appended, "retention.ms", "1"), "INVALID_CONFIG", "no list"},
		{topics, "t", alteration(appended, "cleanup.policy", "shred"), "INVALID_CONFIG", "shred"},
		{topics, "t", alteration(7, "retention.ms", "1"), "INVALID_REQUEST", "no operation 7"},
		{topics, "t", empty, "INVALID_REQUEST", "has no value"},
		{topics, "t", alteration(set, "max.message.bytes", "99999999"), "INVALID_CONFIG", "half of the broker's journal.segment.bytes"},
		{brokers, "2", alteration(set, "log.retention.ms", "1"), "INVALID_REQUEST", `no broker "2"`},
		{brokers, "01", alteration(set, "log.retention.ms", "1"), "INVALID_REQUEST", `no broker "01"`},
		{brokers, "1", alteration(set, "num.partitions", "3"), "INVALID_REQUEST", "does not change while a broker runs"},
		{brokers, "1", alteration(set, "log.retention.hours", "3"), "INVALID_REQUEST", "does not change while a broker runs"},
		{brokers, "1", alteration(set, "log.retention.mx", "3"), "INVALID_CONFIG", "the nearest is log.retention.ms"},
		{brokers, "1", alteration(set, "log.retention.ms", "0"), "INVALID_CONFIG", "keeps no record"},
		{brokers, "", alteration(set, "message.max.bytes", "99999999"), "INVALID_CONFIG", "default of the topics'"},
		{8, "x", alteration(set, "x", "DEBUG"), "INVALID_REQUEST", "resource type 8"},
	} {
		m := alter(c.kind, c.name, alteration(set, "log.segment.bytes", "2000000"), c.change)
		if c.kind != brokers {
			m = alter(c.kind, c.name, alteration(set, "segment.bytes", "2000000"), c.change)
		}
		if code, text := r.altered(m); code != c.code || !strings.Contains(text, c.contains) {
			t.Errorf("%d %q %+v: %s, %s; want %s, %s", c.kind, c.name, c.change, code, text, c.code, c.contains)
		}
	}
	// What was asked beside it did not happen.
	r.wantSetting(topics, "t", "segment.bytes", "1073741824 from 5: log.segment.bytes=1073741824(5)")
}

func TestRepeatedResourcesAndSettingsAreRefused(t *testing.T) {
	r := newRig(t, nil)
	r.made("t", 1)
	r.made("u", 1)
	m := alter(topics, "t", alteration(set, "retention.ms", "1"))
	m.Resources = append(m.Resources, m.Resources[0], alter(topics, "u", alteration(set, "retention.ms", "2")).Resources[0])
	var codes []string
	for _, row := range r.ask(m, 0).(*protocol.IncrementalAlterConfigsResponse).Responses {
		codes = append(codes, word(row.ErrorCode))
	}
	if want := []string{"INVALID_REQUEST", "INVALID_REQUEST", "NONE"}; !slices.Equal(codes, want) {
		t.Errorf("a resource twice: %v", codes)
	}
	again := alteration(set, "retention.ms", "3")
	if code, _ := r.altered(alter(topics, "u", again, again)); code != "INVALID_REQUEST" {
		t.Errorf("a setting twice: %s", code)
	}
	r.wantSetting(topics, "u", "retention.ms", "2 from 1: retention.ms=2(1) log.retention.hours=168(5)")
	dry := alter(topics, "u", alteration(set, "retention.ms", "9"))
	dry.ValidateOnly = true
	if code, _ := r.altered(dry); code != "NONE" {
		t.Errorf("validation says %s", code)
	}
	r.wantSetting(topics, "u", "retention.ms", "2 from 1: retention.ms=2(1) log.retention.hours=168(5)")
}

func TestAlterConfigsReplacesAll(t *testing.T) {
	r := newRig(t, nil)
	r.made("t", 1)
	r.mustAlter(topics, "t", alteration(set, "max.message.bytes", "100"), alteration(set, "retention.ms", "5000"))
	for version := int16(0); version <= 2; version++ {
		m := protocol.NewAlterConfigsRequest()
		m.Resources = []protocol.AlterConfigsResource{{ResourceType: topics, ResourceName: "t", Configs: []protocol.AlterableConfig{
			{Name: "retention.ms", Value: protocol.String(fmt.Sprint(version))},
		}}}
		if row := r.ask(m, version).(*protocol.AlterConfigsResponse).Responses[0]; row.ErrorCode != protocol.ErrNone || row.ResourceName != "t" {
			t.Fatalf("version %d: %+v", version, row)
		}
		r.wantSetting(topics, "t", "retention.ms", fmt.Sprintf("%d from 1: retention.ms=%[1]d(1) log.retention.hours=168(5)", version))
		r.takes("t", 200, protocol.ErrNone)
	}
	bad := protocol.NewAlterConfigsRequest()
	bad.Resources = []protocol.AlterConfigsResource{{ResourceType: topics, ResourceName: "t", Configs: []protocol.AlterableConfig{{Name: "retention.ms"}}}}
	if row := r.ask(bad, 2).(*protocol.AlterConfigsResponse).Responses[0]; row.ErrorCode != protocol.ErrInvalidRequest || !row.ErrorMessage.Valid {
		t.Errorf("no value: %+v", row)
	}
}

func TestPartitionsAreAdded(t *testing.T) {
	r := newRig(t, nil)
	r.made("t", 2)
	r.made("u", 1)
	ask := func(validate bool, topics ...protocol.CreatePartitionsTopic) (all []string) {
		m := protocol.NewCreatePartitionsRequest()
		m.Topics, m.TimeoutMs, m.ValidateOnly = topics, 1000, validate
		for _, row := range r.ask(m, 3).(*protocol.CreatePartitionsResponse).Results {
			if row.ErrorMessage.Valid == (row.ErrorCode == protocol.ErrNone) {
				t.Errorf("%+v", row)
			}
			all = append(all, row.Name+" "+word(row.ErrorCode))
		}
		return all
	}
	to := func(name string, count int32, replicas ...[]int32) protocol.CreatePartitionsTopic {
		topic := protocol.NewCreatePartitionsTopic()
		topic.Name, topic.Count, topic.Assignments = name, count, nil
		for _, ids := range replicas {
			topic.Assignments = append(topic.Assignments, protocol.CreatePartitionsAssignment{BrokerIds: ids})
		}
		return topic
	}
	me := []int32{1}
	for _, c := range []struct {
		topic protocol.CreatePartitionsTopic
		want  string
	}{
		{to("t", 2), "INVALID_PARTITIONS"},
		{to("t", 1), "INVALID_PARTITIONS"},
		{to("t", -5), "INVALID_PARTITIONS"},
		{to("t", 20_000), "POLICY_VIOLATION"},
		{to("x", 2), "UNKNOWN_TOPIC_OR_PARTITION"},
		{to("t", 3, me, me), "INVALID_REPLICA_ASSIGNMENT"},
		{to("t", 3, []int32{9}), "INVALID_REPLICA_ASSIGNMENT"},
		{to("t", 3, []int32{1, 1}), "INVALID_REPLICA_ASSIGNMENT"},
		{to("t", 3, []int32{}), "INVALID_REPLICA_ASSIGNMENT"},
	} {
		if got := ask(false, c.topic); got[0] != c.topic.Name+" "+c.want {
			t.Errorf("%+v: %v, want %s", c.topic, got, c.want)
		}
	}
	if got := ask(false, to("u", 2), to("t", 3), to("u", 3)); !slices.Equal(got, []string{"u INVALID_REQUEST", "t NONE", "u INVALID_REQUEST"}) {
		t.Errorf("one twice: %v", got)
	}
	if got := ask(true, to("t", 9)); got[0] != "t NONE" {
		t.Errorf("validated: %v", got)
	}
	if got := ask(false, to("t", 5, me, me), to("u", 2)); !slices.Equal(got, []string{"t NONE", "u NONE"}) {
		t.Errorf("%v", got)
	}
	if got := strings.Join(r.pages(2000, nil), " | "); got != "t 0 1 2 3 4; u 0 1" {
		t.Errorf("there are %s", got)
	}
	m := produce("t", 1, batch("x"), 12)
	m.TopicData[0].PartitionData[0].Index = 4
	if got := codeIn(r.ask(m, 12)); got != protocol.ErrNone {
		t.Errorf("produce to the last: %q", got)
	}
}
