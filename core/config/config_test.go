package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"barnabas/core/assert"
	"barnabas/core/env"
)

// pairs makes what flags --set would: "name=value" each.
func pairs(texts ...string) []Pair {
	var all []Pair
	for _, text := range texts {
		name, value, _ := strings.Cut(text, "=")
		all = append(all, Pair{name, value, Origin{Source: FromFlag, Name: "--set"}})
	}
	return all
}

// TestParse gives one setting each time and shows what is in force, or what is said.
func TestParse(t *testing.T) {
	for _, c := range []struct{ given, want string }{
		{"node.id=7", "node.id=7 (flag --set)"},
		{"node.id= 7 ", "node.id=7 (flag --set)"},
		{"broker.id=7", "node.id=7 (flag --set)"},
		{"broker.id=7 node.id=8", "node.id=8 (flag --set)"},
		{"node.id=8 broker.id=7", "node.id=8 (flag --set)"},
		{"node.id=1 node.id=2", "node.id=2 (flag --set)"},
		{"node.id=x node.id=2", "node.id=2 (flag --set)"}, // only the last one counts
		{"node.id=-1", "node.id=-1 (flag --set) is too small: take 0 or more"},
		{"node.id=2147483648", "node.id=2147483648 (flag --set) is out of bounds: take 0 to 2147483647"},
		{"node.id=99999999999999999999", "node.id=99999999999999999999 (flag --set) is out of bounds: take 0 to 2147483647"},
		{"node.id=one", "node.id=one (flag --set) is no whole number; write digits only"},
		{"node.id=", "node.id= (flag --set) is no whole number; write digits only"},
		{"auto.create.topics.enable=FALSE", "auto.create.topics.enable=FALSE (flag --set)"},
		{"auto.create.topics.enable=no", "auto.create.topics.enable=no (flag --set) is neither true nor false"},
		{"durability=replicated", "durability=replicated (flag --set)"},
		{"durability=Fsync", "durability=Fsync (flag --set) is none of fsync, replicated"},
		{"replica.fetch.wait.max.ms=1s", "replica.fetch.wait.max.ms=1s (flag --set) is no whole number of milliseconds; write digits only"},
		{"connections.max.idle.ms=-1", "connections.max.idle.ms=-1 (flag --set)"},
		{"connections.max.idle.ms=-2", "connections.max.idle.ms=-2 (flag --set) is too small: take -1 or more"},
		{"default.replication.factor=40000", "default.replication.factor=40000 (flag --set) is out of bounds: take 1 to 32767"},
		{"journal.segment.bytes=1048576 message.max.bytes=1000 journal.commit.max.bytes=4096", "journal.segment.bytes=1048576 (flag --set)"},
		{"journal.segment.bytes=16777217", "journal.segment.bytes=16777217 (flag --set) is no multiple of 4096; the nearest below is 16777216"},
		{"journal.segment.bytes=4096", "journal.segment.bytes=4096 (flag --set) is out of bounds: take 65536 to 1073741824"},
		{
			"message.max.bytes=8388609", "message.max.bytes=8388609 (flag --set) is more than half of journal.segment.bytes=16777216 (default): " +
				"a batch must fit into a segment with its commit; lower the one to 8388608 or raise the other to 16777218 at least",
		},
		{"message.max.bytes=8388608", "message.max.bytes=8388608 (flag --set)"},
		{
			"journal.commit.max.bytes=16777216", "journal.commit.max.bytes=16777216 (flag --set) is more than half of journal.segment.bytes=16777216 (default): " +
				"a commit must fit into a segment; lower the one to 8388608 or raise the other to 33554432 at least",
		},
		{
			"journal.max.bytes=16777217", "journal.segment.bytes=16777216 (default) is more than an eighth of journal.max.bytes=16777217 (flag --set): " +
				"some segments are written while others wait to be used again; lower the one to 2097152 or raise the other to 134217728 at least",
		},
		{"journal.max.bytes=134217728", "journal.max.bytes=134217728 (flag --set)"},
		{
			"journal.max.bytes=134217728 journal.checkpoint.bytes=33554433",
			"journal.checkpoint.bytes=33554433 (flag --set) is more than a quarter of journal.max.bytes=134217728 (flag --set): " +
				"the journal goes on while a checkpoint makes room; lower the one to 33554432 or raise the other to 134217732 at least",
		},
		{"log.retention.ms=0", "log.retention.ms=0 (flag --set) keeps no record at all: take 1 or more, or -1 to keep all"},
		{"log.retention.hours=0", "log.retention.hours=0 (flag --set) keeps no record at all: take 1 or more, or -1 to keep all"},
		{"log.retention.minutes=-1 log.retention.hours=0", "log.retention.minutes=-1 (flag --set)"},
		{"log.retention.ms=", "log.retention.ms= (flag --set) is no whole number of milliseconds; write digits only"},
		{"log.roll.hours=24 num.partitions=2", "log.roll.hours=24 (flag --set)"},
		{
			"arena.max.bytes=1048576", "arena.chunk.bytes=8388608 (default) is more than half of arena.max.bytes=1048576 (flag --set): " +
				"one chunk is filled while another is written; lower the one to 524288 or raise the other to 16777216 at least",
		},
		{"log.dir=/a", "log.dirs=/a (flag --set)"},
		{"log.dirs=/a log.dir=/b", "log.dirs=/a (flag --set)"},
		{"log.dirs=/a,/b", "log.dirs=/a,/b (flag --set) names 2 folders: name one, several are not served yet"},
		{"log.dirs=", "log.dirs= (flag --set) names 0 folders: name one, several are not served yet"},
		{"log.dirs=/a,,/b", "log.dirs=/a,,/b (flag --set) has an empty word between its commas"},
		{"num.partition=3", "num.partition (flag --set): there is no such setting; the nearest is num.partitions"},
		{"log.segmnet.bytes=1", "log.segmnet.bytes (flag --set): there is no such setting; the nearest is log.segment.bytes"},
		{
			"num.partitions=0 bogus.name=1",
			"bogus.name (flag --set): there is no such setting; the nearest is log.dirs\n" +
				"num.partitions=0 (flag --set) is too small: take 1 or more",
		},
	} {
		s, warnings, err := Parse(pairs(strings.Fields(c.given)...))
		if strings.Contains(c.given, "= ") || strings.HasSuffix(c.given, " ") {
			s, warnings, err = Parse(pairs(c.given))
		}
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			first, _, _ := strings.Cut(c.want, "=")
			got = s.describe(first)
		}
		if got != c.want || warnings != nil {
			t.Errorf("%s:\n got %s\nwant %s\nwarnings %q", c.given, got, c.want, warnings)
		}
	}
}

