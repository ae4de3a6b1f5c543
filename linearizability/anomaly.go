package linearizability

import (
	"fmt"
	"slices"
	"strings"
)

// Anomaly is a way in which a history can be wrong. Names are Jepsen's where Jepsen has one.
type Anomaly uint8

// The anomalies. What proves each is named in the finding.
const (
	// InconsistentOffsets: two different records were told to stand at one offset.
	InconsistentOffsets Anomaly = iota
	// Duplicate: one record stands at two offsets, though its client sent it once, or idempotently.
	Duplicate
	// LostWrite: a record was acknowledged and never read by anybody, though behind it others were read by somebody who
	// should have read it too; or a record that was there is gone.
	LostWrite
	// Unseen: a record was acknowledged and never read, and the log ends before it.
	Unseen
	// AbortedRead (G1a): a record was read whose send had certainly failed.
	AbortedRead
	// Unwritten: a record was read that nobody sent to this partition.
	Unwritten
	// NonmonotonicPoll: a poll began before where its client's last one had ended.
	NonmonotonicPoll
	// PollSkip: a poll began behind records that are there, where its client had not been yet.
	PollSkip
	// IntNonmonotonicPoll: within one poll, offsets go back or repeat.
	IntNonmonotonicPoll
	// IntPollSkip: within one poll, records that are there were left out.
	IntPollSkip
	// NonmonotonicSend: a client's later batch stands before its earlier one; for clients that are not idempotent only if
	// the earlier one had been acknowledged before the later one was sent.
	NonmonotonicSend
	// IntNonmonotonicSend: within one batch, a later record stands before an earlier one.
	IntNonmonotonicSend
	// IntSendSkip: within one batch, records stand apart. (Jepsen allows this; a batch of Kafka's is one piece.)
	IntSendSkip
	// TornBatch: of one batch a part is there, and the log ends or another record stands where the rest belongs.
	TornBatch
	// RealTimeOrder (G0-realtime): a batch stands before another which was there before it was sent.
	RealTimeOrder
	// ReadBeforeWrite (G1c-realtime): a record was read before it was sent.
	ReadBeforeWrite
	// StaleEnd: a leader gave as its log's end one before records which had been acknowledged before, in its epoch or an
	// earlier one.
	StaleEnd
	// RegisterOrder: changes of a register took effect in another order than in real time, or two at one metadata offset.
	RegisterOrder
	// RegisterState: a change succeeded that the register's state forbade.
	RegisterState
	// RegisterRead: a value was read that the register did not have at that metadata offset.
	RegisterRead
	// RegisterStale: one client read from an image older than one it had read from before.
	RegisterStale
	// NotLinearizable: Porcupine finds no order of operations that explains a history, or a window of one.
	NotLinearizable
	// LinearizabilityUnknown: Porcupine ran out of time. That is no pass.
	LinearizabilityUnknown

	anomalies
)

var anomalyNames = [anomalies]string{
	"inconsistent-offsets", "duplicate", "lost-write", "unseen", "G1a", "unwritten", "nonmonotonic-poll", "poll-skip",
	"int-nonmonotonic-poll", "int-poll-skip", "nonmonotonic-send", "int-nonmonotonic-send", "int-send-skip", "torn-batch",
	"real-time-order", "read-before-write", "stale-end", "register-order", "register-state", "register-read", "register-stale",
	"NotLinearizable", "LinearizabilityUnknown",
}

func (a Anomaly) String() string { return anomalyNames[a] }

// Anomalies returns all of them.
func Anomalies() []Anomaly {
	all := make([]Anomaly, anomalies)
	for i := range all {
		all[i] = Anomaly(i)
	}
	return all
}

// Finding is one anomaly and what proves it.
type Finding struct {
	Anomaly    Anomaly
	Where      string // the partition, or the register's key
	Offset     int64  // at which it shows, or -1
	Detail     string
	Operations []int // which prove it, by their places, in the order of the parts they play

	partition int32 // -1 for a register
}

// Proof returns the operations that prove it, each once: one may play several parts.
func (f *Finding) Proof() (all []int) {
	for _, at := range f.Operations {
		if !slices.Contains(all, at) {
			all = append(all, at)
		}
	}
	return all
}

// Report is what was found.
type Report struct {
	Findings []Finding // of each anomaly and partition the first few
	Counts   [anomalies]int
}

// Clean says whether nothing was found.
func (r *Report) Clean() bool { return r.Counts == [anomalies]int{} }

// Has says whether the anomaly was found.
func (r *Report) Has(a Anomaly) bool { return r.Counts[a] > 0 }

// Describe writes a finding with the operations that prove it, one a line.
func (h *History) Describe(f *Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s: %s", f.Anomaly, f.Where, f.Detail)
	for _, at := range f.Proof() {
		fmt.Fprintf(&b, "\n    %s: %s", h.where(int32(at)), short(h.Operations[at].String()))
	}
	return b.String()
}

// short cuts what would fill a screen: polls may be long.
func short(line string) string {
	const most = 200
	if len(line) <= most {
		return line
	}
	return line[:most] + "…"
}

// findingsMax is how many findings of one anomaly are kept for one partition; all are counted.
const findingsMax = 3

// book collects findings.
type book struct {
	h      *History
	report Report
	here   [anomalies]int // in the present partition or register
	where  string
	part   int32
}

// open begins a partition, or a register with number -1.
func (b *book) open(where string, part int32) {
	b.here, b.where, b.part = [anomalies]int{}, where, part
}

// find notes an anomaly; the detail is written only for those that are kept.
func (b *book) find(a Anomaly, offset int64, proof []int32, format string, arguments ...any) {
	b.report.Counts[a]++
	b.here[a]++
	if b.here[a] > findingsMax {
		return
	}
	f := Finding{Anomaly: a, Where: b.where, Offset: offset, Detail: fmt.Sprintf(format, arguments...), partition: b.part}
	for _, at := range proof {
		if at >= 0 {
			f.Operations = append(f.Operations, int(at))
		}
	}
	b.report.Findings = append(b.report.Findings, f)
}
