package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"sync"
	"testing"
)

// violation is a text that breaks one rule. It is checked as if it were the package path, and must give exactly these
// findings, in order.
type violation struct {
	name  string
	path  string // default: barnabas/core/storage
	tests bool   // checked as the package's test
	text  string
	want  []string
}

// TestViolations proves that every rule bites, and that the clean text below breaks none.
func TestViolations(t *testing.T) {
	var all []violation
	all = append(all, importViolations...)
	all = append(all, constructViolations...)
	all = append(all, variableViolations...)
	all = append(all, taskViolations...)
	all = append(all, excuseViolations...)
	for _, v := range all {
		t.Run(v.name, func(t *testing.T) { v.run(t) })
	}
}

func (v violation) run(t *testing.T) {
	t.Helper()
	r := newReport("/")
	u := &unit{path: v.path, fset: token.NewFileSet()}
	if u.path == "" {
		u.path = module + "/core/storage"
	}
	source := "package planted\n" + v.text
	file, err := parser.ParseFile(u.fset, "/x.go", source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	u.files = []*ast.File{file}
	r.checkImports(u, v.tests)
	if room, ok := u.room(); ok && !v.tests && outside[room] == "" {
		r.readExcuses(u.fset, room, file, []byte(source))
		if err := u.typeCheck(newPlanted(t, u.fset)); err != nil {
			t.Fatal(err)
		}
		r.checkCode(u)
	}
	r.addUnused()
	if got := r.sorted(); !slices.Equal(got, v.want) {
		t.Errorf("found\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(v.want, "\n\t"))
	}
}

// planted imports for planted texts: the standard library that they use by name is real, the loop is taskText, and
// anything else is an empty package, good enough for a blank import.
type planted struct {
	fset *token.FileSet
	std  types.Importer
	task *types.Package
}

var realStd = []string{"cmp", "fmt", "io", "maps", "math", "runtime/debug", "slices", "strings", "time"}

var listStd = sync.OnceValues(func() ([]listed, error) { return list(".", realStd...) })

func newPlanted(t *testing.T, fset *token.FileSet) *planted {
	t.Helper()
	std, err := listStd()
	if err != nil {
		t.Fatal(err)
	}
	return &planted{fset: fset, std: exportImporter(fset, std)}
}

func (p *planted) Import(path string) (*types.Package, error) {
	switch {
	case path == module+"/core/task":
		if p.task == nil {
			file, err := parser.ParseFile(p.fset, "/task.go", taskText, parser.SkipObjectResolution)
			if err != nil {
				return nil, err
			}
			if p.task, err = (&types.Config{}).Check(path, p.fset, []*ast.File{file}, nil); err != nil {
				return nil, err
			}
		}
		return p.task, nil
	case slices.Contains(realStd, path):
		return p.std.Import(path)
	}
	empty := types.NewPackage(path, path[strings.LastIndex(path, "/")+1:])
	empty.MarkComplete()
	return empty, nil
}

const taskText = `package task

type Task struct{}

func (t *Task) Yield() {}

type Pending[T any] struct{}

func (p *Pending[T]) Wait(t *Task) (T, error) { panic("planted") }

var Limit int
`

// TestLayoutViolations plants whole trees.
func TestLayoutViolations(t *testing.T) {
	for _, v := range layoutViolations {
		t.Run(v.name, func(t *testing.T) {
			r := newReport(t.TempDir())
			for _, f := range v.checked {
				r.checked[f] = true
			}
			v.write(t, r.root)
			if err := r.checkLayout(); err != nil {
				t.Fatal(err)
			}
			if got := r.sorted(); !slices.Equal(got, v.want) {
				t.Errorf("found\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(v.want, "\n\t"))
			}
		})
	}
}
