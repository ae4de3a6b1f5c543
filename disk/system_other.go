//go:build unix && !linux && !darwin

package disk

import (
	"errors"

	"golang.org/x/sys/unix"
)

const (
	directWrite   = "pwrite+fsync"
	bufferedWrite = directWrite
)

// syncData makes a file's bytes and length durable.
func syncData(descriptor int) error {
	return uninterrupted(func() error { return unix.Fsync(descriptor) })
}

func reopen(int, access) (int, error) { return notOpened, errors.ErrUnsupported }

func writeDirectly(int, []byte, int64, bool) (int, error) { return 0, errors.ErrUnsupported }

func takesDirect(string) bool { return false }

func fileSystem(string) string { return "unknown" }

func preferHugePages([]byte) {}
