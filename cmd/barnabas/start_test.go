package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"barnabas/core/env"
)

// serveOnce is a broker that is ready at once and then ends with err.
func serveOnce(seen *site, durable bool, err error) func(site, <-chan struct{}) error {
	return func(s site, _ <-chan struct{}) error {
		*seen = s
		return errors.Join(s.ready(started{
			addresses: []string{"localhost:1234", "[::1]:5678"}, recovery: "nothing to recover", durability: "fsync",
			disk: env.DiskDescription{FileSystem: "ext4", Backend: "posix", Write: "O_DIRECT|O_DSYNC", Durable: durable},
		}), err)
	}
}

func TestStartSaysWhatRuns(t *testing.T) {
	ready := filepath.Join(t.TempDir(), "ready")
	if err := os.WriteFile(ready, []byte("of an earlier start\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, s := newTrial(), site{}
	serve := serveOnce(&s, true, nil)
	p.serve = func(s site, stop <-chan struct{}) error {
		if _, err := os.Stat(ready); err == nil {
			t.Error("the ready file of an earlier start stands while the broker is not ready")
		}
		return serve(s, stop)
	}
	code := p.guarded(strings.Fields("start --data /data/b --set process.roles=broker --ready-file " + ready))
	lines := strings.Split(p.talk.String(), "\n")
	want := []string{
		"warning: settings of Kafka that have no effect here: process.roles",
		lines[1],
		"  listeners    localhost:1234, [::1]:5678",
		"  data         /data/b",
		"  file system  ext4",
		"  disk         posix, O_DIRECT|O_DSYNC",
		"  durability   fsync",
		"  recovery     nothing to recover",
		lines[8],
		"stopped",
		"",
	}
	if code != 0 || strings.Join(lines, "\n") != strings.Join(want, "\n") ||
		!strings.HasPrefix(lines[1], "barnabas ") || !strings.HasPrefix(lines[8], "ready in ") || p.out.String() != "" {
		t.Errorf("exit %d, data %q\n%s", code, p.out.String(), p.talk.String())
	}
	if got, err := os.ReadFile(ready); string(got) != "localhost:1234\n[::1]:5678\n" || err != nil {
		t.Errorf("the ready file holds %q (%v)", got, err)
	}
	if files, _ := os.ReadDir(filepath.Dir(ready)); len(files) != 1 {
		t.Error("more than the ready file is left:", files)
	}
}

// TestStartInJSON writes an object a line, whatever happens.
func TestStartInJSON(t *testing.T) {
	p, s := newTrial(), site{}
	serve := serveOnce(&s, true, errors.New("the disk is gone"))
	p.serve = func(s site, stop <-chan struct{}) error {
		s.say("topic orders created")
		return serve(s, stop)
	}
	p.guarded(strings.Fields("start --log-format json --set process.roles=broker"))
	var got []string
	for line := range strings.Lines(p.talk.String()) {
		var row map[string]any
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		got = append(got, fmt.Sprint(row["level"], " ", row["msg"], " ", row["durability"]))
	}
	want := []string{
		"WARN settings of Kafka that have no effect here: process.roles <nil>", got[1], "INFO topic orders created <nil>", got[3],
		"ERROR barnabas start: the disk is gone <nil>",
	}
	if !slices.Equal(got, want) || !strings.HasPrefix(got[3], "INFO ready in ") || !strings.HasSuffix(got[3], " fsync") {
		t.Errorf("got %q", got)
	}
}

// TestStartWarnsOfOpenDoors: where others than this machine come in, nobody is asked who he is.
func TestStartWarnsOfOpenDoors(t *testing.T) {
	p := newTrial()
	p.serve = func(s site, _ <-chan struct{}) error {
		return s.ready(started{addresses: []string{"localhost:1", "127.0.0.2:2", "[::1]:3", ":4", "0.0.0.0:5", "host:6", "10.0.0.1:7"}, metrics: "[::]:8"})
	}
	p.guarded([]string{"start"})
	var warned []string
	for line := range strings.Lines(p.talk.String()) {
		if after, found := strings.CutPrefix(line, "warning: "); found {
			warned = append(warned, strings.Fields(strings.TrimPrefix(after, "metrics at "))[0])
		}
	}
	if want := []string{":4", "0.0.0.0:5", "host:6", "10.0.0.1:7", "[::]:8"}; !slices.Equal(warned, want) {
		t.Errorf("warned of %q, want %q", warned, want)
	}
}

func TestStartInMemoryClaimsNothing(t *testing.T) {
	p, s := newTrial(), site{}
	p.serve = serveOnce(&s, false, nil)
	p.guarded([]string{"start"})
	if !strings.Contains(p.talk.String(), "  durability   none (memory)\n") {
		t.Error(p.talk.String())
	}
}

// TestStartSettings shows what comes from where, and which place wins.
func TestStartSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "server.properties")
	text := "node.id=5\nnum.partitions=5\ndefault.replication.factor=5\nlisteners=SSL://:1\nlog.dirs=/file\n" +
		"listener.security.protocol.map=PLAINTEXT:SSL\ncontroller.listener.names=PLAINTEXT\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p, s := newTrial(), site{}
	p.serve = serveOnce(&s, true, nil)
	p.environ = []string{"HOME=/", "BARNABAS_NUM_PARTITIONS=6", "BARNABAS_DEFAULT_REPLICATION_FACTOR=6"}
	code := p.guarded(strings.Fields("start --listen localhost:0 --listen [::1]:7 --data /flag " +
		"--set log.dirs=/set --set default.replication.factor=7 --config " + file))
	if code != 0 {
		t.Fatalf("exit %d: %s", code, p.talk.String())
	}
	got := fmt.Sprintln(s.settings.Int("node.id"), s.settings.Int("num.partitions"), s.settings.Int("default.replication.factor"),
		s.settings.ListenAddresses(), s.settings.Folder())
	if got != "5 6 7 [localhost:0 [::1]:7] /flag\n" {
		t.Error(got)
	}
}

