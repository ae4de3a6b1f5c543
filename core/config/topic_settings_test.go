package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"barnabas/core/assert"
)

// topicWith returns the settings of a topic that was given what own says, on a broker that was given what broker says.
func topicWith(t *testing.T, broker, own string) TopicSettings {
	t.Helper()
	s, _, err := Parse(pairs(strings.Fields(broker)...))
	if err != nil {
		t.Fatal(err)
	}
	given := make(map[string]string)
	for _, p := range pairs(strings.Fields(own)...) {
		given[p.Name] = p.Value
	}
	return s.OfTopic(func(name string) (string, bool) {
		v, ok := given[name]
		return v, ok
	})
}

// TestTopicSettings shows what counts for a topic: its own, then the broker's in Kafka's order, then the table.
func TestTopicSettings(t *testing.T) {
	for _, c := range []struct{ broker, own, want string }{
		{"", "", "retention 168h0m0s, -1; roll 168h0m0s, 0s; segment 1073741824 false; index 4096, 10485760; delay 1m0s; [delete]"},
		{"log.retention.hours=1 log.roll.hours=2 log.roll.jitter.hours=3", "", "retention 1h0m0s, -1; roll 2h0m0s, 3h0m0s; " +
			"segment 1073741824 false; index 4096, 10485760; delay 1m0s; [delete]"},
		{"log.retention.hours=1 log.retention.minutes=2", "", "retention 2m0s, -1; roll 168h0m0s, 0s; segment 1073741824 false; " +
			"index 4096, 10485760; delay 1m0s; [delete]"},
		{
			"log.retention.minutes=2 log.retention.ms=-1 log.roll.hours=9 log.roll.ms=7 log.roll.jitter.hours=9 log.roll.jitter.ms=6", "",
			"retention -1ms, -1; roll 7ms, 6ms; segment 1073741824 false; index 4096, 10485760; delay 1m0s; [delete]",
		},
		{
			"log.retention.bytes=1 log.segment.bytes=2000000 log.index.interval.bytes=2 log.index.size.max.bytes=99 log.segment.delete.delay.ms=3 " +
				"log.cleanup.policy=compact internal.log.segment.bytes=5", "",
			"retention 168h0m0s, 1; roll 168h0m0s, 0s; segment 2000000 true; index 2, 99; delay 3ms; [compact]",
		},
		{
			"log.retention.bytes=1 log.retention.ms=4 log.roll.ms=5 log.roll.jitter.ms=1 log.segment.bytes=2000000 log.index.interval.bytes=2 " +
				"log.index.size.max.bytes=99 log.segment.delete.delay.ms=3 log.cleanup.policy=compact",
			"retention.ms=10 retention.bytes=11 segment.ms=12 segment.jitter.ms=13 segment.bytes=2000001 internal.segment.bytes=1 " +
				"index.interval.bytes=14 segment.index.bytes=15 file.delete.delay.ms=16 cleanup.policy=",
			"retention 10ms, 11; roll 12ms, 13ms; segment 2000001 true; index 14, 15; delay 16ms; []",
		},
		{"", "retention.ms=soon segment.bytes=1", "retention 168h0m0s, -1; roll 168h0m0s, 0s; segment 1073741824 false; " +
			"index 4096, 10485760; delay 1m0s; [delete]"}, // not ours to read
	} {
		s := topicWith(t, c.broker, c.own)
		got := fmt.Sprintf("retention %v, %d; roll %v, %v; segment %d %t; index %d, %d; delay %v; %v",
			s.Duration("retention.ms"), s.Long("retention.bytes"), s.Duration("segment.ms"), s.Duration("segment.jitter.ms"),
			s.Int("segment.bytes"), s.Has("internal.segment.bytes"), s.Int("index.interval.bytes"), s.Int("segment.index.bytes"),
			s.Duration("file.delete.delay.ms"), s.List("cleanup.policy"))
		if got != c.want {
			t.Errorf("%s | %s:\n got %s\nwant %s", c.broker, c.own, got, c.want)
		}
	}
	s := topicWith(t, "", "")
	for name, ask := range map[string]func(){
		"unknown name": func() { s.Int("segment.byte") },
		"wrong type":   func() { s.Int("segment.ms") },
		"no value":     func() { s.Int("internal.segment.bytes") },
	} {
		func() {
			defer func() {
				if _, ok := recover().(assert.Failure); !ok {
					t.Error(name, "was answered")
				}
			}()
			ask()
		}()
	}
}

// TestDescribe shows where values come from and what else they could be.
func TestDescribe(t *testing.T) {
	s := topicWith(t, "log.retention.hours=1 log.retention.minutes=5 node.id=7 log.dir=/a", "segment.bytes=2000000")
	of := func(all []Description, name string) string {
		i := slices.IndexFunc(all, func(d Description) bool { return d.Name == name })
		if i < 0 {
			return "none"
		}
		d := all[i]
		return fmt.Sprint(d.Value, d.HasValue, d.Source, d.Type, d.Synonyms)
	}
	for _, c := range []struct{ name, want string }{
		{"retention.ms", "300000true 4 2 [{log.retention.minutes 5 4} {log.retention.hours 1 4} {log.retention.hours 168 5}]"},
		{"segment.bytes", "2000000true 1 0 [{segment.bytes 2000000 1} {log.segment.bytes 1073741824 5}]"},
		{"segment.ms", "604800000true 5 2 [{log.roll.hours 168 5}]"},
		{"flush.ms", forever + "true 5 2 []"},
		{"internal.segment.bytes", "none"},
	} {
		if got := of(s.Describe(), c.name); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
	for _, c := range []struct{ name, want string }{
		{"node.id", "7true 4 0 [{node.id 7 4} {node.id 1 5}]"},
		{"log.dirs", "/atrue 4 5 [{log.dirs /a 4} {log.dirs barnabas-data 5}]"},
		{"durability", "fsynctrue 5 6 [{durability fsync 5}]"},
		{"log.retention.ms", "false 5 2 []"},
	} {
		if got := of(s.broker.Describe(), c.name); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
	given := topicWith(t, "", "internal.segment.bytes=9")
	if got := of(given.Describe(), "internal.segment.bytes"); got != "9true 1 0 [{internal.segment.bytes 9 1}]" {
		t.Error(got)
	}
}

// TestSettle shows that sizes set after drawing are made to agree again.
func TestSettle(t *testing.T) {
	drawn := Draw(func(_ string, n int) int { return n - 1 }) // the largest of everything
	for i := range drawn {
		if drawn[i].Name == "journal.max.bytes" {
			drawn[i].Value = "1100000" // no multiple of anything
		}
	}
	Settle(drawn)
	s, _, err := Parse(drawn)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(s.Int("journal.segment.bytes"), s.Long("journal.checkpoint.bytes"), s.Int("message.max.bytes"), s.Int("journal.commit.max.bytes")); got != "135168 275000 67584 65536" {
		t.Error(got)
	}
}

func TestTheCheckpointGivesWayUnlessItWasGiven(t *testing.T) {
	for given, want := range map[string]int64{
		"": 67108864, "journal.max.bytes=134217728": 33554432, "journal.max.bytes=4294967296": 67108864,
	} {
		s, _, err := Parse(pairs(strings.Fields(given)...))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Long("journal.checkpoint.bytes"); got != want {
			t.Errorf("%s: %d, want %d", given, got, want)
		}
	}
}
