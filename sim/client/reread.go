package client

import "barnabas/core/task"

// reread has the consumer begin somewhere before, now and then: old records are read from elsewhere than new ones.
func (c *Consumer) reread() {
	if c.plan.Rereads == 0 || c.position <= c.from || c.client.env.Loop.Now() >= c.plan.StopAt {
		return
	}
	c.rereads++
	if c.client.draw(c.plan.Rereads, streamReread, uint64(c.reader), c.rereads) == 0 {
		c.client.options.Hooks.Sometimes("consumer-read-again")
		c.position = c.from + int64(c.client.draw(uint64(c.position-c.from), streamReread, uint64(c.reader), c.rereads, 1))
		c.client.options.Hooks.Witness.Seek(c.reader, c.position)
	}
}

// lookUp looks up offsets by the times of records that are known, and has the answers judged. It asks for the start
// afterwards: what lies beyond it was there at each look.
func (c *Consumer) lookUp(t *task.Task, address string) {
	book := c.client.options.Hooks.Ledger
	for ; c.lookUps < c.plan.LookUps; c.lookUps++ {
		stamp, ok := book.Stamp(c.plan.Partition, c.client.draw(1<<32, streamLookUp, uint64(c.reader), uint64(c.lookUps)))
		if !ok {
			c.lookUps = c.plan.LookUps
			return
		}
		found, ok := c.offsetOf(t, address, stamp)
		if !ok {
			if !c.client.options.Hooks.Damaged() {
				return
			}
			continue
		}
		start, ok := c.offsetOf(t, address, earliest)
		if !ok {
			return
		}
		if c.client.options.Hooks.Damaged() {
			continue // what is refused can't be found
		}
		book.JudgeLookUp(c.plan.Partition, stamp, found.Offset, found.Timestamp, start.Offset)
	}
}

// LookedUp says whether all that was to be looked up, or at, was.
func (c *Consumer) LookedUp() bool { return c.lookUps >= c.plan.LookUps && c.spots >= c.plan.Spots }
