package segment

import (
	"fmt"
	"strconv"
	"strings"
)

// EncodePartitionMetadata returns the content of partition.metadata.
func EncodePartitionMetadata(topicID [16]byte) []byte {
	return []byte("version: 0\ntopic_id: " + encodeID(topicID))
}

// DecodePartitionMetadata reads partition.metadata and returns the topic's id. Later versions are read too, as Kafka
// does: they would keep the first two lines. Errors: ErrInvalid, ErrVersion.
func DecodePartitionMetadata(p []byte) ([16]byte, error) {
	lines := strings.Split(strings.TrimSuffix(string(p), "\n"), "\n")
	text, ok := metadataValue(lines[0], "version")
	version, err := strconv.ParseInt(text, 10, 32)
	if !ok || err != nil {
		return [16]byte{}, lineError(PartitionMetadataFile, 1, lines[0], "it is no version")
	}
	if version < 0 {
		return [16]byte{}, fmt.Errorf("%s: %w: %d", PartitionMetadataFile, ErrVersion, version)
	}
	if len(lines) < 2 {
		return [16]byte{}, fmt.Errorf("%s: %w: it ends after line 1", PartitionMetadataFile, ErrInvalid)
	}
	text, ok = metadataValue(lines[1], "topic_id")
	id, isID := decodeID(text)
	if !ok || !isID || id == ([16]byte{}) {
		return [16]byte{}, lineError(PartitionMetadataFile, 2, lines[1], "it is no topic's id")
	}
	return id, nil
}

func metadataValue(line, name string) (string, bool) {
	value, ok := strings.CutPrefix(strings.TrimSuffix(line, "\r"), name+":")
	return strings.TrimSpace(value), ok
}
