package mutant

// The mutants of what is promised beyond storage, and those of bugs that this simulator found.
const (
	SequenceGapAccepted ID = iota + DroppedLogRedone + 1
	EpochNotRaised
	ProducerBlockReused
	CheckpointInCache
	RetentionTooEager
	StartNotJournalled
	ReadPastHighWatermark
	DeletionNotWritten
	RedoFromTheEnd
	ProduceReusedEarly
	CrowdedForgotten
)

// promisesMuseum describes them.
func promisesMuseum() []Entry {
	return []Entry{
		{ID: SequenceGapAccepted, Name: "sequence-gap-accepted", Origin: "a batch that comes before its predecessor is taken (KAFKA-5494 class; more than one request in flight)", Claim: "C5", Oracle: "Order", Package: "core/storage"},
		{ID: EpochNotRaised, Name: "epoch-not-raised", Origin: "a broker that comes back leads on in the epoch of its last process (KAFKA-1211 class, rule S6)", Claim: "C7", Oracle: "LedInOldEpoch", Package: "core/controller"},
		{ID: ProducerBlockReused, Name: "producer-block-reused", Origin: "a block of producer ids is given before it is written, and given again after a restart (KIP-730)", Claim: "C8", Oracle: "ProducerIDReused", Package: "core/controller"},
		{ID: CheckpointInCache, Name: "checkpoint-in-cache", Origin: "a checkpoint found in the page cache counts as durable, and the other one is written over (docs/BUGS.md, found by the swarm)", Claim: "C1", Oracle: "AckedOnDisk", Package: "core/storage/journal"},
		{ID: RetentionTooEager, Name: "retention-too-eager", Origin: "retention by size takes one segment more than what is to be kept allows", Claim: "C10", Oracle: "StartWithoutReason", Package: "core/storage"},
		{ID: StartNotJournalled, Name: "start-not-journalled", Origin: "a log start that moved is not written down, so deleted records come back (KAFKA-6188 class)", Claim: "C10", Oracle: "DeletedRecordsBack", Package: "core/storage"},
		{ID: ReadPastHighWatermark, Name: "read-past-high-watermark", Origin: "a consumer is given what is stable on the leader alone (KIP-101)", Claim: "C4", Oracle: "ReadAboveHighWatermark", Package: "core/api", Loss: true},
		{ID: DeletionNotWritten, Name: "deletion-not-written", Origin: "the deletion of a topic is confirmed and never written", Claim: "C10", Oracle: "DeletedTopicServes", Package: "core/controller"},
		{ID: RedoFromTheEnd, Name: "redo-from-the-end", Origin: "redo begins where the taking of a checkpoint ended, and not where it began (the fuzzy checkpoints of ARIES)", Claim: "C1", Oracle: "AckedOnDisk", Package: "core/storage", Loss: true},
		{ID: ProduceReusedEarly, Name: "produce-reused-early", Origin: "the memory of a produce request is used again when it was answered and its answer not yet encoded (the class of CVE-2026-35554, at the broker)", Claim: "C5", Oracle: "Duplicate", Package: "core/api", Loss: true},
		{ID: CrowdedForgotten, Name: "crowded-forgotten", Origin: "requests that waited until clients had read more of their answers are not begun when they have (a channel muted for want of memory and never unmuted, KIP-72)", Claim: "C11", Oracle: "Liveness", Package: "core/wire"},
	}
}
