package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const firstJournal = "journal-0000000001.segment"

// ordersLog is the first .log of the topic that the tests write to.
const ordersLog = "orders-0/00000000000000000000.log"

// stoppedFolder is a data folder that brokers wrote to: 30 records in small segments, a clean stop, 5 more, and then a clean stop or a
// kill.
func stoppedFolder(t *testing.T, kill bool) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "data")
	b := startBroker(t, folder)
	small := "500"
	admin := kadm.NewClient(client(t, b))
	if _, err := admin.CreateTopic(within(t), 1, 1, map[string]*string{"internal.segment.bytes": &small}, "orders"); err != nil {
		t.Fatal(err)
	}
	fill(t, b, "orders", 30)
	b.stop(t)
	b = startBroker(t, folder)
	fill(t, b, "orders", 5, kgo.ProducerBatchCompression(kgo.NoCompression()))
	if kill {
		b.kill()
	} else {
		b.stop(t)
	}
	return folder
}

// edit changes a file of the folder.
func edit(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	p, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, change(p), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// footprint is everything there is to see of a folder but when it was read: names, sizes, times, bytes.
func footprint(t *testing.T, folder string) string {
	t.Helper()
	var text strings.Builder
	err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		fmt.Fprintf(&text, "%s %v %d %d", path, info.Mode(), info.Size(), info.ModTime().UnixNano())
		if info.Mode().IsRegular() {
			p, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			fmt.Fprintf(&text, " %08x", crc32.ChecksumIEEE(p))
		}
		text.WriteByte('\n')
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// looked runs a command that must leave no trace in the folder, and returns what it wrote and its exit code.
func looked(t *testing.T, folder string, words ...string) (out, talk string, code int) {
	t.Helper()
	before := footprint(t, folder)
	p := execute(t, words...)
	code = p.code(t)
	if after := footprint(t, folder); after != before {
		t.Errorf("%v changed the folder:\n%s\nnow\n%s", words, before, after)
	}
	return read(p.out), p.said(), code
}

// TestRealDoctor puts a folder into every state there is, and shows what the doctor says of it, and that it touches nothing.
func TestRealDoctor(t *testing.T) {
	const anyLine = `(.*\n)*`
	for _, c := range []struct {
		name  string
		kill  bool
		harm  func(t *testing.T, folder string)
		words string
		code  int
		want  []string // expressions, each found in what it writes
		last  string   // the verdict
	}{
		{
			name: "clean stop", words: "--deep", code: 0,
			want: []string{
				`lock        is free\n`, `identity    version [12]  cluster \S{22}  node 1  directory \S{22}  is .*folder`,
				`newest yes\n`, `newest no\n`, `journal     after a clean stop  commits to redo [12]  bytes to redo \d+  unfinished tail no`,
				`log         name orders-0  number 2  start 0  end 35  bytes \d+  segments \d+  only in the journal 0\n`,
				`batches     good \d+  bytes \d+\n`,
			},
			last: `redo [12] commits \(\d+ bytes\) after a clean stop, and serve everything`,
		},
		{
			name: "kill", kill: true, words: "--deep", code: 0,
			want: []string{`journal     after a crash  commits to redo \d+`, `name orders-0  number 2  start 0  end 35  bytes \d+  segments \d+  only in the journal [1-9]`},
			last: `redo \d+ commits \(\d+ bytes\) after a crash, and serve everything`,
		},
		{
			name: "damaged commit", kill: true, code: 6,
			harm: func(t *testing.T, folder string) {
				edit(t, filepath.Join(folder, firstJournal), func(p []byte) []byte {
					p[bytes.LastIndex(p, []byte("orders 0003"))] ^= 1
					return p
				})
			},
			want: []string{`commit      DAMAGED: .*` + firstJournal + `, position \d+: commit \d+ was durable and is damaged\n`, `doubt       log orders-0  base 33  last 33  DAMAGED: `},
			last: `redo \d+ commits .* after a crash, and serve everything but what is damaged: 1 ranges of offsets offline`,
		},
		{
			name: "damaged segment", words: "--deep", code: 6,
			harm: func(t *testing.T, folder string) {
				edit(t, filepath.Join(folder, ordersLog), func(p []byte) []byte { p[70] ^= 1; return p })
			},
			want: []string{`doubt       log orders-0  base 0  last 0  DAMAGED: .*` + ordersLog + `, position 0: record batch fails its CRC-32C`},
			last: `redo [12] commits .* everything but what is damaged: 1 ranges of offsets offline`,
		},
		{
			name: "missing segment", code: 6,
			harm: func(t *testing.T, folder string) { remove(t, filepath.Join(folder, ordersLog)) },
			want: []string{`segment     file ` + ordersLog + `  base 0  last \d+  DAMAGED: the file can't be found`},
			last: `.* everything but what is damaged: 1 segment files missing or of the wrong size.*`,
		},
		{
			name: "short segment", code: 6,
			harm: func(t *testing.T, folder string) {
				edit(t, filepath.Join(folder, ordersLog), func(p []byte) []byte { return p[:len(p)-1] })
			},
			want: []string{`segment     file ` + ordersLog + `  base 0  last \d+  DAMAGED: the file has \d+ bytes, \d+ must be there`},
			last: `.* 1 segment files missing or of the wrong size.*`,
		},
		{
			name: "lost checkpoint", code: 0,
			harm: func(t *testing.T, folder string) {
				for _, name := range checkpointNames {
					if p := read(filepath.Join(folder, name)); binary.BigEndian.Uint64([]byte(p[16:]))%2 == 0 {
						edit(t, filepath.Join(folder, name), func(p []byte) []byte { p[100] ^= 1; return p })
					}
				}
			},
			want: []string{
				`checkpoint  name journal-0.checkpoint  is not whole \(the checkpoint fails its checksum, or is cut off\)\n`,
				`fallback    is journal-0.checkpoint is not whole: .*; recovery goes on from journal-1.checkpoint, number \d+, and`,
			},
			last: `redo \d+ commits \(\d+ bytes\) after a clean stop, and serve everything`,
		},
		{
			name: "strangers", code: 0,
			harm: func(t *testing.T, folder string) {
				if err := os.MkdirAll(filepath.Join(folder, "lost-7", "below"), 0o700); err != nil {
					t.Fatal(err)
				}
				for _, name := range []string{"note", "orders-0/note", "quarantine-commit-00000000000000000007"} {
					if err := os.WriteFile(filepath.Join(folder, name), []byte("x"), 0o600); err != nil {
						t.Fatal(err)
					}
				}
			},
			want: []string{`stranger    folder lost-7\nstranger    file note\n`, `stranger    file orders-0/note\n`, `quarantine  file quarantine-commit-00000000000000000007`},
			last: `redo [12] commits .*, and serve everything`,
		},
		{
			name: "another node", code: 0,
			harm: func(t *testing.T, folder string) {
				edit(t, filepath.Join(folder, "meta.properties"), func(p []byte) []byte {
					return bytes.Replace(p, []byte("node.id=1"), []byte("node.id=7"), 1)
				})
			},
			last: `redo [12] commits .*, and serve everything`,
		},
		{
			name: "newer format", code: 6,
			harm: func(t *testing.T, folder string) {
				edit(t, filepath.Join(folder, "meta.properties"), func(p []byte) []byte {
					return regexp.MustCompile("version=[12]").ReplaceAll(p, []byte("version=9"))
				})
			},
			want: []string{`is of a version that is not known here\n`},
			last: `be refused: .*meta\.properties: version "?9"? is not known here: start a newer version on this folder`,
		},
		{
			name: "journal lost", code: 6,
			harm: func(t *testing.T, folder string) { remove(t, filepath.Join(folder, firstJournal)) },
			last: `be refused: .*files were removed from the folder.*|be refused: .*does not continue this journal.*`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			folder := stoppedFolder(t, c.kill)
			if c.harm != nil {
				c.harm(t, folder)
			}
			out, talk, code := looked(t, folder, append([]string{"doctor", "--data", folder}, strings.Fields(c.words)...)...)
			if code != c.code || talk != "" {
				t.Errorf("exit %d, want %d; said %q\n%s", code, c.code, talk, out)
			}
			for _, want := range append(c.want, `\A`+anyLine+`verdict     a start would: (`+c.last+`)\n\z`) {
				if !regexp.MustCompile(want).MatchString(out) {
					t.Errorf("nothing is like %s in\n%s", want, out)
				}
			}
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// TestRealDoctorOfOtherFolders looks at what no broker left in peace.
func TestRealDoctorOfOtherFolders(t *testing.T) {
	empty, used := t.TempDir(), filepath.Join(t.TempDir(), "data")
	out, _, code := looked(t, empty, "doctor", "--data", empty)
	if code != 0 || !strings.HasSuffix(out, "verdict     a start would: make a new log directory here\n") {
		t.Errorf("exit %d:\n%s", code, out)
	}
	b := startBroker(t, used)
	p := execute(t, "doctor", "--data", used, "--output", "json")
	want := fmt.Sprintf("process %d: another process uses it", b.command.Process.Pid)
	if code := p.code(t); code != 6 || strings.Count(read(p.out), want) < 2 || !strings.Contains(read(p.out), `{"item":"verdict","a_start_would":"be refused: `) {
		t.Errorf("exit %d, no %q:\n%s", code, want, read(p.out))
	}
	produced(t, b, describedTopic(t, b), 0)
	p = execute(t, "doctor", "--data", filepath.Join(empty, "absent"))
	if code := p.code(t); code != 1 || !strings.Contains(p.said(), "name the data folder with --data") {
		t.Errorf("exit %d: %s", code, p.said())
	}
}
