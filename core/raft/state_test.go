package raft

import (
	"strings"
	"testing"

	"barnabas/core/protocol"

	"pgregory.net/rapid"
)

func TestAStateIsReadAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := State{
			Epoch: rapid.Int32Range(0, 1<<31-1).Draw(t, "epoch"), LeaderID: rapid.Int32().Draw(t, "leader"),
			VotedID: rapid.Int32().Draw(t, "voted"), VotedDirectory: protocol.UUID{rapid.Byte().Draw(t, "directory")},
		}
		if got, err := Decode(s.Encode()); err != nil || got != s {
			t.Fatalf("got %+v, %v, want %+v", got, err, s)
		}
	})
}

func TestTheStateOnDiskIsFrozen(t *testing.T) {
	s := State{Epoch: 7, LeaderID: NoVoter, VotedID: 3, VotedDirectory: protocol.UUID{0: 0xaa, 15: 0xbb}}
	const want = "\x00\x01\x00\x00\x00\x07\xff\xff\xff\xff\x00\x00\x00\x03\xaa\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xbb"
	if got := string(s.Encode()); got != want {
		t.Errorf("got %x, want %x", got, want)
	}
}

func TestHostileStatesAreErrors(t *testing.T) {
	good := string(State{Epoch: 1}.Encode())
	for name, p := range map[string]string{
		"empty": "", "short": good[:29], "long": good + "x", "of version 2": "\x00\x02" + good[2:],
		"of a negative epoch": good[:2] + "\xff\xff\xff\xff" + good[6:],
	} {
		if s, err := Decode([]byte(p)); err == nil || !strings.Contains(err.Error(), "quorum state") {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
	if s, err := Decode(nil); err != nil || s != Initial() || s.LeaderID != NoVoter || s.VotedID != NoVoter || s.Epoch != 0 {
		t.Errorf("nothing: %+v, %v", s, err)
	}
}

// TestALeaderThatStandsAloneNeverGoesOn: each start is a new epoch (KAFKA-10527).
func TestALeaderThatStandsAloneNeverGoesOn(t *testing.T) {
	directory := protocol.UUID{1}
	s := Initial().StandAlone(4, directory)
	want := State{Epoch: 1, LeaderID: 4, VotedID: 4, VotedDirectory: directory}
	if s != want || s.StandAlone(4, directory).Epoch != 2 {
		t.Errorf("got %+v, want %+v", s, want)
	}
}