func TestSettingsWithoutEffectAreWarnedOfOnce(t *testing.T) {
	_, warnings, err := Parse(pairs(
		"log.flush.interval.ms=junk", "num.io.threads=8", "log.flush.interval.ms=1", "listener.name.plaintext.ssl.keystore.location=x",
		"process.roles=broker,controller",
	))
	want := []Warning{"settings of Kafka that have no effect here: log.flush.interval.ms, num.io.threads, " +
		"listener.name.plaintext.ssl.keystore.location, process.roles"}
	if err != nil || !slices.Equal(warnings, want) {
		t.Errorf("got %q, %v\nwant %q", warnings, err, want)
	}
}

func TestListeners(t *testing.T) {
	for _, c := range []struct{ listeners, more, want string }{
		{"PLAINTEXT://localhost:9092", "", "localhost:9092"},
		{"PLAINTEXT://:9092,plaintext://[::1]:0", "", ":9092 [::1]:0"},
		{"PLAINTEXT://:9092,CONTROLLER://:9093", "controller.listener.names=CONTROLLER", ":9092 | listener CONTROLLER://:9093 is for controllers and is not opened"},
		{"INSIDE://h:1", "listener.security.protocol.map=INSIDE:PLAINTEXT", "h:1"},
		{"INSIDE://h:1", "", "listeners=INSIDE://h:1 (flag --set): listener INSIDE stands for no protocol; add INSIDE:PLAINTEXT to listener.security.protocol.map"},
		{"INSIDE://h:1", "listener.security.protocol.map=INSIDE", `listener.security.protocol.map=INSIDE (flag --set): "INSIDE" is no pair; write NAME:PLAINTEXT`},
		{"SSL://h:1", "", "listeners=SSL://h:1 (flag --set): listener SSL stands for SSL, and only PLAINTEXT is served so far"},
		{"h:1", "", `listeners=h:1 (flag --set): "h:1" is no listener; write PLAINTEXT://HOST:PORT`},
		{"PLAINTEXT://h", "", `listeners=PLAINTEXT://h (flag --set): "h" has no port; write HOST:PORT, with port 0 for a free one`},
		{"PLAINTEXT://h:65536", "", `listeners=PLAINTEXT://h:65536 (flag --set): port "65536" of "h:65536" is none; take 0 to 65535, 0 for a free one`},
		{"PLAINTEXT://::1:9092", "", `listeners=PLAINTEXT://::1:9092 (flag --set): host "::1" of "::1:9092" is none; write an IPv6 address in brackets, as [::1]:9092`},
		{"C://:1", "controller.listener.names=C", "listeners=C://:1 (flag --set) leaves no address for clients: name one as PLAINTEXT://HOST:PORT"},
		{"", "", "listeners= (flag --set) leaves no address for clients: name one as PLAINTEXT://HOST:PORT"},
	} {
		s, warnings, err := Parse(pairs(append(strings.Fields(c.more), "listeners="+c.listeners)...))
		var got string
		switch {
		case err != nil:
			got = err.Error()
		case warnings != nil:
			got = fmt.Sprintf("%s | %s", strings.Join(s.ListenAddresses(), " "), warnings[0])
		default:
			got = strings.Join(s.ListenAddresses(), " ")
		}
		if got != c.want {
			t.Errorf("%s %s:\n got %s\nwant %s", c.listeners, c.more, got, c.want)
		}
	}
}

