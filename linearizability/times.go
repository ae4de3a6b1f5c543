package linearizability

import (
	"math"
	"slices"
)

// end is an answer to where the log ends (or starts).
type end struct {
	offset int64
	epoch  int64 // of the leader who said so, or anyEpoch
	op     int32
}

// anyEpoch is for an end that holds for records of every epoch.
const anyEpoch = math.MaxInt64

// checkTimes holds the order of the log against real time.
//
// Batches took effect in the order of offsets, each between its call and the first moment that shows it there. There are
// such moments exactly when no batch was there before an earlier one was called; so it takes one look at each, backwards.
// A log that was said to end at an offset has the batches behind it called no sooner than the question, as it were, and
// those before it there by the answer.
func (c *checker) checkTimes() {
	for _, e := range c.ends {
		c.reaches(e.offset, e.op)
	}
	bounds := c.bounds()
	earliest := len(c.order) - 1 // of this one and those behind it, the one which was there first
	for n := len(c.order) - 1; n >= 0; n-- {
		i := c.sorted(n)
		if i.ret <= c.sorted(earliest).ret {
			earliest = n
		}
		switch shown := c.sorted(earliest); {
		case shown.ret < i.call:
			c.judgeCall(i, shown)
		case bounds[n] >= 0 && shown.ret < c.h.Operations[bounds[n]].Call:
			c.judgeEnd(i, shown, bounds[n])
		}
	}
}

// reaches notes that the operation shows that the log reached the offset.
func (c *checker) reaches(offset int64, op int32) {
	if n := c.below(offset) - 1; n >= 0 {
		c.sorted(n).there(c.h.Operations[op].Return, op)
	}
}

// judgeCall names the fault: the batch was called after this one, at the same place or behind it, was there.
func (c *checker) judgeCall(i, shown *instance) {
	by := &c.h.Operations[shown.by]
	proof := []int32{i.op, i.by, shown.op, shown.by}
	switch {
	case shown == i:
		c.book.find(ReadBeforeWrite, i.base, proof, "value %v at offset %d was there at %d, and was sent at %d", i.first, i.base, i.ret, i.call)
	case by.Kind == Send && by.Client == i.first.Client():
		c.book.find(NonmonotonicSend, i.base, proof, "value %v stands at offset %d, before %v at %d, which its client had sent before it and seen acknowledged",
			i.first, i.base, shown.first, shown.base)
	default:
		c.book.find(RealTimeOrder, i.base, proof, "value %v stands at offset %d, before %v at %d, which was there at %d, before that one was sent at %d",
			i.first, i.base, shown.first, shown.base, shown.ret, i.call)
	}
}

// judgeEnd names the fault: the batch, or one behind it, was there before somebody asked, who was told of an end before it.
func (c *checker) judgeEnd(i, shown *instance, question int32) {
	asked := &c.h.Operations[question]
	proof := []int32{i.op, i.by, shown.by, question}
	switch {
	case asked.Kind == Latest && !asked.Final:
		c.book.find(StaleEnd, i.base, proof, "value %v at offset %d was there at %d, and at %d the leader of epoch %d said that the log ends at %d",
			i.first, i.base, shown.ret, asked.Call, asked.Epoch, asked.Offset)
	case i.acked && i.read < 0:
		c.book.find(Unseen, i.base, proof, "value %v was acknowledged at offset %d, and never read: the log ends before it", i.first, i.base)
	default:
		c.book.find(LostWrite, i.base, proof, "value %v was at offset %d, and the log ends before it", i.first, i.base)
	}
}

// bounds returns for each instance by offset the latest question that was answered with an end before it, by a leader who
// must have known it: one of its epoch or a later one. -1: none.
func (c *checker) bounds() []int32 {
	bounds := slices.Grow(c.bound[:0], len(c.order))[:len(c.order)]
	c.bound = bounds
	slices.SortStableFunc(c.ends, func(a, b end) int { return compare(a.offset, b.offset) })
	var epochs []int64
	for _, e := range c.ends {
		epochs = append(epochs, -e.epoch)
	}
	slices.Sort(epochs)
	epochs = slices.Compact(epochs)
	latest := newLatest(len(epochs))
	next := 0
	for n := range c.order {
		i := c.sorted(n)
		for ; next < len(c.ends) && c.ends[next].offset <= i.base; next++ {
			e := &c.ends[next]
			if e.epoch != NoEpoch {
				rank, _ := slices.BinarySearch(epochs, -e.epoch)
				latest.add(rank, c.h.Operations[e.op].Call, e.op)
			}
		}
		least := int64(i.epoch) // of the leaders who must have known it
		if i.epoch == NoEpoch {
			least = anyEpoch
		}
		rank, _ := slices.BinarySearch(epochs, -least+1)
		bounds[n] = latest.of(rank)
	}
	return bounds
}

// latest answers which question was the latest among those of the first few ranks. It is a Fenwick tree.
type latest struct {
	calls []int64
	ops   []int32
}

func newLatest(ranks int) *latest {
	l := &latest{make([]int64, ranks+1), make([]int32, ranks+1)}
	for i := range l.ops {
		l.calls[i], l.ops[i] = math.MinInt64, -1
	}
	return l
}

// add adds a question.
func (l *latest) add(rank int, call int64, op int32) {
	for i := rank + 1; i < len(l.ops); i += i & -i {
		if call > l.calls[i] {
			l.calls[i], l.ops[i] = call, op
		}
	}
}

// of returns the latest of the ranks below.
func (l *latest) of(ranks int) (op int32) {
	call := int64(math.MinInt64)
	op = -1
	for i := ranks; i > 0; i -= i & -i {
		if l.calls[i] > call {
			call, op = l.calls[i], l.ops[i]
		}
	}
	return op
}
