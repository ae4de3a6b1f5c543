// Package mutant holds the switches of the museum: historic bugs that can be put back, one guarded line each.
//
// Without the build tag `mutants` On is the constant false, so the compiler removes every mutant from the broker. With
// the tag, one mutant at a time may be switched on for a whole process, by the simulator's front end before anything
// runs. The table below is the museum's catalogue; docs/CLAIMS.md says what each one breaks and how it is found.
package mutant

import "slices"

// ID names a mutant.
type ID uint8

// The museum. None is no mutant.
const (
	None ID = iota
	AckBeforeSync
	TornCommitAccepted
	LostLongPollWakeup
	DuplicateAnsweredEarly
	FollowerReportsWrittenEnd
)

// Entry describes one mutant.
type Entry struct {
	ID     ID
	Name   string // what --mutant takes
	Origin string // the historic bug, or the hazard that names it
	Claim  string // the claim of docs/CLAIMS.md that it breaks
	Oracle string // the invariant expected to notice
	// Package is the path of the package it changes, below the module: an oracle that finds it must stand elsewhere.
	Package string
	// Loss: what was acknowledged, or already read, may get lost or change, so clients alone must be able to notice.
	Loss bool
}

// Museum returns every mutant in the order they entered.
func Museum() []Entry {
	return slices.Concat([]Entry{
		{
			ID: AckBeforeSync, Name: "ack-before-sync", Origin: "acknowledging at the append, as brokers with a write-back cache do (simulation.md Z07)",
			Claim: "C1", Oracle: "RecoveredCoversPromised", Package: "core/storage/journal", Loss: true,
		},
		{
			ID: TornCommitAccepted, Name: "torn-commit-accepted", Origin: "recovery that trusts a header and skips the payload checksum (simulation.md Z09)",
			Claim: "C2", Oracle: "LogStructure", Package: "core/storage/journal",
		},
		{
			ID: LostLongPollWakeup, Name: "lost-long-poll-wakeup", Origin: "a fetch parked in the moment the high watermark moves is never woken (simulation.md Z20)",
			Claim: "C6", Oracle: "Liveness", Package: "core/replica",
		},
		{
			ID: DuplicateAnsweredEarly, Name: "duplicate-answered-early", Origin: "a retry is answered from the five-batch window before its first is stable (hazards R1)",
			Claim: "C3", Oracle: "AckedOnDisk", Package: "core/replica", Loss: true,
		},
		{
			ID: FollowerReportsWrittenEnd, Name: "follower-reports-written-end", Origin: "a follower fetches at its written end instead of its stable end (hazards R1)",
			Claim: "C4", Oracle: "HighWatermarkBacked", Package: "core/replica", Loss: true,
		},
	}, storageMuseum(), promisesMuseum())
}

// Find returns the mutant called name.
func Find(name string) (Entry, bool) {
	for _, e := range Museum() {
		if e.Name == name {
			return e, true
		}
	}
	return Entry{}, false
}