func TestAdvertised(t *testing.T) {
	for _, c := range []struct{ listeners, advertised, more, want string }{
		{"PLAINTEXT://:9092", "", "", ""},
		{"PLAINTEXT://:9092", "plaintext://broker.example:19092", "", "broker.example:19092"},
		{"A://:1,B://:2", "B://[fe80::1]:0", "listener.security.protocol.map=A:PLAINTEXT,B:PLAINTEXT", " [fe80::1]:0"},
		{"PLAINTEXT://:1,C://:2", "C://h:2", "controller.listener.names=C", " | listener C://:2 is for controllers and is not opened"},
		{"PLAINTEXT://:1", "X://h:2", "", "advertised.listeners=X://h:2 (flag --set): listener X is not among listeners=PLAINTEXT://:1 (flag --set)"},
		{"PLAINTEXT://:1", "PLAINTEXT://0.0.0.0:1", "", `advertised.listeners=PLAINTEXT://0.0.0.0:1 (flag --set): "0.0.0.0:1" names no host a client could connect to; write the name or address they reach this machine by`},
		{"PLAINTEXT://:1", "PLAINTEXT://:1", "", `advertised.listeners=PLAINTEXT://:1 (flag --set): ":1" names no host a client could connect to; write the name or address they reach this machine by`},
		{"PLAINTEXT://:1", "h:1", "", `advertised.listeners=h:1 (flag --set): "h:1" is no listener; write PLAINTEXT://HOST:PORT`},
	} {
		words := append(strings.Fields(c.more), "listeners="+c.listeners)
		if c.advertised != "" {
			words = append(words, "advertised.listeners="+c.advertised)
		}
		s, warnings, err := Parse(pairs(words...))
		got := ""
		if err != nil {
			got = err.Error()
		} else if got = strings.Join(s.AdvertisedAddresses(), " "); warnings != nil {
			got += " | " + string(warnings[0])
		}
		if got != c.want {
			t.Errorf("%s %s:\n got %s\nwant %s", c.listeners, c.advertised, got, c.want)
		}
	}
}

