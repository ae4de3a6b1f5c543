package architecture

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// listed is what we ask of `go list -json`.
type listed struct {
	ImportPath, Dir, Export                                      string
	GoFiles, CgoFiles, SFiles, CFiles, TestGoFiles, XTestGoFiles []string
	Error                                                        *struct{ Err string }
}

// unit is one parsed package of ours; pkg and info are set for those under core.
type unit struct {
	path  string // import path
	fset  *token.FileSet
	files []*ast.File
	pkg   *types.Package
	info  *types.Info
}

// ours cuts the module off an import path: barnabas/core/task is core/task.
func ours(path string) (string, bool) {
	return strings.CutPrefix(path, module+"/")
}

// room is the name a package of core has in the tables.
func (u *unit) room() (string, bool) {
	return roomOf(u.path)
}

func roomOf(path string) (string, bool) {
	if path == module+"/core" {
		return "", true
	}
	return strings.CutPrefix(path, module+"/core/")
}

// findRoot walks up to the module's root.
func findRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no go.mod above this directory")
		}
		dir = filepath.Dir(dir)
	}
}

// list runs the go command. -e lets one broken package not hide the others; its error becomes a finding.
func list(root string, args ...string) ([]listed, error) {
	args = append([]string{
		"list", "-e", "-export", "-deps",
		"-json=ImportPath,Dir,Export,GoFiles,CgoFiles,SFiles,CFiles,TestGoFiles,XTestGoFiles,Error",
	}, args...)
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	var talk strings.Builder
	cmd.Stderr = &talk
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, talk.String())
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var l listed
		if err := d.Decode(&l); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
}

// exportImporter imports packages from the compiler's export data.
func exportImporter(fset *token.FileSet, all []listed) types.Importer {
	exports := map[string]string{}
	for _, l := range all {
		exports[l.ImportPath] = l.Export
	}
	return importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("no export data: does %s build?", path)
		}
		return os.Open(exports[path])
	})
}

// checkVariant loads the module under one set of build tags and applies every rule that looks at a package.
func (r *report) checkVariant(tags string) error {
	all, err := list(r.root, "-tags="+tags, "./...")
	if err != nil {
		return err
	}
	fset := token.NewFileSet()
	imports := exportImporter(fset, all)
	for _, l := range all {
		if _, mine := ours(l.ImportPath); mine || l.ImportPath == module {
			if err := r.checkListed(fset, imports, l); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *report) checkListed(fset *token.FileSet, imports types.Importer, l listed) error {
	dir := r.place(token.Position{Filename: l.Dir})
	if l.Error != nil {
		r.broken[dir.file] = true
		r.add(dir, "does not build, so nobody can check it: %s", strings.TrimSpace(l.Error.Err))
		return nil
	}
	u := &unit{path: l.ImportPath, fset: fset}
	room, inCore := u.room()
	ruled := inCore && outside[room] == ""
	if ruled && len(l.CgoFiles)+len(l.SFiles)+len(l.CFiles) > 0 {
		r.add(dir, "core is Go alone: no cgo, no C, no assembly")
	}
	for _, name := range l.GoFiles {
		file, source, err := parse(fset, filepath.Join(l.Dir, name))
		if err != nil {
			return err
		}
		u.files = append(u.files, file)
		if ruled {
			r.checked[r.place(fset.Position(file.Package)).file] = true
			r.readExcuses(fset, room, file, source)
		}
	}
	r.checkImports(u, false)

	tests := &unit{path: l.ImportPath, fset: fset}
	for _, name := range append(l.TestGoFiles, l.XTestGoFiles...) {
		file, _, err := parse(fset, filepath.Join(l.Dir, name))
		if err != nil {
			return err
		}
		tests.files = append(tests.files, file)
	}
	r.checkImports(tests, true)

	if ruled {
		if err := u.typeCheck(imports); err != nil {
			r.broken[dir.file] = true
			r.add(dir, "does not type-check, so nobody can check it: %v", err)
			return nil
		}
		r.checkCode(u)
	}
	return nil
}

// parse reads through os, so that the test cache knows the file matters.
func parse(fset *token.FileSet, path string) (*ast.File, []byte, error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	file, err := parser.ParseFile(fset, path, source, parser.ParseComments|parser.SkipObjectResolution)
	return file, source, err
}

func (u *unit) typeCheck(imports types.Importer) error {
	u.info = &types.Info{
		Types:      map[ast.Expr]types.TypeAndValue{},
		Defs:       map[*ast.Ident]types.Object{},
		Uses:       map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{},
	}
	var err error
	u.pkg, err = (&types.Config{Importer: imports}).Check(u.path, u.fset, u.files, u.info)
	return err
}

// checkCode applies the rules that need types.
func (r *report) checkCode(u *unit) {
	r.checkConstructs(u)
	r.checkFloats(u)
	r.checkMaps(u)
	r.checkVariables(u)
	r.checkTasks(u)
}
