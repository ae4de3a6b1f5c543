package linearizability

import (
	"math"
	"slices"
	"sort"
)

// observe finds out from acknowledgements and polls where each batch stands.
func (c *checker) observe() error {
	for _, at := range c.places {
		if o := &c.h.Operations[at]; o.Kind == Send {
			s := c.sender(o.Client)
			s.sends = append(s.sends, sent{first: o.First, count: o.Count, op: at})
		}
	}
	for _, client := range c.used {
		if err := c.sortSends(c.senders[client].sends); err != nil {
			return err
		}
	}
	for _, at := range c.places {
		switch o := &c.h.Operations[at]; {
		case o.Outcome != OK:
		case o.Kind == Send && !c.h.Clients[o.Client].Lossy:
			c.acknowledged(at, o)
		case o.Kind == Poll:
			for i := range o.Runs {
				c.polled(at, o, &o.Runs[i])
			}
		}
	}
	return nil
}

// sortSends sorts a client's sends by value, and refuses the same value twice.
func (c *checker) sortSends(sends []sent) error {
	byValue := func(a, b sent) int { return compare(a.first, b.first) }
	if !slices.IsSortedFunc(sends, byValue) {
		slices.SortStableFunc(sends, byValue)
	}
	for i := 1; i < len(sends); i++ {
		if before := &sends[i-1]; before.first+Value(before.count) > sends[i].first {
			return c.h.invalid(sends[i].op, "it sends value %v, as does %s", sends[i].first, c.h.where(before.op))
		}
	}
	return nil
}

// find returns the send of the value, or nil and the next value above it that was sent.
func (c *checker) find(v Value) (s *sent, next Value) {
	if uint64(v.Client()) >= uint64(len(c.senders)) {
		return nil, Refused
	}
	return c.senders[v.Client()].find(v)
}

func (s *sender) find(v Value) (*sent, Value) {
	for range 2 { // mostly the same batch as last time, or the next one
		if uint64(s.hint) >= uint64(len(s.sends)) {
			break
		}
		if s.sends[s.hint].holds(v) {
			return &s.sends[s.hint], 0
		}
		s.hint++
	}
	behind := sort.Search(len(s.sends), func(i int) bool { return s.sends[i].first > v })
	s.hint = int32(max(behind-1, 0))
	switch {
	case behind > 0 && s.sends[s.hint].holds(v):
		return &s.sends[s.hint], 0
	case behind < len(s.sends):
		return nil, s.sends[behind].first
	default:
		return nil, Refused
	}
}

// holds says whether the send has the value in its batch.
func (s *sent) holds(v Value) bool { return v-s.first < Value(s.count) } // below the first it wraps around

func (c *checker) acknowledged(at int32, o *Operation) {
	s, _ := c.find(o.First)
	i := c.at(s, o.Offset)
	i.acked = true
	i.from, i.to = 0, i.count
	i.there(o.Return, at)
	i.epoch = max(i.epoch, o.Epoch)
}

// polled takes note of a run, piece by piece: each piece is of one batch.
func (c *checker) polled(at int32, o *Operation, r *Run) {
	if r.First == Refused {
		return
	}
	for done := int32(0); done < r.Count; {
		v, offset := r.First+Value(done), r.Offset+int64(done)
		s, next := c.find(v)
		if s == nil {
			count := int32(min(Value(r.Count-done), next-v))
			c.stranger(at, o, Run{Offset: offset, First: v, Count: count})
			done += count
			continue
		}
		from := int32(v - s.first)
		to := min(from+r.Count-done, s.count)
		done += to - from
		i := c.at(s, offset-int64(from))
		i.tell(from, to)
		i.there(o.Return, at)
		i.epoch = max(i.epoch, r.Epoch)
		i.readBy(at)
	}
}

// at returns the instance of the send at the base offset, a new one if it is not known yet.
func (c *checker) at(s *sent, base int64) *instance {
	n := int32(len(c.instances))
	if s.inst == 0 {
		s.inst = n + 1
	} else {
		last := &c.instances[s.inst-1]
		for last.base != base && last.next != 0 {
			last = &c.instances[last.next]
		}
		if last.base == base {
			return last
		}
		last.next = n
	}
	o := &c.h.Operations[s.op]
	c.instances = append(c.instances, instance{
		base: base, call: o.Call, ret: Never, first: o.First, op: s.op, count: o.Count, by: -1, epoch: NoEpoch, read: -1,
	})
	return &c.instances[n]
}

// stranger takes note of records that nobody sent.
func (c *checker) stranger(at int32, o *Operation, r Run) {
	n, known := c.strangers[r]
	if !known {
		n = int32(len(c.instances))
		c.instances = append(c.instances, instance{
			base: r.Offset, call: math.MinInt64, ret: Never, first: r.First, op: -1, count: r.Count, by: -1, to: r.Count, epoch: NoEpoch, read: -1,
		})
		if c.strangers == nil {
			c.strangers = make(map[Run]int32)
		}
		c.strangers[r] = n
		c.book.find(Unwritten, r.Offset, []int32{at}, "value %v was read at offset %d, and nobody sent it there", r.First, r.Offset)
	}
	c.instances[n].there(o.Return, at)
	c.instances[n].readBy(at)
}

// there notes that the operation, which returned then, shows that the batch was there.
func (i *instance) there(ret int64, by int32) {
	if ret < i.ret {
		i.ret, i.by = ret, by
	}
}

// tell notes that somebody was told that these of its records stand there.
func (i *instance) tell(from, to int32) {
	if i.to == 0 {
		i.from = from
	}
	i.from, i.to = min(i.from, from), max(i.to, to)
}

func (i *instance) readBy(at int32) {
	if i.read < 0 {
		i.read = at
	}
}

// place is an instance by its offset.
type place struct {
	base int64
	inst int32
}

func (c *checker) sortInstances() {
	for n := range c.instances {
		c.order = append(c.order, place{c.instances[n].base, int32(n)})
	}
	byBase := func(a, b place) int { return compare(a.base, b.base) }
	if !slices.IsSortedFunc(c.order, byBase) {
		slices.SortStableFunc(c.order, byBase)
	}
}

// sorted returns the n-th instance by offset.
func (c *checker) sorted(n int) *instance { return &c.instances[c.order[n].inst] }

// below returns how many instances begin before the offset.
func (c *checker) below(offset int64) int {
	return sort.Search(len(c.order), func(n int) bool { return c.order[n].base >= offset })
}
