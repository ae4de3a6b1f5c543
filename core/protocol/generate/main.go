// Command generate writes the message types of package protocol from their definitions; the notation is described in
// that package's documentation. It is run by `go generate` in the package's folder.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

// run renews the generated files of the package in dir, and removes those that have no definition any more.
func run(dir string) error {
	files, err := generate(filepath.Join(dir, "definitions"))
	if err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(dir, "*.gen*.go"))
	if err != nil {
		return err
	}
	for _, path := range old {
		if files[filepath.Base(path)] == nil {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	for name, content := range files {
		path := filepath.Join(dir, name)
		if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
			continue
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate returns the generated files, by name, of the definitions in dir.
func generate(dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	defs, err := generateFolder(dir, ".gen.go", files)
	if err != nil {
		return nil, err
	}
	if files["apis.gen.go"], err = emitTables(defs); err != nil {
		return nil, err
	}
	// Messages that tests alone use stand in no table.
	more, err := generateFolder(filepath.Join(dir, "test"), ".gen_test.go", files)
	if err != nil {
		return nil, err
	}
	return files, unique(append(defs, more...))
}

// generateFolder adds the files of one folder's definitions, and returns these by key.
func generateFolder(dir, suffix string, files map[string][]byte) ([]*definition, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return nil, err
	}
	var defs []*definition
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(filepath.Base(path), ".txt")
		if name == "errors" {
			if files["errors.gen.go"], err = emitErrors(string(text)); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			continue
		}
		own, err := parse(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		defs = append(defs, own...)
		for _, def := range own {
			for _, message := range def.messages {
				file := name
				switch def.kind {
				case "api":
					file += "_" + strings.ToLower(strings.TrimPrefix(message.name, def.name))
				case "key", "value":
					file += "_" + def.kind
				}
				if files[file+suffix], err = emitMessage(message); err != nil {
					return nil, fmt.Errorf("%s: %w", path, err)
				}
			}
		}
	}
	sort.Slice(defs, func(i, j int) bool { return defs[i].key < defs[j].key })
	return defs, nil
}

// unique refuses two structs of one name, and two messages of one key.
func unique(defs []*definition) error {
	seen := map[string]bool{}
	for _, d := range defs {
		names := []string{}
		if d.key >= 0 {
			names = append(names, fmt.Sprintf("%s%s %d", d.kind, d.topic, d.key))
		}
		own := map[*structure]bool{}
		for _, m := range d.messages {
			for _, s := range structures(m) {
				if !own[s] {
					own[s] = true
					names = append(names, s.name)
				}
			}
		}
		for _, name := range names {
			if seen[name] {
				return fmt.Errorf("%s is defined twice", name)
			}
			seen[name] = true
		}
	}
	return nil
}

// structures lists a struct and those below it, each once, in the order of the definition.
func structures(top *structure) []*structure {
	list := []*structure{top}
	seen := map[*structure]bool{top: true}
	for i := 0; i < len(list); i++ {
		for _, f := range list[i].fields {
			if f.structure != nil && !seen[f.structure] {
				seen[f.structure] = true
				list = append(list, f.structure)
			}
		}
	}
	return list
}
