package journal

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"barnabas/core/env"
	"barnabas/core/task"
	"barnabas/sim/simdisk"
)

// A commit fails, the process goes, and the next finds what readers see of it: that may be what the system will never write,
// whatever is synced later. What the start then counts as recovered survives a power loss all the same.
func TestWhatRecoveryFindsSurvivesThePower(t *testing.T) {
	carried, held := 0, 0
	for seed := range uint64(120) {
		for _, synced := range []bool{true, false} {
			o := small
			o.Synced = synced
			r := newRig(seed, []simdisk.Strictness{simdisk.PosixMin, simdisk.Adversarial}[seed%2], o)
			r.mustOpen()
			var s story
			r.step(func() { r.append(&s, 700) })
			r.pass(20 * time.Millisecond)
			r.machine.FailSync("journal-*.segment")
			r.step(func() {
				r.append(&s, 5000)
				r.append(&s, -1)
				r.append(&s, 300)
			})
			r.pass(20 * time.Millisecond)
			if r.journal.Failure() == nil {
				t.Fatalf("seed %d: the sync did not fail", seed)
			}
			r.crash(simdisk.ProcessDeath)
			if err := r.open(); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			promised := len(r.found.items)
			for _, it := range r.found.items {
				if it.carried {
					carried++
				}
			}
			if promised == len(s.items) {
				held++
			}
			r.crash(simdisk.PowerLoss)
			if err := r.open(); err != nil {
				t.Fatalf("seed %d, after the power loss: %v", seed, err)
			}
			if err := s.compare(r.found, promised); err != nil {
				t.Errorf("seed %d: %v", seed, err)
			}
			r.readAll(t, seed)
		}
	}
	if carried < 50 || held < 50 {
		t.Errorf("%d batches were carried, and %d times all was found: the test tells little", carried, held)
	}
}

// On a slow disk what was carried gets its successor while the start is still writing checkpoints, which the power may end at any
// moment: they vouch for nothing that is on its way.
func TestAStartVouchesForNoCommitThatIsOnItsWay(t *testing.T) {
	carried := 0
	for after := range 60 {
		for factor := range int64(8) {
			r := newRig(uint64(after), simdisk.PosixMin, small)
			r.mustOpen()
			r.crash(simdisk.ProcessDeath)
			r.mustOpen() // so that there are two checkpoints
			var s story
			r.step(func() { r.append(&s, 700) })
			r.pass(time.Millisecond)
			r.crash(simdisk.ProcessDeath) // before anything declares it durable
			r.machine.Limp(r.kernel.Now().Add(time.Second), 8*(factor+1))
			r.start(func(error) {})
			r.node.Poke()
			r.pass(time.Duration(after) * 2 * time.Millisecond)
			if r.found != nil && len(r.found.items) == 1 && r.found.items[0].carried {
				carried++
			}
			r.crash(simdisk.PowerLoss)
			r.machine.Limp(0, 0)
			if err := r.open(); err != nil || len(r.found.items) != 1 {
				t.Fatalf("power lost %d ms into a start on a disk %d times as slow: %v, %v", 2*after, 8*(factor+1), err, r.found.items)
			}
		}
	}
	if carried == 0 {
		t.Error("nothing was carried")
	}
}

