package storage

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"barnabas/core/env"
	"barnabas/core/record"
	"barnabas/core/storage/segment"
	"barnabas/core/task"
	"barnabas/sim/simdisk"
)

// stop closes the directory and ends the process.
func (r *rig) stop() (err error) {
	r.tell(func(t *task.Task) { err = r.directory.Close(t) })
	return err
}

// file returns a file of the stopped machine, and whether it is there.
func (r *rig) file(name string) (string, bool) {
	p, ok := r.machine.Bytes("data/" + name)
	return string(p), ok
}

// worked is a directory with all that a folder of Kafka's must show: several segments, producers, deleted records, epochs,
// an empty log, and one that was dropped.
func worked(r *rig) {
	d := r.mustOpen()
	r.step(func() {
		l := d.Create(topic, 0, "orders-0")
		c := defaultConfig()
		c.SegmentBytes, c.IndexIntervalBytes = 2000, 500
		l.Configure(c)
		d.Create(topic, 1, "orders-1")
		gone := d.Create(topic, 2, "gone-0")
		lead(gone, made(0, 1, 0, "gone"), 0)
		for i := range 12 {
			lead(l, made(0, 2, record.LeaderEpoch(i/6), strings.Repeat("v", 300)), record.LeaderEpoch(i/6))
		}
		lead(l, produced(7, 1, 0, 3), 1)
	})
	r.pass(time.Second)
	r.step(func() {
		l := d.Find(topic, 0)
		l.Settle(l.StableEnd())
		l.MoveStart(7)
		d.Drop(d.Find(topic, 2))
	})
	r.pass(time.Second)
}

func TestACleanStopLeavesKafkasFiles(t *testing.T) {
	for _, s := range []simdisk.Strictness{simdisk.PosixMin, simdisk.Strictness(1), simdisk.Strictness(2)} {
		r := newRig(3, s)
		worked(r)
		d, l := r.directory, r.directory.Find(topic, 0)
		// Its timestamp is in no index until the segment is closed.
		r.step(func() { lead(l, made(27, 1, 1, "x"), 1) })
		r.pass(time.Second)
		r.step(func() { l.Settle(l.StableEnd()) })
		r.tell(func(t *task.Task) {
			wait(t, d.env.Disk.MakeFolder("data/orders-0"))
			for _, name := range []string{"00000000000000000777.log", "00000000000000000005.snapshot"} {
				wait(t, d.env.Disk.Open("data/orders-0/"+name, env.OpenNew)).Close()
			}
		})
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		r.crash(simdisk.PowerLoss) // a stop leaves nothing that a power loss could take
		for name, want := range map[string]string{
			"recovery-point-offset-checkpoint":        "0\n2\norders 0 28\norders 1 0\n",
			"replication-offset-checkpoint":           "0\n2\norders 0 28\norders 1 0\n",
			"log-start-offset-checkpoint":             "0\n1\norders 0 7\n",
			".kafka_cleanshutdown":                    fmt.Sprintf(`{"version":0,"brokerEpoch":-1,"journal":"%s"}`, d.signature()),
			"orders-0/leader-epoch-checkpoint":        "0\n2\n0 7\n1 12\n",
			"orders-1/leader-epoch-checkpoint":        "0\n0\n",
			"orders-1/00000000000000000000.log":       "",
			"orders-1/00000000000000000000.index":     "",
			"orders-1/00000000000000000000.timeindex": "",
			"orders-1/partition.metadata":             string(segment.EncodePartitionMetadata(topic)),
			"orders-0/partition.metadata":             string(segment.EncodePartitionMetadata(topic)),
			"orders-0/00000000000000000028.snapshot": string(segment.EncodeProducers([]segment.ProducerState{{
				ID: 7, Epoch: 1, LastSequence: 2, LastOffset: 26, OffsetDelta: 2, Timestamp: 1, CoordinatorEpoch: -1, TxnFirstOffset: -1,
			}})),
		} {
			if got, ok := r.file(name); !ok || got != want {
				t.Errorf("%v: %s: %q, want %q", s, name, got, want)
			}
		}
		if text, _ := r.file("meta.properties"); !strings.HasPrefix(text, "version=1\n") {
			t.Errorf("%v: meta.properties: %q", s, text)
		}
		checkSegments(t, r, l)
		checkNames(t, r, l)
	}
}

