package storage

import (
	"errors"
	"strings"

	"barnabas/core/env"
	"barnabas/core/task"
)

// files are the open files of partition logs: at most so many, the least recently used are closed first, so that many
// partitions work under a small limit of descriptors.
type files struct {
	disk   env.Disk
	most   int
	open   map[string]*openFile
	recent openFile // a ring of all that are open: recent.next was used last, recent.prev longest ago
}

// openFile is a file in use, or kept for its next use.
type openFile struct {
	env.File
	path       string
	uses       int
	stale      bool // forgotten: closed after the last use
	prev, next *openFile
}

// touch makes the file the one used last.
func (f *files) touch(o *openFile) {
	if o.next != nil {
		o.unlink()
	}
	if f.recent.next == nil {
		f.recent.prev, f.recent.next = &f.recent, &f.recent
	}
	o.prev, o.next = &f.recent, f.recent.next
	o.prev.next, o.next.prev = o, o
}

func (o *openFile) unlink() {
	o.prev.next, o.next.prev = o.next, o.prev
	o.prev, o.next = nil, nil
}

// take opens the file, or finds it open, and keeps it so until release. When there are no descriptors left it closes those it
// only keeps, and tries once more. Errors: the disk's.
func (f *files) take(t *task.Task, path string, mode env.OpenMode) (*openFile, error) {
	if o, ok := f.open[path]; ok {
		o.uses++
		f.touch(o)
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
	if o, ok := f.open[path]; ok { // somebody else opened it meanwhile
		file.Close()
		o.uses++
		return o, nil
	}
	o := &openFile{File: file, path: path, uses: 1}
	if f.open == nil {
		f.open = make(map[string]*openFile)
	}
	f.open[path] = o
	f.touch(o)
	return o, nil
}

func (f *files) release(o *openFile) {
	if o.uses--; o.uses == 0 && o.stale {
		o.Close()
	}
}

// forget closes the file, now or after its last use: it will get another name, or go.
func (f *files) forget(path string) {
	if o, ok := f.open[path]; ok {
		f.drop(o)
	}
}

func (f *files) drop(o *openFile) {
	delete(f.open, o.path)
	o.unlink()
	if o.stale = true; o.uses == 0 {
		o.Close()
	}
}

// shrink closes files that are not in use, least recently used first, until at most so many are open.
func (f *files) shrink(most int) {
	for o := f.recent.prev; len(f.open) > max(most, 0) && o != nil && o != &f.recent; {
		before := o.prev
		if o.uses == 0 {
			f.drop(o)
		}
		o = before
	}
}

// forgetUnder forgets all files in the folder.
func (f *files) forgetUnder(folder string) {
	for o := f.recent.prev; o != nil && o != &f.recent; {
		before := o.prev
		if strings.HasPrefix(o.path, folder+"/") {
			f.drop(o)
		}
		o = before
	}
}
