package quorum

import (
	"barnabas/core/raft"
	"barnabas/core/record"
	"barnabas/core/storage"
)

// VoteToFile returns what Kafka's quorum-state says of a vote in the form that the journal keeps.
// Errors: it is none.
func VoteToFile(vote []byte) (storage.QuorumState, error) {
	s, err := raft.Decode(vote)
	return storage.QuorumState{
		LeaderID: s.LeaderID, LeaderEpoch: record.LeaderEpoch(s.Epoch), VotedID: s.VotedID, VotedDirectory: s.VotedDirectory,
	}, err
}

// VoteFromFile is the reverse of VoteToFile.
func VoteFromFile(s storage.QuorumState) []byte {
	return raft.State{
		Epoch: int32(s.LeaderEpoch), LeaderID: s.LeaderID, VotedID: s.VotedID, VotedDirectory: s.VotedDirectory,
	}.Encode()
}
