// Package journal is the one log of commits of a log directory, and the only thing on the way of an acknowledgement.
//
// Everything the partition logs of a directory did since the last commit goes to the device in one aligned write: batches,
// truncations, epoch starts, votes. A commit is stable when that write is, and all before it are. The package knows
// entries and bytes; what they mean is storage's.
//
// # Files (rule J1)
//
// All stand in the root of the log directory, as plain files (rule K2):
//
//	journal-0000000001.segment   segments, numbered from 1
//	journal-0.checkpoint         the two alternating checkpoint files
//	journal-1.checkpoint
//
// Integers are big-endian; checksums are CRC-32C. A segment begins with a header block of 4096 bytes:
//
//	 0 magic      "BARNJSEG"      24 journal id    16 bytes     64 crc uint32 of bytes 0–63
//	 8 format     uint16 = 1      40 directory id  16 bytes
//	10 reserved   uint16          56 segment bytes uint64
//	12 features   uint32: required-feature bits; a reader that does not know one refuses the journal
//	16 number     uint64
//
// Commits follow, each at a multiple of 4096 (rule J2):
//
//	  0 magic "JCMT"          40 segment         uint64    88 payload checksum         uint32
//	  4 header bytes uint16   48 position        uint64    92 table checksum           uint32
//	  6 flags        uint16   56 total bytes     uint32    96 previous table checksum  uint32
//	  8 journal id   16 bytes 60 payload bytes   uint32   100 reserved, zero           20 bytes
//	 24 generation   uint64   64 table bytes     uint32   120 reserved, zero           uint32
//	 32 sequence     uint64   68 previous table  uint32   124 crc of bytes 0–123       uint32
//	                          72 hash of the commit before  uint64
//	                          80 highest sequence known durable uint64
//	128 payload, table, copy of the previous commit's table, zeros up to total bytes
//
// The hash of a commit is its header's checksum and its payload's, which between them cover everything. The table lists
// the entries; see Entry.
//
// # Torn is not corrupt (rule J3)
//
// Recovery follows the chain from the newest valid checkpoint. The first bad commit is corrupt exactly when some valid
// commit of this journal declares it, or a later one, durable; otherwise it and all after it were never acknowledged
// and are dropped, for good: a commit beyond what the newest checkpoint says was durable when it was written, and of an
// older generation than it, is such a one, even if later bytes make it whole again. A commit that stays without a successor for 10 ms gets an empty one (rule J4), so that damage to the
// last commit of a burst does not pass for a tear.
//
// A corrupt commit is mended as far as its own table, or the copy of it in the next commit, says what it held, and each batch
// has a checksum of its own; its bytes are kept in a file quarantine-commit-SEQUENCE (mend.go).
//
// Segments below what either checkpoint needs are spares: they get a new number, first in the header and then by name. Their
// old commits name an old place. A spare that was never in use has the number 0.
//
// What it does not do yet: hold entries by reference (rule J13).
package journal
