// Package witness records what a run's clients did and saw, and nothing else, as a history: sends and what came of them,
// polls, and answers about where logs start and end. Package linearizability judges it, as it judges histories of real
// brokers. The simulator's ledger sees more and earlier; a bug that loses data must be found by either (rule O5).
//
// What it does not do: judge. Nor does it note polls that returned nothing, of which there are many, and which say nothing.
package witness

import (
	"fmt"
	"math"

	"barnabas/core/task"
	"barnabas/linearizability"
	"barnabas/sim/ledger"
)

// Witness collects one run's history.
type Witness struct {
	now        func() task.Instant
	history    linearizability.History
	partitions map[ledger.Partition]uint32
	producers  []producer // by the ledger's numbers
	readers    []reader
	strange    uint32 // payloads that are no values
}

// producer is one producer: a client of the history.
type producer struct {
	client    uint32
	partition uint32
	lossy     bool
	again     uint32 // the client that stands for answers to repeats, or noClient
}

const noClient = math.MaxUint32

// Reader names a consumer.
type Reader int

// reader is one consumer: a client of the history.
type reader struct {
	client    uint32
	partition uint32
	from      int64 // what it reads next, by its own choice; -1: it goes on
	call      task.Instant
	last      int // its last poll's place in the history, or -1 when that returned nothing
	lastCall  task.Instant
	lastEnd   task.Instant
	answered  bool // since it went where it is
}

// Sent names a batch on its way.
type Sent int

// New returns a witness that has seen nothing.
func New(now func() task.Instant) *Witness {
	return &Witness{now: now, partitions: make(map[ledger.Partition]uint32)}
}

// History returns what was recorded.
func (w *Witness) History() *linearizability.History { return &w.history }

func (w *Witness) partition(p ledger.Partition) uint32 {
	number, ok := w.partitions[p]
	if !ok {
		name := p.String()
		if p.Life > 0 {
			name = fmt.Sprintf("%s#%d", name, p.Life)
		}
		number = w.history.AddPartition(linearizability.Partition{Name: name})
		w.partitions[p] = number
	}
	return number
}

// AddProducer notes a producer. Producers come in the order of their numbers.
func (w *Witness) AddProducer(c ledger.Class) {
	class := linearizability.Retrying
	if c.Idempotent {
		class = linearizability.Idempotent
	}
	w.producers = append(w.producers, producer{
		client:    w.history.AddClient(linearizability.Client{Class: class, Lossy: !c.Lasting}),
		partition: w.partition(c.Partition), lossy: !c.Lasting, again: noClient,
	})
}

// AddReader notes a consumer of the partition. It begins at the offset 0.
func (w *Witness) AddReader(p ledger.Partition) Reader {
	w.readers = append(w.readers, reader{client: w.AddClient(), partition: w.partition(p)})
	return Reader(len(w.readers) - 1)
}

// AddClient notes a client that neither sends nor reads.
func (w *Witness) AddClient() uint32 { return w.history.AddClient(linearizability.Client{}) }

// Expires notes that old records of the partition may rightly go: by retention, or because somebody asked for it.
func (w *Witness) Expires(p ledger.Partition) { w.history.Partitions[w.partition(p)].Expires = true }

// value returns the history's name for a value.
func (w *Witness) value(v ledger.Value) linearizability.Value {
	return linearizability.MakeValue(w.producers[v.Producer].client, v.Number)
}

// Send notes that a producer sends a batch for the first time. What came of it is not known yet, and may never be.
func (w *Witness) Send(values []ledger.Value) Sent {
	p := &w.producers[values[0].Producer]
	return Sent(w.history.Add(linearizability.Operation{
		Kind: linearizability.Send, Outcome: linearizability.Unknown, Client: p.client, Partition: p.partition,
		Epoch: linearizability.NoEpoch, Offset: -1, First: w.value(values[0]), Count: int32(len(values)),
		Call: int64(w.now()), Return: linearizability.Never,
	}))
}

// Acked notes that the producer was told that its batch stands at the offset.
func (w *Witness) Acked(s Sent, base int64) {
	o := &w.history.Operations[s]
	switch o.Outcome {
	case linearizability.Unknown:
		o.Outcome, o.Offset, o.Return = linearizability.OK, base, int64(w.now())
	case linearizability.OK:
		if o.Offset != base {
			w.ackedElsewhere(*o, base)
		}
	}
}

