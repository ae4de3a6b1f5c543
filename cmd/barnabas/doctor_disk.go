package main

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"barnabas/core/env"
	"barnabas/core/task"
	"barnabas/net/host"
)

// overlay is a disk that shows the real files and changes none: what is written to it stays in memory, and is seen by those who
// read after. Everything is done at once, on the loop; completions come as inputs of a later step, as they must.
type overlay struct {
	loop  *task.Loop
	post  func(task.Input)
	files map[string]*overlaid // that were opened, made or renamed; nil: gone
	made  map[string]bool      // folders
}

func newOverlay(h *host.Host) *overlay {
	return &overlay{
		loop: h.Loop(), post: func(in task.Input) { h.Post(in, true) }, files: make(map[string]*overlaid), made: make(map[string]bool),
	}
}

// complete is the outcome of an operation, as an input of a later step.
func complete[T any](d *overlay, value T, err error) *task.Pending[T] {
	p := task.NewPending[T](d.loop)
	d.post(host.Call(func() { p.Complete(value, err) }))
	return p
}

func (d *overlay) done(err error) *task.Pending[task.Done] { return complete(d, task.Done{}, err) }

// asEnv gives the system's error env's name, where core must know it.
func asEnv(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return errors.Join(env.ErrNotExist, err)
	}
	return err
}

// find returns the file at the path. Errors: ErrNotExist, the system's.
func (d *overlay) find(path string) (*overlaid, error) {
	path = filepath.Clean(path)
	if f, known := d.files[path]; known {
		if f == nil {
			return nil, env.ErrNotExist
		}
		return f, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, asEnv(err)
	}
	if info.IsDir() {
		return nil, &fs.PathError{Op: "open", Path: path, Err: errors.New("it is a folder")}
	}
	f := &overlaid{path: path, size: info.Size(), below: info.Size()}
	d.files[path] = f
	return f, nil
}

// Open opens the file for reading, whatever is said; writes go to memory.
func (d *overlay) Open(path string, mode env.OpenMode) *task.Pending[env.File] {
	f, err := d.find(path)
	switch {
	case err == nil && mode == env.OpenNew:
		return complete[env.File](d, nil, env.ErrExist)
	case errors.Is(err, env.ErrNotExist) && mode != env.OpenExisting:
		f = &overlaid{}
		d.files[filepath.Clean(path)] = f
	case err != nil:
		return complete[env.File](d, nil, err)
	}
	handle := &overlayFile{disk: d, overlaid: f}
	if f.path != "" {
		if handle.real, err = os.Open(f.path); err != nil {
			return complete[env.File](d, nil, asEnv(err))
		}
	}
	return complete[env.File](d, handle, nil)
}

// List returns the names of the real folder, with what was made and without what was removed.
func (d *overlay) List(folder string) *task.Pending[[]string] {
	entries, err := os.ReadDir(folder)
	if err != nil && !d.made[filepath.Clean(folder)] {
		return complete[[]string](d, nil, asEnv(err))
	}
	names := make(map[string]bool)
	for _, e := range entries {
		names[e.Name()] = true
	}
	for path, f := range d.files {
		if filepath.Dir(path) == filepath.Clean(folder) {
			names[filepath.Base(path)] = f != nil
		}
	}
	maps.DeleteFunc(names, func(_ string, there bool) bool { return !there })
	return complete(d, slices.Sorted(maps.Keys(names)), nil)
}

// MakeFolder makes the folder in memory: files can be made there wherever they are named.
func (d *overlay) MakeFolder(folder string) *task.Pending[task.Done] {
	d.made[filepath.Clean(folder)] = true
	return d.done(nil)
}

// Rename renames files in memory. Folders it refuses: nothing that the doctor runs renames one.
func (d *overlay) Rename(from, to string) *task.Pending[task.Done] {
	f, err := d.find(from)
	if err == nil {
		d.files[filepath.Clean(from)], d.files[filepath.Clean(to)] = nil, f
	}
	return d.done(err)
}

// Remove has the file gone for those who look here.
func (d *overlay) Remove(path string) *task.Pending[task.Done] {
	_, err := d.find(path)
	if err == nil {
		d.files[filepath.Clean(path)] = nil
	}
	return d.done(err)
}

// SyncDir has nothing to make durable.
func (d *overlay) SyncDir(string) *task.Pending[task.Done] { return d.done(nil) }

// Lock takes no lock: the doctor looked before whether somebody has it.
func (d *overlay) Lock(string) *task.Pending[task.Done] { return d.done(nil) }

// Buffer returns memory. It need not be aligned: nothing reaches a device.
func (d *overlay) Buffer(size int) []byte {
	return make([]byte, (size+env.BlockBytes-1)/env.BlockBytes*env.BlockBytes)
}

// FreeBuffer leaves the memory to the garbage collector.
func (d *overlay) FreeBuffer([]byte) {}

// Describe says that nothing lasts here.
func (d *overlay) Describe() env.DiskDescription {
	return env.DiskDescription{FileSystem: "memory", Backend: "overlay", Write: "memory"}
}
