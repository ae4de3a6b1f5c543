package env

import (
	"errors"

	"barnabas/core/task"
)

// BlockBytes is the unit of direct writes: buffers, offsets and lengths given to WriteSync are multiples of it.
const BlockBytes = 4096

// Disk is the files of one machine. Paths use forward slashes and are relative to what the host decides.
//
// Ordering: operations that are in progress together may take effect in any order. What is durable: bytes after a
// WriteSync or a Sync that covers them completed; a file's presence, absence or name after SyncDir of its folder
// completed. Everything else may or may not be there after a power loss, in any combination; after the death of the
// process alone, completed operations keep their effect.
type Disk interface {
	// Open opens the file at path for reading and writing.
	// Errors: ErrNotExist without OpenCreate, ErrExist with OpenNew.
	Open(path string, mode OpenMode) *task.Pending[File]
	// List returns the names in a folder in ascending order. Errors: ErrNotExist.
	List(folder string) *task.Pending[[]string]
	// MakeFolder makes the folder and its parents; one that is there is no error.
	MakeFolder(folder string) *task.Pending[task.Done]
	// Rename gives a file or folder another name and replaces a file that has it.
	Rename(from, to string) *task.Pending[task.Done]
	// Remove removes a file or an empty folder. Errors: ErrNotExist.
	Remove(path string) *task.Pending[task.Done]
	// SyncDir makes creations, renames and removals in the folder durable.
	SyncDir(folder string) *task.Pending[task.Done]
	// Lock takes the folder for this process until it ends. Errors: ErrLocked when another process has it.
	Lock(path string) *task.Pending[task.Done]
	// Buffer returns zeroed memory outside the garbage collector's care, aligned to BlockBytes, its size rounded up to
	// a multiple of it. FreeBuffer gives it back; using it after that is a fault.
	Buffer(size int) []byte
	FreeBuffer(p []byte)
	// Describe says what the disk is made of, for the operator and for the claims (hazards R28).
	Describe() DiskDescription
}

// OpenMode says what Open does about a missing or present file.
type OpenMode uint8

// The ways to open a file.
const (
	OpenExisting OpenMode = iota // the file must be there
	OpenCreate                   // make it if it is not there
	OpenNew                      // it must not be there
)

// File is one open file. ReadAt and WriteAt of disjoint ranges may be in progress together.
type File interface {
	// Size returns the file's present length in bytes.
	Size() *task.Pending[int64]
	// ReadAt reads len(p) bytes at offset, fewer only at the file's end (which is no error).
	ReadAt(p []byte, offset int64) *task.Pending[int]
	// WriteAt writes p at offset, growing the file as needed. Completed, it survives the process, not a power loss.
	WriteAt(p []byte, offset int64) *task.Pending[task.Done]
	// WriteSync writes p at offset; completed, the bytes and the size they need are durable.
	// Requires: memory from Buffer, and offset and length multiples of BlockBytes.
	WriteSync(p []byte, offset int64) *task.Pending[task.Done]
	// Truncate sets the file's length; what it grows by reads as zero.
	Truncate(size int64) *task.Pending[task.Done]
	// Sync makes completed writes and the size durable. After an error the fate of unsynced bytes is unknown, and a
	// second Sync proves nothing.
	Sync() *task.Pending[task.Done]
	// Close gives the file up. Operations in progress complete.
	Close()
}

// DiskDescription is what a disk says of itself.
type DiskDescription struct {
	FileSystem string // its type's name: ext4, xfs, tmpfs, simulated, …
	Backend    string // posix, io_uring, simulated
	// Write says how WriteSync is done: "O_DIRECT|O_DSYNC", "pwrite+fdatasync", …
	Write string
	// Durable is false where a completed WriteSync survives no power loss (tmpfs, ramfs).
	Durable bool
}

// Errors of a disk, told apart with errors.Is. Anything else a disk returns means that it failed.
var (
	ErrNotExist = errors.New("no such file or folder")
	ErrExist    = errors.New("the file exists")
	ErrLocked   = errors.New("another process uses it")
	ErrNoSpace  = errors.New("no space left on the device")
	ErrIO       = errors.New("input/output error")
)