func TestMetricsListen(t *testing.T) {
	for given, want := range map[string]string{
		"localhost:9644": "", "": "",
		"9644": `metrics.listen=9644 (flag --set): "9644" has no port; write HOST:PORT, with port 0 for a free one`,
	} {
		_, _, err := Parse(pairs("metrics.listen=" + given))
		if got := fmt.Sprint(err); got != want && (err != nil || want != "") {
			t.Errorf("%s: %s", given, got)
		}
	}
}

func TestGetters(t *testing.T) {
	s := Defaults()
	if got := fmt.Sprintln(
		s.Int("node.id"), s.Long("journal.max.bytes"), s.Duration("replica.fetch.wait.max.ms"), s.Bool("delete.topic.enable"),
		s.String("durability"), s.List("log.dirs"), s.Folder(), s.ListenAddresses(), s.Origin("node.id"),
	); got != "1 1073741824 500ms true fsync [barnabas-data] barnabas-data [localhost:9092] default\n" {
		t.Error(got)
	}
	if longest, least := milliseconds(longMax), milliseconds(-1<<63); longest < 200*365*24*time.Hour || least > -200*365*24*time.Hour {
		t.Error("a duration wrapped round:", longest, least)
	}
	if s.Has("log.retention.ms") || !s.Has("log.retention.hours") {
		t.Error("not what the table says of values")
	}
	for name, ask := range map[string]func(){
		"unknown name": func() { s.Int("nod.id") },
		"without row":  func() { s.Int("num.io.threads") },
		"wrong type":   func() { s.Int("durability") },
		"no value":     func() { s.Duration("log.retention.ms") },
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

// TestTable holds the tables to their own rules.
func TestTable(t *testing.T) {
	if blockBytes != env.BlockBytes {
		t.Error("blockBytes differs from env.BlockBytes")
	}
	if !slices.IsSorted(withoutEffect) || !slices.IsSortedFunc(topicTable, func(a, b TopicRow) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("a list of names is not sorted")
	}
	seen := map[string]bool{}
	for _, name := range names() {
		if seen[name] {
			t.Error(name, "stands there twice")
		}
		seen[name] = true
	}
	for _, row := range table {
		for _, v := range append(slices.Clone(row.Simulation), row.Default) {
			if v == "" && row.isOptional() {
				continue
			}
			if _, err := row.Rule.read(v); err != nil {
				t.Errorf("%s=%s %v", row.Name, v, err)
			}
		}
		if row.Meaning == "" {
			t.Error(row.Name, "means nothing")
		}
	}
	for _, row := range topicTable {
		if err := ValidateTopicConfig(row.Name, row.Default); err != nil && !row.isOptional() {
			t.Error(err)
		}
		for _, synonym := range row.Broker {
			i := find(synonym.Name)
			if i < 0 {
				t.Fatal(synonym.Name, "is no row")
			}
			if s := table[i].Rule; s.Type != row.Rule.Type && synonym.Factor == 1 || s.isNumber() != row.Rule.isNumber() {
				t.Error(synonym.Name, "is of another type than", row.Name)
			}
		}
	}
}

// TestDrawnSettingsAreValid tries every combination of the sizes that depend on each other.
func TestDrawnSettingsAreValid(t *testing.T) {
	dependent := []string{
		"message.max.bytes", "journal.segment.bytes", "journal.max.bytes", "journal.checkpoint.bytes", "journal.commit.max.bytes",
		"arena.max.bytes", "arena.chunk.bytes",
	}
	ran := 0
	var try func(left []string, chosen map[string]int)
	try = func(left []string, chosen map[string]int) {
		if len(left) > 0 {
			for i := range table[find(left[0])].Simulation {
				chosen[left[0]] = i
				try(left[1:], chosen)
			}
			return
		}
		ran++
		drawn := Draw(func(name string, n int) int { return min(chosen[name], n-1) })
		if _, warnings, err := Parse(drawn); err != nil || warnings != nil {
			t.Fatalf("%v %q of %v", err, warnings, drawn)
		}
	}
	try(dependent, map[string]int{})
	if ran < 100 {
		t.Errorf("only %d combinations", ran)
	}
}

func TestValidateTopicConfig(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"max.message.bytes", "1000", ""},
		{"max.message.bytes", "x", "max.message.bytes=x is no whole number; write digits only"},
		{"max.message.bytes", "8388609", "max.message.bytes=8388609 is more than half of the broker's journal.segment.bytes=16777216 (default): " +
			"a batch must fit into a segment with its commit; take at most 8388608"},
		{"min.insync.replicas", "0", "min.insync.replicas=0 is too small: take 1 or more"},
		{"cleanup.policy", "", ""},
		{"cleanup.policy", "compact, delete", ""},
		{"cleanup.policy", "compct", `cleanup.policy=compct holds "compct", which is none of compact, delete`},
		{"compression.type", "lz5", "compression.type=lz5 is none of uncompressed, zstd, lz4, snappy, gzip, producer"},
		{"compression.gzip.level", "0", "compression.gzip.level=0 is no level of gzip: take 1 to 9, or -1 for its own default"},
		{"compression.zstd.level", "-131073", "compression.zstd.level=-131073 is out of bounds: take -131072 to 22"},
		{"segment.bytes", "1048575", "segment.bytes=1048575 is too small: take 1048576 or more"},
		{"min.cleanable.dirty.ratio", "1.000", ""},
		{"min.cleanable.dirty.ratio", ".25", ""},
		{"min.cleanable.dirty.ratio", "1.001", "min.cleanable.dirty.ratio=1.001 is out of bounds: take 0 to 1"},
		{"min.cleanable.dirty.ratio", "10", "min.cleanable.dirty.ratio=10 is out of bounds: take 0 to 1"},
		{"min.cleanable.dirty.ratio", "5e-1", "min.cleanable.dirty.ratio=5e-1 is no decimal fraction; write it as 0.5"},
		{"min.cleanable.dirty.ratio", ".", "min.cleanable.dirty.ratio=. is no decimal fraction; write it as 0.5"},
		{"leader.replication.throttled.replicas", "*", ""},
		{"leader.replication.throttled.replicas", "0:1,12:3", ""},
		{"leader.replication.throttled.replicas", "0:1,x", `leader.replication.throttled.replicas=0:1,x holds "x"; write PARTITION:BROKER, or * for all`},
		{"retention.bytes", "-1", ""},
		{"retention.m", "1", "retention.m: there is no such topic setting; the nearest is retention.ms"},
	} {
		got := ""
		if err := Defaults().ValidateTopicConfig(c.name, c.value); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s=%s:\n got %s\nwant %s", c.name, c.value, got, c.want)
		}
	}
}

func TestNearest(t *testing.T) {
	for _, c := range []struct {
		name  string
		names []string
		want  string
	}{
		{"strat", []string{"sim", "start", "version"}, "start"},
		{"sta", []string{"stat", "start"}, "stat"},
		{"", []string{"abc", "x"}, "x"},
		{"ab", []string{"a", "b"}, "a"}, // the first of equals
		{"ba", []string{"bxx", "ab"}, "ab"},
	} {
		if got := Nearest(c.name, c.names); got != c.want {
			t.Errorf("%q of %q: %q, want %q", c.name, c.names, got, c.want)
		}
	}
	if got := distance("ca", "ac"); got != 1 {
		t.Error("two swapped letters are", got, "edits")
	}
}
