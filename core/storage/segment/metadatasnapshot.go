package segment

import (
	"fmt"
	"strconv"
	"strings"

	"barnabas/core/record"
)

// MetadataSnapshot names a snapshot of the metadata log: the state that the records below End add up to. Epoch is the leader
// epoch of the last of them (KIP-630).
type MetadataSnapshot struct {
	End   record.Offset
	Epoch record.LeaderEpoch
}

const (
	metadataSnapshotExtension = ".checkpoint"
	epochDigits               = 10
)

// String returns the file's name. Requires: neither is negative.
func (s MetadataSnapshot) String() string {
	return fmt.Sprintf("%0*d-%0*d%s", offsetDigits, s.End, epochDigits, s.Epoch, metadataSnapshotExtension)
}

// ParseMetadataSnapshot reads a name that String has written; it says whether this is one. Files that are being written
// (….checkpoint.part) or removed (….checkpoint.deleted) are none.
func ParseMetadataSnapshot(name string) (MetadataSnapshot, bool) {
	rest, ok := strings.CutSuffix(name, metadataSnapshotExtension)
	if !ok || len(rest) != offsetDigits+1+epochDigits || rest[offsetDigits] != '-' ||
		!digits(rest[:offsetDigits]) || !digits(rest[offsetDigits+1:]) {
		return MetadataSnapshot{}, false
	}
	end, err := strconv.ParseInt(rest[:offsetDigits], 10, 64)
	if err != nil {
		return MetadataSnapshot{}, false
	}
	epoch, err := strconv.ParseInt(rest[offsetDigits+1:], 10, 32)
	return MetadataSnapshot{record.Offset(end), record.LeaderEpoch(epoch)}, err == nil
}
