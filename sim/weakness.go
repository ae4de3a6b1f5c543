package sim

import (
	"slices"
	"strings"

	"barnabas/sim/plan"
)

// Weakness is a judge put wrong on purpose: its generator no longer does something, or its checkers no longer see a class of
// violation. A judge that works finds the canary, a historic bug that takes just that; the weak one must not find it, or the
// weakness would go unnoticed. Of a checker its own word counts: others may see what its canary does as well, and a class that
// reports no canary would be missed by nobody.
type Weakness struct {
	Name   string
	Doc    string
	Canary string // a mutant of the museum
	// LedgerOff: the ledger knows what a power loss would take, so only clients need a real one.
	LedgerOff bool

	crashIdle  bool        // processes end only while their disks have nothing in progress
	neverRetry bool        // producers send nothing twice
	without    []plan.Kind // faults that do not happen
	noPower    bool        // processes end, machines do not
	sameTopics bool        // no topic is deleted
	blind      string      // the invariants that nobody sees broken
}

// Weaknesses returns every weakness, those of the generator first.
func Weaknesses() []Weakness {
	return []Weakness{
		{Name: "crash-when-idle", Doc: "never crash while I/O is pending", Canary: "recycled-early", crashIdle: true},
		{Name: "never-retry", Doc: "producers send nothing twice", Canary: "producers-forgotten", neverRetry: true},
		{Name: "no-power-loss", Doc: "machines never lose their power", Canary: "folder-not-synced", LedgerOff: true, noPower: true},
		{Name: "no-rot", Doc: "the last commits never rot", Canary: "last-commit-unwitnessed", without: []plan.Kind{plan.RotLast}},
		{Name: "same-topics", Doc: "topics are never deleted and made again", Canary: "dropped-log-redone", sameTopics: true},
		{Name: "blind-to-loss", Canary: "ack-before-sync", blind: "AckedOnDisk LostWrite RecoveredCoversPromised InconsistentOffset HighWatermarkBacked lost-write unseen inconsistent-offsets torn-batch"},
		{Name: "blind-to-duplicates", Canary: "window-off-by-one", blind: "Duplicate duplicate"},
		{Name: "blind-to-order", Canary: "sequence-gap-accepted", blind: "Order nonmonotonic-send int-nonmonotonic-send real-time-order"},
		{Name: "blind-to-strangers", Canary: "deletion-not-written", blind: "NeverWritten CorruptBatch unwritten"},
		{Name: "blind-to-structure", Canary: "redo-after-retention", blind: "LogStructure CleanStop"},
		{Name: "blind-to-standstill", Canary: "lost-long-poll-wakeup", blind: "Liveness"},
		{Name: "blind-to-old-epochs", Canary: "epoch-not-raised", blind: "EpochMonotone LedInOldEpoch"},
		{Name: "blind-to-watermarks", Canary: "read-past-high-watermark", blind: "HighWatermarkBacked HighWatermarkStable HighWatermarkMonotone EndsInOrder LeaderAppendOnly ReadAboveHighWatermark StartAboveHighWatermark"},
		{Name: "blind-to-used-ids", Canary: "producer-block-reused", blind: "ProducerIDReused"},
		{Name: "blind-to-times", Canary: "timestamp-off-by-one", blind: "OffsetOfTimestamp"},
		{Name: "blind-to-retention", Canary: "retention-too-eager", blind: "StartWithoutReason"},
		{Name: "blind-to-ghosts", Canary: "deletion-not-written", blind: "DeletedTopicServes DeletedRecordsBack"},
	}
}

// Class returns the invariants that a blind checker no longer sees, or none: of a generator that leaves something out, whoever
// finds the canary counts; of a checker, only its own word does.
func (w *Weakness) Class() []string { return strings.Fields(w.blind) }

// weaknessOf returns the weakness of a name; "" is none.
func weaknessOf(name string) (w Weakness) {
	for _, w := range Weaknesses() {
		if w.Name == name {
			return w
		}
	}
	return w
}

// Does says what the judge no longer does.
func (w *Weakness) Does() string {
	if w.blind != "" {
		return "see " + strings.Join(strings.Fields(w.blind), ", ")
	}
	return w.Doc
}

// sees says whether a judge with the weakness sees the invariant broken.
func (w *Weakness) sees(invariant string) bool {
	return w.blind == "" || !slices.Contains(strings.Fields(w.blind), invariant)
}

// weaken returns the plan that a generator with the weakness would have made.
func (w *Weakness) weaken(p *plan.Plan) *plan.Plan {
	if w.Name == "" {
		return p
	}
	weak := *p
	weak.Faults = slices.DeleteFunc(slices.Clone(p.Faults), func(f plan.Fault) bool {
		return slices.Contains(w.without, f.Kind) || w.crashIdle && f.Kind == plan.Aim || w.noPower && f.Kind == plan.Power
	})
	for i := range weak.Faults {
		weak.Faults[i].Flag = weak.Faults[i].Flag && !w.noPower
	}
	weak.Clients = slices.Clone(p.Clients)
	for i := range weak.Clients {
		c := &weak.Clients[i]
		if w.sameTopics {
			c.Churns = nil
		}
		if w.neverRetry {
			c.Producers = slices.Clone(c.Producers)
			for k := range c.Producers {
				sends := slices.Clone(c.Producers[k].Sends)
				for s := range sends {
					sends[s].Again = 0
				}
				c.Producers[k].Sends = sends
			}
		}
	}
	return &weak
}
