// Package mutant holds the switches of the museum: historic bugs that can be put back, one guarded line each.
//
// Without the build tag `mutants` On is the constant false, so the compiler removes every mutant from the broker. With
// the tag, one mutant at a time may be switched on for a whole process, by the simulator's front end before anything
// runs. The table below is the museum's catalogue; docs/CLAIMS.md says what each one breaks and how it is found.
package mutant

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
}

// Museum returns every mutant in the order they entered.
func Museum() []Entry {
	return []Entry{
		{AckBeforeSync, "ack-before-sync", "acknowledging at the append, as brokers with a write-back cache do (simulation.md Z07)", "C1", "RecoveredCoversPromised"},
		{TornCommitAccepted, "torn-commit-accepted", "recovery that trusts a header and skips the payload checksum (simulation.md Z09)", "C2", "LogStructure"},
		{LostLongPollWakeup, "lost-long-poll-wakeup", "a fetch parked in the moment the high watermark moves is never woken (simulation.md Z20)", "C6", "Liveness"},
		{DuplicateAnsweredEarly, "duplicate-answered-early", "a retry is answered from the five-batch window before its first is stable (hazards R1)", "C3", "AckedOnDisk"},
		{FollowerReportsWrittenEnd, "follower-reports-written-end", "a follower fetches at its written end instead of its stable end (hazards R1)", "C4", "HighWatermarkBacked"},
	}
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
