package simdisk

import (
	"slices"
	"strings"

	"barnabas/core/env"
	"barnabas/sim/kernel"
)

// lockName is the file that Lock makes in a folder.
const lockName = ".lock"

// change is one name in one folder getting another meaning. A rename is two of one operation.
type change struct {
	folder *inode
	name   string
	to     *inode // nil: the name is gone
	clock  uint64 // equal in both halves of a rename
	key    uint64 // of its draws
	half   uint64 // 1 in the second half of a rename, which follows its first

	clean    bool // a failed sync marked it clean: no sync makes it stable any more
	promised bool // a sync said wrongly that it is stable
}

func (m *Machine) newFolder(path string) *inode {
	return &inode{key: m.birth(path), folder: true}
}

// birth returns the key of what is created at a path: it depends on the path and how often it was created.
func (m *Machine) birth(path string) uint64 {
	m.ownMaps()
	m.births[path]++
	return kernel.HashBytes([]byte(path)) + m.births[path]*0x9e3779b97f4a7c15
}

// split cuts a path into its names; "" and "." are the root.
func split(path string) []string {
	var names []string
	for name := range strings.SplitSeq(path, "/") {
		if name != "" && name != "." {
			names = append(names, name)
		}
	}
	return names
}

// find returns what is at the path, or nil.
func (m *Machine) find(path string) *inode {
	at := m.root
	for _, name := range split(path) {
		if at == nil || !at.folder {
			return nil
		}
		at = at.names.At(name)
	}
	return at
}

// findStable returns what has the path for its durable name, or nil.
func (m *Machine) findStable(path string) *inode {
	at := m.root
	for _, name := range split(path) {
		if at = at.stableNames.At(name); at == nil {
			return nil
		}
	}
	return at
}

// parent returns the folder of a path and the path's last name; a nil folder when it is not there.
func (m *Machine) parent(path string) (*inode, string) {
	names := split(path)
	if len(names) == 0 {
		return nil, ""
	}
	last := len(names) - 1
	folder := m.find(strings.Join(names[:last], "/"))
	if folder != nil && !folder.folder {
		folder = nil
	}
	return folder, names[last]
}

// set gives a name a meaning that is not stable yet.
func (m *Machine) set(folder *inode, name string, to *inode, half uint64) {
	if old := folder.names.At(name); old != nil {
		old.links--
		defer m.release(old)
	}
	if to == nil {
		folder.names.Delete(name)
	} else {
		to.links++
		folder.names.Set(name, to)
	}
	key := kernel.HashBytes([]byte(name)) ^ folder.key ^ folder.next()<<1
	m.changes = append(m.changes, change{folder: folder, name: name, to: to, clock: m.clock, key: key, half: half})
}

// release takes a file's space back when nothing names it and nobody has it open. What a crash may still bring back
// stays where it is.
func (m *Machine) release(f *inode) {
	if f.links == 0 && f.opens == 0 && !f.folder {
		m.used -= blocks(f.size)
	}
}

// stabilise makes stable the changes of a folder, or of all folders, that were made by mark.
func (m *Machine) stabilise(folder *inode, mark uint64) {
	left := m.changes[:0]
	for _, c := range m.changes {
		if c.clock <= mark && (folder == nil || c.folder == folder) && !c.clean {
			c.survive()
			if m.hasClean {
				left = slices.DeleteFunc(left, func(old change) bool { return old.folder == c.folder && old.name == c.name })
			}
		} else {
			left = append(left, c)
		}
	}
	clear(m.changes[len(left):])
	m.changes = left
}

func (c change) survive() {
	if c.to == nil {
		c.folder.stableNames.Delete(c.name)
	} else {
		c.folder.stableNames.Set(c.name, c.to)
	}
}

// applyToTree lets an operation on names take effect.
func (m *Machine) applyToTree(o *operation) {
	switch o.kind {
	case OpOpen:
		o.err = m.open(o)
	case OpList:
		o.err = m.list(o)
	case OpMakeFolder:
		o.err = m.makeFolder(o.path)
	case OpRename:
		o.err = m.rename(o.path, o.to)
	case OpRemove:
		o.err = m.remove(o.path)
	case OpSyncDir:
		o.err = m.syncFolder(o)
	case OpLock:
		o.err = m.lock(o)
	}
}

func (m *Machine) open(o *operation) error {
	f := m.find(o.path)
	switch {
	case f != nil && (o.mode == env.OpenNew || f.folder):
		return env.ErrExist
	case f == nil && o.mode == env.OpenExisting:
		return env.ErrNotExist
	case f == nil:
		var err error
		if f, err = m.create(o.path); err != nil {
			return err
		}
	}
	f.opens++
	o.handle = &File{disk: o.disk, inode: f, path: o.path}
	return nil
}

func (m *Machine) create(path string) (*inode, error) {
	folder, name := m.parent(path)
	if folder == nil {
		return nil, env.ErrNotExist
	}
	if err := m.allocateName(); err != nil {
		return nil, err
	}
	f := &inode{key: m.birth(path)}
	m.set(folder, name, f, 0)
	return f, nil
}

func (m *Machine) list(o *operation) error {
	folder := m.find(o.path)
	if folder == nil || !folder.folder {
		return env.ErrNotExist
	}
	o.listing = make([]string, 0, folder.names.Len())
	for _, e := range folder.names.entries {
		o.listing = append(o.listing, e.name)
	}
	o.result = int64(len(o.listing))
	return nil
}

func (m *Machine) makeFolder(path string) error {
	at := m.root
	names := split(path)
	for i, name := range names {
		next := at.names.At(name)
		if next == nil {
			if err := m.allocateName(); err != nil {
				return err
			}
			next = m.newFolder(strings.Join(names[:i+1], "/"))
			m.set(at, name, next, 0)
		}
		if !next.folder {
			return env.ErrExist
		}
		at = next
	}
	return nil
}

func (m *Machine) rename(from, to string) error {
	source, oldName := m.parent(from)
	target, newName := m.parent(to)
	if source == nil || target == nil {
		return env.ErrNotExist
	}
	f := source.names.At(oldName)
	if f == nil {
		return env.ErrNotExist
	}
	there := target.names.At(newName)
	if there == f {
		return nil
	}
	if there != nil && (there.folder || f.folder) {
		return env.ErrExist
	}
	f.links++ // it stays in use between the halves
	m.set(source, oldName, nil, 0)
	m.set(target, newName, f, 1)
	f.links--
	return nil
}

func (m *Machine) remove(path string) error {
	folder, name := m.parent(path)
	if folder == nil || folder.names.At(name) == nil {
		return env.ErrNotExist
	}
	if f := folder.names.At(name); f.folder && f.names.Len() > 0 {
		return env.ErrExist
	}
	m.set(folder, name, nil, 0)
	return nil
}

func (m *Machine) syncFolder(o *operation) error {
	folder := m.find(o.path)
	if folder == nil || !folder.folder {
		return env.ErrNotExist
	}
	m.Syncs++
	if m.profile.Strictness == Ordered {
		folder = nil // one journal for the whole file system
	}
	m.stabilise(folder, o.mark)
	return nil
}

// lock takes a lock file, or the one in a folder.
func (m *Machine) lock(o *operation) error {
	path := o.path
	if f := m.find(path); f != nil && f.folder {
		path += "/" + lockName
	}
	f := m.find(path)
	if f == nil {
		var err error
		if f, err = m.create(path); err != nil {
			return err
		}
	}
	for _, locked := range m.locks {
		if locked == f {
			return env.ErrLocked
		}
	}
	m.locks = append(m.locks, f)
	return nil
}
