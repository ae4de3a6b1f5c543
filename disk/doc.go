// Package disk is the real disk: files of a POSIX system behind env.Disk.
//
// Operations are system calls on a bounded pool of goroutines. A completion is posted as an input to the loop that
// started the operation; no goroutine of the pool touches the loop. Direct writes have a pool of their own, so that no
// crowd of slow reads stands in front of a commit.
//
// WriteSync goes through a second descriptor of the file with O_DIRECT|O_DSYNC, made at the first such write, where
// the file system takes it; otherwise it is pwrite and fdatasync (F_FULLFSYNC on macOS), with the same result. That a
// file system takes O_DIRECT proves nothing about its durability: Describe says what kind it is.
//
// One way of writing per file at a time: either WriteSync or WriteAt with Sync. Reads go through the page cache in both
// cases. The kernel drops cached pages when a direct write to them completes, so a read that starts after the
// completion of a WriteSync sees it; a read beside a write of the same bytes may see either, and may leave the old ones
// in the cache.
//
// What it does not do: it caches nothing, retries nothing but interrupted and short calls, and orders nothing beyond
// what env.Disk asks.
package disk
