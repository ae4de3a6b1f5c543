// Package task runs sequential work one strand at a time, in an order a seed decides.
//
// A Loop owns everything of one broker: its state, its tasks, its timers. A host (the machine, or the simulator) feeds
// it steps. A step takes one `now`, a list of completions and a list of arrivals (rule T1) and handles, in this order:
//
//	completions → arrivals (frames, connections) → due timers → ready tasks → step-end hooks
//
// Continuations (Pending.Then) are queued and run before the step goes on to its next phase, never inside the
// completion itself. Hooks run last; they seal what the step produced (a journal commit, a connection's answers), so
// that effects leave at the end of a step and one commit covers everything the step appended.
//
// A Task is a story: a function that may wait. Only a function whose first parameter is a *Task may wait, and nothing
// derived may be held across a wait. Tasks are coroutines of iter.Pull (about 65 ns to park and resume), so a loop is
// one thread of control in both worlds, and the order of everything is the order of its inputs.
//
// What it does not do: it starts no goroutine, reads no clock, knows no disk and no network.
package task
