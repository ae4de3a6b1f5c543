// Package witness judges a run by what its clients saw, and by nothing else: what they sent, which offsets they were told,
// what each consumer read, and what one of them reads at the end from the start of every partition.
//
// It is how a history of a real broker can be judged too. The simulator's ledger sees more and earlier; a bug that loses
// data must be found by either (rule O5).
//
// What it does not do: judge real time, or anything that needs more than one look at the whole history.
package witness

import (
	"fmt"
	"math"

	"barnabas/sim/ledger"
)

// Witness collects one run's history.
type Witness struct {
	violate   func(invariant, detail string)
	producers []producer
	readers   []*reader
	expiring  map[ledger.Partition]bool
	deleted   map[ledger.Partition]bool
}

type producer struct {
	ledger.Class
	acks []ack
}

// ack is one acknowledged batch.
type ack struct {
	base   int64
	values []ledger.Value
}

// Reader names a consumer.
type Reader int

// reader is what a consumer read, in a row.
type reader struct {
	partition ledger.Partition
	pieces    []piece
}

// piece is what was read without a gap.
type piece struct {
	base   int64
	values []ledger.Value
}

// New returns a witness that has seen nothing.
func New(violate func(invariant, detail string)) *Witness {
	return &Witness{violate: violate, expiring: make(map[ledger.Partition]bool), deleted: make(map[ledger.Partition]bool)}
}

// AddProducer notes a producer. Producers come in the order of their numbers.
func (w *Witness) AddProducer(c ledger.Class) { w.producers = append(w.producers, producer{Class: c}) }

// AddReader notes a consumer of the partition.
func (w *Witness) AddReader(p ledger.Partition) Reader {
	w.readers = append(w.readers, &reader{partition: p})
	return Reader(len(w.readers) - 1)
}

// Expires notes that old records of the partition may rightly go: by retention, or because somebody asked for it.
func (w *Witness) Expires(p ledger.Partition) { w.expiring[p] = true }

// Gone notes that the partition's topic was deleted.
func (w *Witness) Gone(p ledger.Partition) { w.deleted[p] = true }

// Acked notes that a producer was told that its batch stands at the offset.
func (w *Witness) Acked(values []ledger.Value, base int64) {
	if p := &w.producers[values[0].Producer]; p.Lasting {
		p.acks = append(p.acks, ack{base, values})
	}
}

// Read notes that the consumer was given the payload at the offset.
func (w *Witness) Read(r Reader, offset int64, payload []byte) {
	reader := w.readers[r]
	v, ok := ledger.Decode(payload)
	if !ok || int(v.Producer) >= len(w.producers) || w.producers[v.Producer].Partition != reader.partition {
		w.violate("ClientUnwritten", fmt.Sprintf("a consumer of %s was given at offset %d what nobody sent there: %x",
			reader.partition, offset, payload[:min(len(payload), ledger.ValueBytes)]))
		return
	}
	reader.add(offset, v)
}

// refused stands for a record that a broker refuses to give: nobody knows what it is.
var refused = ledger.Value{Producer: math.MaxUint32, Number: math.MaxUint32}

// Refused notes that the consumer was told that the record at the offset can't be read any more: it is neither lost nor
// another one.
func (w *Witness) Refused(r Reader, offset int64) { w.readers[r].add(offset, refused) }

func (r *reader) add(offset int64, v ledger.Value) {
	if n := len(r.pieces); n == 0 || r.pieces[n-1].end() != offset {
		r.pieces = append(r.pieces, piece{base: offset})
	}
	last := &r.pieces[len(r.pieces)-1]
	last.values = append(last.values, v)
}

func (p *piece) end() int64 { return p.base + int64(len(p.values)) }

// at returns the value at the offset.
func (p *piece) at(offset int64) (ledger.Value, bool) {
	if offset < p.base || offset >= p.end() {
		return ledger.Value{}, false
	}
	return p.values[offset-p.base], true
}