// A commit that nothing declares durable, and behind which no other finds room, is not vouched for by the second start either,
// which finds it covered by the first one's checkpoint.
func TestNoLaterStartVouchesForAnUnprovenCommit(t *testing.T) {
	for seed := range uint64(20) {
		r := newRig(seed, []simdisk.Strictness{simdisk.PosixMin, simdisk.Adversarial}[seed%2], small)
		r.mustOpen()
		var s story
		for r.journal.Position().Position < uint32(small.SegmentBytes)-2*env.BlockBytes {
			r.step(func() { r.append(&s, -1) })
			r.pass(2 * time.Millisecond)
		}
		r.machine.FailSync("journal-*.segment")
		r.step(func() { r.append(&s, -1) })
		r.pass(2 * time.Millisecond)
		if r.journal.Failure() == nil {
			t.Fatalf("seed %d: the sync did not fail", seed)
		}
		for range 2 {
			r.crash(simdisk.ProcessDeath)
			r.mustOpen()
		}
		promised := len(r.found.items)
		r.crash(simdisk.PowerLoss)
		if err := r.open(); err != nil {
			t.Fatalf("seed %d, after the power loss: %v", seed, err)
		}
		if err := s.compare(r.found, promised); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
}

// readAll reads every batch that was found where it was found.
func (r *rig) readAll(t *testing.T, seed uint64) {
	t.Helper()
	r.tell(func(s *task.Task) {
		for _, it := range r.found.items {
			if len(it.payload) == 0 {
				continue
			}
			length := uint32(len(it.payload))
			if _, err := r.journal.Load(it.at, length).Wait(s); err != nil {
				t.Errorf("seed %d: %v at %v: %v", seed, it, it.at, err)
				return
			}
			p, _, pin, err := r.journal.Bytes(it.at, length)
			if err != nil || pin == nil || !bytes.Equal(p, it.payload) {
				t.Errorf("seed %d: %v at %v: in memory %v, %v", seed, it, it.at, pin != nil, err)
				continue
			}
			pin.Release()
		}
	})
}

// A segment's name may be what a failed sync of the folder left in memory only.
func TestCommitsGoToSegmentsWhoseNamesAreDurable(t *testing.T) {
	for seed := range uint64(60) {
		o := small
		r := newRig(seed, simdisk.PosixMin, o)
		r.mustOpen()
		var s story
		r.step(func() { r.append(&s, 700) })
		r.pass(20 * time.Millisecond)
		r.machine.Inject(simdisk.Rule{Kinds: simdisk.Of(simdisk.OpSyncDir), Effect: simdisk.FailPartly, Times: 1})
		for range 6 {
			r.step(func() { r.append(&s, 12000) })
			r.pass(5 * time.Millisecond)
		}
		if r.journal.Failure() == nil {
			t.Fatalf("seed %d: the sync did not fail", seed)
		}
		r.crash(simdisk.ProcessDeath)
		r.mustOpen()
		s.items = r.found.items
		for range 6 {
			r.step(func() { r.append(&s, 12000) })
			r.pass(5 * time.Millisecond)
		}
		acked := s.acked(r.journal.Marks().Durable)
		if acked < len(s.items)-1 {
			t.Fatalf("seed %d: %d of %d are durable", seed, acked, len(s.items))
		}
		r.crash(simdisk.PowerLoss)
		if err := r.open(); err != nil {
			t.Errorf("seed %d, after the power loss: %v", seed, err)
			continue
		}
		if err := s.compare(r.found, acked); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
}

// On a disk without any room a start neither fails nor waits.
func TestAStartOnAFullDiskCarriesIntoTheRoomThereIs(t *testing.T) {
	for _, size := range []int{300, 12000} {
		o := small
		o.Synced = false
		r := newRig(3, simdisk.PosixMin, o)
		r.mustOpen()
		r.pass(20 * time.Millisecond)
		var s story
		for range 4 {
			r.step(func() { r.append(&s, size) })
			r.pass(time.Millisecond)
		}
		r.machine.SetCapacity(r.machine.Used())
		for range 3 {
			r.crash(simdisk.ProcessDeath)
			r.mustOpen()
			if err := s.compare(r.found, 4); err != nil {
				t.Fatal(err)
			}
		}
		r.crash(simdisk.PowerLoss)
		r.mustOpen()
		if err := s.compare(r.found, 4); err != nil {
			t.Error(err)
		}
	}
}

// An older copy of the newest segment lacks what the checkpoint vouches for.
func TestAnOlderCopyOfTheNewestSegmentIsRefused(t *testing.T) {
	r := newRig(1, simdisk.PosixMin, small)
	r.mustOpen()
	var s story
	r.step(func() { r.append(&s, 700) })
	r.pass(20 * time.Millisecond)
	older, _ := r.machine.Bytes(firstSegment)
	r.step(func() { r.append(&s, 800) })
	r.pass(20 * time.Millisecond)
	r.crash(simdisk.ProcessDeath)
	r.mustOpen() // its checkpoint covers both
	r.crash(simdisk.ProcessDeath)
	r.machine.Rewrite(firstSegment, func([]byte) []byte { return older })
	err := r.open()
	if err == nil {
		t.Fatalf("it opened, with %d of %d entries", len(r.found.items), len(s.items))
	}
	for _, want := range []string{firstSegment[5:], "position", "older copy", "Nothing was changed"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
}
