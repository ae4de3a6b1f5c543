// Package sim runs a whole cluster in one thread: brokers of the real core, simulated clocks, networks and disks, clients
// that speak real frames, faults, and oracles that judge all of it.
//
// A seed first becomes a plan (swarm.go, package plan): topology, settings, timed faults, a script for every client. The run
// is a function of the plan: the same digest, bit for bit, in any process. Plans are kept, replayed and made small (package
// shrink); those under testdata/regressions once found something. Faults and work go on for the time asked, then
// everything is healed, and within 30 virtual seconds the cluster must have settled: every idempotent batch acknowledged,
// every consumer at the end, and the whole log read again and compared with the ledger.
//
// Two topologies stand: one broker with its own metadata quorum, and several brokers under a scripted controller, which
// publishes metadata batches as a quorum elsewhere would.
//
// What a violation rests on has three sources: brokers looked at from inside, the ledger (all that was sent, told and read,
// and the bytes of disks by its own parser), and the history of what clients saw, which package linearizability judges and
// which suffices alone when the ledger is off (rule O5). homes.go says which invariant comes from where.
//
// What it does not do yet: damage to one of several replicas, network partitions between brokers, group
// and transaction workloads.
package sim
