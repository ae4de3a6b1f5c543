package segment

import (
	"fmt"

	"barnabas/core/record"
)

// QuorumState is what a voter must not forget.
type QuorumState struct {
	LeaderID       int32 // −1: unknown
	LeaderEpoch    record.LeaderEpoch
	VotedID        int32    // −1: none
	VotedDirectory [16]byte // of the voter it voted for; zeros: none, or unknown
}

// EncodeQuorumState returns the content of quorum-state, in data version 1, which goes with kraft.version 1.
func EncodeQuorumState(s QuorumState) []byte {
	return fmt.Appendf(nil, `{"leaderId":%d,"leaderEpoch":%d,"votedId":%d,"votedDirectoryId":"%s","data_version":1}`,
		s.LeaderID, s.LeaderEpoch, s.VotedID, encodeID(s.VotedDirectory))
}

// DecodeQuorumState reads quorum-state, in data version 0 or 1. Version 0 knows no directories; the voters it lists are
// left out. Errors: ErrInvalid, ErrVersion.
func DecodeQuorumState(p []byte) (QuorumState, error) {
	s, err := decodeQuorumState(string(p))
	if err != nil {
		return QuorumState{}, fmt.Errorf("%s: %w", QuorumStateFile, err)
	}
	return s, nil
}

func decodeQuorumState(text string) (s QuorumState, err error) {
	fields, err := parseObject(text)
	if err != nil {
		return s, err
	}
	version, err := fields.number("data_version", 16)
	if err != nil {
		return s, err
	}
	if version < 0 || version > 1 {
		return s, fmt.Errorf("%w: %d", ErrVersion, version)
	}
	if s.LeaderID, err = fields.atLeast("leaderId", -1); err != nil {
		return s, err
	}
	epoch, err := fields.atLeast("leaderEpoch", 0)
	if err != nil {
		return s, err
	}
	s.LeaderEpoch = record.LeaderEpoch(epoch)
	if s.VotedID, err = fields.atLeast("votedId", -1); err != nil {
		return s, err
	}
	if version == 1 {
		s.VotedDirectory, err = fields.id("votedDirectoryId")
	}
	return s, err
}
