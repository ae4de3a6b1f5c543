package envtest

import (
	"embed"
	"path"
	"strings"
	"testing"

	"barnabas/core/env"
	"barnabas/core/task"
)

//go:embed testdata/disk
var diskData embed.FS

// DiskWorld is a disk under test and what drives its loop.
type DiskWorld struct {
	Disk env.Disk
	// Folder is where the suite works: there, empty, and its own. "" is the root.
	Folder string
	// Run runs the story as a task of the disk's loop and returns when it has ended.
	Run func(story func(t *task.Task))
	// Other returns the same files as another process of the machine sees them. It runs on the same loop.
	Other func() env.Disk
}

// Disk holds a disk to what env.Disk says. open gives a fresh world.
func Disk(t *testing.T, open func(t *testing.T) *DiskWorld) {
	for _, file := range diskFiles(t, "stories") {
		t.Run(strings.TrimSuffix(path.Base(file), ".txt"), func(t *testing.T) { runDiskStory(t, open(t), file) })
	}
	checks := []struct {
		name  string
		check func(t *testing.T, s *task.Task, w *DiskWorld)
	}{
		{"buffers are aligned and rounded up", checkBuffers},
		{"direct writes that are not whole blocks are refused", checkAlignment},
		{"writes of disjoint ranges run together", checkDisjoint},
		{"operations in progress survive close", checkCloseInProgress},
		{"a random history reads like a model", checkModel},
		{"a description is complete", checkDescription},
	}
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			w := open(t)
			w.Run(func(s *task.Task) { c.check(t, s, w) })
		})
	}
}

// path puts a path of a story below the world's folder.
func (w *DiskWorld) path(p string) string {
	if w.Folder == "" {
		return p
	}
	return w.Folder + "/" + p
}

func diskFiles(t *testing.T, folder string) (files []string) {
	folder = "testdata/disk/" + folder
	entries, err := diskData.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		files = append(files, folder+"/"+e.Name())
	}
	return files
}

func diskLines(t *testing.T, file string) []string {
	text, err := diskData.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimRight(string(text), "\n"), "\n")
}
