package net

import (
	"runtime"
	"syscall"
	"unsafe"
)

// vectorMax is how many parts one writev takes (IOV_MAX).
const vectorMax = 1024

// vector is the memory of writev's list.
type vector struct{ list []syscall.Iovec }

// write is writev(2), which package syscall does not wrap.
func (v *vector) write(fd int, parts [][]byte) (int, error) {
	for _, p := range parts {
		entry := syscall.Iovec{Base: unsafe.SliceData(p)}
		entry.SetLen(len(p))
		v.list = append(v.list, entry)
	}
	n, _, errno := syscall.Syscall(syscall.SYS_WRITEV, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(v.list))), uintptr(len(v.list)))
	runtime.KeepAlive(parts)
	clear(v.list)
	v.list = v.list[:0]
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
