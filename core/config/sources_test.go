package config

import (
	"fmt"
	"strings"
	"testing"
)

func TestProperties(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"a=b", "1 a=b"},
		{"a = b ", "1 a=b "}, // as in Java, blanks at the end belong to the value
		{"a:b\r\nc d\n\te\tf", "1 a=b; 2 c=d; 3 e=f"},
		{"# no\n  ! no\n\na=b#c", "4 a=b#c"},
		{"a=b=c", "1 a=b=c"},
		{"a", "1 a="},
		{"a==b", "1 a==b"},
		{`a\=b=c`, "1 a=b=c"},
		{"a=b\\\n   c\\\nd\ne=f", "1 a=bcd; 4 e=f"},
		{`a=b\\` + "\nc=d", `1 a=b\; 2 c=d`},
		{"a=b\\", "1 a=b"},
		{"a=b\\\n# c", "1 a=b# c"}, // a comment can't continue a line
		{`a=\t\n\r\f\u00e9\x\ y`, "1 a=\t\n\r\fé" + "x y"},
		{"\uFEFFa=b", "1 a=b"},
		{`a=\u00`, `f line 1: "\\u00": \u takes four hexadecimal digits`},
		{"\n=b", `f line 2: no name before "=b"; write name=value`},
	} {
		pairs, err := Properties("f", c.text)
		var parts []string
		for _, p := range pairs {
			parts = append(parts, fmt.Sprintf("%d %s=%s", p.Origin.Line, p.Name, p.Value))
		}
		got := strings.Join(parts, "; ")
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%q:\n got %q\nwant %q", c.text, got, c.want)
		}
	}
}

func TestEnvironment(t *testing.T) {
	for _, c := range []struct{ variables, want string }{
		{"BARNABAS_BOOTSTRAP_SERVER=a:1 BARNABAS_NODE_ID=1", "node.id=1 (environment variable BARNABAS_NODE_ID)"},
		{"BARNABAS_LOG_SEGMENT_BYTES=1", "log.segment.bytes=1 (environment variable BARNABAS_LOG_SEGMENT_BYTES)"},
		{"PATH=/bin BARNABAS=1 barnabas_node_id=1 XBARNABAS_A=1", ""},
		{"BARNABAS_NODE_ID=a=b BARNABAS_LISTENERS=", "listeners= (environment variable BARNABAS_LISTENERS); node.id=a=b (environment variable BARNABAS_NODE_ID)"},
		{"BARNABAS_SERVICE_HOST=1 BARNABAS_SERVICE_PORT=1 BARNABAS_SERVICE_PORT_KAFKA=1 BARNABAS_PORT=1 BARNABAS_PORT_9092_TCP=1", ""},
	} {
		var parts []string
		for _, p := range Environment(strings.Fields(c.variables)) {
			parts = append(parts, fmt.Sprintf("%s=%s (%v)", p.Name, p.Value, p.Origin))
		}
		if got := strings.Join(parts, "; "); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.variables, got, c.want)
		}
	}
}

// TestKafkasOwnFile starts from the essence of the server.properties that Kafka ships.
func TestKafkasOwnFile(t *testing.T) {
	given, err := Properties("server.properties", `
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=localhost:9093
listeners=PLAINTEXT://:9092,CONTROLLER://:9093
inter.broker.listener.name=PLAINTEXT
advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL
num.network.threads=3
log.dirs=/tmp/kraft-combined-logs
num.partitions=1
log.retention.hours=168
`)
	if err != nil {
		t.Fatal(err)
	}
	s, warnings, err := Parse(given)
	if err != nil || len(warnings) != 2 {
		t.Fatalf("%q %v", warnings, err)
	}
	if got := fmt.Sprintln(s.ListenAddresses(), s.Folder(), s.Origin("log.dirs")); got != "[:9092] /tmp/kraft-combined-logs server.properties line 11\n" {
		t.Error(got)
	}
}
