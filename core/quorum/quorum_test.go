package quorum_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"barnabas/core/env"
	"barnabas/core/protocol"
	"barnabas/core/quorum"
	"barnabas/core/record"
	"barnabas/core/storage"
	"barnabas/core/task"
	"barnabas/sim/kernel"
	"barnabas/sim/simdisk"
)

// rig is one voter on one simulated machine.
type rig struct {
	t          *testing.T
	kernel     *kernel.Kernel
	node       *kernel.Node
	machine    *simdisk.Machine
	durability storage.Durability
	starts     uint64
	directory  *storage.Directory
	quorum     *quorum.Quorum
	before     func(*task.Task, env.Disk, *storage.Directory) // with the directory, before the quorum opens
	mayRefuse  bool
	refused    error
	restored   quorum.Snapshot
	appended   [][]byte // as the present process's state machine was told
	committed  [][]byte
}

func newRig(t *testing.T, seed uint64, d storage.Durability) *rig {
	k := kernel.New(env.NewRandom(seed, 5))
	r := &rig{t: t, kernel: k, node: k.Add(), durability: d}
	r.machine = simdisk.New(k, r.node, simdisk.Plain(simdisk.PosixMin))
	return r
}

func (r *rig) Restored(s quorum.Snapshot) error {
	r.restored = s
	return nil
}

func (r *rig) Appended(batch []byte) error {
	r.appended = append(r.appended, bytes.Clone(batch))
	return nil
}

func (r *rig) Committed(batch []byte) error {
	r.committed = append(r.committed, bytes.Clone(batch))
	return nil
}

// start starts a process and returns when the quorum is open.
func (r *rig) start() {
	r.t.Helper()
	r.starts++
	r.appended, r.committed, r.quorum, r.refused = nil, nil, nil, nil
	loop := r.node.Start()
	e := env.Env{
		Loop: loop, Clock: clock{loop}, Disk: r.machine.Disk(r.node.Life()), Random: env.NewRandom(9, r.starts), Probe: env.NoProbe{},
	}
	loop.Go("start", func(t *task.Task) {
		d, err := storage.Open(t, e, storage.Options{
			Folder: "data", NodeID: 4, ClusterID: "cluster", Durability: r.durability,
			Journal: storage.JournalOptions{
				SegmentBytes: 64 << 10, BytesMax: 8 << 20, CommitBytesMax: 16 << 10, ArenaBytesMax: 256 << 10, ChunkBytes: 16 << 10,
			},
		})
		if err != nil {
			r.t.Error(err)
			return
		}
		r.directory = d
		if r.before != nil {
			r.before(t, e.Disk, d)
		}
		if r.quorum, r.refused = quorum.Open(t, e, d, 4, r); r.refused != nil && !r.mayRefuse {
			r.t.Error(r.refused)
		}
	})
	r.node.Poke()
	for limit := r.kernel.Now().Add(time.Minute); r.quorum == nil && r.refused == nil; r.pass(100 * time.Microsecond) {
		if r.kernel.Now() > limit || r.t.Failed() {
			r.t.Fatal("the quorum does not open")
		}
	}
}

func (r *rig) pass(d time.Duration) { r.kernel.Run(r.kernel.Now().Add(d)) }

func (r *rig) crash(power bool) {
	if power {
		r.machine.PowerLost()
	} else {
		r.machine.ProcessDied()
	}
	r.node.Kill()
}

// in has f run within a step.
func (r *rig) in(f func()) {
	done := false
	r.node.Deliver(r.kernel.Now(), kernel.KindControl, false, 0, call(func() { f(); done = true }))
	for !done {
		r.pass(time.Microsecond)
	}
}

type call func()

func (c call) Happen() { c() }

type clock struct{ loop *task.Loop }

func (c clock) Wall() env.Timestamp { return env.Timestamp(c.loop.Now() / 1e6) }

// named is a record that can be told from others.
func named(name string) []protocol.Record {
	return []protocol.Record{{Message: &protocol.FeatureLevelRecord{Name: name, FeatureLevel: 1}}}
}

