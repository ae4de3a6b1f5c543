package disk

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"barnabas/core/env"
)

// uninterrupted makes a call again while a signal interrupts it.
func uninterrupted(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}

func openDescriptor(path string, flags int) (descriptor int, err error) {
	err = uninterrupted(func() error {
		descriptor, err = unix.Open(path, flags, 0o644)
		return err
	})
	return descriptor, err
}

// closeDescriptor closes once: after an interrupted close the descriptor is gone too. What had to be durable was
// synced before, so its error says nothing.
func closeDescriptor(descriptor int) { _ = unix.Close(descriptor) }

// readFull reads until p is full or the file ends.
func readFull(descriptor int, p []byte, offset int64) (read int, err error) {
	for read < len(p) {
		n, err := unix.Pread(descriptor, p[read:], offset+int64(read))
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return read, err
		}
		if n == 0 {
			return read, nil
		}
		read += n
	}
	return read, nil
}

// writeFull writes all of p, in as many calls as it takes.
func writeFull(descriptor int, p []byte, offset int64) error {
	for len(p) > 0 {
		n, err := unix.Pwrite(descriptor, p, offset)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		if n == 0 {
			return unix.EIO
		}
		p, offset = p[n:], offset+int64(n)
	}
	return nil
}

// writeBlocks is writeFull for a descriptor that takes whole blocks alone: after a write that ended within a block it goes
// on at the start of that block.
func writeBlocks(descriptor int, p []byte, offset int64, durable bool) error {
	for stuck := false; len(p) > 0; {
		n, err := writeDirectly(descriptor, p, offset, durable)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		n &^= env.BlockBytes - 1
		if n == 0 && stuck {
			return unix.EIO
		}
		stuck = n == 0
		p, offset = p[n:], offset+int64(n)
	}
	return nil
}

// syncFolder makes the names in a folder durable.
func syncFolder(folder string) error {
	descriptor, err := openDescriptor(folder, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC)
	if err != nil {
		return err
	}
	defer closeDescriptor(descriptor)
	if err := uninterrupted(func() error { return unix.Fsync(descriptor) }); err != nil {
		return syncFailure{err}
	}
	return nil
}

// lockName is the lock file of a folder, the one Kafka has.
const lockName = ".lock"

// lock takes a lock file and writes our process id into it, for whoever comes second.
func lock(path string) (descriptor int, err error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path += "/" + lockName
	}
	descriptor, err = openDescriptor(path, unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC)
	if err != nil {
		return 0, err
	}
	err = uninterrupted(func() error { return unix.Flock(descriptor, unix.LOCK_EX|unix.LOCK_NB) })
	if err == unix.EWOULDBLOCK {
		err = holder(descriptor)
	} else if err == nil {
		err = sign(descriptor)
	}
	if err != nil {
		closeDescriptor(descriptor)
	}
	return descriptor, err
}

// holder says which process has the lock.
func holder(descriptor int) error {
	p := make([]byte, 32)
	n, _ := readFull(descriptor, p, 0)
	pid := strings.TrimSpace(string(p[:n]))
	if pid == "" {
		return env.ErrLocked
	}
	return fmt.Errorf("process %s: %w", pid, env.ErrLocked)
}

func sign(descriptor int) error {
	if err := uninterrupted(func() error { return unix.Ftruncate(descriptor, 0) }); err != nil {
		return err
	}
	return writeFull(descriptor, []byte(strconv.Itoa(os.Getpid())+"\n"), 0)
}
