package storage

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"barnabas/core/env"
	"barnabas/core/record"
	"barnabas/core/task"
	"barnabas/sim/simdisk"

	"pgregory.net/rapid"
)

// modelLog is what a log should hold: batches, each known by the number in its value.
type modelLog struct {
	start, end record.Offset
	batches    []modelBatch
}

type modelBatch struct {
	base, end record.Offset
	number    uint32
}

func (m *modelLog) cut(end record.Offset) {
	for n := len(m.batches); n > 0 && m.batches[n-1].end > end; n-- {
		m.batches = m.batches[:n-1]
	}
	m.end = m.start
	if n := len(m.batches); n > 0 {
		m.end = m.batches[n-1].end
	}
}

func (m *modelLog) String() string { return fmt.Sprintf("[%d,%d) %v", m.start, m.end, m.batches) }

// moment is the model after one operation, and the commit that took it.
type moment struct {
	logs     string
	sequence uint64
}

// model is a directory beside what it should hold. Recovery must lead to one of its moments (rule S7): one that no
// acknowledgement lies behind.
type model struct {
	*rig
	t       *rapid.T
	logs    []*modelLog
	moments []moment
	number  uint32

	segmentBytes int
}

func (m *model) render() string {
	var text strings.Builder
	for i, l := range m.logs {
		fmt.Fprintf(&text, "%d: %v\n", i+1, l)
	}
	return text.String()
}

// configure gives the logs small segments.
func (m *model) configure() {
	for _, l := range m.directory.Logs().All {
		c := defaultConfig()
		c.SegmentBytes, c.IndexIntervalBytes, c.FileDeleteDelay = m.segmentBytes, 1000, time.Millisecond
		l.Configure(c)
	}
}

// note remembers the present moment.
func (m *model) note() {
	m.moments = append(m.moments, moment{m.render(), m.directory.journal.LastSequence()})
}

func (m *model) log(t *rapid.T) (*Log, *modelLog) {
	i := rapid.IntRange(0, len(m.logs)-1).Draw(t, "log")
	return m.directory.Logs().At(LogNumber(i + 1)), m.logs[i]
}

func (m *model) act(t *rapid.T) {
	action := rapid.IntRange(0, 11).Draw(t, "action")
	if action < 6 {
		m.step(func() {
			for range rapid.IntRange(1, 3).Draw(t, "in one step") {
				m.change(t)
			}
		})
	}
	switch action {
	case 6, 7:
		m.pass(time.Duration(rapid.IntRange(1, 600).Draw(t, "µs")) * time.Microsecond)
	case 8:
		m.crashAndReopen(t)
	case 9:
		m.verify()
	case 10, 11:
		m.step(func() {
			m.directory.forced = true
			m.directory.work.Raise()
		})
	}
}

// change changes a log.
func (m *model) change(t *rapid.T) {
	l, shadow := m.log(t)
	at := record.Offset(rapid.IntRange(int(l.Start()), int(l.End())).Draw(t, "offset"))
	switch rapid.IntRange(0, 9).Draw(t, "change") {
	case 7:
		if got := l.Truncate(at); got > at {
			m.t.Fatalf("cut at %d, the log ends at %d", at, got)
		}
		shadow.cut(l.End())
	case 8:
		at = min(at, l.StableEnd())
		l.MoveStart(at)
		if at > shadow.start {
			shadow.start = at
			for len(shadow.batches) > 0 && shadow.batches[0].end <= at {
				shadow.batches = shadow.batches[1:]
			}
		}
	case 9:
		l.Reset(l.End() + 10)
		*shadow = modelLog{start: shadow.end + 10, end: shadow.end + 10}
	default:
		m.append(t, l, shadow)
	}
	m.note()
	if l.End() != shadow.end || l.Start() != shadow.start || l.StableEnd() > l.End() {
		m.t.Fatalf("the log is [%d,%d), stable %d, and the model %v", l.Start(), l.End(), l.StableEnd(), shadow)
	}
}

func (m *model) append(t *rapid.T, l *Log, shadow *modelLog) {
	m.number++
	value := make([]byte, 4+rapid.SampledFrom([]int{0, 10, 3000, 6000}).Draw(t, "size"))
	binary.BigEndian.PutUint32(value, m.number)
	count := rapid.IntRange(1, 3).Draw(t, "count")
	if l.directory.journal.Room(count*len(value)+500) != nil {
		return
	}
	p := made(shadow.end, count, record.LeaderEpoch(m.number/4), string(value))
	if rapid.Bool().Draw(t, "lead") {
		lead(l, p, record.LeaderEpoch(m.number/4))
	} else {
		follow(l, p)
	}
	end := shadow.end + record.Offset(count)
	shadow.batches = append(shadow.batches, modelBatch{shadow.end, end, m.number})
	shadow.end = end
}

