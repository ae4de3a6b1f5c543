package linearizability

import (
	"fmt"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"
)

// batch is an append of the model: one send at one offset.
type batch struct {
	send  int32 // the operation
	owner int   // its client, by its place in the state
	first Value
	count int32
	base  int64
	epoch int32
	class Class
	next  bool // nothing stands between it and what ends at after
	after int64
}

// look is an operation that changes nothing but its client's position.
type look struct {
	kind    Kind
	client  int32 // -1: one without a position
	from    int64 // or -1
	records []Run // each of one record
	final   bool  // nothing lies behind
	end     int64 // of a Latest; of a Poll the offset before which the log can't have ended
	epoch   int32 // of a Latest
	known   int   // how many batches begin before the end
	wrong   bool  // the log starts before the start that was told
}

// logState is a log with all its clients' positions. It is never changed.
type logState struct {
	top       *layer
	batches   int
	end       int64
	hash      uint64
	positions []int64 // of clients; -1 while not known
	newest    []Value // of idempotent clients, the last value appended, plus one
}

// layer is one batch above those before it.
type layer struct {
	*batch
	below *layer
}

// emptyLog is a log of so many clients.
func emptyLog(clients int) *logState {
	s := &logState{positions: make([]int64, clients), newest: make([]Value, clients)}
	for i := range s.positions {
		s.positions[i] = -1
	}
	return s
}

// logModel is the model of a partition's log that is as given at first.
func logModel(start *logState) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return start },
		Step: func(state, input, _ any) (bool, any) {
			s := state.(*logState)
			if b, ok := input.(*batch); ok {
				return s.append(b)
			}
			return s.look(input.(*look))
		},
		Equal:             func(a, b any) bool { return a.(*logState).equals(b.(*logState)) },
		Hash:              func(s any) uint64 { return s.(*logState).hash },
		DescribeOperation: func(input, _ any) string { return fmt.Sprint(input) },
		DescribeState:     func(s any) string { return s.(*logState).String() },
	}
}

// append appends the batch, if the log ends where it stands and its client may.
func (s *logState) append(b *batch) (bool, any) {
	if b.base < s.end || b.next && s.end != b.after {
		return false, s
	}
	next := *s
	switch b.class {
	case Idempotent: // in order, and so once
		if b.first < s.newest[b.owner] {
			return false, s
		}
		next.newest = replaced(s.newest, b.owner, b.first+1)
	case Plain: // once
		for l := s.top; l != nil; l = l.below {
			if l.send == b.send {
				return false, s
			}
		}
	}
	next.top = &layer{b, s.top}
	next.batches++
	next.end = b.base + int64(b.count)
	next.hash = mix(s.hash, uint64(b.base)<<20^uint64(b.first))
	return true, &next
}

// look says whether the log and the client's position allow what was seen.
func (s *logState) look(l *look) (bool, any) {
	switch {
	case l.wrong:
		return false, s
	case l.kind == Earliest:
		return true, s
	case l.kind == Latest:
		return s.endsAt(l), s
	}
	if s.begin(l.end) != l.known { // a record that is refused is there, and so is all before it; likewise before the end that was reached
		return false, s
	}
	at := l.from
	if at < 0 {
		at = s.positions[l.client]
	}
	for i := range l.records {
		if !s.reads(at, &l.records[i]) {
			return false, s
		}
		at = l.records[i].Offset + 1
	}
	if l.final && s.end > at {
		return false, s
	}
	if l.client < 0 || s.positions[l.client] == at {
		return true, s
	}
	next := *s
	next.positions = replaced(s.positions, int(l.client), at)
	next.hash = mix(s.hash, uint64(l.client)<<40^uint64(at))
	return true, &next
}

// reads says whether from the offset on, the record is the first there is.
func (s *logState) reads(at int64, r *Run) bool {
	if r.Offset < at {
		return false
	}
	found := false
	for l := s.top; l != nil && l.base+int64(l.count) > at; l = l.below {
		from := max(at, l.base) // its first record from there on
		if from < r.Offset {
			return false
		}
		if r.Offset >= l.base && r.Offset < l.base+int64(l.count) {
			found = r.First == Refused || r.First == l.first+Value(r.Offset-l.base)
		}
	}
	return found || r.First == Refused
}

// endsAt says whether a leader of that epoch may say so: all before the end is there, and nothing behind it of its epoch
// or an earlier one.
func (s *logState) endsAt(l *look) bool {
	for at := s.top; at != nil; at = at.below {
		if at.base >= l.end && at.send >= 0 && (l.final || at.epoch >= 0 && at.epoch <= l.epoch) {
			return false
		}
	}
	return s.begin(l.end) == l.known
}

// begin returns how many batches begin before the offset.
func (s *logState) begin(before int64) (count int) {
	for at := s.top; at != nil; at = at.below {
		if at.base < before {
			count++
		}
	}
	return count
}

func (s *logState) equals(o *logState) bool {
	if s.hash != o.hash || s.batches != o.batches || s.end != o.end {
		return false
	}
	if !slices.Equal(s.positions, o.positions) || !slices.Equal(s.newest, o.newest) {
		return false
	}
	a, b := s.top, o.top
	for a != b && a != nil && b != nil {
		if a.batch != b.batch {
			return false
		}
		a, b = a.below, b.below
	}
	return a == b
}

func replaced[T any](old []T, at int, v T) []T {
	row := append([]T(nil), old...)
	row[at] = v
	return row
}

// mix is a step of a hash.
func mix(h, v uint64) uint64 {
	h ^= v + 0x9e3779b97f4a7c15
	h *= 0xbf58476d1ce4e5b9
	return h ^ h>>29
}

func (s *logState) String() string { return fmt.Sprintf("%d batches, end %d", s.batches, s.end) }

func (b *batch) String() string {
	if b.count == 0 {
		return fmt.Sprintf("the log up to %d", b.base)
	}
	if b.send < 0 {
		return fmt.Sprintf("the log from %d on", b.base)
	}
	return fmt.Sprintf("send %s@%d", appendValues(nil, b.first, b.count), b.base)
}

func (l *look) String() string {
	var b strings.Builder
	b.WriteString(l.kind.String())
	switch {
	case l.kind != Poll:
		fmt.Fprintf(&b, " %d", l.end)
	case len(l.records) > 0:
		first, last := l.records[0], l.records[len(l.records)-1]
		fmt.Fprintf(&b, " %v@%d", first.First, first.Offset)
		if len(l.records) > 1 {
			fmt.Fprintf(&b, " … %v@%d", last.First, last.Offset)
		}
	}
	if l.final {
		b.WriteString(" final")
	}
	return b.String()
}
