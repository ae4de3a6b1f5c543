//go:build linux || darwin || freebsd

package disk

import "golang.org/x/sys/unix"

// freeBytes returns how much this user may still write to the folder's file system, or -1.
func freeBytes(folder string) int64 {
	var status unix.Statfs_t
	if err := uninterrupted(func() error { return unix.Statfs(folder, &status) }); err != nil {
		return -1
	}
	return int64(status.Bavail) * int64(status.Bsize)
}