// checkSegments looks into the files of each segment: nothing but batches, each index entry at its batch, and the greatest
// timestamp noted last.
func checkSegments(t *testing.T, r *rig, l *Log) {
	t.Helper()
	if len(l.segments) < 3 {
		t.Fatalf("%d segments", len(l.segments))
	}
	for _, s := range l.segments {
		name := fmt.Sprintf("%s/%020d", l.Name, s.base)
		text, _ := r.file(name + ".log")
		offsets, _ := r.file(name + ".index")
		times, _ := r.file(name + ".timeindex")
		x, err := segment.ParseIndex(s.base, 500, []byte(offsets), []byte(times))
		if err != nil {
			t.Fatal(name, err)
		}
		want := segment.NewIndex(s.base, 500)
		at := 0
		for p := []byte(text); len(p) > 0; {
			h := head(p)
			want.Append(h.LastOffset(), uint32(at), h.MaxTimestamp)
			p, at = p[h.Length:], at+h.Length
		}
		want.Seal()
		if sumsOf(&x) != sumsOf(&want) || at != int(s.size) {
			t.Errorf("%s: %d bytes of %d, index %+v, want %+v", name, at, s.size, sumsOf(&x), sumsOf(&want))
		}
	}
}

// checkNames expects no folder but the logs', and no file of a segment or snapshot that the log does not have.
func checkNames(t *testing.T, r *rig, l *Log) {
	t.Helper()
	e := r.begin()
	r.tell(func(s *task.Task) {
		for _, name := range wait(s, e.Disk.List("data")) {
			if f, err := segment.ParseFolder(name); err == nil && (f.State != segment.Live || f.Topic != "orders") {
				t.Errorf("folder %s is left", name)
			}
		}
		bases := []record.Offset{l.end}
		for _, s := range l.segments {
			bases = append(bases, s.base)
		}
		for _, name := range wait(s, e.Disk.List("data/"+l.Name)) {
			if n, ok := segment.ParseFileName(name); ok && (n.Stage != segment.InUse || !slices.Contains(bases, n.Offset)) {
				t.Errorf("file %s is left", name)
			}
		}
	})
	r.crash(simdisk.ProcessDeath)
}

func TestAStartAfterACleanStopIsOurs(t *testing.T) {
	r := newRig(4, simdisk.PosixMin)
	worked(r)
	before := hash(r.directory)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	r.crash(simdisk.PowerLoss)
	r.mustOpen()
	if got := hash(r.directory); !slices.Equal(got, before) {
		t.Errorf("state %v, was %v", got, before)
	}
	if text, _ := r.file("meta.properties"); !strings.HasPrefix(text, "version=2\n") {
		t.Errorf("meta.properties while we run: %q", text)
	}
	if text, ok := r.file(segment.CleanShutdownFile); ok {
		t.Errorf("the clean-shutdown file is there while we run: %q", text)
	}
}

