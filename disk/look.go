package disk

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Seen is what Look found out about a folder.
type Seen struct {
	FileSystem string // its type's name
	Durable    bool   // false where nothing survives a power loss
	FreeBytes  int64  // that this user may still write; -1: not known
	Locked     error  // who has the folder's lock, as env.ErrLocked; nil: nobody
}

// FreeBytes returns how much this user may still write to the folder's file system, or -1 when that is not known. It touches
// no lock.
func FreeBytes(folder string) int64 { return freeBytes(folder) }

// Look finds out what a folder is on and whether a process has it, without a trace: unlike NewPosix it tries no write, and
// the lock is tested and not kept. Errors: the lock file is there and can't be read.
func Look(folder string) (Seen, error) {
	s := Seen{FileSystem: fileSystem(folder), FreeBytes: freeBytes(folder)}
	s.Durable = !volatile(s.FileSystem)
	name := folder + "/" + lockName
	descriptor, err := openDescriptor(name, unix.O_RDONLY|unix.O_CLOEXEC)
	if errors.Is(err, unix.ENOENT) {
		return s, nil // it was never started on
	}
	if err != nil {
		return s, wrap("open", name, err)
	}
	defer closeDescriptor(descriptor)
	// A shared lock is refused while a broker has its own, and closing the file gives it up at once.
	err = uninterrupted(func() error { return unix.Flock(descriptor, unix.LOCK_SH|unix.LOCK_NB) })
	if err == unix.EWOULDBLOCK {
		s.Locked = holder(descriptor)
		return s, nil
	}
	return s, wrap("lock", name, err)
}
