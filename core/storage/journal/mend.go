package journal

import (
	"fmt"

	"barnabas/core/env"
	"barnabas/core/record"
	"barnabas/core/task"
)

// mend takes the chain past one commit that had been durable and is damaged now (rule J5). What the commit did is in its
// table, or in the copy of it that the next commit carries; the payload is handed to the redo as far as it is there, and each
// batch in it has a checksum of its own. Errors: both tables are lost, so nobody knows which logs are concerned.
func (c *chain) mend(t *task.Task) error {
	j := c.j
	bad := j.sequence + 1
	next := c.successor(bad)
	for _, place := range c.places(next) {
		memory, err := c.read(t, place)
		if err != nil {
			return err
		}
		own, hash, whole := parseHeader(memory, j.id.journal)
		whole = whole && own.sequence == bad && own.at == place && int(own.total) <= len(memory)
		table, known, err := c.tableOf(t, memory, own, whole, next)
		if err != nil {
			return err
		}
		if !known {
			continue
		}
		why := fmt.Sprintf("%s, position %d: commit %d was durable and is damaged", segmentName(place.Segment), place.Position, bad)
		if err := c.keep(t, bad, place, memory, own, whole, next); err != nil {
			return err
		}
		if err := c.redoDamaged(bad, table, place, memory, why); err != nil {
			return err
		}
		c.result.Damaged = append(c.result.Damaged, why)
		j.env.Probe.Sometimes(env.MarkCommitDamaged)
		c.whole = false
		j.sequence, j.table, j.lastTable = bad, append([]byte(nil), table...), len(table) > 0
		switch {
		case next != nil:
			j.hash, j.position = next.header.previousHash, next.at
		default:
			j.hash, j.position = hash, Location{place.Segment, place.Position + own.total}
		}
		return nil
	}
	return fmt.Errorf(
		"%s, position %d: commit %d is corrupt, commits up to %d were durable, and nothing tells any more which logs it held. Nothing was changed; restore the folder from a copy, or give this broker an empty one and let it copy from replicas",
		segmentName(j.position.Segment), j.position.Position, bad, c.durable)
}

// places returns where the damaged commit may stand: where the chain ends or, if it did not fit there, at the start of the next
// segment. The commit after it tells which, as there is nothing between the two.
func (c *chain) places(next *found) []Location {
	here, there := c.j.position, Location{c.j.position.Segment + 1, segmentHeaderBytes}
	switch {
	case next == nil:
		return []Location{here, there} // its own header tells: without that, nothing is known of it at all
	case next.at.Segment == here.Segment || next.at == there:
		return []Location{here}
	}
	return []Location{there}
}

// successor returns the commit after the bad one, if it was seen.
func (c *chain) successor(bad uint64) *found {
	for i := range c.beyond {
		if c.beyond[i].header.sequence == bad+1 {
			return &c.beyond[i]
		}
	}
	return nil
}

// read returns the journal's bytes from the place to its segment's end, on the heap; none when there is no such segment.
func (c *chain) read(t *task.Task, at Location) ([]byte, error) {
	s := c.j.segment(at.Segment)
	if s == nil {
		return nil, nil
	}
	p := make([]byte, int(s.bytes)-int(at.Position))
	n, err := s.file.ReadAt(p, int64(at.Position)).Wait(t)
	return p[:n], err
}

// tableOf returns the table of the damaged commit: its own, or the copy in its successor.
func (c *chain) tableOf(t *task.Task, memory []byte, own header, whole bool, next *found) (table []byte, known bool, err error) {
	if whole {
		from := HeaderBytes + own.payload
		if table = memory[from : from+own.table]; record.Checksum(table) == own.tableSum {
			return table, true, nil
		}
	}
	if next == nil {
		return nil, false, nil
	}
	p, err := c.read(t, next.at)
	if err != nil {
		return nil, false, err
	}
	h := &next.header
	from := HeaderBytes + int(h.payload) + int(h.table)
	if from+int(h.previousTable) > len(p) {
		return nil, false, nil
	}
	table = p[from : from+int(h.previousTable)]
	return table, record.Checksum(table) == h.previousSum, nil
}

func (c *chain) redoDamaged(sequence uint64, table []byte, place Location, memory []byte, why string) error {
	after := Moment{Sequence: sequence - 1}
	return parseTable(table, func(e Entry) error {
		after.Entries++
		if e.Bytes == 0 {
			return c.redo.Entry(e, after, Location{}, nil)
		}
		var payload []byte
		if from := int(e.Position); from+int(e.Bytes) <= len(memory) {
			payload = memory[from : from+int(e.Bytes)]
		}
		return c.redo.Damaged(e, after, Location{place.Segment, place.Position + e.Position}, payload, why)
	})
}

// keep copies the damaged commit's bytes to a file of its own: its segment will be recycled. Without room there is no copy.
func (c *chain) keep(t *task.Task, sequence uint64, at Location, memory []byte, own header, whole bool, next *found) error {
	size := len(memory)
	if whole {
		size = int(own.total)
	} else if next != nil && next.at.Segment == at.Segment {
		size = int(next.at.Position - at.Position)
	}
	disk := c.j.env.Disk
	name := fmt.Sprintf("%s/quarantine-commit-%020d", c.j.options.Folder, sequence)
	file, err := disk.Open(name, env.OpenCreate).Wait(t)
	if err == nil {
		defer file.Close()
		if _, err = file.WriteAt(memory[:min(size, len(memory))], 0).Wait(t); err == nil {
			_, err = file.Sync().Wait(t)
		}
	}
	if err == nil || retryable(err) {
		return nil
	}
	return err
}
