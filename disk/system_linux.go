package disk

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"barnabas/core/env"
)

const (
	directWrite   = "O_DIRECT|O_DSYNC"
	bufferedWrite = "pwrite+fdatasync"
)

// syncData makes a file's bytes and length durable.
func syncData(descriptor int) error {
	return uninterrupted(func() error { return unix.Fdatasync(descriptor) })
}

// reopen opens the file of a descriptor once more for an access, whatever its name is by now.
func reopen(descriptor int, a access) (int, error) {
	flags := unix.O_RDWR | unix.O_CLOEXEC
	if a == direct {
		flags |= unix.O_DIRECT
	}
	return openDescriptor("/proc/self/fd/"+strconv.Itoa(descriptor), flags)
}

// writeDirectly writes whole blocks past the page cache; durable has the device put them where they stay, and the
// length they need, as O_DSYNC does.
func writeDirectly(descriptor int, p []byte, offset int64, durable bool) (int, error) {
	if !durable {
		return unix.Pwrite(descriptor, p, offset)
	}
	return unix.Pwritev2(descriptor, [][]byte{p}, offset, unix.RWF_DSYNC)
}

// takesDirect tries a direct write in the folder, on a file without a name where that is possible.
func takesDirect(folder string) bool {
	descriptor, err := openDescriptor(folder, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC)
	if err != nil {
		named, err := os.CreateTemp(folder, ".probe-*")
		if err != nil {
			return false
		}
		defer os.Remove(named.Name())
		defer named.Close()
		return tryDirect(int(named.Fd()))
	}
	defer closeDescriptor(descriptor)
	return tryDirect(descriptor)
}

func tryDirect(descriptor int) bool {
	direct, err := reopen(descriptor, direct)
	if err != nil {
		return false
	}
	defer closeDescriptor(direct)
	var m memory
	defer m.unmap()
	return writeBlocks(direct, m.take(env.BlockBytes), 0, true) == nil
}

// magics are the file systems one meets, by the number statfs gives.
var magics = map[int64]string{
	0xef53: "ext4", 0x58465342: "xfs", 0x9123683e: "btrfs", 0x01021994: "tmpfs", 0x858458f6: "ramfs",
	0x794c7630: "overlayfs", 0x2fc12fc1: "zfs", 0x6969: "nfs", 0xf2f52010: "f2fs", 0x65735546: "fuse",
	0xff534d42: "cifs", 0xfe534d42: "smb2", 0x01021997: "9p", 0x6a656a63: "virtiofs", 0xca451a4e: "bcachefs",
	0x4d44: "vfat", 0x2011bab0: "exfat", 0x00c36400: "ceph", 0x5346544e: "ntfs", 0x3153464a: "jfs",
}

// fileSystem names what the folder is on; one we don't know by its number.
func fileSystem(folder string) string {
	var status unix.Statfs_t
	if err := uninterrupted(func() error { return unix.Statfs(folder, &status) }); err != nil {
		return "unknown"
	}
	magic := int64(status.Type) & 0xffffffff
	if name, ok := magics[magic]; ok {
		return name
	}
	return "0x" + strconv.FormatInt(magic, 16)
}

// preferHugePages asks for memory in huge pages. Where it gets none it is as good as ever, only dearer.
func preferHugePages(p []byte) { _ = unix.Madvise(p, unix.MADV_HUGEPAGE) }
