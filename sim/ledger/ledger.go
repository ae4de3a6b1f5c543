// Package ledger is the simulator's omniscient memory: what was issued, what was acknowledged, and who saw what.
//
// It is told by clients (which read the wire) and reads disks with a parser of its own, so that no error of core's record
// or journal code can hide from it (rule O1). It judges as it goes, and once more at the end.
//
// Values are records that carry a producer's number and a running number, so that every record of a run is different and
// says where it belongs.
//
// What it does not do: judge real-time order beyond what is said here; that is linearizability's.
package ledger

import (
	"encoding/binary"
	"fmt"
	"slices"

	"barnabas/core/task"
)

// Partition names a partition of the run.
type Partition struct {
	Topic string
	Index int32
}

func (p Partition) String() string { return fmt.Sprintf("%s-%d", p.Topic, p.Index) }

// Value is one record of the run.
type Value struct {
	Producer uint32
	Number   uint32
}

func (v Value) String() string { return fmt.Sprintf("%d/%d", v.Producer, v.Number) }

// ValueBytes is the least size of an encoded value.
const ValueBytes = 16

// valueMagic tells a value from anything else that might be read.
const valueMagic = 0xba12aba5ba12aba5

// Encode writes the value to p, which has at least ValueBytes; the rest of p is filling.
func (v Value) Encode(p []byte) {
	binary.BigEndian.PutUint64(p, valueMagic)
	binary.BigEndian.PutUint32(p[8:], v.Producer)
	binary.BigEndian.PutUint32(p[12:], v.Number)
}

// Decode reads a value.
func Decode(p []byte) (Value, bool) {
	if len(p) < ValueBytes || binary.BigEndian.Uint64(p) != valueMagic {
		return Value{}, false
	}
	return Value{binary.BigEndian.Uint32(p[8:]), binary.BigEndian.Uint32(p[12:])}, true
}

// Class is what a producer may expect.
type Class struct {
	Partition  Partition
	Idempotent bool
	// Lasting: an acknowledgement is for good. Not so for acks=1 where another replica may become leader, and for acks=0.
	Lasting bool
}

// producer is one producer's history on its partition.
type producer struct {
	Class
	offsets []int64 // of each number; -1 when not known
	tried   []bool  // more than once: a producer that is not idempotent may then be duplicated
}

// slot is what is known of one offset.
type slot struct {
	value Value
	known bool
	acked bool // for good
}

// Ledger is the memory of one run.
type Ledger struct {
	// Violate is called for everything that should not be.
	Violate func(invariant, detail string)

	producers  []*producer
	partitions map[Partition]*partition
	ids        map[int64]bool
	order      []Partition
}

type partition struct {
	slots    []slot
	ackedEnd int64 // after the last acknowledged offset, for good
	readEnd  int64
}

// New returns an empty ledger.
func New(violate func(invariant, detail string)) *Ledger {
	return &Ledger{Violate: violate, partitions: make(map[Partition]*partition), ids: make(map[int64]bool)}
}

// AddProducer gives a producer its number.
func (l *Ledger) AddProducer(c Class) uint32 {
	l.producers = append(l.producers, &producer{Class: c})
	l.of(c.Partition)
	return uint32(len(l.producers) - 1)
}

func (l *Ledger) of(p Partition) *partition {
	known, ok := l.partitions[p]
	if !ok {
		known = &partition{}
		l.partitions[p] = known
		l.order = append(l.order, p)
		slices.SortFunc(l.order, func(a, b Partition) int {
			if a.Topic != b.Topic {
				if a.Topic < b.Topic {
					return -1
				}
				return 1
			}
			return int(a.Index - b.Index)
		})
	}
	return known
}

// Partitions returns the partitions of the run, in order.
func (l *Ledger) Partitions() []Partition { return l.order }

// GiveID notes that a broker gave a producer this id with epoch 0: nobody may ever be given it again.
func (l *Ledger) GiveID(id int64) {
	if l.ids[id] {
		l.Violate("ProducerIDReused", fmt.Sprintf("producer id %d was given twice", id))
	}
	l.ids[id] = true
}

