package storage

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"barnabas/core/env"
	"barnabas/core/record"
	"barnabas/core/task"
	"barnabas/sim/simdisk"
)

// TestAfterReopenTheStateIsWhatItWas does everything a log can do, stops in each way, and compares the whole state.
func TestAfterReopenTheStateIsWhatItWas(t *testing.T) {
	stories := []struct {
		name string
		tell func(d *Directory, l *Log)
	}{
		{"appends as leader", func(_ *Directory, l *Log) {
			lead(l, made(0, 3, 0, "a"), 1)
			lead(l, made(0, 1, 0, "b"), 1)
			lead(l, made(0, 2, 0, "c"), 4)
		}},
		{"appends as follower", func(_ *Directory, l *Log) {
			follow(l, slices.Concat(made(0, 3, 2, "a"), made(3, 1, 2, "b"), made(4, 5, 6, "c")))
		}},
		{"an epoch that writes nothing", func(_ *Directory, l *Log) {
			lead(l, made(0, 3, 0, "a"), 1)
			l.BeginEpoch(7)
		}},
		{"truncates within a batch", func(_ *Directory, l *Log) {
			follow(l, slices.Concat(made(0, 3, 2, "a"), made(3, 3, 2, "b"), made(6, 3, 6, "c")))
			if got := l.Truncate(5); got != 3 {
				t.Errorf("truncated to %d, want 3", got)
			}
			follow(l, made(3, 4, 8, "d"))
		}},
		{"truncates all", func(_ *Directory, l *Log) {
			follow(l, made(0, 3, 2, "a"))
			l.Truncate(0)
		}},
		{"resets", func(_ *Directory, l *Log) {
			follow(l, made(0, 3, 2, "a"))
			l.Reset(100)
			follow(l, made(100, 2, 3, "b"))
		}},
		{"remembers producers", func(_ *Directory, l *Log) {
			for i := range int32(7) {
				lead(l, produced(9, 2, i, 1), 1)
			}
			lead(l, produced(11, 0, 1<<31-2, 4), 1)
		}},
		{"drops and makes again", func(d *Directory, l *Log) {
			lead(l, made(0, 3, 0, "a"), 1)
			d.Drop(l)
			again := d.Create(topic, 0, "orders-0")
			if again.Number == l.Number {
				t.Error("a log number was used again")
			}
			lead(again, made(0, 2, 0, "b"), 1)
		}},
	}
	for _, story := range stories {
		for _, durability := range []Durability{Fsync, Replicated} {
			for _, stop := range []string{"clean", "process", "power"} {
				r := newRig(1, simdisk.PosixMin)
				r.options.Durability = durability
				d := r.mustOpen()
				var l *Log
				r.step(func() {
					l = d.Create(topic, 0, "orders-0")
					story.tell(d, l)
				})
				r.pass(1200 * time.Millisecond)
				r.tell(func(s *task.Task) {
					if stop == "clean" {
						if err := d.Close(s); err != nil {
							t.Error(err)
						}
					}
				})
				before, l := hash(d), d.Find(topic, 0)
				var bytesBefore []byte
				if stop != "clean" {
					r.tell(func(s *task.Task) { bytesBefore = contents(s, l) })
				}
				r.crash(map[string]simdisk.Crash{"clean": simdisk.ProcessDeath, "power": simdisk.PowerLoss}[stop])
				d = r.mustOpen()
				if after := hash(d); !slices.Equal(before, after) {
					t.Errorf("%s, %v, %s: state before\n%x\nafter\n%x", story.name, durability, stop, before, after)
				}
				r.tell(func(s *task.Task) {
					if stop != "clean" && !bytes.Equal(contents(s, d.Find(topic, 0)), bytesBefore) {
						t.Errorf("%s, %v, %s: other bytes", story.name, durability, stop)
					}
				})
			}
		}
	}
}

