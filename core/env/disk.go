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
	// Buffer returns memory of any content outside the garbage collector's care, aligned to BlockBytes, its size rounded up to
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
	// WriteAt writes p at offset, growing the file as needed. Completed, it survives the process, not a power loss. Whole
	// blocks from Buffer may go past the operating system's cache: it is meant for what is written in bulk and seldom read
	// soon.
	WriteAt(p []byte, offset int64) *task.Pending[task.Done]
	// WriteCached is WriteAt through the operating system's cache: it completes when the bytes have been copied there, and
	// the device gets them later, at the latest with Sync. It is meant for small writes that somebody waits for, and that a
	// power loss may take (durability=replicated). Until a Sync, nothing is known of when, and in what order, blocks reach
	// the device.
	WriteCached(p []byte, offset int64) *task.Pending[task.Done]
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

// Errors of a disk, told apart with errors.Is. Anything else a disk returns is to be taken for ErrIO.
//
// One rule goes before what each error says for itself: when Sync or SyncDir fails, with whatever error, the fate of
// what it should have covered is unknown, and that a later one succeeds proves nothing. Only bytes that were written
// anew and then synced are durable.
var (
	// ErrNotExist, ErrExist and ErrLocked answer a question about names. Nothing happened, and the disk is well.
	ErrNotExist = errors.New("no such file or folder")
	ErrExist    = errors.New("the file exists")
	ErrLocked   = errors.New("another process uses it")
	// ErrNoSpace says that the device or a quota is full (ENOSPC, EDQUOT). A change of names did not happen. Of a write
	// any part may be there, and the file may have grown; writing the same bytes to the same place once more is safe,
	// and succeeds when there is room again. What exists can be read, overwritten in place and removed.
	ErrNoSpace = errors.New("no space left on the device")
	// ErrReadOnly says that the file system takes no changes (EROFS), often because it failed before: what was not
	// synced by then may be lost. The refused operation did nothing. To repeat it helps only after someone has mended
	// and mounted the file system. Files are opened for writing, so Open is refused too; those that are open can be read.
	ErrReadOnly = errors.New("the file system is read-only")
	// ErrTooManyFiles says that the process or the machine has no more descriptors (EMFILE, ENFILE). Open, List, SyncDir
	// and Lock need one. Nothing happened, no file was made, and it may well succeed once files were closed.
	ErrTooManyFiles = errors.New("too many open files")
	// ErrIO says that the device failed. A read returned nothing of use, changed nothing, and may fail again for as long
	// as the place is not written anew. Of a write any part may be there, in any order. A change of names may have
	// happened or not; List tells what a process sees of it, SyncDir must follow before anything is durable.
	ErrIO = errors.New("input/output error")
)
