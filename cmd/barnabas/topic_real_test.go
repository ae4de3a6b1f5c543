package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
)

// TestRealTopicCommands looks at a running broker's topics.
func TestRealTopicCommands(t *testing.T) {
	b := startBroker(t, t.TempDir())
	admin := kadm.NewClient(client(t, b))
	ms := "86400000"
	for topic, settings := range map[string]map[string]*string{"orders": {"retention.ms": &ms}, "other": nil} {
		if _, err := admin.CreateTopic(within(t), 2, 1, settings, topic); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		produced(t, b, "orders", int64(i))
	}
	deletion := make(kadm.Offsets)
	deletion.AddOffset("orders", 0, 1, -1)
	if answer, err := admin.DeleteRecords(within(t), deletion); err != nil || answer.Error() != nil {
		t.Fatal(err, answer.Error())
	}
	run := func(words ...string) (string, int) {
		p := execute(t, append(words, "--bootstrap-server", b.address())...)
		code := p.code(t)
		return read(p.out) + p.said(), code
	}
	const id = `[A-Za-z0-9_-]{22}`
	promise := `broker 1 at (127\.0\.0\.1|\[::1\]):` + b.port() + `: durability fsync: acknowledged records are on the device \([a-z0-9]+, posix, .*\)\n`
	if strings.Contains(b.said(), "none (memory)") {
		promise = `broker 1 at (127\.0\.0\.1|\[::1\]):` + b.port() + `: durability fsync: nothing survives a power loss, since the data folder is in memory \(.*\)\n`
	}
	for _, c := range []struct {
		words string
		code  int
		want  string
	}{
		{"topic list", 0, `TOPIC   ID +PARTITIONS  REPLICATION\norders  ` + id + `  2           1\nother   ` + id + `  2           1\n`},
		{"topic describe orders", 0, `orders  id ` + id + `  retention.ms=86400000\n` +
			`  PARTITION  LEADER  REPLICAS  ISR  START  END\n  0          1       1         1    1      3\n` +
			`  1          1       1         1    0      0\n\n` + promise},
		{"topic describe", 0, `(?s)orders  id .*other  id .*` + promise},
		{"topic describe other --output json", 0, `\{"topic":"other","id":"` + id + `","settings":\{\},"partitions":\[` +
			`\{"partition":0,"leader":1,"replicas":\[1\],"isr":\[1\],"start":0,"end":0\},\{.*\}\]\}\n` +
			`\{"broker":1,"address":"[^"]+:[0-9]+","durability":"fsync","promise":".*"\}\n`},
		{"topic describe nothing", 1, `barnabas topic describe: topic nothing: UNKNOWN_TOPIC_OR_PARTITION.*\n`},
	} {
		got, code := run(strings.Fields(c.words)...)
		if code != c.code || !regexp.MustCompile(`\A`+c.want+`\z`).MatchString(got) {
			t.Errorf("%s: exit %d\n%s", c.words, code, got)
		}
	}
	if listed, err := admin.ListTopics(within(t)); err != nil || len(listed) != 2 {
		t.Errorf("looking made a topic: %v %v", listed, err)
	}
}
