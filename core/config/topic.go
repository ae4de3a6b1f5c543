package config

import (
	"fmt"
	"slices"
	"strings"

	"barnabas/core/assert"
)

// TopicRow is one setting of a topic, as Kafka 4.3 has them.
type TopicRow struct {
	Name    string
	Rule    Rule
	Default string    // "" for a number: it has no value unless it is given one
	Broker  []Synonym // the broker's settings that give the default instead: the first that has a value
	Effect  bool      // whether it has an effect here; the others are kept and shown, no more
}

// Synonym is the broker's setting that a topic's falls back to.
type Synonym struct {
	Name   string
	Factor int64 // of numbers: from the broker's unit to the topic's
}

func same(name string) []Synonym { return []Synonym{{name, 1}} }

// isOptional says whether the setting may be without a value.
func (r TopicRow) isOptional() bool { return r.Default == "" && r.Rule.isNumber() }

const (
	msPerMinute = 60_000
	msPerHour   = 60 * msPerMinute
)

// TopicRows returns every topic setting, in ascending order of names.
func TopicRows() []TopicRow { return slices.Clone(topicTable) }

// FindTopic returns the topic setting called name.
func FindTopic(name string) (TopicRow, bool) {
	i := slices.IndexFunc(topicTable, func(r TopicRow) bool { return r.Name == name })
	if i < 0 {
		return TopicRow{}, false
	}
	return topicTable[i], true
}

// placeOfTopic returns the place of a topic's setting, which the programmer knows to be there.
func placeOfTopic(name string) int {
	i := slices.IndexFunc(topicTable, func(r TopicRow) bool { return r.Name == name })
	assert.That(i >= 0, "a topic's setting that is asked for stands in the table")
	return i
}

// ValidateTopicConfig says what is wrong with a topic's setting, in words for the one who sent it.
func ValidateTopicConfig(name, text string) error {
	row, found := FindTopic(name)
	if !found {
		all := make([]string, len(topicTable))
		for i, r := range topicTable {
			all[i] = r.Name
		}
		return fmt.Errorf("%s: there is no such topic setting; the nearest is %s", name, Nearest(name, all))
	}
	v, err := row.Rule.read(text)
	if err == nil && strings.HasSuffix(name, ".throttled.replicas") {
		err = checkReplicas(v.list)
	}
	if err == nil && name == "compression.gzip.level" && v.number == 0 {
		err = fmt.Errorf("is no level of gzip: take 1 to 9, or -1 for its own default")
	}
	if err != nil {
		return fmt.Errorf("%s=%s %w", name, v.text, err)
	}
	return nil
}

// ValidateTopicConfig says what is wrong with a topic's setting on this broker.
func (s *Settings) ValidateTopicConfig(name, text string) error {
	if err := ValidateTopicConfig(name, text); err != nil {
		return err
	}
	if name != "max.message.bytes" {
		return nil
	}
	row, _ := FindTopic(name)
	v, _ := row.Rule.read(text)
	if most := s.Int("journal.segment.bytes") / 2; v.number > int64(most) {
		return fmt.Errorf("%s=%s is more than half of the broker's %s: a batch must fit into a segment with its commit; "+
			"take at most %d", name, v.text, s.describe("journal.segment.bytes"), most)
	}
	return nil
}

// checkReplicas checks the words of a throttled.replicas setting: PARTITION:BROKER, or one * for all.
func checkReplicas(words []string) error {
	if len(words) == 1 && words[0] == "*" {
		return nil
	}
	for _, word := range words {
		partition, broker, _ := strings.Cut(word, ":")
		for _, number := range []string{partition, broker} {
			if _, err := atLeast(Int, 0).read(number); err != nil {
				return fmt.Errorf("holds %q; write PARTITION:BROKER, or * for all", word)
			}
		}
	}
	return nil
}

const forever = "9223372036854775807"