func TestCutsTakeEpochsAndProducersWithThem(t *testing.T) {
	r := newRig(1, simdisk.PosixMin)
	d := r.mustOpen()
	l := d.Create(topic, 0, "orders-0")
	r.step(func() {
		lead(l, produced(7, 0, 0, 3), 2)
		lead(l, produced(8, 0, 0, 3), 4)
		lead(l, produced(9, 0, 0, 3), 6)
		l.BeginEpoch(8)
	})
	for _, c := range []struct {
		name      string
		cut       func()
		epochs    []EpochStart
		producers int
	}{
		{"an epoch that wrote nothing goes at the end", func() { l.Truncate(9) }, []EpochStart{{2, 0}, {4, 3}, {6, 6}}, 3},
		{"a cut at a border", func() { l.Truncate(6) }, []EpochStart{{2, 0}, {4, 3}}, 2},
		{"a cut within a batch", func() { l.Truncate(5) }, []EpochStart{{2, 0}}, 1},
		{"a reset", func() { l.Reset(50) }, nil, 0},
	} {
		r.step(c.cut)
		if !slices.Equal(l.Epochs().All(), c.epochs) || l.producers.Len() != c.producers {
			t.Errorf("%s: epochs %v, want %v; %d producers, want %d", c.name, l.Epochs().All(), c.epochs, l.producers.Len(), c.producers)
		}
	}
	if l.Start() != 50 || l.End() != 50 || l.Bytes() != 0 {
		t.Errorf("[%d,%d), %d bytes", l.Start(), l.End(), l.Bytes())
	}
}

func TestTheStartMovesAndStays(t *testing.T) {
	r := newRig(1, simdisk.PosixMin)
	d := r.mustOpen()
	l := d.Create(topic, 0, "orders-0")
	r.step(func() { follow(l, slices.Concat(made(0, 3, 2, "a"), made(3, 3, 4, "b"), made(6, 3, 6, "c"))) })
	r.pass(time.Millisecond)
	r.step(func() { l.MoveStart(4) })
	r.step(func() { l.MoveStart(2) }) // never back
	r.pass(20 * time.Millisecond)
	before := hash(d)
	for range 2 {
		if l.Start() != 4 || l.End() != 9 || l.StableEnd() != 9 || l.Segments() != 1 || l.Epochs().At(4) != 4 || l.Epochs().At(3) != -1 {
			t.Fatalf("start %d, end %d, stable %d, %d segments, epochs %v", l.Start(), l.End(), l.StableEnd(), l.Segments(), l.Epochs().All())
		}
		r.crash(simdisk.PowerLoss)
		d = r.mustOpen()
		l = d.Find(topic, 0)
		if !slices.Equal(hash(d), before) {
			t.Fatal("another state")
		}
	}
}

// TestTheStableEndMovesWithTheSetting: durable under fsync, written under replicated, and always durable for metadata.
func TestTheStableEndMovesWithTheSetting(t *testing.T) {
	metadata := [16]byte{15: 1}
	for _, durability := range []Durability{Fsync, Replicated} {
		r := newRig(1, simdisk.PosixMin)
		r.options.Durability = durability
		d := r.mustOpen()
		var data, control *Log
		r.step(func() { data, control = d.Create(topic, 0, "orders-0"), d.Create(metadata, 0, "__cluster_metadata-0") })
		r.pass(7 * time.Millisecond)
		woken := 0
		data.OnStable(func() { woken++ })
		r.step(func() { lead(data, made(0, 3, 0, "a"), 1) })
		if data.End() != 3 || data.StableEnd() != 0 {
			t.Fatalf("%v: end %d, stable end %d in the step of the append", durability, data.End(), data.StableEnd())
		}
		r.pass(7 * time.Millisecond)
		m := d.journal.Marks()
		if data.StableEnd() != 3 || woken == 0 || (durability == Replicated) == (m.Durable == m.Written) {
			t.Errorf("%v: stable end %d at %+v, woken %d times", durability, data.StableEnd(), m, woken)
		}
		r.step(func() { lead(control, made(0, 2, 0, "m"), 1) })
		for range 1500 {
			r.pass(5 * time.Microsecond)
			if m := d.journal.Marks(); control.StableEnd() == 2 && m.Durable < m.Written {
				t.Fatalf("%v: metadata counts before it is durable: %+v", durability, m)
			}
		}
		if control.StableEnd() != 2 {
			t.Errorf("%v: metadata waits at %d of %d: %+v", durability, control.StableEnd(), control.End(), d.journal.Marks())
		}
	}
}

