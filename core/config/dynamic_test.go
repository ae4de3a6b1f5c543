package config

import (
	"fmt"
	"strings"
	"testing"
)

// saying is a layer of NAME=VALUE words.
func saying(words string) func(string) (string, bool) {
	given := map[string]string{}
	for _, word := range strings.Fields(words) {
		name, value, _ := strings.Cut(word, "=")
		given[name] = value
	}
	return func(name string) (string, bool) { v, ok := given[name]; return v, ok }
}

func TestWhatTheMetadataSayLiesOnTop(t *testing.T) {
	start, _, err := Parse([]Pair{{Name: "message.max.bytes", Value: "5000"}, {Name: "log.retention.hours", Value: "1"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ own, all, want string }{
		{"", "", "5000 4: 5000(4) 1048588(5)"},
		{"", "message.max.bytes=6000", "6000 3: 6000(3) 5000(4) 1048588(5)"},
		{"message.max.bytes=7000", "message.max.bytes=6000", "7000 2: 7000(2) 6000(3) 5000(4) 1048588(5)"},
		{"message.max.bytes=many", "message.max.bytes=-1", "5000 4: 5000(4) 1048588(5)"}, // a controller let it in
	} {
		s := start.With(saying(c.own), saying(c.all))
		s = s.With(saying(c.own), saying(c.all)) // upon the start, whatever was on top before
		got := ""
		for _, d := range s.Describe() {
			if d.Name != "message.max.bytes" {
				continue
			}
			got = fmt.Sprintf("%s %d:", d.Value, d.Source)
			for _, synonym := range d.Synonyms {
				got += fmt.Sprintf(" %s(%d)", synonym.Value, synonym.Source)
			}
		}
		if got != c.want || fmt.Sprint(s.Int("message.max.bytes")) != strings.Fields(c.want)[0] {
			t.Errorf("own %q, all %q: %s, want %s", c.own, c.all, got, c.want)
		}
	}
	if start.Int("message.max.bytes") != 5000 {
		t.Error("the settings of the start changed")
	}
	// Milliseconds win over the hours of the start; hours do not change.
	s := start.With(saying("log.retention.ms=7 node.id=9"), saying("log.retention.hours=2"))
	topic := s.OfTopic(saying(""))
	if topic.Milliseconds("retention.ms") != 7 || s.Int("log.retention.hours") != 1 || s.Int("node.id") != start.Int("node.id") {
		t.Errorf("retention.ms %d, hours %d", topic.Milliseconds("retention.ms"), s.Int("log.retention.hours"))
	}
	if all := s.DescribeDefaults(); len(all) != 0 {
		t.Errorf("for all brokers: %+v", all)
	}
}

func TestWhatIsNoDefaultOfTopicsChangesToo(t *testing.T) {
	start, _, err := Parse([]Pair{{Name: "max.connections", Value: "5"}, {Name: "max.connections.per.ip.overrides", Value: "::1:3"}})
	if err != nil {
		t.Fatal(err)
	}
	s := start.With(saying("max.connections.per.ip.overrides=127.0.0.1:4,[::1]:5 producer.id.expiration.ms=0"), saying("max.connections=7"))
	of, err := s.ConnectionsPerIP()
	if s.Int("max.connections") != 7 || fmt.Sprint(of) != "map[127.0.0.1:4 ::1:5]" || err != nil || s.Int("max.connections.per.ip") != intMax {
		t.Errorf("%d, %v, %v", s.Int("max.connections"), of, err)
	}
	if d := s.Duration("producer.id.expiration.ms"); d != start.Duration("producer.id.expiration.ms") {
		t.Errorf("a value out of bounds counts: %v", d)
	}
	if err := start.ValidateBrokerConfig("max.connections.per.ip.overrides", "127.0.0.1"); err == nil || !strings.Contains(err.Error(), "ADDRESS:NUMBER") {
		t.Errorf("%v", err)
	}
}

func TestWhatMayChangeWhileABrokerRuns(t *testing.T) {
	for name, want := range map[string]bool{
		"log.retention.ms": true, "log.retention.minutes": false, "log.retention.hours": false, "log.segment.bytes": true,
		"message.max.bytes": true, "compression.type": true, "min.insync.replicas": true, "log.cleanup.policy": true,
		"max.connections": true, "max.connections.per.ip.overrides": true, "max.connection.creation.rate": true,
		"producer.id.expiration.ms": true, "producer.id.expiration.check.interval.ms": false, "queued.max.request.bytes": false,
		"num.io.threads": false,
		"num.partitions": false, "node.id": false, "durability": false, "nothing": false,
	} {
		if got := IsDynamic(name); got != want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
