package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// deviceBytes is the size of the test's disk.
const deviceBytes = 512 << 20

// makeFileSystem returns a device with an empty ext4.
func makeFileSystem(folder string) (*device, error) {
	path := filepath.Join(folder, "empty.image")
	defer os.Remove(path)
	image, err := os.Create(path)
	if err == nil {
		err = errors.Join(image.Truncate(deviceBytes), image.Close())
	}
	if err != nil {
		return nil, err
	}
	// All at once, so that the kernel has nothing to initialise in the background.
	if err := tool("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard", path); err != nil {
		return nil, err
	}
	return loadDevice(path)
}

// mounted is a device in use: shown as a file, and the file system in that file mounted through a loop device.
//
// The kernel waits for this process when it reads or writes there, so this process must not wait for the kernel: what
// touches a file of either is left to other programs. Killed, it leaves them with errors, and nothing that hangs.
type mounted struct {
	server *fuseServer
	folder string // the root of the file system
}

// mountDevice mounts the file system of the device below the folder, with these options. One that was not unmounted is repaired by its
// journal here.
func mountDevice(d *device, below, options string) (*mounted, error) {
	shown, root := filepath.Join(below, "shown"), filepath.Join(below, "root")
	if err := errors.Join(os.MkdirAll(shown, 0o700), os.MkdirAll(root, 0o700)); err != nil {
		return nil, err
	}
	server, err := serveDevice(d, shown)
	if err != nil {
		return nil, err
	}
	if err := tool("mount", "-t", "ext4", "-o", "loop,noatime,"+options, filepath.Join(shown, deviceFile), root); err != nil {
		return nil, errors.Join(err, server.stop())
	}
	return &mounted{server, root}, nil
}

// unmount ends it all. Requires: no process uses the file system.
func (m *mounted) unmount() error {
	return errors.Join(tool("umount", m.folder), m.server.stop())
}

// tool runs a program of the system.
func tool(name string, words ...string) error {
	if out, err := exec.Command(name, words...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(words, " "), err, out)
	}
	return nil
}
