package linearizability

import (
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

// Verdict is what Porcupine says.
type Verdict uint8

// The verdicts. Undecided is no pass.
const (
	Linearizable Verdict = iota
	Illegal
	Undecided
)

func (v Verdict) String() string {
	return [...]string{"linearizable", "illegal", "undecided"}[v]
}

func verdictOf(r porcupine.CheckResult) Verdict {
	switch r {
	case porcupine.Ok:
		return Linearizable
	case porcupine.Illegal:
		return Illegal
	default:
		return Undecided
	}
}

// Judge has Porcupine judge a small history: the whole of it, positions of clients and promises about sends included, and
// with no order taken for granted. Some dozens of operations are small. It gives up after the time.
//
// It shares no code with Check but the types. The history must make sense to Check.
func Judge(h *History, patience time.Duration) Verdict {
	for p := range h.Partitions {
		operations, possible := wholeOf(h, uint32(p))
		if !possible {
			return Illegal
		}
		if v := verdictOf(porcupine.CheckOperationsTimeout(logModel(emptyLog(len(h.Clients))), operations, patience)); v != Linearizable {
			return v
		}
	}
	return JudgeRegisters(h, patience)
}

// wholeOf translates a partition's part of a history. What no order can explain, like a record nobody sent, leaves
// operations that no state allows.
func wholeOf(h *History, partition uint32) (operations []porcupine.Operation, possible bool) {
	var batches []*batch
	for at := range h.Operations {
		o := &h.Operations[at]
		if o.Partition != partition || o.Kind != Send {
			continue
		}
		for _, b := range copiesOf(h, int32(at)) {
			if o.Outcome == Failed {
				return nil, false
			}
			batches = append(batches, b)
			ret := int64(Never)
			if o.Outcome == OK && !h.Clients[o.Client].Lossy && b.base == o.Offset {
				ret = o.Return
			}
			operations = append(operations, porcupine.Operation{ClientId: int(o.Client), Input: b, Call: o.Call, Return: ret})
		}
	}
	positions := make(map[uint32]int64)
	for at := range h.Operations {
		o := &h.Operations[at]
		if o.Partition != partition || o.Outcome != OK || o.Kind == Send || o.Kind.OfRegister() {
			continue
		}
		l := &look{kind: o.Kind, client: int32(o.Client), from: -1, final: o.Final, end: o.Offset, epoch: o.Epoch}
		if o.Kind == Poll {
			l.from, l.records = o.Offset, apart(o.Runs)
			if o.Offset >= 0 {
				positions[o.Client] = o.Offset
			}
			for _, r := range l.records {
				positions[o.Client] = r.Offset + 1
			}
			l.end = 0
			if o.Final {
				l.end = positions[o.Client]
			}
			for _, r := range l.records {
				if r.First == Refused {
					l.end = max(l.end, r.Offset+1)
				}
			}
		}
		for _, b := range batches {
			if b.base < l.end {
				l.known++
			}
			if o.Kind == Earliest && b.base < o.Offset && !h.Partitions[partition].Expires {
				l.wrong = true
			}
		}
		operations = append(operations, porcupine.Operation{ClientId: int(o.Client), Input: l, Call: o.Call, Return: o.Return})
	}
	return operations, true
}

// copiesOf returns where the batch of a send stands, as its acknowledgement or any poll tells.
func copiesOf(h *History, at int32) (copies []*batch) {
	send := &h.Operations[at]
	seen := func(base int64, epoch int32) {
		i := slices.IndexFunc(copies, func(b *batch) bool { return b.base == base })
		if i < 0 {
			i = len(copies)
			copies = append(copies, &batch{
				send: at, owner: int(send.Client), first: send.First, count: send.Count, base: base, epoch: NoEpoch, class: h.Clients[send.Client].Class,
			})
		}
		copies[i].epoch = max(copies[i].epoch, epoch)
	}
	if send.Outcome == OK && !h.Clients[send.Client].Lossy {
		seen(send.Offset, send.Epoch)
	}
	for n := range h.Operations {
		o := &h.Operations[n]
		if o.Kind != Poll || o.Outcome != OK || o.Partition != send.Partition {
			continue
		}
		for _, r := range apart(o.Runs) {
			if r.First != Refused && r.First >= send.First && r.First < send.First+Value(send.Count) {
				seen(r.Offset-int64(r.First-send.First), r.Epoch)
			}
		}
	}
	return copies
}

// apart takes runs apart into records.
func apart(runs []Run) (records []Run) {
	for _, r := range runs {
		for i := range r.Count {
			one := Run{Offset: r.Offset + int64(i), First: r.First, Count: 1, Epoch: r.Epoch}
			if r.First != Refused {
				one.First += Value(i)
			}
			records = append(records, one)
		}
	}
	return records
}
