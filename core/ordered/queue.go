package ordered

// Queue is first in, first out, in memory that is used again and again. Its zero value is empty.
type Queue[T any] struct {
	items []T
	head  int // items before are gone
}

// Len returns how many there are.
func (q *Queue[T]) Len() int { return len(q.items) - q.head }

// Push adds one at the end.
func (q *Queue[T]) Push(v T) {
	if q.head > 0 && len(q.items) == cap(q.items) && 2*q.head >= len(q.items) {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, v)
}

// First returns the next to go. Requires: there is one.
func (q *Queue[T]) First() T { return q.items[q.head] }

// Last returns the one that came last. Requires: there is one.
func (q *Queue[T]) Last() T { return q.items[len(q.items)-1] }

// Pop takes the first out. Requires: there is one.
func (q *Queue[T]) Pop() T {
	var none T
	v := q.items[q.head]
	q.items[q.head] = none
	if q.head++; q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	}
	return v
}

// Rest returns all there are, in order, and leaves the queue empty and without memory.
func (q *Queue[T]) Rest() []T {
	rest := q.items[q.head:]
	*q = Queue[T]{}
	return rest
}
