package storage

import (
	"errors"
	"fmt"

	"barnabas/core/env"
	"barnabas/core/record"
	"barnabas/core/task"
)

// coldBytesMax is how much of partition files is kept in memory for readers that lag.
const coldBytesMax = 16 << 20

// run is a run of whole, checked batches of a log, read from a segment's file.
type run struct {
	log     LogNumber
	memory  []byte
	batches []coldBatch // ascending
	pins    int
	gone    bool // forgotten: freed after the last pin
	cache   *coldCache
}

type coldBatch struct {
	base, end record.Offset
	from, to  uint32 // in memory
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
		for i := range r.batches {
			if b := &r.batches[i]; b.base <= at && at < b.end {
				r.pins++
				return view{b.base, b.end, r.memory[b.from:b.to:b.to], r}, true
			}
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

// errChanged ends what was begun before the log was cut, emptied or dropped.
var errChanged = errors.New("the log was changed meanwhile")

// readBytes is how much a read of a file brings in.
const readBytes = 256 << 10

// loadFile brings the batch that holds the offset, and what follows it, from its segment's file into memory. Batches are
// checked first (rule A4). Errors: the disk's; KAFKA_STORAGE_ERROR for damage; errChanged.
func (l *Log) loadFile(t *task.Task, offset record.Offset) error {
	d := l.directory
	d.env.Probe.Sometimes(env.MarkFileRead)
	s := l.segmentOf(offset)
	if s == nil {
		return fmt.Errorf("no segment of %s has offset %d", l.Name, offset)
	}
	cuts := l.cuts
	if err := l.ensureIndex(t, s); err != nil {
		return err
	}
	sc := &scanner{log: l, segment: s, cuts: cuts, want: readBytes}
	sc.seek(offset)
	r := &run{log: l.Number, memory: d.env.Disk.Buffer(readBytes)}
	used := 0
	err := sc.walk(t, func(h *record.Header, p []byte) bool {
		if h.EndOffset() <= offset {
			return true
		}
		if used+len(p) > len(r.memory) {
			if used > 0 {
				return false
			}
			d.env.Disk.FreeBuffer(r.memory)
			r.memory = d.env.Disk.Buffer(len(p))
		}
		copy(r.memory[used:], p)
		r.batches = append(r.batches, coldBatch{h.BaseOffset, h.EndOffset(), uint32(used), uint32(used + len(p))})
		used += len(p)
		return true
	}, func() bool { return used > 0 })
	if err != nil || used == 0 {
		d.env.Disk.FreeBuffer(r.memory)
		if err == nil && l.doubtAt(offset) == nil {
			err = fmt.Errorf("%s has no batch for offset %d", l.path(s), offset)
		}
		return err
	}
	d.cold.add(r)
	return nil
}
