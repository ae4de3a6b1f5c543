package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// dumped runs dump-log in this process.
func dumped(words ...string) (out, talk string, code int) {
	p := newTrial()
	code = p.guarded(append([]string{"dump-log"}, words...))
	return p.out.String(), p.talk.String(), code
}

// TestRealDumpLog looks at every file of folders that brokers left, stopped and killed: no file is unknown, none is damaged, and
// looking leaves no trace.
func TestRealDumpLog(t *testing.T) {
	for _, kill := range []bool{false, true} {
		folder := stoppedFolder(t, kill)
		before := footprint(t, folder)
		all := make(map[string]string)
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || entry.Name() == ".lock" {
				return err
			}
			out, talk, code := dumped(path, "--entries", "--records")
			if code != 0 || talk != "" || !strings.HasSuffix(out, "  damaged 0\n") {
				t.Errorf("%s: exit %d, said %q\n%s", path, code, talk, out)
			}
			name, _ := filepath.Rel(folder, path)
			all[name] = out
			out, _, _ = dumped(path, "--entries", "--records", "--output", "json")
			for line := range strings.Lines(out) {
				if !json.Valid([]byte(line)) {
					t.Errorf("%s: no JSON: %s", path, line)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for name, wants := range map[string][]string{
			firstJournal: {
				`header      format 1  features 0  number 1  bytes 16777216  journal \S{22}  directory \S{22}\n`,
				`commit      position 4096  sequence 1  generation 1  bytes 4096  payload 0  table \d+  copied 0  durable 0  hash [0-9a-f]{16}  previous 0{16}  flags none  checksums good\n`,
				`  entry     kind setting  durability fsync\n`,
				`  entry     kind create  log 2  name orders-0  topic \S{22}\n`,
				`  entry     kind append  log 2  base 0  last 0  epoch 0  at \d+  bytes \d+  begins segment yes  producer \d+  producer epoch 0  first sequence 0  max timestamp 1700000000000\n`,
				`flags closing  checksums good\n`, `unused      position \d+  bytes \d+  is zeros\n`,
			},
			"journal-0.checkpoint": {
				`header      number \d+  generation \d  sequence \d+  hash`, `state       last log \d+  broker epoch \d+  durability fsync`,
				`log         number 2  name orders-0  topic \S{22}  start 0  end \d+  saved \d+`, `  segment   base 0  end \d+  bytes \d+  sealed yes  file yes`,
			},
			ordersLog: {
				`batch       base 0  last 0  position 0  bytes \d+  epoch 0  records 1  codec snappy  crc [0-9a-f]{8}  valid yes  base timestamp 1700000000000  max timestamp 1700000000000  producer \d+  producer epoch 0  sequence 0  kind data\n`,
			},
			"orders-0/partition.metadata":             {`topic       id \S{22}\n`},
			"orders-0/00000000000000000000.timeindex": {`entry       timestamp 17000000\d+  last \d+\n`},
			"meta.properties":                         {`properties  version [12]  cluster \S{22}  node 1`},
			"__cluster_metadata-0/00000000000000000000.log": {
				`  record    offset 0  timestamp \d+  control LeaderChangeMessage  value \{Version:0 LeaderId:1`,
				`metadata TopicRecord  version 0  value \{Name:orders TopicId:\S{22}\}\n`,
			},
		} {
			for _, want := range wants {
				if !regexp.MustCompile(want).MatchString(all[name]) {
					t.Errorf("%s: nothing is like %s in\n%s", name, want, all[name])
				}
			}
		}
		if after := footprint(t, folder); after != before {
			t.Errorf("dump-log changed the folder:\n%s\nnow\n%s", before, after)
		}
	}
}

// TestRealDumpLogOfDamage damages one thing at a time and shows that it is told, and where.
func TestRealDumpLogOfDamage(t *testing.T) {
	folder := stoppedFolder(t, false)
	sealed := strings.TrimSuffix(ordersLog, ".log")
	for _, c := range []struct {
		name string
		at   func(p []byte) int // that is flipped
		want string
	}{
		{firstJournal, func([]byte) int { return 30 }, `header .* DAMAGED: the header block fails its checksum\n`},
		{firstJournal, func([]byte) int { return 4096 + 60 }, `commit      position 4096  sequence 1  DAMAGED: no header of a commit stands here, or it is damaged, and commits up to \d+ were durable\ncommit      position 8192  sequence 2 .*checksums good\n`},
		{firstJournal, func(p []byte) int { return bytes.LastIndex(p, []byte("orders 0003")) }, `DAMAGED: payload of commit \d+ fails its checksum, and commits up to \d+ were durable\n`},
		{"journal-0.checkpoint", func([]byte) int { return 120 }, `header      DAMAGED: the checkpoint fails its checksum, or is cut off\n`},
		{ordersLog, func([]byte) int { return 40 }, `\Afile .*\ndamage      position 0  bytes \d+  expected 0  DAMAGED: record batch fails its CRC-32C.*\nbatch       base 1  last 1 .*missing from 0\n`},
		{sealed + ".timeindex", func([]byte) int { return 7 }, `entry       timestamp \d+  last \d+  DAMAGED: time index: not in its format: the batch up to`},
		{"orders-0/partition.metadata", func([]byte) int { return 0 }, `topic       DAMAGED: partition\.metadata, line 1`},
		{"meta.properties", func([]byte) int { return 7 }, `properties  DAMAGED: meta\.properties`},
	} {
		path := filepath.Join(folder, c.name)
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		edit(t, path, func(p []byte) []byte {
			p = bytes.Clone(p)
			p[c.at(p)] ^= 0x10
			return p
		})
		out, talk, code := dumped(path)
		if code != 6 || !strings.Contains(talk, path+": DAMAGED in 1 places\n") || !regexp.MustCompile(c.want).MatchString(out) {
			t.Errorf("%s: exit %d, said %s nothing is like %s in\n%s", c.name, code, talk, c.want, out)
		}
		edit(t, path, func([]byte) []byte { return before })
	}
}

// TestDumpLogOfNoSuchFile gives what can't be looked at: the rest is looked at all the same.
func TestDumpLogOfNoSuchFile(t *testing.T) {
	folder := t.TempDir()
	good, strange := filepath.Join(folder, "leader-epoch-checkpoint"), filepath.Join(folder, "note")
	aside := filepath.Join(folder, "quarantine-commit-00000000000000000007")
	for path, text := range map[string]string{good: "0\n1\n3 14\n", strange: "a note", aside: "JCMT"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		words     []string
		code      int
		out, talk string
	}{
		{[]string{filepath.Join(folder, "absent"), good}, 1, "epoch       epoch 3  start 14\n", "no such file"},
		{[]string{strange, good}, 1, "epoch       epoch 3  start 14\n", "neither its name nor its first bytes"},
		{[]string{aside, good}, 6, "DAMAGED: no header of a commit stands here", "DAMAGED in 1 places"},
		{[]string{folder}, 1, "", "it is no plain file"},
		{[]string{good, "--output", "json"}, 0, `{"item":"epoch","epoch":3,"start":14}` + "\n", ""},
		{nil, 2, "", "no FILE is given"},
		{[]string{good, "--output", "yaml"}, 2, "", "is none of table, json"},
	} {
		out, talk, code := dumped(c.words...)
		if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(talk, c.talk) {
			t.Errorf("%v: exit %d\n%s%s", c.words, code, out, talk)
		}
	}
	p := newTrial()
	p.stdout = fullDisk{}
	if code := p.guarded([]string{"dump-log", good}); code != 1 || p.talk.String() != "barnabas: no space\n" {
		t.Errorf("exit %d: %s", code, p.talk.String())
	}
}
