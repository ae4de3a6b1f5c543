package journal

import (
	"fmt"

	"barnabas/core/env"
	"barnabas/core/mutant"
	"barnabas/core/task"
)

// chain is recovery on its way along the commits.
type chain struct {
	j       *Journal
	redo    Redo
	from    checkpoint
	durable uint64 // the highest sequence that anything valid declares durable
	closed  bool
	result  Recovered
	scanner scanner
}

// follow redoes the chain from the checkpoint on, and decides what its end is (rule J3).
func (j *Journal) follow(t *task.Task, from checkpoint, redo Redo) (Recovered, error) {
	c := &chain{j: j, redo: redo, from: from, durable: from.durable}
	c.scanner = scanner{disk: j.env.Disk, segments: j.segments}
	for {
		s := j.segment(j.position.Segment)
		if s == nil {
			break
		}
		ended, err := c.segment(t, s)
		if err != nil || ended {
			c.scanner.close(t)
			return c.result, err
		}
		j.position = Location{s.number + 1, segmentHeaderBytes}
	}
	c.scanner.close(t)
	// The last segment was full to its end, and the next was never made.
	return c.finish()
}

// segment redoes the commits of one segment and says whether the chain ended in it.
func (c *chain) segment(t *task.Task, s *segment) (ended bool, err error) {
	j := c.j
	memory, err := c.scanner.read(t, s)
	if err != nil {
		return true, err
	}
	valid := segmentHeaderBytes
	for at := int(j.position.Position); at+env.BlockBytes <= int(s.bytes); {
		total, ok, err := c.commit(s, memory, at)
		if err != nil {
			return true, err
		}
		if !ok {
			break
		}
		at += total
		valid, j.position.Position = at, uint32(at)
	}
	rolled, err := c.continues(t, s)
	if err != nil || rolled {
		return !rolled, err
	}
	c.look(memory[valid:])
	if err := c.later(t, s.number); err != nil {
		return true, err
	}
	_, err = c.finish()
	return true, err
}

// commit redoes the commit at the position, if it is the next of the chain.
func (c *chain) commit(s *segment, memory []byte, at int) (total int, ok bool, err error) {
	j := c.j
	h, hash, ok := parseHeader(memory[at:], j.id.journal)
	if !ok || h.sequence != j.sequence+1 || h.previousHash != j.hash || h.at != (Location{s.number, uint32(at)}) ||
		at+int(h.total) > len(memory) || c.leftover(&h) {
		return 0, false, nil
	}
	payload, table, err := h.body(memory[at:], mutant.On(mutant.TornCommitAccepted))
	if err != nil {
		return 0, false, nil //nolint:nilerr // torn or corrupt: finish decides
	}
	err = parseTable(table, func(e Entry) error {
		begin := int(e.Position) - HeaderBytes
		if e.Bytes == 0 {
			return c.redo.Entry(e, Location{}, nil)
		}
		if begin < 0 || begin+int(e.Bytes) > len(payload) {
			return fmt.Errorf("%w: entry's payload lies outside its commit", errTable)
		}
		return c.redo.Entry(e, Location{s.number, uint32(at) + e.Position}, payload[begin:begin+int(e.Bytes)])
	})
	if err != nil {
		return 0, false, fmt.Errorf("%s, commit %d at position %d: %w", segmentName(s.number), h.sequence, at, err)
	}
	j.sequence, j.hash, j.generation = h.sequence, hash, max(j.generation, h.generation+1)
	j.table, j.lastTable = append([]byte(nil), table...), len(table) > 0
	c.durable = max(c.durable, h.knownDurable)
	c.closed = h.flags&flagClosing != 0
	c.result.Commits++
	return int(h.total), true, nil
}

// leftover says whether the commit is one that an earlier recovery dropped as torn. The same bytes, written again in its
// place and torn too, can make it whole, and its neighbours are still there: it stays dropped.
func (c *chain) leftover(h *header) bool {
	return h.sequence > c.from.durable && h.generation < c.from.generation
}

// continues says whether the next commit of the chain stands at the start of the next segment: the rest of this one was
// too short for it.
func (c *chain) continues(t *task.Task, s *segment) (bool, error) {
	next := c.j.segment(s.number + 1)
	if next == nil {
		return false, nil
	}
	p := c.j.env.Disk.Buffer(env.BlockBytes)
	defer c.j.env.Disk.FreeBuffer(p)
	clear(p)
	if _, err := next.file.ReadAt(p, segmentHeaderBytes).Wait(t); err != nil {
		return false, err
	}
	h, _, ok := parseHeader(p, c.j.id.journal)
	return ok && h.sequence == c.j.sequence+1 && h.previousHash == c.j.hash, nil
}

// look searches memory that follows the chain's end for commits, and takes note of what they declare durable. A header is
// enough: it was issued, so what it says was so.
func (c *chain) look(memory []byte) {
	for at := 0; at+env.BlockBytes <= len(memory); at += env.BlockBytes {
		h, _, ok := parseHeader(memory[at:], c.j.id.journal)
		if !ok {
			// A piece of a torn commit, or nothing: a tail if anything was written here.
			c.result.TornTail = c.result.TornTail || memory[at] != 0
			continue
		}
		if h.sequence > c.j.sequence {
			c.durable = max(c.durable, h.knownDurable)
			c.result.TornTail = true
			c.j.generation = max(c.j.generation, h.generation+1)
		}
	}
}

// later looks through all later segments.
func (c *chain) later(t *task.Task, after uint32) error {
	for _, s := range c.j.segments[after:] {
		memory, err := c.scanner.read(t, s)
		if err != nil {
			return err
		}
		c.look(memory[segmentHeaderBytes:])
	}
	return nil
}

// finish decides what the end of the chain is.
func (c *chain) finish() (Recovered, error) {
	j := c.j
	if c.durable > j.sequence {
		return c.result, fmt.Errorf(
			"%s, position %d: commit %d is corrupt: commits up to %d were durable. Nothing was changed; restore the folder from a copy, or give this broker an empty one and let it copy from replicas",
			segmentName(j.position.Segment), j.position.Position, j.sequence+1, c.durable)
	}
	c.result.Clean = c.closed // what follows a closing commit is older: dropped by an earlier recovery
	if c.result.TornTail {
		j.env.Probe.Sometimes(env.MarkRecoveredTornTail)
	} else {
		j.env.Probe.Sometimes(env.MarkRecoveredClean)
	}
	return c.result, nil
}
