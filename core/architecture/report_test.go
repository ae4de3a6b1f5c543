package architecture

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// report gathers what breaks a rule, and the excuses. Build variants share one, so each breach is told once.
type report struct {
	root     string
	findings map[string]bool
	excuses  map[place]*excuse
	checked  map[string]bool // files of core that some variant compiles
	broken   map[string]bool // directories already told of as a whole
}

// place is a line of a file, relative to the module's root.
type place struct {
	file string
	line int
}

// excuse is one //core:kind comment.
type excuse struct {
	at           place
	room         string
	kind, reason string
	alone        bool // on a line of its own: it covers the next line
	used         bool
}

func newReport(root string) *report {
	return &report{
		root: root, findings: map[string]bool{}, excuses: map[place]*excuse{}, checked: map[string]bool{},
		broken: map[string]bool{},
	}
}

func (r *report) place(p token.Position) place {
	name := p.Filename
	if rel, err := filepath.Rel(r.root, name); err == nil && !strings.HasPrefix(rel, "..") {
		name = filepath.ToSlash(rel)
	}
	return place{name, p.Line}
}

// add tells a breach that nothing excuses.
func (r *report) add(at place, format string, args ...any) {
	where := at.file
	if at.line > 0 {
		where = fmt.Sprintf("%s:%d", at.file, at.line)
	}
	r.findings[where+": "+fmt.Sprintf(format, args...)] = true
}

// excused says whether an excuse of this kind covers the place, and remembers that it was needed.
func (r *report) excused(kind string, at place) bool {
	for _, above := range []bool{false, true} {
		from := at
		if above {
			from.line--
		}
		e := r.excuses[from]
		if e != nil && e.kind == kind && e.alone == above {
			e.used = true
			return true
		}
	}
	return false
}

// readExcuses finds the excuses of a file. Its source tells a comment at a line's end from one alone on its line.
func (r *report) readExcuses(fset *token.FileSet, room string, file *ast.File, source []byte) {
	lines := bytes.Split(source, []byte("\n"))
	for _, group := range file.Comments {
		for _, c := range group.List {
			text, ok := strings.CutPrefix(c.Text, "//core:")
			if !ok {
				continue
			}
			p := fset.Position(c.Pos())
			kind, reason, _ := strings.Cut(text, " ")
			e := &excuse{at: r.place(p), room: room, kind: kind, reason: strings.TrimSpace(reason)}
			e.alone = len(bytes.TrimSpace(lines[p.Line-1][:p.Column-1])) == 0
			switch {
			case !slices.Contains(excuseKinds, kind):
				r.add(e.at, "no excuse is called //core:%s; there are %s", kind, strings.Join(excuseKinds, ", "))
			case e.reason == "":
				r.add(e.at, "//core:%s needs a reason: say why it is harmless here", kind)
			case r.excuses[e.at] == nil: // else another variant brought it
				r.excuses[e.at] = e
			}
		}
	}
}

// addUnused tells of excuses that no variant needed.
func (r *report) addUnused() {
	for _, e := range r.excuses { // findings are sorted later
		if !e.used && !r.broken[path.Dir(e.at.file)] {
			r.add(e.at, "//core:%s excuses nothing: remove it", e.kind)
		}
	}
}

// counts is the text of testdata/exceptions.txt.
func (r *report) counts() string {
	number := map[string]int{"core same-floor": len(sameFloor)}
	for _, e := range r.excuses {
		number[strings.TrimSuffix("core/"+e.room, "/")+" "+e.kind]++
	}
	var lines []string
	for what, n := range number {
		lines = append(lines, fmt.Sprintf("%s %d\n", what, n))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// checkCounts compares the excuses with the golden file, in which comments and empty lines do not count.
func (r *report) checkCounts(golden string) {
	text, err := os.ReadFile(golden)
	if err != nil {
		r.add(place{file: golden}, "%v", err)
		return
	}
	var want strings.Builder
	for line := range strings.Lines(string(text)) {
		if line != "\n" && !strings.HasPrefix(line, "#") {
			want.WriteString(line)
		}
	}
	if got := r.counts(); got != want.String() {
		var list []string
		for _, e := range r.excuses {
			list = append(list, fmt.Sprintf("\t%s:%d: %s: %s\n", e.at.file, e.at.line, e.kind, e.reason))
		}
		slices.Sort(list)
		r.add(
			place{file: "core/architecture/testdata/exceptions.txt"},
			"the exceptions changed. If each is right, make the file's lines:\n%sThey are:\n%s", got, strings.Join(list, ""),
		)
	}
}

// sorted lists the findings by file and line.
func (r *report) sorted() []string {
	var all []string
	for f := range r.findings {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b string) int {
		fileA, lineA := split(a)
		fileB, lineB := split(b)
		if fileA != fileB {
			return strings.Compare(fileA, fileB)
		}
		if lineA != lineB {
			return lineA - lineB
		}
		return strings.Compare(a, b)
	})
	return all
}

func split(finding string) (file string, line int) {
	file, rest, _ := strings.Cut(finding, ":")
	_, _ = fmt.Sscanf(rest, "%d:", &line) // no line: 0
	return file, line
}