// JudgeDisk compares what a disk holds with what was acknowledged: every replica in sync holds all of it. Both come from
// outside the broker, from the wire and from the disk's bytes.
func (l *Ledger) JudgeDisk(who string, logs map[uint64]LogEnd) {
	for _, p := range l.order {
		acked := l.partitions[p].ackedEnd
		held := int64(0)
		for _, log := range logs {
			if log.Name == p.String() {
				held = max(held, log.End)
			}
		}
		if held < acked {
			l.Violate("AckedOnDisk", fmt.Sprintf("%s holds %s up to %d; offset %d was acknowledged", who, p, held, acked-1))
		}
	}
}

// AckedEnd returns the offset after the last that was acknowledged for good.
func (l *Ledger) AckedEnd(p Partition) int64 { return l.of(p).ackedEnd }

// Issue gives out the producer's next value.
func (l *Ledger) Issue(number uint32) Value {
	p := l.producers[number]
	p.offsets, p.tried = append(p.offsets, -1), append(p.tried, false)
	return Value{number, uint32(len(p.offsets) - 1)}
}

// Retry notes that the value was sent once more.
func (l *Ledger) Retry(v Value) { l.producers[v.Producer].tried[v.Number] = true }

// Ack notes that the broker acknowledged the values, the first at the base offset.
func (l *Ledger) Ack(values []Value, base int64, _ task.Instant) {
	p := l.producers[values[0].Producer]
	if !p.Lasting {
		return
	}
	for i, v := range values {
		offset := base + int64(i)
		l.place(p.Partition, offset, v, "acknowledged")
		part := l.of(p.Partition)
		if offset < int64(len(part.slots)) { // place refused nothing
			part.slots[offset].acked = true
			part.ackedEnd = max(part.ackedEnd, offset+1)
		}
	}
}

// Read notes that a consumer was given the value at the offset.
func (l *Ledger) Read(part Partition, offset int64, payload []byte) {
	v, ok := Decode(payload)
	if !ok || int(v.Producer) >= len(l.producers) || int(v.Number) >= len(l.producers[v.Producer].offsets) ||
		l.producers[v.Producer].Partition != part {
		l.Violate("NeverWritten", fmt.Sprintf("%s offset %d holds what nobody wrote there: %x", part, offset, payload[:min(len(payload), ValueBytes)]))
		return
	}
	l.place(part, offset, v, "read")
	p := l.of(part)
	p.readEnd = max(p.readEnd, offset+1)
}

// offsetMax bounds what a slice is made for on a broker's word.
const offsetMax = 1 << 28

// place notes that the value stands at the offset, and judges: one offset holds one value for ever, and a value of an
// idempotent producer stands at one offset only.
func (l *Ledger) place(part Partition, offset int64, v Value, how string) {
	if offset < 0 || offset > offsetMax {
		l.Violate("NeverWritten", fmt.Sprintf("%s: value %s %s at offset %d", part, v, how, offset))
		return
	}
	p := l.of(part)
	for int64(len(p.slots)) <= offset {
		p.slots = append(p.slots, slot{})
	}
	s := &p.slots[offset]
	if s.known && s.value != v {
		name := "InconsistentOffset"
		if s.acked {
			name = "LostWrite"
		}
		l.Violate(name, fmt.Sprintf("%s offset %d held %s and now %s is %s there", part, offset, s.value, v, how))
		return
	}
	s.value, s.known = v, true
	of := l.producers[v.Producer]
	before := of.offsets[v.Number]
	if before >= 0 && before != offset && (of.Idempotent || !of.tried[v.Number]) {
		l.Violate("Duplicate", fmt.Sprintf("%s: value %s stands at offset %d and at %d", part, v, before, offset))
		return
	}
	of.offsets[v.Number] = offset
	if of.Idempotent && v.Number > 0 {
		if last := of.offsets[v.Number-1]; last > offset {
			l.Violate("Order", fmt.Sprintf("%s: value %s stands at %d, before its predecessor at %d", part, v, offset, last))
		}
	}
}

// Finish judges the end of a run: end says how far a partition was read again from its start, after everything settled.
func (l *Ledger) Finish(end func(Partition) int64) {
	for _, name := range l.order {
		p := l.partitions[name]
		if to := end(name); to < p.ackedEnd {
			l.Violate("LostWrite", fmt.Sprintf("%s ends at %d; offset %d was acknowledged", name, to, p.ackedEnd-1))
		}
	}
}
