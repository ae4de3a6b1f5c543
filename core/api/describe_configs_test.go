package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"barnabas/core/metadata"
	"barnabas/core/protocol"
)

func describeConfigs(kind int8, name string, keys ...string) *protocol.DescribeConfigsRequest {
	m := protocol.NewDescribeConfigsRequest()
	m.Resources = []protocol.DescribeConfigsResource{{ResourceType: kind, ResourceName: name, ConfigurationKeys: keys}}
	return m
}

func TestDescribeConfigsVerdictsInEveryVersion(t *testing.T) {
	r := scripted(t)
	for _, c := range []struct {
		kind int8
		name string
		want protocol.Error
	}{
		{metadata.ResourceTopic, "led", protocol.ErrNone},
		{metadata.ResourceTopic, "followed", protocol.ErrNone},
		{metadata.ResourceTopic, "nothing", protocol.ErrUnknownTopicOrPartition},
		{metadata.ResourceBroker, "1", protocol.ErrNone},
		{metadata.ResourceBroker, "", protocol.ErrNone},
		{metadata.ResourceBroker, "2", protocol.ErrInvalidRequest},
		{metadata.ResourceBroker, "x", protocol.ErrInvalidRequest},
		{8, "1", protocol.ErrInvalidRequest},
		{99, "1", protocol.ErrInvalidRequest},
	} {
		r.each(fmt.Sprint(c.kind, c.name), protocol.KeyDescribeConfigs, 1, c.want, func(int16) protocol.Message {
			return describeConfigs(c.kind, c.name)
		})
	}
}

// TestDescribeConfigs shows values, sources, types, synonyms and documentation.
func TestDescribeConfigs(t *testing.T) {
	r := scripted(t, "log.retention.hours", "1", "num.partitions", "5")
	r.publish(topic("own", 1, []int32{1}, []int32{1}, "retention.ms", "77")...)
	row := func(kind int8, name, key string, version int16, synonyms, documented bool) string {
		m := describeConfigs(kind, name, key)
		m.IncludeSynonyms, m.IncludeDocumentation = synonyms, documented
		all := r.ask(m, version).(*protocol.DescribeConfigsResponse).Results[0].Configs
		if len(all) != 1 || all[0].Name != key {
			return fmt.Sprint(len(all), " settings")
		}
		c := all[0]
		value := c.Value.Value
		if !c.Value.Valid {
			value = "null"
		}
		text := fmt.Sprintf("%s from %d type %d fixed %t", value, c.ConfigSource, c.ConfigType, c.ReadOnly)
		for _, s := range c.Synonyms {
			text += fmt.Sprintf(" %s=%s from %d", s.Name, s.Value.Value, s.Source)
		}
		if c.Documentation.Value != "" {
			text += ": " + c.Documentation.Value
		}
		return text
	}
	const aTopic, aBroker = metadata.ResourceTopic, metadata.ResourceBroker
	for _, c := range []struct{ got, want string }{
		{row(aTopic, "own", "retention.ms", 4, true, false), "77 from 1 type 5 fixed false retention.ms=77 from 1 log.retention.hours=1 from 4 log.retention.hours=168 from 5"},
		{row(aTopic, "own", "retention.ms", 4, false, false), "77 from 1 type 5 fixed false"},
		{row(aTopic, "led", "retention.ms", 3, false, false), "3600000 from 4 type 5 fixed false"},
		{row(aTopic, "led", "cleanup.policy", 3, false, false), "delete from 5 type 7 fixed false"},
		{row(aTopic, "led", "preallocate", 1, false, false), "false from 5 type 0 fixed false"}, // types came with version 3
		{row(aTopic, "led", "min.cleanable.dirty.ratio", 4, false, false), "0.5 from 5 type 6 fixed false"},
		{row(aTopic, "led", "num.partitions", 4, false, false), "0 settings"},
		{row(aBroker, "1", "num.partitions", 4, true, true), "5 from 4 type 3 fixed true num.partitions=5 from 4 num.partitions=1 from 5: " +
			"partitions of a topic whose maker did not say"},
		{row(aBroker, "1", "log.retention.ms", 4, true, false), "null from 5 type 5 fixed false"},
		{row(aBroker, "1", "delete.topic.enable", 4, false, false), "true from 5 type 1 fixed true"},
		{row(aBroker, "1", "durability", 4, false, true), "fsync from 5 type 2 fixed true: acknowledged records are on the device (simulated, simulated, simulated)"},
		{row(aBroker, "", "durability", 4, false, false), "0 settings"},
	} {
		if c.got != c.want {
			t.Errorf("\n got %s\nwant %s", c.got, c.want)
		}
	}
	all := r.ask(describeConfigs(aTopic, "led"), 4).(*protocol.DescribeConfigsResponse).Results[0].Configs
	if !slices.IsSortedFunc(all, func(a, b protocol.DescribeConfigsResourceResult) int { return strings.Compare(a.Name, b.Name) }) || len(all) < 30 {
		t.Errorf("%d settings", len(all))
	}
}

func TestDescribeConfigsDescribesAResourceOnce(t *testing.T) {
	r := scripted(t)
	m := describeConfigs(metadata.ResourceTopic, "led")
	for range 3 {
		m.Resources = append(m.Resources, m.Resources[0])
	}
	for i, row := range r.ask(m, 4).(*protocol.DescribeConfigsResponse).Results {
		if want := i > 0; (row.ErrorCode == protocol.ErrInvalidRequest) != want || (len(row.Configs) == 0) != want {
			t.Errorf("%d: %q with %d settings", i, row.ErrorCode, len(row.Configs))
		}
	}
}
