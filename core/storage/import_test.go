package storage

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"barnabas/core/storage/segment"
	"barnabas/core/task"
	"barnabas/sim/simdisk"
)

// kafkas turns what a clean stop of ours has left into what Apache Kafka would leave: its own clean-shutdown file, or none
// after a crash. The journal stays, as Kafka lets it.
func kafkas(r *rig, clean bool) {
	worked(r)
	r.tell(func(t *task.Task) {
		l := r.directory.Create([16]byte{15: 1}, 0, "__cluster_metadata-0")
		lead(l, made(0, 1, 0, "metadata"), 0)
		voted := task.NewSignal(r.directory.env.Loop)
		r.directory.Vote([]byte("a vote"), voted.Raise)
		voted.Wait(t, task.Never)
	})
	if err := r.stop(); err != nil {
		panic(err)
	}
	r.crash(simdisk.PowerLoss)
	r.leftByKafka(clean)
}

// leftByKafka has the folder pass for one that a node of Apache Kafka left, cleanly or not.
func (r *rig) leftByKafka(clean bool) {
	var file []byte
	if clean {
		file = segment.EncodeCleanShutdown(77)
	}
	r.rewrite("data/"+segment.CleanShutdownFile, file)
	r.options.Votes.FromFile = func(QuorumState) []byte { return []byte("from a file") }
	r.options.Examine = func(*task.Task, *Directory) error { return nil }
}

// talkTo opens the directory and returns what it said.
func talkTo(r *rig) (said string, err error) {
	e := r.begin()
	heard := &hearing{}
	e.Talk = heard
	r.tell(func(t *task.Task) { r.directory, err = Open(t, e, r.options) })
	return strings.Join(heard.lines, "\n"), err
}

type hearing struct{ lines []string }

func (h *hearing) Say(line string) { h.lines = append(h.lines, line) }
func (h *hearing) Fail(err error)  { h.lines = append(h.lines, err.Error()) }

// read returns what the log holds.
func read(r *rig, l *Log) (all []byte) {
	r.tell(func(t *task.Task) { all = contents(t, l) })
	return all
}

func TestAFolderOfKafkasIsTakenOver(t *testing.T) {
	for _, clean := range []bool{true, false} {
		r := newRig(11, simdisk.PosixMin)
		kafkas(r, clean)
		before := map[string][]byte{}
		for _, s := range r.directory.Find(topic, 0).segments {
			name := fmt.Sprintf("orders-0/%020d.log", s.base)
			text, _ := r.file(name)
			before[name] = []byte(text)
		}
		old := r.directory.journal.ID()
		if said, err := talkTo(r); err != nil || strings.Contains(said, "CUT") {
			t.Fatal(err, said)
		}
		d := r.directory
		l := d.Find(topic, 0)
		if l == nil || l.Start() != 7 || l.End() != 27 || l.StableEnd() != 27 || d.Find(topic, 1) == nil {
			t.Fatalf("clean %t: the log is %+v", clean, l)
		}
		if want := int64(-1); clean && d.BrokerEpoch() != 77 || !clean && d.BrokerEpoch() != want {
			t.Errorf("clean %t: broker epoch %d", clean, d.BrokerEpoch())
		}
		if string(d.QuorumState()) != "from a file" || d.journal.ID() == old {
			t.Errorf("clean %t: vote %q, the journal is the old one: %t", clean, d.QuorumState(), d.journal.ID() == old)
		}
		if got := fmt.Sprint(l.Epochs().All()); got != "[{0 7} {1 12}]" {
			t.Errorf("clean %t: epochs %s", clean, got)
		}
		h := head(produced(7, 1, 0, 3))
		if again, err := l.CheckProducer(&h); err != nil || again == nil || again.Base != 24 {
			t.Errorf("clean %t: a repeated batch is %v, %v", clean, again, err)
		}
		held := read(r, l)
		if n := len(held); n == 0 || head(held).BaseOffset != 6 {
			t.Errorf("clean %t: %d bytes", clean, n)
		}
		r.step(func() { lead(l, made(0, 2, 1, "more"), 1) })
		r.pass(time.Second)
		r.crash(simdisk.PowerLoss)
		r.mustOpen()
		l = r.directory.Find(topic, 0)
		if got := read(r, l); l.End() != 29 || !bytes.HasPrefix(got, held) {
			t.Errorf("clean %t: after a crash the log ends at %d and has changed", clean, l.End())
		}
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		for name, was := range before {
			if text, _ := r.file(name); !strings.HasPrefix(text, string(was)) {
				t.Errorf("clean %t: %s was rewritten", clean, name)
			}
		}
	}
}

func TestNoCrashOfATakeOverLosesAnything(t *testing.T) {
	own := 0
	for at := task.Instant(0); at < 8_000_000; at += 131_000 {
		r := newRig(uint64(at)+1, simdisk.Strictness(at%3))
		kafkas(r, true)
		e := r.begin()
		e.Talk = silent{}
		r.loop.Go("open", func(s *task.Task) {
			if _, err := Open(s, e, r.options); err != nil {
				t.Error(err)
			}
		})
		r.node.Poke()
		r.kernel.Run(r.kernel.Now() + at)
		r.crash(simdisk.PowerLoss)
		if text, _ := r.file("meta.properties"); strings.HasPrefix(text, "version=2\n") {
			own++
		} else if _, ok := r.file(segment.CleanShutdownFile); !ok {
			t.Fatalf("crash at %d: Kafka's clean-shutdown file went before the directory was ours", at)
		}
		if _, err := talkTo(r); err != nil {
			t.Fatalf("crash at %d: %v", at, err)
		}
		if l := r.directory.Find(topic, 0); l.Start() != 7 || l.End() != 27 || string(r.directory.QuorumState()) != "from a file" {
			t.Fatalf("crash at %d: [%d,%d), vote %q", at, l.Start(), l.End(), r.directory.QuorumState())
		}
	}
	if own == 0 {
		t.Error("no crash came after the directory was ours")
	}
}