// Final is the last reading of a partition from its start to its end.
type Final struct {
	Reader Reader
	From   int64 // where it began after the last time that records expired under it
}

// Judge compares the history with the final reading of each partition, given in a fixed order.
func (w *Witness) Judge(finals []Final) {
	for _, f := range finals {
		r := w.readers[f.Reader]
		if w.deleted[r.partition] {
			continue
		}
		final := piece{base: f.From}
		if n := len(r.pieces); n > 0 && r.pieces[n-1].base >= f.From {
			final = r.pieces[n-1] // earlier ones ended where records expired while they were read
		}
		w.judgeAcks(r.partition, &final)
		w.judgeOrder(r.partition, &final)
		w.judgeReaders(r.partition, f.Reader, &final)
	}
}

// judgeAcks: what was acknowledged is there, at the offset that was told, and no offset was told twice.
func (w *Witness) judgeAcks(name ledger.Partition, final *piece) {
	told := make(map[int64]ledger.Value)
	for i := range w.producers {
		if w.producers[i].Partition != name {
			continue
		}
		for _, a := range w.producers[i].acks {
			for n, v := range a.values {
				w.judgeAck(name, final, told, a.base+int64(n), v)
			}
		}
	}
}

func (w *Witness) judgeAck(name ledger.Partition, final *piece, told map[int64]ledger.Value, offset int64, v ledger.Value) {
	if other, ok := told[offset]; ok && other != v {
		w.violate("ClientOffsetTwice", fmt.Sprintf("%s: offset %d was told for value %v and for %v", name, offset, other, v))
	}
	told[offset] = v
	if offset < final.base && w.expiring[name] {
		return
	}
	if is, ok := final.at(offset); !ok {
		w.violate("ClientLost", fmt.Sprintf("%s: value %v was acknowledged at offset %d; at the end there is [%d, %d)",
			name, v, offset, final.base, final.end()))
	} else if is != v && is != refused {
		w.violate("ClientLost", fmt.Sprintf("%s: value %v was acknowledged at offset %d, where value %v stands at the end",
			name, v, offset, is))
	}
}

// judgeOrder: the records of an idempotent producer stand there once, in its order.
func (w *Witness) judgeOrder(name ledger.Partition, final *piece) {
	newest := make(map[uint32]uint32)
	seen := make(map[ledger.Value]int64)
	for i, v := range final.values {
		if v == refused || !w.producers[v.Producer].Idempotent {
			continue
		}
		offset := final.base + int64(i)
		if before, ok := seen[v]; ok {
			w.violate("ClientDuplicate", fmt.Sprintf("%s: value %v stands at offset %d and at %d", name, v, before, offset))
			continue
		}
		seen[v] = offset
		if last, ok := newest[v.Producer]; ok && v.Number < last {
			w.violate("ClientReordered", fmt.Sprintf("%s: value %v stands at offset %d, behind number %d", name, v, offset, last))
		}
		newest[v.Producer] = max(newest[v.Producer], v.Number)
	}
}

// judgeReaders: all consumers read the same.
func (w *Witness) judgeReaders(name ledger.Partition, last Reader, final *piece) {
	for number, r := range w.readers {
		if r.partition != name || Reader(number) == last {
			continue
		}
		for i := range r.pieces {
			w.judgePiece(name, number, &r.pieces[i], final)
		}
	}
}

func (w *Witness) judgePiece(name ledger.Partition, number int, p, final *piece) {
	for i, v := range p.values {
		offset := p.base + int64(i)
		is, ok := final.at(offset)
		if v == refused || is == refused {
			continue
		}
		if ok && is != v {
			w.violate("ClientDiverged", fmt.Sprintf("%s: consumer %d read value %v at offset %d, where value %v stands at the end",
				name, number, v, offset, is))
			return
		} else if !ok && offset >= final.base {
			w.violate("ClientDiverged", fmt.Sprintf("%s: consumer %d read value %v at offset %d; at the end there is [%d, %d)",
				name, number, v, offset, final.base, final.end()))
			return
		}
	}
}
