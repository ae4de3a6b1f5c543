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
// # Where a batch is
//
// An append goes into the journal, and nothing else is on the way of an acknowledgement. A task behind it (keep.go, fill.go)
// writes partition logs in Kafka's layout and formats, in large pieces, paced, and syncs them side by side. So a log has two
// more marks, both offsets:
//
//	saved ≤ filled ≤ stable end     files have all below filled, and durably all below saved
//
// Batches from saved on have a row in the log's tail, in memory and in each checkpoint, with their place in the journal. When
// enough was journalled, a checkpoint is written: all logs' state as of that moment (state.go). Then the journal is recycled
// as far as no row needs it. Recovery reads the newest checkpoint and redoes the entries after it (redo.go), which touches no
// file.
//
// Reads come from the journal's memory, else from the segment's file (cold.go), checked on the way (scanner.go). What is
// damaged and nowhere else is in doubt (doubt.go): those offsets are offline, everything around them is served.
//
// Files leave in two steps (trash.go): out of the log, by an entry; then, when that is durable, by a new name, and after a
// while for good, in small steps.
//
// What it does not do yet: compact; move a log to another directory; get damaged ranges back from other replicas.
package storage
