package architecture

import (
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestTables keeps the tables from contradicting themselves.
func TestTables(t *testing.T) {
	for pair, reason := range sameFloor {
		from, okFrom := floorOf(pair[0])
		to, okTo := floorOf(pair[1])
		siblings := path.Dir(pair[0]) == path.Dir(pair[1])
		if !okFrom || !okTo || from != to || !siblings || reason == "" {
			t.Errorf("sameFloor %v: takes two packages side by side on one floor, and a reason", pair)
		}
		if sameFloor[[2]string{pair[1], pair[0]}] != "" {
			t.Errorf("sameFloor %v: goes both ways", pair)
		}
	}
	for room, reason := range inner {
		if _, ok := floorOf(room); !ok || !strings.Contains(room, "/") || reason == "" {
			t.Errorf("inner %s: takes a package inside a room that has a floor, and a reason", room)
		}
	}
	for room := range floors {
		if strings.Contains(room, "/") {
			t.Errorf("floors %s: inner packages have their own table", room)
		}
	}
	for from, to := range stdlib {
		for _, room := range to {
			if _, ok := floorOf(room); !ok {
				t.Errorf("stdlib %s: there is no core/%s", from, room)
			}
		}
	}
}

// TestCounts shows that an excuse more, or less, than the golden file says is seen.
func TestCounts(t *testing.T) {
	r := newReport("/")
	at := place{"core/raft/log.go", 7}
	r.excuses[at] = &excuse{at: at, room: "raft", kind: "float", reason: "only shown"}
	golden := filepath.Join(t.TempDir(), "exceptions.txt")
	try := func(text string) []string {
		if err := os.WriteFile(golden, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		clear(r.findings)
		r.checkCounts(golden)
		return r.sorted()
	}
	right := r.counts()
	if !strings.Contains(right, "core/raft float 1\n") {
		t.Fatalf("counts do not know the excuse:\n%s", right)
	}
	if got := try("# why\n\n" + right); len(got) != 0 {
		t.Errorf("the right file is refused: %v", got)
	}
	for _, wrong := range []string{
		strings.ReplaceAll(right, "float 1", "float 2"),
		strings.ReplaceAll(right, "core/raft float 1\n", ""),
		right + "core/raft unordered 1\n",
	} {
		got := try(wrong)
		if len(got) != 1 || !strings.Contains(got[0], "core/raft/log.go:7: float: only shown") {
			t.Errorf("the wrong file\n%sgives %v", wrong, got)
		}
	}
}

// TestUnchecked shows that a package the rules cannot read is told of, not passed over.
func TestUnchecked(t *testing.T) {
	try := func(l listed, want string) {
		t.Helper()
		r := newReport("/")
		l.ImportPath, l.Dir = module+"/core/raft", "/core/raft"
		if err := r.checkListed(token.NewFileSet(), nil, l); err != nil {
			t.Fatal(err)
		}
		if got := r.sorted(); !slices.Equal(got, []string{want}) {
			t.Errorf("found %v, want %s", got, want)
		}
	}
	try(listed{Error: &struct{ Err string }{"x.go:1: oops"}},
		"core/raft: does not build, so nobody can check it: x.go:1: oops")
	try(listed{SFiles: []string{"x.s"}}, "core/raft: core is Go alone: no cgo, no C, no assembly")
	try(listed{CgoFiles: []string{"x.go"}}, "core/raft: core is Go alone: no cgo, no C, no assembly")
}
