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

	unproven []unproven // redone, and not known durable
	whole    bool       // the last commit of the chain is whole, and stands where the checkpoint of this start will say
	stands   bool       // the last commit that the checkpoint covers is where it says
}

// found is a header that was seen.
type found struct {
	header header
	at     Location
}

// follow redoes the chain from the checkpoint on, and decides what its end is (rule J3).
func (j *Journal) follow(t *task.Task, from checkpoint, redo Redo) (*chain, error) {
	c := &chain{j: j, redo: redo, from: from, durable: from.durable}
	c.scanner = scanner{disk: j.env.Disk, segments: j.segments}
	err := c.toTheEnd(t)
	c.scanner.close(t)
	if err == nil {
		err = c.finish()
	}
	return c, err
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
		if j.position == c.from.next && j.sequence == c.from.sequence {
			c.stands = c.from.last(memory, j.id.journal)
			c.whole = c.stands
		}
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
	after := Moment{Sequence: h.sequence - 1}
	err = parseTable(table, func(e Entry) error {
		after.Entries++
		begin := int(e.Position) - HeaderBytes
		if e.Bytes == 0 {
			return c.redo.Entry(e, after, Location{}, nil)
		}
		if begin < 0 || begin+int(e.Bytes) > len(payload) {
			return fmt.Errorf("%w: entry's payload lies outside its commit", errTable)
		}
		return c.redo.Entry(e, after, Location{s.number, uint32(at) + e.Position}, payload[begin:begin+int(e.Bytes)])
	})
	if err != nil {
		return 0, false, fmt.Errorf("%s, commit %d at position %d: %w", segmentName(s.number), h.sequence, at, err)
	}
	j.sequence, j.hash, j.generation = h.sequence, hash, max(j.generation, h.generation+1)
	j.table, j.lastTable = append([]byte(nil), table...), len(table) > 0
	c.durable = max(c.durable, h.knownDurable)
	c.closed, c.whole = h.flags&flagClosing != 0, true
	c.note(h.sequence, h.at)
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

// finish decides what the end of the chain is. Errors: what the checkpoint covers is not there.
func (c *chain) finish() error {
	j := c.j
	if c.result.Commits == 0 && !c.stands && c.from.demands() {
		// The commit had been durable before the checkpoint was written, and everything behind it is gone with it.
		return fmt.Errorf(
			"%s: commit %d ended at position %d when the last checkpoint was written, and nothing of it is there: the file is an older copy, or damaged. Nothing was changed; put the right file back, or restore the folder from a copy or a replica",
			segmentName(c.from.next.Segment), c.from.sequence, c.from.next.Position)
	}
	c.prove()
	c.result.Clean = c.closed // what follows a closing commit is older: dropped by an earlier recovery
	if c.result.TornTail {
		j.env.Probe.Sometimes(env.MarkRecoveredTornTail)
	} else {
		j.env.Probe.Sometimes(env.MarkRecoveredClean)
	}
	return nil
}

// demands says whether the checkpoint vouches for the commit before the place where redo begins.
func (c *checkpoint) demands() bool {
	return c.sequence > 0 && c.durable >= c.sequence && c.next.Position > segmentHeaderBytes
}

// last says whether the last commit that the checkpoint covers stands in the segment, right before the place where redo begins.
func (c *checkpoint) last(memory []byte, journal [16]byte) bool {
	for at := int(c.next.Position) - env.BlockBytes; at >= segmentHeaderBytes; at -= env.BlockBytes {
		h, hash, ok := parseHeader(memory[at:], journal)
		if ok && h.at == (Location{c.next.Segment, uint32(at)}) {
			return h.sequence == c.sequence && hash == c.hash && at+int(h.total) == int(c.next.Position)
		}
	}
	return false
}
