package linearizability

// checkPolls follows each client's position.
func (c *checker) checkPolls() error {
	for _, at := range c.places {
		switch o := &c.h.Operations[at]; {
		case o.Outcome != OK:
		case o.Kind == Poll:
			if err := c.checkPoll(at, o); err != nil {
				return err
			}
		case o.Kind == Latest:
			e := end{offset: o.Offset, epoch: int64(o.Epoch), op: at}
			if o.Final {
				e.epoch = anyEpoch
			}
			c.ends = append(c.ends, e)
		case o.Kind == Earliest:
			c.starts(at, o.Offset)
		}
	}
	return nil
}

func (c *checker) checkPoll(at int32, o *Operation) error {
	s := c.sender(o.Client)
	if o.Call < s.lastPoll {
		return c.h.invalid(at, "client %d polls partition %d twice at once", o.Client, o.Partition)
	}
	s.lastPoll = o.Return
	if o.Offset >= 0 {
		s.position, s.reads = o.Offset, true
	}
	if !s.reads {
		return c.h.invalid(at, "client %d polls partition %d for the first time, and nobody knows from where", o.Client, o.Partition)
	}
	for n := range o.Runs {
		c.checkRun(at, o, n, s)
		s.position = o.Runs[n].Offset + int64(o.Runs[n].Count)
		if o.Runs[n].First == Refused { // it is there, and so is all before it
			c.ends = append(c.ends, end{offset: s.position, epoch: NoEpoch, op: at})
		}
	}
	if o.Final {
		c.ends = append(c.ends, end{offset: s.position, epoch: anyEpoch, op: at})
		if n := c.below(s.position) - 1; n >= 0 && c.sorted(n).end() > s.position {
			i := c.sorted(n)
			c.book.find(TornBatch, s.position, []int32{i.op, i.by, at},
				"the log ends at %d, in the middle of the batch of value %v", s.position, i.first)
		}
	}
	return nil
}

// checkRun: the run begins where the client had got to.
func (c *checker) checkRun(at int32, o *Operation, n int, s *sender) {
	r := &o.Runs[n]
	switch {
	case r.Offset < s.position:
		anomaly := IntNonmonotonicPoll
		if n == 0 {
			anomaly = NonmonotonicPoll
		}
		c.book.find(anomaly, r.Offset, []int32{at}, "offset %d was read where %d was next", r.Offset, s.position)
	case r.Offset > s.position:
		if i := c.known(s.position, r.Offset); i != nil {
			c.skipped(at, n, s.position, r.Offset, i)
		}
	}
}

// known returns the last instance that has a record in [from, to), or nil.
func (c *checker) known(from, to int64) *instance {
	n := c.below(to) - 1
	if n < 0 || c.sorted(n).end() <= from {
		return nil
	}
	return c.sorted(n)
}

func (c *checker) skipped(at int32, n int, from, to int64, i *instance) {
	anomaly := IntPollSkip
	if n == 0 {
		anomaly = PollSkip
	}
	c.book.find(anomaly, from, []int32{at, i.op, i.by}, "offset %d was read where %d was next, past value %v at offset %d",
		to, from, i.first, i.base)
	if i.acked && i.read < 0 {
		c.book.find(LostWrite, i.base, []int32{i.op, at}, "value %v was acknowledged at offset %d, and reading went past it to %d",
			i.first, i.base, to)
	}
}

// starts notes that somebody saw the log start at the offset.
func (c *checker) starts(at int32, offset int64) {
	c.begins = append(c.begins, end{offset: offset, op: at})
}

// checkStarts: a log that keeps everything starts before everything that is known.
func (c *checker) checkStarts() {
	if c.partition.Expires || len(c.order) == 0 {
		return
	}
	for _, b := range c.begins {
		if i := c.sorted(0); i.base < b.offset {
			c.book.find(LostWrite, i.base, []int32{i.op, i.by, b.op}, "value %v was at offset %d, and the log starts at %d",
				i.first, i.base, b.offset)
		}
	}
}
