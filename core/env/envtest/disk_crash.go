package envtest

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"testing"

	"barnabas/core/env"
	"barnabas/core/task"
)

// DiskCrash is a story that ends in a crash: operations that were started and not waited for are in progress then.
// After it stand the outcomes that the simulated disk allows, by the kind of crash. A real disk may show no other.
type DiskCrash struct {
	Name     string
	file     string
	steps    []string
	outcomes map[string][]string
}

// DiskCrashes returns all crash stories.
func DiskCrashes(t *testing.T) (crashes []*DiskCrash) {
	for _, file := range diskFiles(t, "crashes") {
		c := &DiskCrash{
			Name: strings.TrimSuffix(path.Base(file), ".txt"), file: file, outcomes: map[string][]string{},
		}
		kind := ""
		for _, line := range diskLines(t, file) {
			if heading, ok := strings.CutPrefix(line, "== "); ok {
				kind = heading
			} else if kind == "" {
				c.steps = append(c.steps, line)
			} else {
				c.outcomes[kind] = append(c.outcomes[kind], line)
			}
		}
		crashes = append(crashes, c)
	}
	return crashes
}

// Tell runs the story up to the crash.
func (c *DiskCrash) Tell(s *task.Task, w *DiskWorld) error {
	teller := newDiskTeller(w)
	for _, line := range c.steps {
		if wrong := teller.tell(s, line); wrong != nil {
			return fmt.Errorf("%s: %s", c.file, wrong[0])
		}
	}
	return nil
}

// Outcomes returns what the simulated disk allows after a kind of crash.
func (c *DiskCrash) Outcomes(kind string) []string { return c.outcomes[kind] }

// Text returns the story's file with these outcomes, for writing it anew.
func (c *DiskCrash) Text(kinds []string, outcomes map[string][]string) string {
	text := strings.TrimRight(strings.Join(c.steps, "\n"), "\n") + "\n"
	for _, kind := range kinds {
		text += "== " + kind + "\n" + strings.Join(outcomes[kind], "\n") + "\n"
	}
	return text
}

// ReadDisk writes down all files of a world's folder, as RenderDisk does.
func ReadDisk(s *task.Task, w *DiskWorld) (string, error) {
	var paths []string
	var contents [][]byte
	err := readFolder(s, w, "", func(path string, content []byte) {
		paths, contents = append(paths, path), append(contents, content)
	})
	return RenderDisk(paths, contents), err
}

func readFolder(s *task.Task, w *DiskWorld, prefix string, visit func(string, []byte)) error {
	names, err := w.Disk.List(w.path(prefix + ".")).Wait(s)
	if err != nil {
		return err
	}
	for _, name := range names {
		content, err := readFile(s, w, prefix+name)
		switch {
		case errors.Is(err, env.ErrExist): // it is a folder
			err = readFolder(s, w, prefix+name+"/", visit)
		case err == nil:
			visit(prefix+name, content)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func readFile(s *task.Task, w *DiskWorld, path string) ([]byte, error) {
	file, err := w.Disk.Open(w.path(path), env.OpenExisting).Wait(s)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	size, err := file.Size().Wait(s)
	if err != nil {
		return nil, err
	}
	content := make([]byte, size)
	n, err := file.ReadAt(content, 0).Wait(s)
	return content[:n], err
}
