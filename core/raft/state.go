// Package raft elects a leader and orders metadata; it does no I/O and asks no clock.
//
// What stands is the part that a quorum of one needs: the state that must be durable before it is acted on, and the rules
// that change it. Votes, fetching and voter changes between several voters come with the cluster and build on this state.
package raft

import (
	"encoding/binary"
	"fmt"

	"barnabas/core/protocol"
)

// NoVoter is the id of nobody.
const NoVoter int32 = -1

// State is what a voter must remember: it is written whole, and durable before anybody hears of it (rules S9, J8).
type State struct {
	Epoch          int32
	LeaderID       int32
	VotedID        int32
	VotedDirectory protocol.UUID
}

// Initial returns the state of a voter that has never voted.
func Initial() State { return State{LeaderID: NoVoter, VotedID: NoVoter} }

// StandAlone returns the state after the only voter has elected itself: a new epoch at every start, so that nothing of an
// earlier leadership is ever continued (KAFKA-10527).
func (s State) StandAlone(id int32, directory protocol.UUID) State {
	return State{Epoch: s.Epoch + 1, LeaderID: id, VotedID: id, VotedDirectory: directory}
}

const (
	stateVersion = 1
	stateBytes   = 2 + 4 + 4 + 4 + 16
)

// Encode returns the state as the journal keeps it: version, epoch, leader, voted id, voted directory.
func (s State) Encode() []byte {
	p := binary.BigEndian.AppendUint16(make([]byte, 0, stateBytes), stateVersion)
	p = binary.BigEndian.AppendUint32(p, uint32(s.Epoch))
	p = binary.BigEndian.AppendUint32(p, uint32(s.LeaderID))
	p = binary.BigEndian.AppendUint32(p, uint32(s.VotedID))
	return append(p, s.VotedDirectory[:]...)
}

// Decode reads what Encode wrote; nil is the initial state.
func Decode(p []byte) (State, error) {
	if p == nil {
		return Initial(), nil
	}
	if len(p) != stateBytes || binary.BigEndian.Uint16(p) != stateVersion {
		return State{}, fmt.Errorf("quorum state of %d bytes is not of version %d", len(p), stateVersion)
	}
	s := State{
		Epoch: int32(binary.BigEndian.Uint32(p[2:])), LeaderID: int32(binary.BigEndian.Uint32(p[6:])),
		VotedID: int32(binary.BigEndian.Uint32(p[10:])), VotedDirectory: protocol.UUID(p[14:]),
	}
	if s.Epoch < 0 {
		return State{}, fmt.Errorf("quorum state has epoch %d", s.Epoch)
	}
	return s, nil
}
