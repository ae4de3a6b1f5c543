package env

// Site is a place in core where the simulator may ask for the rare path.
type Site uint8

// The sites of core.
const (
	SiteCommitEarly   Site = iota // seal a commit though the previous one is not stable yet
	SiteCommitTiny                // let only one entry into a commit
	SiteFetchSpurious             // wake a parked fetch without reason
	SiteArenaDrop                 // drop every droppable chunk, so that reads go to the journal
	SiteCheckpoint                // fill everything and write a checkpoint, though there is room
	SiteColdDrop                  // forget what was read from partition files
	SiteShareEnd                  // let other things happen in the middle of a walk through all logs
	sites
)

// Sites is the number of sites.
const Sites = int(sites)

// String returns the site's name as it appears in plans.
func (s Site) String() string {
	names := [sites]string{"commit-early", "commit-tiny", "fetch-spurious", "arena-drop", "checkpoint", "cold-drop", "share-end"}
	return names[s]
}

// Mark is a state worth reaching in a campaign.
type Mark uint8

// The marks of core and of the simulator's nodes.
const (
	MarkCommitStable Mark = iota
	MarkCommitGrouped
	MarkJournalRolled
	MarkRecoveredTornTail
	MarkRecoveredClean
	MarkColdRead
	MarkProduceParked
	MarkProduceAnsweredAtHW
	MarkProduceTimedOut
	MarkProduceDuplicate
	MarkProduceDuplicateParked
	MarkFetchParked
	MarkFetchWoken
	MarkFetchTimedOut
	MarkFollowerFetched
	MarkFollowerTruncated
	MarkLeaderChanged
	MarkEpochFenced
	MarkJournalFull
	MarkStepOfMany
	MarkJournalRecycled
	MarkCheckpointWritten
	MarkCheckpointFallback
	MarkCommitDamaged
	MarkLogFilled
	MarkSegmentRolled
	MarkSegmentRolledByTime
	MarkSegmentSealed
	MarkSegmentDeleted
	MarkSegmentExpired
	MarkFileRead
	MarkIndexLoaded
	MarkIndexRebuilt
	MarkDoubtFound
	MarkDoubtRefused
	MarkLogStartMoved
	MarkLogDropped
	MarkProducerExpired
	MarkDiskFull
	MarkScrubbed
	MarkCutBelowFilled
	MarkProduceHeld
	MarkCommitCarried
	MarkReadAhead
	MarkLogsLag                    // so far that producers wait
	MarkProduceAnsweredAtStableEnd // acks=1
	MarkProduceLostLeader          // parked, and another broker leads now
	MarkProduceLostTopic           // parked, and the topic is deleted
	MarkFetchWokenByHighWatermark
	MarkFetchWokenByAppend // a follower's
	MarkFetchWokenByLeader // another epoch began
	MarkFetchWokenByStart  // records were deleted
	MarkFetchWokenByDeletion
	MarkFetchAbandoned // its connection is gone
	MarkFetchFailed    // answered with an error of a partition
	MarkDeletionParked
	MarkDeletionAnswered
	MarkDeletionTimedOut
	MarkDeletionLostLeader
	MarkAnswersCrowded // what clients do not read has others wait
	marks
)

// Marks is the number of marks.
const Marks = int(marks)

// String returns the mark's name as it appears in a campaign's summary.
func (m Mark) String() string {
	names := [marks]string{
		"commit-stable", "commit-grouped", "journal-rolled", "recovered-torn-tail", "recovered-clean", "cold-read",
		"produce-parked", "produce-answered-at-hw", "produce-timed-out", "produce-duplicate",
		"produce-duplicate-parked", "fetch-parked", "fetch-woken", "fetch-timed-out", "follower-fetched",
		"follower-truncated", "leader-changed", "epoch-fenced", "journal-full", "step-of-many",
		"journal-recycled", "checkpoint-written", "checkpoint-fallback", "commit-damaged", "log-filled", "segment-rolled",
		"segment-rolled-by-time", "segment-sealed", "segment-deleted", "segment-expired", "file-read", "index-loaded",
		"index-rebuilt", "doubt-found", "doubt-refused", "log-start-moved", "log-dropped", "producer-expired", "disk-full",
		"scrubbed", "cut-below-filled", "produce-held", "commit-carried", "read-ahead", "logs-lag",
		"produce-answered-at-stable-end", "produce-lost-leader", "produce-lost-topic", "fetch-woken-by-high-watermark",
		"fetch-woken-by-append", "fetch-woken-by-leader", "fetch-woken-by-start", "fetch-woken-by-deletion",
		"fetch-abandoned", "fetch-failed", "deletion-parked", "deletion-answered", "deletion-timed-out",
		"deletion-lost-leader", "answers-crowded",
	}
	return names[m]
}

// NoProbe is the probe of the real world.
type NoProbe struct{}

// Chance is always false: the common path.
func (NoProbe) Chance(Site) bool { return false }

// Sometimes does nothing.
func (NoProbe) Sometimes(Mark) {}
