package linearizability

import "cmp"

func compare[T cmp.Ordered](a, b T) int { return cmp.Compare(a, b) }

// checkCopies judges batches which were seen in several places.
func (c *checker) checkCopies() {
	for n := range c.instances {
		i := &c.instances[n]
		if i.op < 0 {
			continue
		}
		send := &c.h.Operations[i.op]
		if send.Outcome == Failed {
			c.book.find(AbortedRead, i.base, []int32{i.op, i.read}, "value %v was read at offset %d, and its send had failed",
				i.first+Value(i.from), i.base+int64(i.from))
		}
		if i.next != 0 && c.h.Clients[send.Client].Class != Retrying {
			c.judgeCopies(i, &c.instances[i.next])
		}
	}
}

// judgeCopies: a batch that was sent once, or idempotently, stands in one place.
func (c *checker) judgeCopies(a, b *instance) {
	proof := []int32{a.op, a.by, b.by}
	if from, to := max(a.from, b.from), min(a.to, b.to); from < to {
		c.book.find(Duplicate, a.base+int64(from), proof, "value %v stands at offset %d and at %d",
			a.first+Value(from), a.base+int64(from), b.base+int64(from))
		return
	}
	if b.from < a.from {
		a, b = b, a
	}
	first, second := a.base+int64(a.from), b.base+int64(b.from)
	if first < second {
		c.book.find(IntSendSkip, first, proof, "of one batch, value %v stands at offset %d, and %v apart at %d",
			a.first+Value(a.from), first, b.first+Value(b.from), second)
		return
	}
	c.book.find(IntNonmonotonicSend, second, proof, "of one batch, value %v stands at offset %d, and %v before it at %d",
		a.first+Value(a.from), first, b.first+Value(b.from), second)
}

// checkPlaces goes through the log by offset: where one batch ends, the next begins or nobody knows; and the batches of an
// idempotent client stand in its order.
func (c *checker) checkPlaces() {
	var before *instance // the one that reaches furthest
	for n := range c.order {
		i := c.sorted(n)
		if i.base < 0 {
			c.book.find(TornBatch, 0, []int32{i.op, i.by}, "value %v stands at offset %d, and its batch would begin before the log does",
				i.first+Value(i.from), i.base+int64(i.from))
		}
		if before != nil && i.base < before.end() {
			c.judgeOverlap(before, i)
		}
		if before == nil || i.end() > before.end() {
			before = i
		}
		c.judgeOrder(n, i)
	}
}

// judgeOverlap judges two batches which claim the same offset.
func (c *checker) judgeOverlap(a, b *instance) {
	if a.op == b.op && a.op >= 0 && c.h.Clients[a.first.Client()].Class != Retrying {
		return // judgeCopies says it better
	}
	proof := []int32{a.op, a.by, b.op, b.by}
	from := max(a.base+int64(a.from), b.base+int64(b.from))
	to := min(a.base+int64(a.to), b.base+int64(b.to))
	if from < to {
		c.book.find(InconsistentOffsets, from, proof, "value %v stands at offset %d, and so does %v",
			a.first+Value(from-a.base), from, b.first+Value(from-b.base))
		return
	}
	c.book.find(TornBatch, b.base, proof, "the batch of value %v at offset %d and the batch of %v at %d are not both whole",
		a.first+Value(a.from), a.base+int64(a.from), b.first+Value(b.from), b.base+int64(b.from))
}

// judgeOrder: an idempotent client's batches stand in the order of their numbers.
func (c *checker) judgeOrder(n int, i *instance) {
	if i.op < 0 || c.h.Clients[i.first.Client()].Class != Idempotent {
		return
	}
	s := &c.senders[i.first.Client()]
	if s.last > 0 {
		if before := c.sorted(int(s.last - 1)); i.first < before.first {
			c.book.find(NonmonotonicSend, i.base, []int32{i.op, i.by, before.op, before.by},
				"value %v was sent before %v, and stands at offset %d behind %d", i.first, before.first, i.base, before.base)
		}
	}
	s.last = int32(n) + 1
}