// TestACommitInFlightMakesNothingStableThatWasCut: the new bytes at an offset are not the old ones.
func TestACommitInFlightMakesNothingStableThatWasCut(t *testing.T) {
	for _, how := range []string{"truncate", "reset"} {
		r := newRig(1, simdisk.PosixMin)
		d := r.mustOpen()
		l := d.Create(topic, 0, "orders-0")
		r.step(func() { follow(l, made(0, 3, 1, "a")) })
		r.pass(time.Millisecond)
		r.step(func() { follow(l, made(3, 7, 1, "old")) })
		first := d.journal.LastSequence()
		r.step(func() {
			if how == "truncate" {
				l.Truncate(3)
			} else {
				l.Reset(3)
			}
			follow(l, made(3, 9, 2, "new"))
		})
		if m := d.journal.Marks(); m.Durable >= first {
			t.Fatalf("commit %d is not in flight: %+v", first, m)
		}
		for l.StableEnd() < 12 {
			r.pass(5 * time.Microsecond)
			m := d.journal.Marks()
			if l.StableEnd() > 3 && m.Durable == first {
				t.Fatalf("%s: stable up to %d with commit %d", how, l.StableEnd(), first)
			}
		}
	}
}

func TestAFollowerTakesNoGap(t *testing.T) {
	r := newRig(1, simdisk.PosixMin)
	d := r.mustOpen()
	l := d.Create(topic, 0, "orders-0")
	r.step(func() {
		end, err := l.AppendAsFollower(slices.Concat(made(0, 2, 1, "a"), made(3, 2, 1, "b")))
		if err == nil || end != 2 || l.End() != 2 {
			t.Errorf("end %d, %v", end, err)
		}
		if _, err := l.AppendAsFollower([]byte("no batch")); err == nil {
			t.Error("took what is no batch")
		}
	})
}

func TestVotesAndTheBrokerEpochSurvive(t *testing.T) {
	r := newRig(1, simdisk.PosixMin)
	r.options.Durability = Replicated
	d := r.mustOpen()
	if d.QuorumState() != nil || d.BrokerEpoch() != -1 {
		t.Error("a new directory remembers something")
	}
	durable := false
	r.step(func() {
		d.SetBrokerEpoch(12)
		d.Vote([]byte("one"), func() { durable = true })
	})
	if durable {
		t.Error("a vote counts before it is durable")
	}
	for !durable {
		r.pass(5 * time.Microsecond)
	}
	r.crash(simdisk.PowerLoss)
	d = r.mustOpen()
	if string(d.QuorumState()) != "one" || d.BrokerEpoch() != 12 {
		t.Errorf("vote %q, epoch %d", d.QuorumState(), d.BrokerEpoch())
	}
}

func TestTimestampsAreFound(t *testing.T) {
	r := newRig(1, simdisk.PosixMin)
	d := r.mustOpen()
	l := d.Create(topic, 0, "orders-0")
	at := func(base record.Offset, times ...int64) []byte {
		b := record.NewBuilder(nil, 0, 1)
		for _, ms := range times {
			b.Append(ms, nil, nil)
		}
		return b.Finish(base)
	}
	r.step(func() { follow(l, slices.Concat(at(0, 10, 20), at(2, 50), at(3, 30), at(4, 50))) })
	cases := []struct {
		timestamp int64
		limit     record.Offset
		want      record.Offset
	}{{0, 5, 0}, {20, 5, 0}, {21, 5, 2}, {50, 5, 2}, {51, 5, -1}, {21, 2, -1}}
	for _, c := range cases {
		var got Located
		r.tell(func(s *task.Task) { got, _ = l.FindTimestamp(c.timestamp, 0, c.limit).Wait(s) })
		if got.Found != (c.want >= 0) || got.Found && got.Base != c.want {
			t.Errorf("timestamp %d below %d: %+v, want %d", c.timestamp, c.limit, got, c.want)
		}
	}
	if got := l.FindMaxTimestamp(5); got.Base != 2 || got.MaxTimestamp != 50 {
		t.Errorf("greatest timestamp: %+v", got)
	}
}

// A directory that went offline before anybody asked to be told, as while it was opened, says so at once.
func TestAFailureBeforeItIsAskedForIsTold(t *testing.T) {
	r := newRig(3, simdisk.Ordered)
	d := r.mustOpen()
	d.journal.Fail(env.ErrIO)
	var told []error
	d.OnFailure(func(err error) { told = append(told, err) })
	d.journal.Fail(env.ErrReadOnly)
	if len(told) != 1 || !errors.Is(told[0], env.ErrIO) {
		t.Errorf("told %v, want the first failure once", told)
	}
}
