// Package env is everything outside the broker: time, disk, network, randomness.
//
// The interfaces stand here, at their consumer; the real world (net, disk) and the simulated one (sim) point inward and
// implement them. core is built against this package alone, so the same bytes of code run in both.
//
// Every operation that may take time returns a *task.Pending and completes exactly once, as an input of a later step.
// Until it completes, it owns the buffers it was given. An operation of a world that was made inert (a killed broker)
// never completes.
//
// What it does not do: it decides nothing, retries nothing and buffers nothing.
package env

import (
	"barnabas/core/task"
)

// Env is the world of one broker process. The host builds one for each incarnation.
type Env struct {
	Loop    *task.Loop
	Clock   Clock
	Disk    Disk
	Network Network
	Work    Work
	Random  Random
	Secrets Secrets
	Probe   Probe
	Talk    Talk
}

// Timestamp is wall-clock time in milliseconds since the Unix epoch, the unit of Kafka's records. It may jump.
type Timestamp int64

// Clock tells the time of day. Monotonic time comes from the loop.
type Clock interface {
	// Wall returns the time of day of the present step. It stands still within a step.
	Wall() Timestamp
}

// Secrets gives bytes nobody can foresee: nonces, salts, tokens, session ids (rule T5). Identifiers come from Random.
type Secrets interface {
	// Fill overwrites p.
	Fill(p []byte)
}

// Probe is where core meets the simulator on purpose. In the real world Chance is always false and Sometimes does
// nothing.
type Probe interface {
	// Chance says whether the rare path at site should be taken now.
	Chance(site Site) bool
	// Sometimes notes that a state worth reaching was reached; a campaign lists the marks it never saw.
	Sometimes(mark Mark)
}

// Talk is how a broker speaks to its operator: one line a change of state.
type Talk interface {
	// Say writes one line without a line end.
	Say(line string)
	// Fail says why the broker can't go on and asks the host to end the process. It returns.
	Fail(reason error)
}
