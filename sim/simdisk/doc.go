// Package simdisk simulates the disk of one machine: what it holds, how long it takes, and what a crash leaves of it.
//
// A Machine is the disk itself and outlives processes. A Disk is what one process sees of it; it is inert once that
// process is dead. Operations take keyed virtual time, so they complete in any order (fault D11). An operation takes
// effect in the instant the device is done with it, also when its process is paused and learns of it much later:
// whoever looks at the machine first settles what was done by then.
//
// Every file has a stable image, which survives a power loss for sure, and above it the versions of each 4 KiB page
// written since; its length has the same two levels, and so have the names in each folder, which only SyncDir makes
// stable. A crash is a list of choices among what the Strictness allows:
//
//	the process dies      completed operations keep their effect; each one in progress took effect, or in part, or not
//	the power is lost     of every unsynced page, length and name, one state since the last sync is left (D2); a
//	                      WriteSync in progress is torn (D3)
//
// The choices are keyed draws in a run. CrashStates takes them in every combination instead, with the same code, and
// Explore does so at every moment of a run, with every subset of torn sectors and every order of what was in progress.
//
// Faults are rules: which operations meet it and what becomes of them (Rule, Inject). They fail before, in the midst of
// or after their effect (D5, D6, D7), lie about what is durable (D4), take one block for another (D10), or end the
// process in that instant. The methods of windows.go are the rules a world injects; package sweep fails every
// operation of a program in turn. Damage is done to bytes at rest (D8, D9), and the machine knows what it
// did for as long as it is there (Damaged, Undamaged), so that an oracle can tell damage from a bug. Snapshot and
// Restore take a machine back (D13) or give it another one's disk (P4). What took effect is counted.
//
// Without rules nothing of this draws anything. It knows nothing of what files mean, and keeps no budget of faults that
// are too many together: that is for the world.
package simdisk
