// Package storage keeps the logs of one log directory and finds its way after a crash.
//
// A Directory has one journal (package journal) and any number of logs. A Log is a sequence of record batches with two
// ends (rule S1):
//
//	start ≤ stable end ≤ end
//
// The end is what was appended; the stable end is what the durability setting in force lets the replica promise, and moves
// when a commit of the journal that covers it is durable (fsync) or written (replicated). Both are exclusive.
//
// Beside its batches a log has state that can't be derived from them (hazards R5): leader epochs, the log start, and the
// producers' windows. All of it changes in memory when an entry is appended to the journal, and is redone from the journal
// at start.
//
// Logs are known by number; topic names are not known here (the folder name of a log is only carried for Kafka's layout).
//
// What it does not do yet: write partition logs in Kafka's layout behind the journal (batches are served from the arena
// and the journal), recycle the journal, delete by retention. When the journal is full, appends are refused.
package storage
