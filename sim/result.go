package sim

import (
	"time"

	"barnabas/core/task"
	"barnabas/linearizability"
	"barnabas/sim/kernel"
)

// Options say which run of which world.
type Options struct {
	Seed    uint64
	Virtual time.Duration // how long faults and work go on; the run ends after what follows has settled
	Brokers int           // 0: the seed decides
	Clients int           // 0: the seed decides
	Profile string
	Trace   func(line string) // gets what brokers and faults have to say; nil: no trace
	Log     func(line string) // gets a line for every step of a node, and what Trace gets; nil: no log
	// Event gets every delivery, in order, before it happens, with a word on what it is; nil: nobody is told.
	Event          func(e kernel.Event, what func() string)
	UntilViolation bool   // stop at the first one
	Twice          bool   // run the seed twice; different digests are a violation
	Plant          string // a planted nondeterminism, by name; "": none
	// LedgerOff: judge only by what clients saw (rule O5). The same things happen as with it, and more of them after a
	// violation, since that is no reason to stop.
	LedgerOff bool
	// KeepHistory: the result has the history of what clients saw, also when nothing is wrong with it.
	KeepHistory bool
	Weakness    string // of the judge itself, by name; "": none
}

// Violation is one promise that was broken.
type Violation struct {
	Invariant string
	Detail    string
	At        task.Instant
}

// FaultCount says how often a kind of fault took effect.
type FaultCount struct {
	Kind  string
	Count uint64
}

// Result is what a run found. All but Wall is a function of the options and the commit.
type Result struct {
	Seed       uint64
	Digest     uint64
	Virtual    time.Duration
	Wall       time.Duration
	Events     uint64       // deliveries to a node's handler
	Operations uint64       // requests of clients that ended, well or badly
	Acked      uint64       // batches acknowledged
	Faults     []FaultCount // by kind, ascending
	Violations []Violation
	Unknown    uint64         // checks that could not decide
	Seen       [MarksMax]bool // of Marks()

	// History is what clients saw, and Findings what is wrong with it by that alone: each is a violation too. Package
	// linearizability draws pictures of them. Nil when nothing is wrong, unless Options.KeepHistory.
	History  *linearizability.History
	Findings []linearizability.Finding
}