var topicTable = []TopicRow{
	{
		Name: "cleanup.policy", Rule: listOf("compact", "delete"), Default: "delete", Broker: same("log.cleanup.policy"),
		Effect: true,
	},
	{
		Name: "compression.gzip.level", Rule: between(Int, -1, 9), Default: "-1", Broker: same("compression.gzip.level"),
		Effect: true,
	},
	{
		Name: "compression.lz4.level", Rule: between(Int, 1, 17), Default: "9", Broker: same("compression.lz4.level"),
		Effect: true,
	},
	{
		Name: "compression.type", Default: "producer", Rule: oneOf(compressionTypes...), Broker: same("compression.type"),
		Effect: true,
	},
	{
		Name: "compression.zstd.level", Rule: between(Int, -131072, 22), Default: "3", Broker: same("compression.zstd.level"),
		Effect: true,
	},
	{Name: "delete.retention.ms", Rule: atLeast(Duration, 0), Default: "86400000"},
	{
		Name: "file.delete.delay.ms", Rule: atLeast(Duration, 0), Default: "60000", Broker: same("log.segment.delete.delay.ms"),
		Effect: true,
	},
	{Name: "flush.messages", Rule: atLeast(Long, 1), Default: forever},
	{Name: "flush.ms", Rule: atLeast(Duration, 0), Default: forever},
	{Name: "follower.replication.throttled.replicas", Rule: listOf(), Default: ""},
	{
		Name: "index.interval.bytes", Rule: atLeast(Int, 0), Default: "4096", Broker: same("log.index.interval.bytes"),
		Effect: true,
	},
	{
		Name: "internal.segment.bytes", Rule: atLeast(Int, 1), Default: "", Broker: same("internal.log.segment.bytes"),
		Effect: true,
	},
	{Name: "leader.replication.throttled.replicas", Rule: listOf(), Default: ""},
	{Name: "local.retention.bytes", Rule: atLeast(Long, -2), Default: "-2"},
	{Name: "local.retention.ms", Rule: atLeast(Duration, -2), Default: "-2"},
	{Name: "max.compaction.lag.ms", Rule: atLeast(Duration, 1), Default: forever},
	{Name: "max.message.bytes", Rule: atLeast(Int, 0), Default: "1048588", Broker: same("message.max.bytes"), Effect: true},
	{
		Name: "message.timestamp.after.max.ms", Rule: atLeast(Duration, 0), Default: "3600000",
		Broker: same("log.message.timestamp.after.max.ms"), Effect: true,
	},
	{
		Name: "message.timestamp.before.max.ms", Rule: atLeast(Duration, 0), Default: forever,
		Broker: same("log.message.timestamp.before.max.ms"), Effect: true,
	},
	{
		Name: "message.timestamp.type", Rule: oneOf("CreateTime", "LogAppendTime"), Default: "CreateTime",
		Broker: same("log.message.timestamp.type"), Effect: true,
	},
	{Name: "min.cleanable.dirty.ratio", Rule: Rule{Type: Ratio}, Default: "0.5"},
	{Name: "min.compaction.lag.ms", Rule: atLeast(Duration, 0), Default: "0"},
	{Name: "min.insync.replicas", Rule: atLeast(Int, 1), Default: "1", Broker: same("min.insync.replicas"), Effect: true},
	{Name: "preallocate", Rule: Rule{Type: Bool}, Default: "false"},
	{Name: "remote.log.copy.disable", Rule: Rule{Type: Bool}, Default: "false"},
	{Name: "remote.log.delete.on.disable", Rule: Rule{Type: Bool}, Default: "false"},
	{Name: "remote.storage.enable", Rule: Rule{Type: Bool}, Default: "false"},
	{
		Name: "retention.bytes", Rule: between(Long, -1<<63, longMax), Default: "-1", Broker: same("log.retention.bytes"),
		Effect: true,
	},
	{
		Name: "retention.ms", Rule: atLeast(Duration, -1), Default: "604800000", Effect: true, Broker: []Synonym{
			{"log.retention.ms", 1}, {"log.retention.minutes", msPerMinute}, {"log.retention.hours", msPerHour},
		},
	},
	{
		Name: "segment.bytes", Rule: atLeast(Int, mib), Default: "1073741824", Broker: same("log.segment.bytes"),
		Effect: true,
	},
	{
		Name: "segment.index.bytes", Rule: atLeast(Int, 4), Default: "10485760", Broker: same("log.index.size.max.bytes"),
		Effect: true,
	},
	{
		Name: "segment.jitter.ms", Rule: atLeast(Duration, 0), Default: "0", Effect: true,
		Broker: []Synonym{{"log.roll.jitter.ms", 1}, {"log.roll.jitter.hours", msPerHour}},
	},
	{
		Name: "segment.ms", Rule: atLeast(Duration, 1), Default: "604800000", Effect: true,
		Broker: []Synonym{{"log.roll.ms", 1}, {"log.roll.hours", msPerHour}},
	},
	{Name: "unclean.leader.election.enable", Rule: Rule{Type: Bool}, Default: "false"},
}
