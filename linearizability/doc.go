// Package linearizability judges what clients of a Kafka-compatible broker saw, and nothing else: a history of their
// operations, recorded by the simulator and by real clients alike, in a text format (see Read) of one operation a line.
//
// # The model
//
// A partition is a log. A send puts one batch, whole, behind everything that is there; a poll returns what lies from the
// client's position on, without gaps, maybe less than there is; the end of the log is where the next batch goes. Each
// operation takes effect at one moment between its call and its return. What a client does not know stays unknown: a send
// without an answer, or with an answer that leaves it open (OutcomeOf), may have taken effect at any time after its call,
// or never.
//
// Offsets are witnesses: they say in which order appends took effect, so that a history is judged by sorting, in
// O(n log n). That is Check. It finds the anomalies of Jepsen's Kafka tests that need neither groups nor transactions, and
// some more, and names the operations that prove each. What counts depends on what a client promised (Class), and only
// what is promised counts: a repeated batch of a producer that is not idempotent is no anomaly, a read that lags is none
// (Kafka has no read leases), and records that expire are not lost.
//
// Porcupine, a general checker, is the judge of that checker: Judge gives it whole small histories with no offset taken
// for granted, JudgeWindows windows of large ones. Tests hold the two to the same verdict. A judge that runs out of time
// has not passed the history: that is LinearizabilityUnknown.
//
// Topics and their settings are registers. Controllers answer for them linearizably, so Porcupine judges what controllers
// said; brokers answer from an image that may lag, so what they said is held against the metadata offset it was read at.
//
// # What it does not do
//
// Transactions, consumer groups and compacted topics are not judged. Polls are not held to be recent: only Latest with a
// leader epoch is, and a poll that is marked final because its client knows that nobody writes any more.
package linearizability
