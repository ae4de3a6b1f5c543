package journal

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"testing"
	"time"

	"barnabas/core/env"
	"barnabas/core/task"
	"barnabas/sim/simdisk"

	"pgregory.net/rapid"
)

// keyedProbe takes rare paths by the numbers of a seed.
type keyedProbe struct {
	random env.Random
	asked  uint64
	seen   [env.Marks]int
}

func (p *keyedProbe) Chance(site env.Site) bool {
	p.asked++
	return p.random.OneIn(6, 1, uint64(site), p.asked)
}

func (p *keyedProbe) Sometimes(m env.Mark) { p.seen[m]++ }

// model is a journal beside what it should hold.
type model struct {
	*rig
	t        *rapid.T
	issued   story
	reported Marks // of the present process
	crashes  int
}

func (m *model) reopen() {
	if err := m.open(); err != nil {
		m.t.Fatalf("life %d: %v", m.lives, err)
	}
	m.watch()
}

func (m *model) watch() {
	m.reported = m.journal.Marks()
	m.journal.OnMarks(func(now Marks) {
		if now.Written < m.reported.Written || now.Durable < m.reported.Durable || now.Durable > now.Written {
			m.t.Fatalf("marks go from %v to %v", m.reported, now)
		}
		m.reported = now
	})
}

// judge compares what was recovered with the model and goes on from there.
func (m *model) judge(acked int) {
	if err := m.issued.compare(m.found, acked); err != nil {
		m.t.Fatalf("life %d, %v: %v", m.lives, m.machine.Profile().Strictness, err)
	}
	if !m.issued.border(len(m.found.items)) {
		m.t.Fatalf("life %d: part of a commit was recovered", m.lives)
	}
	m.issued.items = m.found.items
	for _, it := range m.issued.items {
		it.sequence = 0 // recovery made it durable
	}
}

// ends are how many entries survive the loss of the power, and of the process alone.
type ends struct{ durable, acked int }

// crashNow ends the process and returns how many entries must survive.
func (m *model) crashNow(kind simdisk.Crash) (e ends) {
	e.durable = m.issued.acked(m.reported.Durable)
	e.acked = e.durable
	if kind == simdisk.ProcessDeath && !m.options.Synced {
		e.acked = m.issued.acked(m.reported.Written)
	}
	m.crashes++
	m.crash(kind)
	return e
}

func (m *model) act(t *rapid.T) {
	switch rapid.IntRange(0, 11).Draw(t, "action") {
	case 0, 1, 2, 3:
		m.appendSome(t)
	case 4, 5, 6:
		m.pass(time.Duration(rapid.IntRange(0, 400).Draw(t, "µs")) * time.Microsecond)
	case 7:
		m.pass([]time.Duration{12 * time.Millisecond, 1200 * time.Millisecond}[rapid.IntRange(0, 1).Draw(t, "long")])
	case 8, 9:
		m.crashAndReopen(t)
	case 10:
		m.closeAndReopen()
	case 11:
		m.read(t)
	}
}

// closeAndReopen stops cleanly. A journal so full that not even the closing commit has room says so.
func (m *model) closeAndReopen() {
	err := m.close()
	must := len(m.issued.items)
	if errors.Is(err, ErrBusy) || errors.Is(err, ErrFull) {
		must = m.issued.acked(m.reported.Durable)
	} else if err != nil {
		m.t.Fatal(err)
	}
	m.reopen()
	m.judge(must)
	// What a crash left behind the end may still be there, and looks like a tail.
	if !m.finding.Clean && m.crashes == 0 && err == nil {
		m.t.Fatalf("a clean stop was not recognised: %+v", m.finding)
	}
}

func (m *model) appendSome(t *rapid.T) {
	sizes := rapid.SliceOfN(rapid.SampledFrom([]int{-1, 0, 1, 100, 100, 3000, 4000, 9000, 30000}), 1, 4).Draw(t, "sizes")
	m.step(func() {
		for _, size := range sizes {
			if m.journal.Room(max(size, 0)+200) == nil {
				m.append(&m.issued, size)
			}
		}
	})
}

func (m *model) crashAndReopen(t *rapid.T) {
	kinds := rapid.SampledFrom([]simdisk.Crash{simdisk.ProcessDeath, simdisk.PowerLoss})
	must := m.crashNow(kinds.Draw(t, "kind"))
	m.options.Synced = rapid.Bool().Draw(t, "synced") // rule J17: what is there is redone, whatever the new setting
	for rapid.IntRange(0, 2).Draw(t, "crash while opening") == 0 {
		m.start(func(err error) {
			if err != nil {
				m.t.Fatalf("life %d: %v", m.lives, err)
			}
		})
		m.pass(time.Duration(rapid.IntRange(0, 3000).Draw(t, "µs")) * time.Microsecond)
		kind := kinds.Draw(t, "kind")
		if m.crash(kind); kind == simdisk.PowerLoss {
			must.acked = must.durable
		}
	}
	m.reopen()
	m.judge(must.acked)
}

// read reads a random batch, from memory or from the file, and compares its bytes.
func (m *model) read(t *rapid.T) {
	if len(m.issued.items) == 0 {
		return
	}
	it := m.issued.items[rapid.IntRange(0, len(m.issued.items)-1).Draw(t, "item")]
	if len(it.payload) == 0 {
		return
	}
	m.tell(func(s *task.Task) { readBack(t, s, m.journal, it) })
}

func readBack(t rapid.TB, s *task.Task, j *Journal, it *item) {
	length := uint32(len(it.payload))
	p, _, pin, err := j.Bytes(it.at, length)
	if pin == nil && err == nil {
		if _, err := j.Load(it.at, length).Wait(s); err != nil {
			t.Fatalf("%v: %v", it, err)
		}
		p, _, pin, err = j.Bytes(it.at, length)
	}
	if err != nil || pin == nil {
		t.Fatalf("%v: in memory %v, %v", it, pin != nil, err)
	}
	if !bytes.Equal(p, it.payload) {
		t.Fatalf("%v reads otherwise than it was written", it)
	}
	pin.Release()
}

func TestEveryCrashKeepsWhatWasAcknowledged(t *testing.T) {
	var seen [env.Marks]int
	for _, strictness := range []simdisk.Strictness{simdisk.Ordered, simdisk.PosixMin, simdisk.Adversarial} {
		t.Run(strictness.String(), func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				o := small
				o.Synced = rapid.Bool().Draw(rt, "synced")
				seed := rapid.Uint64().Draw(rt, "seed")
				m := &model{rig: newRig(seed, strictness, o), t: rt}
				probe := &keyedProbe{random: env.NewRandom(seed, 12)}
				m.probe = probe
				m.reopen()
				for range rapid.IntRange(5, 60).Draw(rt, "actions") {
					m.act(rt)
				}
				m.closeAndReopen()
				for mark, n := range probe.seen {
					seen[mark] += n
				}
			})
		})
	}
	for _, mark := range []env.Mark{
		env.MarkCommitGrouped, env.MarkJournalRolled, env.MarkRecoveredTornTail, env.MarkRecoveredClean,
		env.MarkColdRead, env.MarkJournalFull,
	} {
		if seen[mark] == 0 {
			t.Errorf("no run came to %v", mark)
		}
	}
}

func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		_ = f.Value.Set("120")
	}
	os.Exit(m.Run())
}