// names are the records of batches; leader changes show as their epoch.
func names(t *testing.T, batches [][]byte) (all []string) {
	t.Helper()
	for _, batch := range batches {
		h, err := record.Check(batch)
		if err != nil {
			t.Fatal(err)
		}
		if h.Attributes.IsControl() {
			all = append(all, fmt.Sprintf("epoch %d", h.LeaderEpoch))
			continue
		}
		if err := record.Walk(batch[record.HeaderBytes:h.Length], h.Count, func(r *record.Record) error {
			m, err := protocol.DecodeRecord(r.Value)
			if err == nil {
				all = append(all, m.Message.(*protocol.FeatureLevelRecord).Name)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func (r *rig) want(when string, want ...string) {
	r.t.Helper()
	if got := names(r.t, r.committed); !slices.Equal(got, want) {
		r.t.Fatalf("%s: committed %v, want %v", when, got, want)
	}
	if len(r.appended) < len(r.committed) {
		r.t.Fatalf("%s: %d batches are committed and %d appended", when, len(r.committed), len(r.appended))
	}
	for i, batch := range r.committed {
		if !bytes.Equal(batch, r.appended[i]) {
			r.t.Fatalf("%s: batch %d was appended otherwise than it was committed", when, i)
		}
	}
}

// append appends a record each, and returns what was told to be committed so far.
func (r *rig) append(told *[]string, all ...string) {
	r.in(func() {
		for _, name := range all {
			r.quorum.Append(named(name), func(err error) {
				if err == nil {
					*told = append(*told, name)
				}
			})
		}
	})
}

func TestEachStartBeginsANewEpochWithALeaderChange(t *testing.T) {
	r := newRig(t, 1, storage.Fsync)
	var want []string
	for start := range int32(4) {
		r.start()
		if r.quorum.Epoch() != start+1 {
			t.Fatalf("start %d is in epoch %d", start, r.quorum.Epoch())
		}
		want = append(want, fmt.Sprintf("epoch %d", start+1))
		r.want(fmt.Sprint("start ", start), want...)
		r.crash(start%2 == 0)
	}
}

func TestTheLeaderChangeNamesTheLeaderAndTheVoter(t *testing.T) {
	r := newRig(t, 1, storage.Fsync)
	r.start()
	first := r.appended[0]
	h, _ := record.Check(first)
	if !h.Attributes.IsControl() || h.Count != 1 || h.BaseOffset != 0 || h.LeaderEpoch != 1 {
		t.Fatalf("%+v", h)
	}
	_ = record.Walk(first[record.HeaderBytes:h.Length], 1, func(x *record.Record) error {
		if !bytes.Equal(x.Key, []byte{0, 0, 0, 2}) { // version 0, type 2
			t.Errorf("key % x", x.Key)
		}
		var in protocol.Reader
		in.Reset(x.Value, 1<<10)
		m := protocol.NewLeaderChangeMessage()
		m.Decode(&in, 0)
		if in.Done() != nil || m.LeaderId != 4 || len(m.Voters) != 1 || m.Voters[0].VoterId != 4 || len(m.GrantingVoters) != 1 {
			t.Errorf("%+v: %v", m, in.Done())
		}
		return nil
	})
}

func TestBatchesAreCommittedInOrderWhenTheyAreStable(t *testing.T) {
	for _, d := range []storage.Durability{storage.Fsync, storage.Replicated} {
		r := newRig(t, 2, d)
		r.start()
		var told []string
		r.append(&told, "a", "b")
		if len(told) > 0 || len(r.appended) != 3 {
			t.Fatalf("%s: in the step itself %v were committed, %d appended", d, told, len(r.appended))
		}
		r.append(&told, "c")
		r.pass(50 * time.Millisecond)
		if !slices.Equal(told, []string{"a", "b", "c"}) {
			t.Fatalf("%s: told %v", d, told)
		}
		r.want("all", "epoch 1", "a", "b", "c")
		if r.quorum.End() != 4 {
			t.Errorf("the end is %d", r.quorum.End())
		}
	}
}

func TestNoRecordsAreCommittedAtOnce(t *testing.T) {
	r := newRig(t, 2, storage.Fsync)
	r.start()
	called := false
	r.in(func() { r.quorum.Append(nil, func(err error) { called = err == nil }) })
	if !called || r.quorum.End() != 1 {
		t.Errorf("called: %t, end %d", called, r.quorum.End())
	}
}

// What was committed is there after any crash, in order and without gaps, whatever the durability of data is (rule S9);
// what was not may be there or not, but never without what came before it.
func TestACrashTakesNothingThatWasCommitted(t *testing.T) {
	lost, kept := 0, 0
	for seed := range uint64(60) {
		for _, d := range []storage.Durability{storage.Fsync, storage.Replicated} {
			r := newRig(t, seed, d)
			r.start()
			all := []string{"epoch 1"} // that was ever appended and may be there
			var told []string
			for start := range 3 {
				for i := range int(seed%4) + 1 {
					name := fmt.Sprintf("%d-%d", start, i)
					all = append(all, name)
					r.append(&told, name)
					r.pass(time.Duration(seed*37%11) * 30 * time.Microsecond)
				}
				must := len(r.committed)
				r.crash((seed+uint64(start))%2 == 0)
				r.start()
				got := names(t, r.committed)
				found := len(got) - 1 // the last is this start's leader change
				if found < must || found > len(all) || !slices.Equal(got[:found], all[:found]) {
					t.Fatalf("seed %d, %s, start %d: found %v; %d of %v were committed", seed, d, start, got, must, all)
				}
				lost += len(all) - found
				kept += found - must
				all = slices.Clone(got)
				for _, name := range told {
					if !slices.Contains(got, name) {
						t.Fatalf("seed %d, %s: %s was committed and is gone", seed, d, name)
					}
				}
			}
		}
	}
	if lost == 0 || kept == 0 {
		t.Fatalf("%d batches that were not committed were lost and %d kept: the crashes are too kind, or too hard", lost, kept)
	}
}

func TestADirectoryThatFailsEndsWhatWaits(t *testing.T) {
	r := newRig(t, 3, storage.Fsync)
	r.start()
	var got []error
	broken := errors.New("broken")
	r.in(func() {
		r.quorum.Append(named("a"), func(err error) { got = append(got, err) })
		r.quorum.Fail(broken)
		r.quorum.Append(named("b"), func(err error) { got = append(got, err) })
	})
	r.pass(time.Second)
	if len(got) != 2 || !errors.Is(got[0], broken) || !errors.Is(got[1], broken) {
		t.Errorf("%v", got)
	}
}

func TestABatchTooLargeForTheJournalIsRefused(t *testing.T) {
	r := newRig(t, 3, storage.Fsync)
	r.start()
	var many []protocol.Record
	for i := range 3000 {
		many = append(many, named(fmt.Sprint("a long name for a feature ", i))...)
	}
	var refused error
	r.in(func() { r.quorum.Append(many, func(err error) { refused = err }) })
	var told []string
	r.append(&told, "b")
	r.pass(50 * time.Millisecond)
	if refused == nil {
		t.Error("it was taken")
	}
	r.want("after it", "epoch 1", "b")
}