// crashAndReopen kills the process, perhaps with the power, and expects one of the moments that may be left.
func (m *model) crashAndReopen(t *rapid.T) {
	kind := rapid.SampledFrom([]simdisk.Crash{simdisk.ProcessDeath, simdisk.PowerLoss}).Draw(t, "kind")
	marks := m.directory.journal.Marks()
	survives := marks.Durable
	if kind == simdisk.ProcessDeath {
		survives = marks.Written
	}
	first := 0
	for i, at := range m.moments {
		if at.sequence <= survives {
			first = i
		}
	}
	m.crash(kind)
	if err := m.open(); err != nil {
		m.t.Fatal(err)
	}
	m.configure()
	found := m.found()
	for _, at := range m.moments[first:] {
		if at.logs == found {
			m.adopt()
			return
		}
	}
	m.t.Fatalf("after a %v loss, what was recovered is none of %d moments:\n%s\nthe least is\n%s", kind, len(m.moments)-first, found, m.moments[first].logs)
}

// found reads the logs as they are.
func (m *model) found() string {
	held := model{}
	m.tell(func(s *task.Task) {
		for _, l := range m.directory.Logs().All {
			held.logs = append(held.logs, readLog(s, l))
		}
	})
	return held.render()
}

func readLog(s *task.Task, l *Log) *modelLog {
	found := &modelLog{start: l.Start(), end: l.End()}
	for p := contents(s, l); len(p) > 0; {
		h := head(p)
		b := modelBatch{base: h.BaseOffset, end: h.EndOffset()}
		err := record.Walk(p[record.HeaderBytes:h.Length], h.Count, func(r *record.Record) error {
			b.number = binary.BigEndian.Uint32(r.Value)
			return nil
		})
		if err != nil {
			panic(err)
		}
		found.batches = append(found.batches, b)
		p = p[h.Length:]
	}
	return found
}

// adopt has the model go on from what was recovered.
func (m *model) adopt() {
	m.tell(func(s *task.Task) {
		for i := range m.logs {
			l := m.directory.Logs().At(LogNumber(i + 1))
			if l.StableEnd() != l.End() {
				m.t.Fatalf("after recovery log %d is stable up to %d of %d", i+1, l.StableEnd(), l.End())
			}
			m.logs[i] = readLog(s, l)
		}
	})
	m.moments = nil
	m.note()
	m.moments[0].sequence = 0
}

func (m *model) verify() {
	if want, got := m.render(), m.found(); want != got {
		m.t.Fatalf("the logs hold\n%s\nwant\n%s", got, want)
	}
}

// shareEnds lets walks through the logs wait between any two of them.
type shareEnds struct {
	env.NoProbe
	random env.Random
	oneIn  uint64
	asked  uint64
}

func (p *shareEnds) Chance(s env.Site) bool {
	p.asked++
	return s == env.SiteShareEnd && p.random.OneIn(p.oneIn, env.StreamJournalID, p.asked)
}

func TestRecoveryLeadsToAMomentThatWas(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newRig(rapid.Uint64().Draw(rt, "seed"), simdisk.Strictness(rapid.IntRange(0, 2).Draw(rt, "strictness")))
		r.options.Durability = Durability(rapid.IntRange(0, 1).Draw(rt, "durability"))
		if oneIn := rapid.IntRange(0, 3).Draw(rt, "share ends in"); oneIn > 0 {
			r.probe = &shareEnds{random: env.NewRandom(r.seed, 77), oneIn: uint64(oneIn)}
		}
		m := &model{rig: r, t: rt}
		d := m.mustOpen()
		for i := range 2 {
			d.Create(topic, int32(i), fmt.Sprintf("orders-%d", i))
			m.logs = append(m.logs, &modelLog{})
		}
		m.segmentBytes = rapid.SampledFrom([]int{2000, 9000, 1 << 20}).Draw(rt, "segment bytes")
		m.configure()
		r.pass(1200 * time.Millisecond)
		m.note()
		for range rapid.IntRange(3, 40).Draw(rt, "actions") {
			m.act(rt)
		}
		m.crashAndReopen(rt)
	})
}
