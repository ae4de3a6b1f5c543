package ledger

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
	"testing"
)

var part = Partition{Topic: "t", Index: 0}

// wall is the time of these stories, in milliseconds.
const wall = 1_000_000

// judged runs a history and returns the invariants that the ledger saw broken, in order.
func judged(history func(l *Ledger)) []string {
	var broken []string
	l := New(func(invariant, _ string) { broken = append(broken, invariant) }, func() int64 { return wall })
	history(l)
	return broken
}

func held(logs ...*Log) Holding {
	h := Holding{Logs: make(map[uint64]*Log)}
	for i, log := range logs {
		h.Logs[uint64(i)] = log
	}
	return h
}

func payload(v Value) []byte {
	p := make([]byte, ValueBytes+3)
	v.Encode(p)
	return p
}

func TestEveryAnomalyIsNoticedAndNothingElse(t *testing.T) {
	lasting := Class{Partition: part, Idempotent: true, Lasting: true}
	plain := Class{Partition: part, Lasting: true}
	fleeting := Class{Partition: part}
	end := func(n int64) func(Partition) (from, to int64) {
		return func(Partition) (from, to int64) { return 0, n }
	}

	tests := []struct {
		name    string
		history func(l *Ledger)
		want    []string
	}{
		{"a clean history", func(l *Ledger) {
			p := l.AddProducer(lasting)
			a, b := l.Issue(p, 0), l.Issue(p, 0)
			l.Ack([]Value{a, b}, 0)
			l.Read(part, 0, payload(a))
			l.Read(part, 1, payload(b))
			l.Finish(end(2))
		}, nil},
		{"an acknowledged value is replaced", func(l *Ledger) {
			p := l.AddProducer(lasting)
			a, b := l.Issue(p, 0), l.Issue(p, 0)
			l.Ack([]Value{a}, 0)
			l.Read(part, 0, payload(b))
		}, []string{"LostWrite"}},
		{"a value that was read is replaced", func(l *Ledger) {
			p := l.AddProducer(plain)
			a, b := l.Issue(p, 0), l.Issue(p, 0)
			l.Read(part, 0, payload(a))
			l.Read(part, 0, payload(b))
		}, []string{"InconsistentOffset"}},
		{"the log ends before what was acknowledged", func(l *Ledger) {
			p := l.AddProducer(lasting)
			l.Ack([]Value{l.Issue(p, 0)}, 4)
			l.Finish(end(4))
		}, []string{"LostWrite"}},
		{"an idempotent value stands twice", func(l *Ledger) {
			p := l.AddProducer(lasting)
			a := l.Issue(p, 0)
			l.Retry(a)
			l.Ack([]Value{a}, 0)
			l.Read(part, 1, payload(a))
		}, []string{"Duplicate"}},
		{"a plain value that was sent once stands twice", func(l *Ledger) {
			p := l.AddProducer(plain)
			a := l.Issue(p, 0)
			l.Ack([]Value{a}, 0)
			l.Read(part, 1, payload(a))
		}, []string{"Duplicate"}},
		{"a plain value that was sent twice may stand twice", func(l *Ledger) {
			p := l.AddProducer(plain)
			a := l.Issue(p, 0)
			l.Retry(a)
			l.Ack([]Value{a}, 0)
			l.Read(part, 1, payload(a))
		}, nil},
		{"idempotent values change places", func(l *Ledger) {
			p := l.AddProducer(lasting)
			a, b := l.Issue(p, 0), l.Issue(p, 0)
			l.Read(part, 1, payload(a))
			l.Read(part, 0, payload(b))
		}, []string{"Order"}},
		{"an acknowledgement that promises little may be lost", func(l *Ledger) {
			p := l.AddProducer(fleeting)
			l.Ack([]Value{l.Issue(p, 0)}, 0)
			l.Finish(end(0))
		}, nil},
		{"a value nobody wrote", func(l *Ledger) {
			l.AddProducer(lasting)
			l.Read(part, 0, payload(Value{0, 7}))
			l.Read(part, 0, payload(Value{9, 0}))
			l.Read(part, 0, []byte("garbage that is long enough"))
		}, []string{"NeverWritten", "NeverWritten", "NeverWritten"}},
		{"a value of another partition", func(l *Ledger) {
			p := l.AddProducer(lasting)
			l.Read(Partition{Topic: "t", Index: 1}, 0, payload(l.Issue(p, 0)))
		}, []string{"NeverWritten"}},
		{"an offset beyond reason", func(l *Ledger) {
			p := l.AddProducer(lasting)
			l.Ack([]Value{l.Issue(p, 0)}, 1<<40)
		}, []string{"NeverWritten"}},
		{"a producer id is given twice", func(l *Ledger) {
			l.GiveID(5)
			l.GiveID(6)
			l.GiveID(5)
		}, []string{"ProducerIDReused"}},
		{"a disk without what was acknowledged", func(l *Ledger) {
			p := l.AddProducer(lasting)
			l.Ack([]Value{l.Issue(p, 0), l.Issue(p, 0)}, 0)
			whole := &Log{Name: "t-0", End: 2, Runs: []Run{{0, Value{p, 0}, 2}}}
			l.JudgeDisk("disk", held(whole))
			l.JudgeDisk("disk", held(&Log{Name: "t-0", End: 1, Runs: whole.Runs}))
			l.JudgeDisk("disk", held(&Log{Name: "t-0", End: 2, Runs: []Run{{0, Value{p, 0}, 1}, {1, Value{p, 0}, 1}}}))
			l.JudgeDisk("disk", held(&Log{Name: "t-0", End: 2, Start: 1, Runs: whole.Runs}))
			l.JudgeDisk("disk", Holding{})
		}, []string{"AckedOnDisk", "AckedOnDisk", "StartWithoutReason", "AckedOnDisk"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := judged(test.history); !slices.Equal(got, test.want) {
				t.Errorf("broken: %v, want %v", got, test.want)
			}
		})
	}
}

// batch makes a batch of one record by hand: the parser under test shares nothing with core's builder, nor does this.
func batch(base int64, value []byte) []byte {
	record := append([]byte{0, 0, 0, 1}, binary.AppendVarint(nil, int64(len(value)))...) // attributes, deltas, null key
	record = append(append(record, value...), 0)
	p := make([]byte, batchHeaderBytes)
	p = append(append(p, binary.AppendVarint(nil, int64(len(record)))...), record...)
	binary.BigEndian.PutUint64(p, uint64(base))
	binary.BigEndian.PutUint32(p[8:], uint32(len(p)-12))
	p[16] = 2
	binary.BigEndian.PutUint32(p[57:], 1)
	binary.BigEndian.PutUint32(p[17:], crc32.Checksum(p[21:], castagnoli))
	return p
}

func TestReadBatchesHandsOutValuesAndNoticesDamage(t *testing.T) {
	both := append(batch(3, []byte("first")), batch(4, []byte("second"))...)
	var got []string
	err := ReadBatches(both, func(offset int64, value []byte) { got = append(got, string(value)) })
	if err != nil || !slices.Equal(got, []string{"first", "second"}) {
		t.Fatalf("%v %v", got, err)
	}
	if err := ReadBatches(both[:len(both)-1], func(int64, []byte) {}); err != nil {
		t.Errorf("a batch that is cut off at the end is legal: %v", err)
	}
	for _, at := range []int{21, 40, len(both) - 2} {
		damaged := slices.Clone(both)
		damaged[at] ^= 1
		if err := ReadBatches(damaged, func(int64, []byte) {}); err == nil {
			t.Errorf("byte %d was changed, and nobody noticed", at)
		}
	}
}
