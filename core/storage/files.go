package storage

import (
	"errors"
	"strings"

	"barnabas/core/env"
	"barnabas/core/ordered"
	"barnabas/core/task"
)

// files are the open files of partition logs: at most so many, the least recently used are closed first, so that many
// partitions work under a small limit of descriptors.
type files struct {
	disk  env.Disk
	most  int
	clock uint64
	open  ordered.Map[string, *openFile]
}

// openFile is a file in use, or kept for its next use.
type openFile struct {
	env.File
	path  string
	uses  int
	used  uint64 // when it was last taken
	stale bool   // forgotten: closed after the last use
}

// take opens the file, or finds it open, and keeps it so until release. When there are no descriptors left it closes those it
// only keeps, and tries once more. Errors: the disk's.
func (f *files) take(t *task.Task, path string, mode env.OpenMode) (*openFile, error) {
	f.clock++
	if o, ok := f.open.Get(path); ok {
		o.uses++
		o.used = f.clock
		return o, nil
	}
	f.shrink(f.most - 1)
	file, err := f.disk.Open(path, mode).Wait(t)
	if errors.Is(err, env.ErrTooManyFiles) {
		f.shrink(0)
		file, err = f.disk.Open(path, mode).Wait(t)
	}
	if err != nil {
		return nil, err
	}
	if o, ok := f.open.Get(path); ok { // somebody else opened it meanwhile
		file.Close()
		o.uses++
		return o, nil
	}
	o := &openFile{File: file, path: path, uses: 1, used: f.clock}
	f.open.Set(path, o)
	return o, nil
}

func (f *files) release(o *openFile) {
	if o.uses--; o.uses == 0 && o.stale {
		o.Close()
	}
}

// forget closes the file, now or after its last use: it will get another name, or go.
func (f *files) forget(path string) {
	o, ok := f.open.Get(path)
	if !ok {
		return
	}
	f.open.Delete(path)
	if o.stale = true; o.uses == 0 {
		o.Close()
	}
}

// shrink closes files that are not in use, least recently used first, until at most so many are open.
func (f *files) shrink(most int) {
	for f.open.Len() > max(most, 0) {
		var oldest *openFile
		for _, o := range f.open.All {
			if o.uses == 0 && (oldest == nil || o.used < oldest.used) {
				oldest = o
			}
		}
		if oldest == nil {
			return
		}
		f.forget(oldest.path)
	}
}

// forgetUnder forgets the file at the path, and all files in the folder of that path.
func (f *files) forgetUnder(path string) {
	var gone []string
	for name := range f.open.All {
		if name == path || strings.HasPrefix(name, path+"/") {
			gone = append(gone, name)
		}
	}
	for _, name := range gone {
		f.forget(name)
	}
}
