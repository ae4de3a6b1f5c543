package architecture

import (
	"bytes"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// checkLayout walks the module's tree for rules about files: their length, names, tags and package comments.
// It reads every directory and every Go file, so the test cache knows all of them.
func (r *report) checkLayout() error {
	documented := map[string]bool{} // directories of core with Go code, and whether a comment tells what they are
	err := filepath.WalkDir(r.root, func(full string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := entry.Name()
		if entry.IsDir() {
			if full != r.root && (base == "testdata" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_")) {
				return filepath.SkipDir
			}
			return nil
		}
		if path.Ext(base) != ".go" {
			return nil
		}
		return r.checkFile(full, documented)
	})
	if err != nil {
		return err
	}
	for dir, has := range documented {
		if !has {
			r.add(place{file: dir}, "no package comment: say in one file what the package is for, and what it does not do")
		}
	}
	return nil
}

func (r *report) checkFile(full string, documented map[string]bool) error {
	source, err := os.ReadFile(full)
	if err != nil {
		return err
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, full, source, parser.PackageClauseOnly|parser.ParseComments)
	if err != nil {
		r.add(r.place(token.Position{Filename: full}), "does not parse: %s", strings.TrimPrefix(err.Error(), full+":"))
		return nil
	}
	at := r.place(fset.Position(file.Package))
	dir, name := path.Dir(at.file), path.Base(at.file)
	if lines := bytes.Count(source, []byte("\n")); lines > linesMax && !ast.IsGenerated(file) {
		r.add(place{file: at.file}, "%d lines: %d is the wall for a file written by hand; split it", lines, linesMax)
	}
	pkg := strings.TrimSuffix(file.Name.Name, "_test")
	for _, n := range []string{pkg, path.Base(dir)} {
		if slices.Contains(emptyNames, n) {
			r.add(place{file: dir}, "a package named %s says nothing of what it holds: name it for what it is about", n)
		}
	}
	if !under(dir, "core") || strings.HasSuffix(name, "_test.go") {
		return nil
	}
	documented[dir] = documented[dir] || file.Doc != nil && strings.TrimSpace(file.Doc.Text()) != ""
	room := strings.TrimPrefix(strings.TrimPrefix(dir, "core"), "/")
	if outside[room] == "" {
		r.checkBuilt(at, name, file)
	}
	return nil
}

// checkBuilt makes sure a file of core is the same on every machine, and that some variant showed it to the rules.
func (r *report) checkBuilt(at place, name string, file *ast.File) {
	for _, group := range file.Comments {
		for _, c := range group.List {
			if c.Pos() > file.Package || !constraint.IsGoBuild(c.Text) {
				continue
			}
			e, err := constraint.Parse(c.Text)
			if err != nil || !slices.Contains(buildTags, e.String()) {
				r.add(place{file: at.file}, "%s: core behaves the same in every build; only %s may be asked for",
					c.Text, strings.Join(buildTags, " or "))
				return
			}
		}
	}
	parts := strings.Split(strings.TrimSuffix(name, ".go"), "_")
	if len(parts) > 1 && slices.Contains(machineSuffixes, parts[len(parts)-1]) {
		r.add(place{file: at.file}, "its name makes it depend on the machine: core is the same on all; rename it")
		return
	}
	if !r.checked[at.file] && !r.broken[path.Dir(at.file)] {
		r.add(place{file: at.file}, "no build variant compiles it, so no rule looked at it")
	}
}
