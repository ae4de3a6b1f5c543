package main

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestRealStartThatFails shows the exit code and the reason given.
func TestRealStartThatFails(t *testing.T) {
	folder := t.TempDir()
	b := startBroker(t, folder)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("num.partitions=x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		words []string
		code  int
		want  []string // parts of the last line but "see: …"
	}{
		{"taken port", []string{"--listen", b.address(), "--data", t.TempDir()}, 1, []string{b.address(), "in use", "another program listens there"}},
		{"folder in use", []string{"--listen", "localhost:0", "--data", folder}, 1, []string{folder, "another broker runs in"}},
		{"a file as folder", []string{"--listen", "localhost:0", "--data", file}, 1, []string{file, "is no folder"}},
		{"folder below a file", []string{"--listen", "localhost:0", "--data", filepath.Join(file, "data")}, 1, []string{file, "is no folder"}},
		{"address of another machine", []string{"--listen", "192.0.2.1:0", "--data", t.TempDir()}, 1, []string{"192.0.2.1"}},
		{"no such file of settings", []string{"--config", file + ".absent"}, 1, []string{file + ".absent"}},
		{"unknown flag", []string{"--lisen", "localhost:0"}, 2, []string{"--lisen", "--listen"}},
		{"unknown setting", []string{"--set", "log.segmnet.bytes=1"}, 2, []string{"log.segmnet.bytes", "log.segment.bytes"}},
		{"value of a setting", []string{"--set", "num.partitions=many"}, 2, []string{"num.partitions=many"}},
		{"value in the file", []string{"--config", file}, 2, []string{"num.partitions=x", file}},
		{"listener without port", []string{"--listen", "localhost"}, 2, []string{"HOST:PORT"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := execute(t, append([]string{"start"}, c.words...)...)
			code := p.code(t)
			said := strings.Split(strings.TrimSpace(p.said()), "\n")
			last := said[len(said)-1]
			if code == 2 && len(said) > 1 {
				last = said[len(said)-2]
			}
			for _, want := range c.want {
				if code != c.code || !strings.Contains(last, want) {
					t.Fatalf("exit %d, want %d, with %q in the line\n%s", code, c.code, want, last)
				}
			}
			if data := read(p.out); data != "" {
				t.Errorf("stdout has %q", data)
			}
		})
	}
	produced(t, b, describedTopic(t, b), 0) // it did not suffer from the others
}

func describedTopic(t *testing.T, b *broker) string {
	t.Helper()
	dial(t, b).describe("topic")
	return "topic"
}

// TestRealStop ends brokers by both signals, also with a connection open and a fetch waiting.
func TestRealStop(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			b := startBroker(t, t.TempDir())
			r := dial(t, b)
			id := r.describe("topic").TopicID
			waiting := fetchRequest("", id, 0, 10*time.Minute)
			waiting.SetVersion(18)
			r.send(waiting)
			if err := b.command.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if code := b.code(t); code != 0 || !strings.HasSuffix(b.said(), "stopped\n") {
				t.Errorf("exit %d:\n%s", code, b.said())
			}
			if data := read(b.out); data != "" {
				t.Errorf("stdout has %q", data)
			}
		})
	}
}

// TestRealReadyFile listens twice: a line each, with ports that are open when the file is there. What an earlier start
// left goes away before.
func TestRealReadyFile(t *testing.T) {
	folder := t.TempDir()
	b := startBroker(t, folder, "--listen", "127.0.0.1:0", "--listen", "localhost:0")
	if len(b.addresses) != 2 || !strings.HasPrefix(b.addresses[0], "127.0.0.1:") || !strings.HasPrefix(b.addresses[1], "localhost:") {
		t.Errorf("the ready file has %q", b.addresses)
	}
	for _, address := range b.addresses {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Errorf("ready, but: %v", err)
			continue
		}
		_ = conn.Close()
	}
	if b.took > 5*time.Second {
		t.Errorf("ready after %v", b.took)
	}
	t.Logf("ready in %v", b.took)
	for _, word := range []string{"barnabas ", "listeners ", b.address(), "data ", folder, "file system ", "disk ", "durability ", "ready in "} {
		if !strings.Contains(b.said(), word) {
			t.Errorf("it does not say %q:\n%s", word, b.said())
		}
	}
	// This one can't start, and must not leave a file that says it did.
	late := execute(t, "start", "--data", folder, "--listen", "localhost:0", "--ready-file", b.ready)
	if code := late.code(t); code != 1 {
		t.Errorf("exit %d:\n%s", code, late.said())
	}
	if _, err := os.Stat(b.ready); !os.IsNotExist(err) {
		t.Errorf("the old ready file is still there: %v", err)
	}
}

// TestRealWarnings: settings of Kafka without effect are named once, in one line, and nothing else is warned about.
func TestRealWarnings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "server.properties")
	text := "num.io.threads=8\nlog.flush.interval.ms=1000\nprocess.roles=broker,controller\nnum.partitions=2\nnum.io.threads=4\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b := startBroker(t, t.TempDir(), "--config", file)
	warnings := slices.DeleteFunc(strings.Split(b.said(), "\n"), func(line string) bool { return !strings.Contains(line, "warning") })
	want := "warning: settings of Kafka that have no effect here: "
	if len(warnings) != 1 || !strings.HasPrefix(warnings[0], want) {
		t.Fatalf("%q", warnings)
	}
	for _, name := range []string{"num.io.threads", "log.flush.interval.ms", "process.roles"} {
		if strings.Count(warnings[0], name) != 1 {
			t.Errorf("%s is not there once: %s", name, warnings[0])
		}
	}
	if n := len(dial(t, b).describe("topic").Partitions); n != 2 {
		t.Errorf("%d partitions, num.partitions is 2", n)
	}
}
