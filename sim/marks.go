package sim

import (
	"slices"
	"strings"

	"barnabas/core/env"
	"barnabas/core/protocol"
)

// A mark is a state worth reaching in a campaign: those of core, and those that are seen from outside of it.

// seenOutside are the marks that the simulator sees by itself: each kind of fault when it takes effect, what became of
// brokers, and each error that a client was answered with.
var seenOutside = strings.Fields(`
	fault-N1 fault-N2 fault-N8
	fault-D1 fault-D2 fault-D3 fault-D4 fault-D5 fault-D6 fault-D7 fault-D8 fault-D9 fault-D10 fault-D11 fault-D13
	fault-P1 fault-P2 fault-P3 fault-P5 fault-T1 fault-C2 fault-DeleteRecords
	broker-gave-up broker-refused-for-good broker-got-new-disk broker-complete-again broker-stopped-cleanly broker-killed-stopping
	crashed-at-operation crashed-twice leader-deposed crashed-after-cut last-commit-rotted crashed-after-topic
	all-brokers-down start-after-power-loss start-after-kill leader-moved-without-need
	consumer-wandered
	batch-sent-again batch-given-up producer-began-anew consumer-read-again consumer-passed-over consumer-followed-start
	produce-NOT_LEADER_OR_FOLLOWER produce-REQUEST_TIMED_OUT produce-UNKNOWN_TOPIC_OR_PARTITION produce-UNKNOWN_TOPIC_ID
	produce-OUT_OF_ORDER_SEQUENCE_NUMBER produce-KAFKA_STORAGE_ERROR produce-no-answer
	fetch-NOT_LEADER_OR_FOLLOWER fetch-UNKNOWN_TOPIC_OR_PARTITION fetch-UNKNOWN_TOPIC_ID fetch-OFFSET_OUT_OF_RANGE
	fetch-KAFKA_STORAGE_ERROR fetch-no-answer
	create-topic-TOPIC_ALREADY_EXISTS create-topic-KAFKA_STORAGE_ERROR delete-topic-UNKNOWN_TOPIC_ID delete-topic-KAFKA_STORAGE_ERROR
	delete-records-NOT_LEADER_OR_FOLLOWER delete-records-REQUEST_TIMED_OUT delete-records-OFFSET_OUT_OF_RANGE
`)

// MarksMax is room for all marks: those of core come first.
const MarksMax = 256

// Marks returns the names of all marks, by their places in Result.Seen.
func Marks() []string {
	var names []string
	for mark := range env.Marks {
		names = append(names, env.Mark(mark).String())
	}
	return append(names, seenOutside...)
}

// sometimes notes that a mark of the simulator's own was reached. A name that is no mark is not worth reaching.
func (w *world) sometimes(name string) {
	if at := slices.Index(seenOutside, name); at >= 0 {
		w.result.Seen[env.Marks+at] = true
	}
}

// answered notes an error that a client got.
func (w *world) answered(request string, code protocol.Error) {
	if code != protocol.ErrNone {
		w.sometimes(request + "-" + code.Name())
	}
}
