package mutant

// The mutants of storage.
const (
	SyncErrorIgnored ID = iota + FollowerReportsWrittenEnd + 1
	SyncRetried
	CorruptionTruncated
	LastCommitUnwitnessed
	FolderNotSynced
	RecoveryNotIdempotent
	RedoAfterRetention
	TruncateKeepsSynced
	UnsyncedTrusted
	ProducersForgotten
	WindowOffByOne
	IndexOffByOne
	TimestampOffByOne
	RecycledEarly
	FrameUsedAfterRelease
	DroppedLogRedone
)

// storageMuseum describes them.
func storageMuseum() []Entry {
	return []Entry{
		{ID: SyncErrorIgnored, Name: "sync-error-ignored", Origin: "a failed fsync passes for a good one, as in PostgreSQL before 2018 (simulation.md Z08)", Claim: "C1", Oracle: "RecoveredCoversPromised", Package: "core/storage", Loss: true},
		{ID: SyncRetried, Name: "sync-retried", Origin: "a failed fsync is tried again and the second success believed (fsyncgate)", Claim: "C1", Oracle: "RecoveredCoversPromised", Package: "core/storage", Loss: true},
		{ID: CorruptionTruncated, Name: "corruption-truncated", Origin: "recovery cuts the log at the first bad commit, whatever follows (KAFKA-4.x log recovery; FAST'17)", Claim: "C2", Oracle: "RecoveredCoversPromised", Package: "core/storage/journal", Loss: true},
		{ID: LastCommitUnwitnessed, Name: "last-commit-unwitnessed", Origin: "rot in the last commit of a burst passes for a tear (hazards R2b)", Claim: "C2", Oracle: "RecoveredCoversPromised", Package: "core/storage/journal", Loss: true},
		{ID: FolderNotSynced, Name: "folder-not-synced", Origin: "a new segment's name is not synced (KAFKA-10340 class)", Claim: "C1", Oracle: "RecoveredCoversPromised", Package: "core/storage", Loss: true},
		{ID: RecoveryNotIdempotent, Name: "recovery-not-idempotent", Origin: "a checkpoint written at start names the place redo began at, not the one it ended at", Claim: "C2", Oracle: "LogStructure", Package: "core/storage/journal"},
		{ID: RedoAfterRetention, Name: "redo-after-retention", Origin: "a moved log start is not redone, and what retention removed is expected again (hazards R3.2)", Claim: "C2", Oracle: "LogStructure", Package: "core/storage"},
		{ID: TruncateKeepsSynced, Name: "truncate-keeps-synced", Origin: "a truncation does not lower what files are trusted for (hazards R3.4)", Claim: "C2", Oracle: "AckedOnDisk", Package: "core/storage", Loss: true},
		{ID: UnsyncedTrusted, Name: "unsynced-trusted", Origin: "a segment is trusted, and its journal recycled, when it was written and not synced (hazards R3.3)", Claim: "C1", Oracle: "RecoveredCoversPromised", Package: "core/storage", Loss: true},
		{ID: ProducersForgotten, Name: "producers-forgotten", Origin: "the producers' windows are not in the checkpoint (hazards R5)", Claim: "C3", Oracle: "Duplicate", Package: "core/storage"},
		{ID: WindowOffByOne, Name: "window-off-by-one", Origin: "four batches of a producer are remembered where a client has five in flight", Claim: "C3", Oracle: "Duplicate", Package: "core/storage"},
		{ID: IndexOffByOne, Name: "index-off-by-one", Origin: "an index entry names the batch after the one it stands at (KAFKA-5413 class)", Claim: "C5", Oracle: "Skipped", Package: "core/storage"},
		{ID: TimestampOffByOne, Name: "timestamp-off-by-one", Origin: "a lookup by time finds the record after the timestamp (KAFKA-9137 class)", Claim: "C5", Oracle: "OffsetOfTimestamp", Package: "core/storage"},
		{ID: RecycledEarly, Name: "recycled-early", Origin: "the journal is recycled before the checkpoint is durable (rule J9)", Claim: "C1", Oracle: "RecoveredCoversPromised", Package: "core/storage/journal", Loss: true},
		{ID: FrameUsedAfterRelease, Name: "frame-used-after-release", Origin: "a batch is copied out of its pooled frame after the frame was given back (rule T6)", Claim: "C5", Oracle: "UnexpectedError", Package: "core/storage"},
		{ID: DroppedLogRedone, Name: "dropped-log-redone", Origin: "redo finds a log by its name, so entries of a deleted topic reach its successor (hazards R3.1)", Claim: "C2", Oracle: "LogStructure", Package: "core/storage"},
	}
}