func TestStartDefaults(t *testing.T) {
	p, s := newTrial(), site{}
	p.serve = serveOnce(&s, true, nil)
	p.guarded([]string{"start"})
	if got := fmt.Sprintln(s.settings.ListenAddresses(), s.settings.Folder()); got != "[localhost:9092] barnabas-data\n" {
		t.Error(got)
	}
}

func TestStartThatFails(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("%w: localhost:9092", env.ErrAddressInUse), "address already in use: localhost:9092: another program listens there; stop it, or take another port with --listen (port 0: a free one)"},
		{fmt.Errorf("process 7: %w", env.ErrLocked), "process 7: another process uses it: another broker runs in /d; stop it, or take another folder with --data"},
		{fmt.Errorf("make /d: %w", os.ErrPermission), "make /d: permission denied: the data folder is /d; give this user the right to it, or take another with --data"},
		{fmt.Errorf("make /d: %w", env.ErrNoSpace), "make /d: no space left on the device: make room for /d, or take another folder with --data"},
		{errors.New("odd"), "odd"},
	} {
		p, s := newTrial(), site{}
		p.serve = serveOnce(&s, true, c.err)
		code := p.guarded([]string{"start", "--data", "/d"})
		if want := "barnabas start: " + c.want; code != 1 || p.talk.last() != want {
			t.Errorf("exit %d\n got %s\nwant %s", code, p.talk.last(), want)
		}
	}
}

func TestDataFolderBelowAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{file, file + "/a", file + "/a/b"} {
		p, s := newTrial(), site{}
		p.serve = serveOnce(&s, true, fmt.Errorf("make: %w", env.ErrExist))
		p.guarded([]string{"start", "--data", folder})
		if want := "barnabas start: make: the file exists: " + file + " is no folder; take another one with --data"; p.talk.last() != want {
			t.Errorf("got %s\nwant %s", p.talk.last(), want)
		}
	}
}

func TestReadyFileThatCanNotBeWritten(t *testing.T) {
	p, s := newTrial(), site{}
	p.serve = serveOnce(&s, true, nil)
	code := p.guarded([]string{"start", "--ready-file", filepath.Join(t.TempDir(), "no", "ready")})
	if code != 1 || !strings.HasPrefix(p.talk.last(), "barnabas start: could not write the ready file: ") {
		t.Errorf("exit %d: %s", code, p.talk.last())
	}
}

// TestReadyFileLeavesNothingHalf has a folder come in the way of the rename.
func TestReadyFileLeavesNothingHalf(t *testing.T) {
	ready := filepath.Join(t.TempDir(), "ready")
	p, s := newTrial(), site{}
	serve := serveOnce(&s, true, nil)
	p.serve = func(s site, stop <-chan struct{}) error {
		return errors.Join(os.Mkdir(ready, 0o700), serve(s, stop))
	}
	for _, want := range []string{"barnabas start: could not write the ready file: rename ", "barnabas start: the ready file " + ready + " is a folder; name a file"} {
		code := p.guarded([]string{"start", "--ready-file", ready})
		if code != 1 || !strings.HasPrefix(p.talk.last(), want) {
			t.Errorf("exit %d: %s", code, p.talk.last())
		}
	}
	if files, _ := os.ReadDir(filepath.Dir(ready)); len(files) != 1 {
		t.Error("more than the folder is left:", files)
	}
}

func TestVersion(t *testing.T) {
	setting := func(key, value string) debug.BuildSetting { return debug.BuildSetting{Key: key, Value: value} }
	for _, c := range []struct {
		info    *debug.BuildInfo
		mutants bool
		want    string
	}{
		{nil, false, "barnabas devel (go"},
		{&debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, true, "barnabas devel (with mutants, go"},
		{
			&debug.BuildInfo{
				Main:     debug.Module{Version: "v1.2.3"},
				Settings: []debug.BuildSetting{setting("vcs.revision", "0123456789abcdef"), setting("vcs.modified", "true")},
			}, false, "barnabas v1.2.3 (commit 0123456789ab, with changes, go",
		},
		{&debug.BuildInfo{Settings: []debug.BuildSetting{setting("vcs.revision", "01"), setting("vcs.modified", "false")}}, false, "barnabas devel (commit 01, go"},
	} {
		if got := version(c.info, c.mutants); !strings.HasPrefix(got, c.want) {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}