// TestNoCrashOfAStopHandsOverTooEarly takes the power at many moments of a stop and of the start after it. Whenever the
// directory says version 1 and has a clean-shutdown file, everything Kafka needs is there; and we always find our way.
// A second clean stop writes the files of logs that changed, and of no other.
func TestACleanStopExportsWhatChanged(t *testing.T) {
	r := newRig(3, simdisk.PosixMin)
	worked(r)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	r.crash(simdisk.PowerLoss)
	const marker = "00000000000000000777.snapshot" // an export removes it
	for _, folder := range []string{"orders-0", "orders-1"} {
		r.rewrite("data/"+folder+"/"+marker, []byte("here"))
	}
	d := r.mustOpen()
	r.step(func() { lead(d.Find(topic, 0), made(30, 1, 2, "x"), 2) })
	r.pass(time.Second)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	r.crash(simdisk.ProcessDeath) // the marker's name is not durable
	if _, ok := r.file("orders-0/" + marker); ok {
		t.Error("a log that changed was not exported")
	}
	if _, ok := r.file("orders-1/" + marker); !ok {
		t.Error("a log that did not change was exported")
	}
	d = r.mustOpen()
	r.step(func() { d.Find(topic, 1).BeginEpoch(9) })
	r.pass(time.Second)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if got, _ := r.file("orders-1/leader-epoch-checkpoint"); got != "0\n1\n9 0\n" {
		t.Errorf("the epochs of a log that did not change otherwise: %q", got)
	}
	r.crash(simdisk.ProcessDeath)
	r.mustOpen()
	r.crash(simdisk.ProcessDeath) // no clean stop
	r.mustOpen()
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if _, ok := r.file("orders-1/" + marker); ok {
		t.Error("after a crash a log was not exported")
	}
}

func TestNoCrashOfAStopHandsOverTooEarly(t *testing.T) {
	shared, own := 0, 0
	for at := task.Instant(0); at < 12_000_000; at += 97_000 {
		r := newRig(uint64(at), simdisk.Strictness(at%3))
		worked(r)
		before, l := hash(r.directory), r.directory.Find(topic, 0)
		r.directory.env.Loop.Go("stop", func(s *task.Task) {
			if err := r.directory.Close(s); err != nil {
				t.Error(err)
			}
		})
		r.node.Poke()
		r.kernel.Run(r.kernel.Now() + at)
		r.crash(simdisk.PowerLoss)
		text, _ := r.file("meta.properties")
		if strings.HasPrefix(text, "version=1\n") {
			shared++
			if _, ok := r.file(segment.CleanShutdownFile); !ok {
				t.Fatalf("crash at %d: version 1 without a clean-shutdown file", at)
			}
			checkSegments(t, r, l)
		} else {
			own++
		}
		if err := r.open(); err != nil {
			t.Fatalf("crash at %d: %v", at, err)
		}
		if got := hash(r.directory); !slices.Equal(got, before) {
			t.Fatalf("crash at %d: state %v, was %v", at, got, before)
		}
	}
	if shared == 0 || own == 0 {
		t.Errorf("%d crashes after the directory was handed over, %d before", shared, own)
	}
}

func TestADirectoryInDoubtIsNotHandedOver(t *testing.T) {
	r := newRig(5, simdisk.PosixMin)
	worked(r)
	r.directory.env.Talk = silent{}
	r.step(func() { r.directory.Find(topic, 0).doubted(20, 22, "a test says so") })
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	r.crash(simdisk.ProcessDeath)
	if text, _ := r.file("meta.properties"); !strings.HasPrefix(text, "version=2\n") {
		t.Errorf("meta.properties: %q", text)
	}
	if _, ok := r.file(segment.CleanShutdownFile); ok {
		t.Error("a directory in doubt has a clean-shutdown file")
	}
}

func TestAMixedUpFolderIsRefused(t *testing.T) {
	r := newRig(6, simdisk.PosixMin)
	worked(r)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	r.crash(simdisk.PowerLoss)
	r.rewrite("data/"+segment.CleanShutdownFile, segment.EncodeSignedShutdown(1, "00-1"))
	if err := r.open(); err == nil || !strings.Contains(err.Error(), "mixed up") {
		t.Errorf("got %v", err)
	}
	if text, _ := r.file("meta.properties"); !strings.HasPrefix(text, "version=1\n") {
		t.Errorf("a refused start changed meta.properties: %q", text)
	}
}

// silent says nothing to nobody.
type silent struct{}

func (silent) Say(string) {}
func (silent) Fail(error) {}
