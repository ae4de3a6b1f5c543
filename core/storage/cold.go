package storage

import (
	"sort"

	"barnabas/core/env"
	"barnabas/core/record"
)

// coldBytesMax is how much of partition files is kept in memory for readers that lag.
const coldBytesMax = 32 << 20

// run is a run of whole, checked batches of a log, read from a segment's file.
type run struct {
	log     LogNumber
	memory  []byte
	batches []coldBatch // ascending
	pins    int
	ahead   bool // somebody reads the log from one run to the next: what follows is wanted soon
	found   bool // somebody has looked into it
	gone    bool // forgotten: freed after the last pin
	cache   *coldCache
}

type coldBatch struct {
	base, end record.Offset
	from, to  uint32 // in memory
}

func (r *run) end() record.Offset { return r.batches[len(r.batches)-1].end }

// holds returns the number of the batch that holds the offset.
func (r *run) holds(at record.Offset) (int, bool) {
	i := sort.Search(len(r.batches), func(i int) bool { return r.batches[i].end > at })
	return i, i < len(r.batches) && r.batches[i].base <= at
}

// Release gives one pin up.
func (r *run) Release() {
	if r.pins--; r.pins == 0 && r.gone {
		r.cache.free(r)
	}
}

// coldCache holds runs, the oldest go first. A run is a copy, so nothing that happens to a file reaches who holds one
// (rule A3).
type coldCache struct {
	disk  env.Disk
	bytes int
	runs  []*run // in order of birth
}

// find returns the batch that holds the offset, pinned.
func (c *coldCache) find(l *Log, at record.Offset) (view, bool) {
	for _, r := range c.runs {
		if r.log != l.Number {
			continue
		}
		if i, ok := r.holds(at); ok {
			if !r.found {
				r.found = true
				l.readAhead(r)
			}
			b := &r.batches[i]
			r.pins++
			return view{b.base, b.end, r.memory[b.from:b.to], b.from, r}, true
		}
	}
	return view{}, false
}

func (c *coldCache) add(r *run) {
	r.cache = c
	c.bytes += len(r.memory)
	c.runs = append(c.runs, r)
	for len(c.runs) > 1 && c.bytes > coldBytesMax {
		c.drop(0)
	}
}

// roomAhead says whether there is room for what nobody has asked for yet: half of the cache is for what somebody has.
func (c *coldCache) roomAhead() bool {
	bytes := 0
	for _, r := range c.runs {
		if !r.found {
			bytes += len(r.memory)
		}
	}
	return bytes < coldBytesMax/2
}

func (c *coldCache) drop(i int) {
	r := c.runs[i]
	c.runs = append(c.runs[:i:i], c.runs[i+1:]...)
	c.bytes -= len(r.memory)
	if r.gone = true; r.pins == 0 {
		c.free(r)
	}
}

func (c *coldCache) free(r *run) {
	c.disk.FreeBuffer(r.memory)
	r.memory, r.batches = nil, nil
}

// forget drops what there is of a log: its offsets may mean something else from now on.
func (c *coldCache) forget(log LogNumber) {
	for i := len(c.runs) - 1; i >= 0; i-- {
		if c.runs[i].log == log {
			c.drop(i)
		}
	}
}
