// Package disk is the real disk: files of a POSIX system behind env.Disk.
//
// Operations are system calls on bounded pools of goroutines. A completion is posted as an input to the loop that
// started the operation; no goroutine of a pool touches the loop. WriteSync has a pool of its own, and so have Sync and
// SyncDir: no crowd of slow reads stands in front of a commit, and no long flush in front of a read.
//
// There are two ways to the bytes of a file. A transfer of whole blocks, offset and length, between the file and memory
// from Buffer goes past the page cache, with O_DIRECT. Everything else goes through it, and everything does where the
// file system takes no O_DIRECT. The two differ in speed only:
//
//	WriteSync              O_DIRECT, and O_DSYNC for this write; else pwrite and fdatasync (F_FULLFSYNC on macOS)
//	WriteAt, whole blocks  O_DIRECT: at the device when it completes, perhaps in the device's cache, until Sync flushes that
//	WriteAt, other         in the page cache when it completes, until Sync
//	WriteCached            the same, of anything
//	ReadAt, whole blocks   O_DIRECT, unless the file holds bytes written through the cache since the last Sync
//
// That a file system takes O_DIRECT proves nothing about its durability: Describe says what kind it is.
//
// Both ways may be mixed, which open(2) warns of: the kernel keeps the page cache and the device alike only as far as it
// can. It always can when no page is dirtied while a direct write is in progress on the same file. So a file lets writes
// of one kind in at a time, and before a direct write it brings what lies in the cache to the device. If that fails, the
// direct write fails too. What has completed is then seen by every later read, whichever way it takes. A file that is
// written both ways in turn pays for each change with a flush; one that is read both ways does not.
//
// A file has one descriptor when nothing is in progress, that of the way it was used last. The other is opened for the
// first operation that needs it. Where the process has none left, whole blocks go through the page cache if that is
// where the file's descriptor leads; other transfers fail with ErrTooManyFiles, and nothing has happened.
//
// What it does not do: it caches nothing, retries nothing but interrupted and short calls, and orders nothing beyond
// what env.Disk asks.
package disk
