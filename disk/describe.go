package disk

import (
	"path/filepath"

	"golang.org/x/sys/unix"

	"barnabas/core/env"
)

// describe finds out what the folder is on and whether it takes direct writes. A folder that is not there yet is on
// what its nearest parent is on.
func describe(folder string, buffered bool) (env.DiskDescription, bool) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		folder = "/"
	}
	for folder != "/" && !isFolder(folder) {
		folder = filepath.Dir(folder)
	}
	direct := !buffered && takesDirect(folder)
	d := env.DiskDescription{FileSystem: fileSystem(folder), Backend: "posix", Write: bufferedWrite}
	if direct {
		d.Write = directWrite
	}
	d.Durable = !volatile(d.FileSystem)
	return d, direct
}

func isFolder(path string) bool {
	var status unix.Stat_t
	err := uninterrupted(func() error { return unix.Stat(path, &status) })
	return err == nil && status.Mode&unix.S_IFMT == unix.S_IFDIR
}

// volatile says whether a file system lives in memory.
func volatile(fileSystem string) bool { return fileSystem == "tmpfs" || fileSystem == "ramfs" }
