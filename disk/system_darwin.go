package disk

import (
	"errors"

	"golang.org/x/sys/unix"
)

const (
	directWrite   = "pwrite+F_FULLFSYNC"
	bufferedWrite = directWrite
)

// syncData makes a file's bytes and length durable. fsync alone leaves them in the drive's cache here.
func syncData(descriptor int) error {
	return uninterrupted(func() error {
		_, err := unix.FcntlInt(uintptr(descriptor), unix.F_FULLFSYNC, 0)
		if err == unix.ENOTSUP || err == unix.EINVAL {
			return unix.Fsync(descriptor) // a file system that has nothing better
		}
		return err
	})
}

func reopen(int, access) (int, error) { return notOpened, errors.ErrUnsupported }

func writeDirectly(int, []byte, int64, bool) (int, error) { return 0, errors.ErrUnsupported }

func takesDirect(string) bool { return false }

// fileSystem names what the folder is on.
func fileSystem(folder string) string {
	var status unix.Statfs_t
	if err := uninterrupted(func() error { return unix.Statfs(folder, &status) }); err != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(status.Fstypename[:])
}

func preferHugePages([]byte) {}