// ackedElsewhere notes that the answer to a repeat named another offset: somebody saw the batch there too.
func (w *Witness) ackedElsewhere(send linearizability.Operation, base int64) {
	p := &w.producers[w.producerOf(send.Client)]
	if p.lossy {
		return
	}
	if p.again == noClient {
		p.again = w.AddClient()
	}
	w.history.Add(linearizability.Operation{
		Kind: linearizability.Poll, Client: p.again, Partition: p.partition, Epoch: linearizability.NoEpoch, Offset: base,
		Call: int64(w.now()), Return: int64(w.now()),
		Runs: []linearizability.Run{{Offset: base, First: send.First, Count: send.Count, Epoch: linearizability.NoEpoch}},
	})
}

func (w *Witness) producerOf(client uint32) int {
	for i := range w.producers {
		if w.producers[i].client == client {
			return i
		}
	}
	panic("no such producer")
}

// Failed notes that nothing of the batch can have been appended: every request that carried it was answered so.
func (w *Witness) Failed(s Sent) {
	o := &w.history.Operations[s]
	o.Outcome, o.Return = linearizability.Failed, int64(w.now())
}

// Seek notes that the consumer goes on elsewhere, of its own choice.
func (w *Witness) Seek(r Reader, offset int64) {
	w.readers[r].from, w.readers[r].answered = offset, false
}

// Poll notes that the consumer asks for records now.
func (w *Witness) Poll(r Reader) { w.readers[r].call = w.now() }

// Polled notes that the consumer was given records, which records hands to visit in turn. Requires: Poll.
func (w *Witness) Polled(r Reader, records func(visit func(offset int64, payload []byte))) {
	reader := &w.readers[r]
	reader.answered, reader.last = true, -1
	reader.lastCall, reader.lastEnd = reader.call, w.now()
	var runs []linearizability.Run
	records(func(offset int64, payload []byte) { runs = w.extend(runs, offset, payload) })
	if len(runs) == 0 {
		return
	}
	reader.last = w.history.Add(linearizability.Operation{
		Kind: linearizability.Poll, Client: reader.client, Partition: reader.partition, Epoch: linearizability.NoEpoch,
		Offset: reader.from, Call: int64(reader.call), Return: int64(w.now()), Runs: runs,
	})
	reader.from = -1
}

// extend adds a record to runs.
func (w *Witness) extend(runs []linearizability.Run, offset int64, payload []byte) []linearizability.Run {
	v := w.decode(payload)
	if n := len(runs); n > 0 {
		if last := &runs[n-1]; last.Offset+int64(last.Count) == offset && last.First+linearizability.Value(last.Count) == v {
			last.Count++
			return runs
		}
	}
	return append(runs, linearizability.Run{Offset: offset, First: v, Count: 1, Epoch: linearizability.NoEpoch})
}

// decode returns the value of a payload. What nobody can have sent gets a value that nobody has sent.
func (w *Witness) decode(payload []byte) linearizability.Value {
	v, ok := ledger.Decode(payload)
	if !ok || int(v.Producer) >= len(w.producers) {
		w.strange++
		return linearizability.MakeValue(noClient-1, w.strange)
	}
	return w.value(v)
}

// Ends notes that the consumer's last answer left it at the end of the log, and that it is known by other means that
// nothing more was acknowledged.
func (w *Witness) Ends(r Reader) {
	reader := &w.readers[r]
	if !reader.answered {
		return
	}
	if reader.last < 0 {
		reader.last = w.history.Add(linearizability.Operation{
			Kind: linearizability.Poll, Client: reader.client, Partition: reader.partition, Epoch: linearizability.NoEpoch,
			Offset: reader.from, Call: int64(reader.lastCall), Return: int64(reader.lastEnd),
		})
	}
	w.history.Operations[reader.last].Final = true
}

// Starts notes that the consumer asked where the log starts, since that instant, and was told.
func (w *Witness) Starts(r Reader, call task.Instant, offset int64) {
	reader := &w.readers[r]
	w.history.Add(linearizability.Operation{
		Kind: linearizability.Earliest, Client: reader.client, Partition: reader.partition, Epoch: linearizability.NoEpoch,
		Offset: offset, Call: int64(call), Return: int64(w.now()),
	})
}

// Changed notes that a client made or deleted a topic of that name and id, having asked for it since that instant.
func (w *Witness) Changed(kind linearizability.Kind, client uint32, call task.Instant, name string, id [16]byte, outcome linearizability.Outcome) {
	w.history.Add(linearizability.Operation{
		Kind: kind, Outcome: outcome, Client: client, Epoch: linearizability.NoEpoch, Offset: -1,
		Call: int64(call), Return: int64(w.now()),
		Register: &linearizability.Register{Key: "topic/" + name, Value: fmt.Sprintf("%x", id), Metadata: -1},
	})
}
