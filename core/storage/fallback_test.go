package storage

import (
	"encoding/binary"
	"strings"
	"testing"

	"barnabas/core/storage/journal"
	"barnabas/core/task"
	"barnabas/sim/simdisk"
)

// One of two checkpoints is enough, whichever it is and whatever happened to the other, and the operator is told; and what is
// recovered survives the power. If the journal does not reach back to it, the start is refused and says why (rule J9).
func TestOneCheckpointIsEnough(t *testing.T) {
	for _, lost := range []string{"data/journal-0.checkpoint", "data/journal-1.checkpoint"} {
		other := map[string]string{"data/journal-0.checkpoint": "journal-1.checkpoint", "data/journal-1.checkpoint": "journal-0.checkpoint"}[lost]
		for name, spoil := range map[string]func(m *simdisk.Machine){
			"can't be read": func(m *simdisk.Machine) { m.Unreadable(simdisk.Target{Path: lost, Block: 0}) },
			"is not whole":  func(m *simdisk.Machine) { m.Rewrite(lost, func(p []byte) []byte { p[200] ^= 4; return p }) },
		} {
			c := stopped(t, false)
			spoil(c.machine)
			p := onto(c.machine, 9, c.options)
			for start := range 2 {
				p.said = nil
				if outcome, err := c.look(p); err != nil || outcome != harmless {
					t.Fatalf("%s %s, start %d: outcome %d, %v", lost, name, start, outcome, err)
				}
				said := strings.Join(p.said, "\n")
				told := strings.Contains(said, lost[5:]+" "+name) && strings.Contains(said, "goes on from "+other)
				if told != (start == 0) { // the first has written it anew
					t.Errorf("%s %s, start %d: it says %q", lost, name, start, said)
				}
				p.crash(simdisk.PowerLoss)
			}
			p.kernel.End()
		}
	}
}

func TestACheckpointThatTheJournalDoesNotReachIsRefused(t *testing.T) {
	c := stopped(t, false)
	older := "data/journal-0.checkpoint"
	if c.bytes["data/journal-1.checkpoint"][23] < c.bytes[older][23] {
		older = "data/journal-1.checkpoint"
	}
	oldest := "data/" + journal.SegmentName(binary.BigEndian.Uint32(c.bytes[older][24:]))
	newer := map[string]string{"data/journal-0.checkpoint": "data/journal-1.checkpoint", "data/journal-1.checkpoint": "data/journal-0.checkpoint"}[older]
	c.machine.Unreadable(simdisk.Target{Path: newer, Block: 0})
	c.machine.Rewrite(oldest, func(p []byte) []byte { clear(p); return p })
	p := onto(c.machine, 9, c.options)
	defer p.kernel.End()
	err := p.live(func(*task.Task) error { return nil })
	if err == nil || !strings.Contains(err.Error(), newer[5:]) {
		t.Errorf("the start says %v", err)
	}
}
