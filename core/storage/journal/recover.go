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
	memory  []byte  // of the segment that the chain's end is in
	beyond  []found // valid headers of later commits, seen beyond the chain's end
}

// found is a header that was seen.
type found struct {
	header header
	at     Location
}

// follow redoes the chain from the checkpoint on, and decides what its end is (rule J3).
func (j *Journal) follow(t *task.Task, from checkpoint, redo Redo) (Recovered, error) {
	c := &chain{j: j, redo: redo, from: from, durable: from.durable}
	c.scanner = scanner{disk: j.env.Disk, segments: j.segments}
	err := c.toTheEnd(t)
	c.scanner.close(t)
	if err != nil {
		return c.result, err
	}
	return c.finish()
}

// toTheEnd redoes commits until nothing that had been durable follows.
func (c *chain) toTheEnd(t *task.Task) error {
	for {
		if err := c.walk(t); err != nil {
			return err
		}
		if err := c.survey(t); err != nil {
			return err
		}
		if c.durable <= c.j.sequence || mutant.On(mutant.CorruptionTruncated) {
			return nil
		}
		if err := c.mend(t); err != nil {
			return err
		}
	}
}

// walk redoes commits until the chain ends, and leaves the journal's position there.
func (c *chain) walk(t *task.Task) error {
	j := c.j
	for {
		s := j.segment(j.position.Segment)
		if s == nil {
			c.memory = nil // the last segment was full to its end, and the next was never made
			return nil
		}
		memory, err := c.scanner.read(t, s)
		if err != nil {
			return err
		}
		c.memory = memory
		for at := int(j.position.Position); at+env.BlockBytes <= int(s.bytes); {
			total, ok, err := c.commit(s, memory, at)
			if err != nil {
				return err
			}
			if !ok {
				break
			}
			at += total
			j.position.Position = uint32(at)
		}
		rolled, err := c.continues(t, s)
		if err != nil || !rolled {
			return err
		}
		j.position = Location{s.number + 1, segmentHeaderBytes}
	}
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
	c.result.Bytes += int64(h.total)
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
	return ok && h.sequence == c.j.sequence+1 && h.previousHash == c.j.hash && h.at == Location{next.number, segmentHeaderBytes}, nil
}

// survey looks through everything beyond the chain's end.
func (c *chain) survey(t *task.Task) error {
	j := c.j
	c.beyond = c.beyond[:0]
	if c.memory != nil {
		c.look(j.position.Segment, c.memory, int(j.position.Position))
	}
	for _, s := range j.segments {
		if s.number <= j.position.Segment {
			continue
		}
		memory, err := c.scanner.read(t, s)
		if err != nil {
			return err
		}
		c.look(s.number, memory, segmentHeaderBytes)
	}
	return nil
}

// look searches a segment from a position on for later commits, and takes note of what they declare durable. A header is
// enough: it was issued, so what it says was so. Recycled segments hold old commits, which name another place.
func (c *chain) look(segment uint32, memory []byte, from int) {
	for at := from; at+env.BlockBytes <= len(memory); at += env.BlockBytes {
		h, _, ok := parseHeader(memory[at:], c.j.id.journal)
		if !ok || h.at != (Location{segment, uint32(at)}) || h.sequence <= c.j.sequence {
			continue
		}
		c.durable = max(c.durable, h.knownDurable)
		c.result.TornTail = true
		c.j.generation = max(c.j.generation, h.generation+1)
		if !c.leftover(&h) {
			c.beyond = append(c.beyond, found{h, h.at})
		}
	}
}

// finish decides what the end of the chain is.
func (c *chain) finish() (Recovered, error) {
	j := c.j
	c.result.Clean = c.closed // what follows a closing commit is older: dropped by an earlier recovery
	if c.result.TornTail {
		j.env.Probe.Sometimes(env.MarkRecoveredTornTail)
	} else {
		j.env.Probe.Sometimes(env.MarkRecoveredClean)
	}
	return c.result, nil
}
