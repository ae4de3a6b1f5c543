package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// The kernel's FUSE protocol, as far as one file needs it: include/uapi/linux/fuse.h.
const (
	fuseLookup      = 1
	fuseForget      = 2
	fuseGetattr     = 3
	fuseOpen        = 14
	fuseRead        = 15
	fuseWrite       = 16
	fuseRelease     = 18
	fuseFsync       = 20
	fuseFlush       = 25
	fuseInit        = 26
	fuseInterrupt   = 36
	fuseBatchForget = 42

	fuseMajor, fuseMinor = 7, 31 // the version spoken here; the kernel knows older ones
	fuseBigWrites        = 1 << 5
	fuseMaxPages         = 1 << 22
	fuseDirectIO         = 1 << 0 // of an open file: every read and write comes here

	fuseInHeader, fuseOutHeader = 40, 16
	fuseWriteMax                = 1 << 20
	fuseForever                 = 1 << 30 // seconds that names and attributes stay valid

	fuseRoot, fuseFile = 1, 2
)

// deviceFile is what the one file is called.
const deviceFile = "device"

// fuseServer shows a device as a file, on which the kernel can put a loop device. What a file system on that writes arrives
// here, and so does each flush of the device's cache: a loop device passes it on as a sync of its file.
type fuseServer struct {
	device  *device
	channel int
	folder  string
	serving sync.WaitGroup
}

func serveDevice(d *device, folder string) (*fuseServer, error) {
	channel, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("/dev/fuse: %w", err)
	}
	options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0", channel)
	if err := unix.Mount("power", folder, "fuse", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		unix.Close(channel)
		return nil, fmt.Errorf("mount of a FUSE file system: %w", err)
	}
	s := &fuseServer{device: d, channel: channel, folder: folder}
	s.serving.Go(s.serve)
	return s, nil
}

// stop takes the file away. Requires: nobody uses it.
func (s *fuseServer) stop() error {
	err := unix.Unmount(s.folder, 0)
	if err != nil {
		_ = unix.Unmount(s.folder, unix.MNT_DETACH)
	}
	s.serving.Wait()
	return errors.Join(err, unix.Close(s.channel))
}

// serve answers requests until the file system is unmounted.
func (s *fuseServer) serve() {
	var requests sync.WaitGroup
	defer requests.Wait()
	for {
		p := make([]byte, fuseWriteMax+pageBytes)
		n, err := unix.Read(s.channel, p)
		if err == unix.EINTR || err == unix.ENOENT {
			continue
		}
		if err != nil {
			return // ENODEV: it is over
		}
		requests.Go(func() { s.answer(p[:n]) })
	}
}

func (s *fuseServer) answer(p []byte) {
	opcode, unique, node := binary.LittleEndian.Uint32(p[4:]), binary.LittleEndian.Uint64(p[8:]), binary.LittleEndian.Uint64(p[16:])
	if opcode == fuseForget || opcode == fuseBatchForget || opcode == fuseInterrupt {
		return // wants no answer
	}
	body, number := s.handle(opcode, node, p[fuseInHeader:])
	head := binary.LittleEndian.AppendUint32(nil, uint32(fuseOutHeader+len(body)))
	head = binary.LittleEndian.AppendUint32(head, uint32(-int32(number)))
	head = binary.LittleEndian.AppendUint64(head, unique)
	_, _ = unix.Write(s.channel, append(head, body...)) // who asked may have gone
}

func (s *fuseServer) handle(opcode uint32, node uint64, p []byte) (body []byte, number unix.Errno) {
	u32 := func(at int) uint32 { return binary.LittleEndian.Uint32(p[at:]) }
	u64 := func(at int) uint64 { return binary.LittleEndian.Uint64(p[at:]) }
	switch opcode {
	case fuseInit:
		return initAnswer(), 0
	case fuseLookup:
		if string(p) != deviceFile+"\x00" {
			return nil, unix.ENOENT
		}
		return append(words(fuseFile, 0, fuseForever, fuseForever, 0), s.attributes(fuseFile)...), 0
	case fuseGetattr:
		return append(words(fuseForever, 0), s.attributes(node)...), 0
	case fuseOpen:
		return words(0, fuseDirectIO), 0
	case fuseRead:
		body = make([]byte, min(int64(u32(16)), max(s.device.size-int64(u64(8)), 0)))
		s.device.read(body, int64(u64(8)))
		return body, 0
	case fuseWrite:
		size := u32(16)
		s.device.write(p[40:][:size], int64(u64(8)))
		return words(uint64(size)), 0
	case fuseFsync:
		s.device.flush()
		return nil, 0
	case fuseFlush, fuseRelease:
		return nil, 0
	}
	return nil, unix.ENOSYS
}

func initAnswer() []byte {
	p := binary.LittleEndian.AppendUint32(nil, fuseMajor)
	for _, v := range []uint32{fuseMinor, 0, fuseBigWrites | fuseMaxPages, 16 | 12<<16, fuseWriteMax, 1, fuseWriteMax / pageBytes} {
		p = binary.LittleEndian.AppendUint32(p, v)
	}
	return append(p, make([]byte, 64-len(p))...)
}

// attributes says what a node is: the folder, or the file in it.
func (s *fuseServer) attributes(node uint64) []byte {
	size, mode := uint64(0), uint32(unix.S_IFDIR|0o700)
	if node == fuseFile {
		size, mode = uint64(s.device.size), unix.S_IFREG|0o600
	}
	p := words(node, size, size/512, 0, 0, 0, 0) // number, size, blocks, and times until half of their nanoseconds
	for _, v := range []uint32{0, mode, 1, 0, 0, 0, pageBytes, 0} {
		p = binary.LittleEndian.AppendUint32(p, v)
	}
	return p
}

func words(values ...uint64) (p []byte) {
	for _, v := range values {
		p = binary.LittleEndian.AppendUint64(p, v)
	}
	return p
}