func TestWhatKafkaTornIsCut(t *testing.T) {
	r := newRig(12, simdisk.PosixMin)
	kafkas(r, false)
	r.rewrite("data/"+segment.RecoveryPointFile, segment.EncodeOffsets([]segment.PartitionOffset{{Topic: "orders", Offset: 12}}))
	l := r.directory.Find(topic, 0)
	s, old := l.segmentOf(16), l.segments
	name := fmt.Sprintf("orders-0/%020d.log", s.base)
	text, _ := r.file(name)
	p := []byte(text)
	end := s.base
	at := 0
	for end < 16 {
		h := head(p[at:])
		at, end = at+h.Length, h.EndOffset()
	}
	p[at+80] ^= 1
	r.rewrite("data/"+name, p)
	said, err := talkTo(r)
	if err != nil || !strings.Contains(said, "CUT: orders-0 ends at offset 16") {
		t.Fatal(err, said)
	}
	l = r.directory.Find(topic, 0)
	held := read(r, l)
	if l.End() != 16 || len(held) == 0 || l.producers.Len() != 0 {
		t.Errorf("the log ends at %d with %d producers", l.End(), l.producers.Len())
	}
	for _, later := range old {
		if _, ok := r.file(fmt.Sprintf("orders-0/%020d.log", later.base)); ok && later.base > s.base {
			t.Errorf("segment %d beyond the cut is left", later.base)
		}
	}
}

func TestWhatIsNotTakenOverStaysAsItIs(t *testing.T) {
	cases := []struct {
		name   string
		change func(r *rig)
		want   string
	}{
		{"metadata that makes no sense", func(r *rig) {
			r.options.Examine = func(*task.Task, *Directory) error { return errors.New("no sense") }
		}, "no sense"},
		{"nobody reads the metadata", func(r *rig) { r.options.Examine = nil }, "nobody here"},
		{"compaction cut off", func(r *rig) {
			r.rewrite("data/orders-0/00000000000000000000.log.swap", []byte("x"))
		}, "compaction was cut off"},
		{"transactions", func(r *rig) {
			r.rewrite("data/orders-0/00000000000000000000.txnindex", []byte("x"))
		}, "transactions"},
		{"no topic id", func(r *rig) { r.rewrite("data/orders-0/partition.metadata", nil) }, "older than Kafka 2.8"},
		{"damaged epochs", func(r *rig) { r.rewrite("data/orders-0/leader-epoch-checkpoint", []byte("0\n9\n")) }, "leader-epoch-checkpoint"},
		{"no vote", func(r *rig) { r.rewrite("data/__cluster_metadata-0/quorum-state", nil) }, "no quorum-state"},
		{"old records", func(r *rig) {
			l := r.directory.Find(topic, 0)
			name := fmt.Sprintf("data/orders-0/%020d.log", l.segments[0].base)
			text, _ := r.machine.Bytes(name)
			p := bytes.Clone(text)
			p[16] = 1
			r.rewrite(name, p)
		}, "format 1"},
	}
	for _, c := range cases {
		r := newRig(13, simdisk.PosixMin)
		kafkas(r, true)
		c.change(r)
		if _, err := talkTo(r); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
		text, _ := r.file("meta.properties")
		if _, ok := r.file(segment.CleanShutdownFile); !ok || !strings.HasPrefix(text, "version=1\n") {
			t.Errorf("%s: a refused directory is not Kafka's any more: %q", c.name, text)
		}
	}
}

// A log that nothing was appended to is left as it was found: Kafka's index files need not be those we would have written.
func TestAFolderThatWasOnlyOpenedIsNotRewritten(t *testing.T) {
	r := newRig(14, simdisk.PosixMin)
	kafkas(r, true)
	l := r.directory.Find(topic, 0)
	last := l.segments[len(l.segments)-1].base
	names := []string{fmt.Sprintf("%020d.log", last), fmt.Sprintf("%020d.index", last), fmt.Sprintf("%020d.timeindex", last), "00000000000000000027.snapshot"}
	r.rewrite("data/orders-0/"+names[1], []byte{})                                         // a restart of Kafka's leaves fewer entries
	r.rewrite("data/orders-0/00000000000000000007.snapshot", segment.EncodeProducers(nil)) // Kafka keeps one for each segment
	names = append(names, "00000000000000000007.snapshot")
	before := map[string]string{}
	for _, name := range names {
		text, ok := r.file("orders-0/" + name)
		if !ok {
			t.Fatalf("%s is not there", name)
		}
		before[name] = text
	}
	if said, err := talkTo(r); err != nil {
		t.Fatal(err, said)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	r.crash(simdisk.ProcessDeath)
	for _, name := range names {
		if text, ok := r.file("orders-0/" + name); !ok || text != before[name] {
			t.Errorf("%s was changed", name)
		}
	}
	if text, _ := r.file("meta.properties"); !strings.HasPrefix(text, "version=1\n") {
		t.Errorf("the folder was not handed over: %q", text)
	}
}
