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
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// Partition names a partition of the run.
type Partition struct {
	Topic string
	Index int32
	Life  int // which topic of that name: a topic that is deleted and made again is another one
}

// String returns the name of the partition's folder.
func (p Partition) String() string { return fmt.Sprintf("%s-%d", p.Topic, p.Index) }

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
	stamps  []int64 // the record's timestamp, in milliseconds
	sizes   []int32 // of the batch that begins with the number, in bytes, once it was sent
}

// slot is what is known of one offset.
type slot struct {
	value Value
	known bool
	acked bool // for good
	read  bool // by a consumer, so it was committed
}

// Ledger is the memory of one run.
type Ledger struct {
	// Violate is called for everything that should not be.
	Violate func(invariant, detail string)
	// Wall returns the latest time any broker's wall clock may have shown, in milliseconds.
	Wall func() int64
	// Memory is how long a broker remembers an idempotent producer, by its wall clock and the times of records (Kafka's
	// producer.id.expiration.ms). One that was forgotten is protected no longer.
	Memory time.Duration

	producers  []*producer
	partitions map[Partition]*partition
	ids        map[int64]bool
	order      []Partition
	deleted    map[[16]byte]bool // topics, by id
}

type partition struct {
	slots    []slot
	ackedEnd int64 // after the last acknowledged offset, for good
	readEnd  int64
	topic    [16]byte
	named    bool // the topic's id is known
	gone     bool // its deletion was asked for: nothing is owed
	starts
}

// New returns an empty ledger.
func New(violate func(invariant, detail string), wall func() int64) *Ledger {
	return &Ledger{
		Violate: violate, Wall: wall, Memory: math.MaxInt64, partitions: make(map[Partition]*partition), ids: make(map[int64]bool), deleted: make(map[[16]byte]bool),
	}
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
		known = &partition{starts: starts{retention: Forever}}
		l.partitions[p] = known
		at, _ := slices.BinarySearchFunc(l.order, p, comparePartitions)
		l.order = slices.Insert(l.order, at, p)
	}
	return known
}

func comparePartitions(a, b Partition) int {
	return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Index, b.Index), cmp.Compare(a.Life, b.Life))
}

// Partitions returns the partitions of the run that are there, in order.
func (l *Ledger) Partitions() (there []Partition) {
	for _, p := range l.order {
		if !l.partitions[p].gone {
			there = append(there, p)
		}
	}
	return there
}

// Made notes the id of the topic that a partition belongs to.
func (l *Ledger) Made(p Partition, topic [16]byte) {
	known := l.of(p)
	known.topic, known.named = topic, true
}

// Topic returns the id of the topic that a partition belongs to, if it is known.
func (l *Ledger) Topic(p Partition) (id [16]byte, ok bool) {
	known := l.of(p)
	return known.topic, known.named
}

// Gone notes that the partition's deletion was asked for: from now on nothing of it is owed.
func (l *Ledger) Gone(p Partition) {
	known := l.of(p)
	known.gone = true
	l.deleted[known.topic] = true
}

// IsGone says whether the deletion of the topic was asked for.
func (l *Ledger) IsGone(topic [16]byte) bool { return l.deleted[topic] }

// GiveID notes that a broker gave a producer this id with epoch 0: nobody may ever be given it again.
func (l *Ledger) GiveID(id int64) {
	if l.ids[id] {
		l.Violate("ProducerIDReused", fmt.Sprintf("producer id %d was given twice", id))
	}
	l.ids[id] = true
}

// AckedEnd returns the offset after the last that was acknowledged for good.
func (l *Ledger) AckedEnd(p Partition) int64 { return l.of(p).ackedEnd }

// Issue gives out the producer's next value, for a record with the timestamp.
func (l *Ledger) Issue(number uint32, stamp int64) Value {
	p := l.producers[number]
	p.offsets, p.tried, p.stamps, p.sizes = append(p.offsets, -1), append(p.tried, false), append(p.stamps, stamp), append(p.sizes, 0)
	return Value{number, uint32(len(p.offsets) - 1)}
}

// Retry notes that the value was sent once more.
func (l *Ledger) Retry(v Value) { l.producers[v.Producer].tried[v.Number] = true }

// Ack notes that the broker acknowledged the values, the first at the base offset.
func (l *Ledger) Ack(values []Value, base int64) {
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
	if !ok || !l.wrote(v, part) {
		l.Violate("NeverWritten", fmt.Sprintf("%s offset %d holds what nobody wrote there: %x", part, offset, payload[:min(len(payload), ValueBytes)]))
		return
	}
	l.place(part, offset, v, "read")
	p := l.of(part)
	if offset < int64(len(p.slots)) {
		p.slots[offset].read = true
		p.readEnd = max(p.readEnd, offset+1)
	}
}

// wrote says whether the value was issued for the partition.
func (l *Ledger) wrote(v Value, part Partition) bool {
	return int(v.Producer) < len(l.producers) && int(v.Number) < len(l.producers[v.Producer].offsets) &&
		l.producers[v.Producer].Partition == part
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
	protected := of.Idempotent && l.Wall()-of.stamps[v.Number] <= l.Memory.Milliseconds()
	if before >= 0 && before != offset && (protected || !of.tried[v.Number]) {
		l.Violate("Duplicate", fmt.Sprintf("%s: value %s stands at offset %d and at %d", part, v, before, offset))
		return
	}
	of.offsets[v.Number] = offset
	if protected && v.Number > 0 {
		if last := of.offsets[v.Number-1]; last > offset {
			l.Violate("Order", fmt.Sprintf("%s: value %s stands at %d, before its predecessor at %d", part, v, offset, last))
		}
	}
}

// Finish judges the end of a run: read says from where to where a partition was read again, after everything settled.
func (l *Ledger) Finish(read func(Partition) (from, to int64)) {
	for _, name := range l.Partitions() {
		p := l.partitions[name]
		from, to := read(name)
		if to < p.ackedEnd {
			l.Violate("LostWrite", fmt.Sprintf("%s ends at %d; offset %d was acknowledged", name, to, p.ackedEnd-1))
		}
		if from < p.deleted {
			l.Violate("DeletedRecordsBack", fmt.Sprintf("%s begins at %d; records below %d were deleted", name, from, p.deleted))
		}
	}
}
