package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheCommittedFilesAreWhatTheDefinitionsSay(t *testing.T) {
	files, err := generate("../definitions")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the definitions say: run go generate in core/protocol", name)
		}
	}
	committed, err := filepath.Glob("../*.gen*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range committed {
		if files[filepath.Base(path)] == nil {
			t.Errorf("%s has no definition", path)
		}
	}
}

func TestGeneratingTwiceGivesTheSame(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "definitions"), os.DirFS("../definitions")); err != nil {
		t.Fatal(err)
	}
	stale := filepath.Join(dir, "gone.gen.go")
	if err := os.WriteFile(stale, []byte("package protocol\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := run(dir); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(stale); err == nil {
		t.Error("a generated file without a definition is still there")
	}
	got, err := os.ReadFile(filepath.Join(dir, "fetch_response.gen.go"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../fetch_response.gen.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("fetch_response.gen.go differs")
	}
}

func TestBadDefinitionsAreRefused(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "empty"},
		{"thing 1 X 0", "unknown kind"},
		{"record 1 X 0 flexible 0+\n  A int33", `unknown type "int33"`},
		{"record 1 X 0 flexible 0+\n  A int32 null", "a int32 cannot be null"},
		{"record 1 X 0 flexible 0+\n  A string = null", "null by default, but never null"},
		{"record 1 X 0-3 flexible 2+\n  A int32 tag 0", "tagged where the message is not flexible"},
		{"record 1 X 0 flexible 0+\n  A records tag 0", "tagged records"},
		{"record 1 X 0-3 flexible 0+\n  A int32 4+", "in no version of the message"},
		{"record 1 X 0 flexible 0+\n    A int32", "wrong depth"},
		{"record 1 X 0 flexible 0+\n  A Inner", "struct Inner has no fields"},
		{"record 1 X 0 flexible 0+\n  A int32 sometimes", `unknown word "sometimes"`},
		{"record 1 X 0 flexible 0+\n  A int32 inflexible", "only strings are inflexible"},
		{"api 1 X 0-3\nrequest\n  A []B\n    C int8 2+", "an element takes no bytes in version 0"},
		{"record 1 X 0 flexible 0+\n  A string tag", `nothing after "tag"`},
		{"record 1 X 0 flexible 0+\n  A string\n  A string", "field A twice"},
		{"record 1 X 0 flexible 0+\n  A int8 tag 1\n  B int8 tag 1", "tag 1 twice"},
	} {
		if _, err := parse(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q gives %v, not %q", c.text, err, c.want)
		}
	}
}

// TestNullDefaultsAreKafkas holds what the definitions say is null by default against Kafka's list. In Go a nil slice
// may be an empty array too, so that only the definitions can be judged.
func TestNullDefaultsAreKafkas(t *testing.T) {
	text, err := os.ReadFile("../testdata/kafka/defaults.txt")
	if err != nil {
		t.Fatal(err)
	}
	kafkas := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if name, isNull := strings.CutSuffix(strings.TrimSpace(line), " = null"); isNull && !strings.HasSuffix(name, "Records") {
			kafkas[name] = true
		}
	}
	defs, err := generateFolder("../definitions", "", map[string][]byte{})
	if err != nil {
		t.Fatal(err)
	}
	ours := map[string]bool{}
	for _, d := range defs {
		for _, m := range d.messages {
			nullsBelow(m.name, m, ours)
		}
	}
	for name := range kafkas {
		if !ours[name] {
			t.Errorf("%s is null by default", name)
		}
	}
	for name := range ours {
		if !kafkas[name] {
			t.Errorf("%s is not null by default", name)
		}
	}
	if len(ours) < 100 {
		t.Errorf("only %d defaults are null", len(ours))
	}
}

func nullsBelow(path string, s *structure, out map[string]bool) {
	for _, f := range s.fields {
		name := path + "." + f.name
		if f.def == "null" {
			out[name] = true
		}
		if f.structure != nil {
			nullsBelow(name, f.structure, out)
		}
	}
}
