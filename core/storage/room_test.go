package storage

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"barnabas/core/env"
	"barnabas/core/record"
	"barnabas/core/storage/journal"
	"barnabas/core/task"
	"barnabas/sim/simdisk"
)

// Partition logs find no room, so the journal fills up. When there is room again, and nothing else happens, the journal is
// emptied and records are taken.
func TestAFullJournalIsEmptiedWhenThereIsRoomAgain(t *testing.T) {
	p := newPlay(1, simdisk.PosixMin)
	err := p.live(func(t *task.Task) error {
		l := p.create([16]byte{1}, 0, "orders-0")
		lack := p.machine.Inject(simdisk.Rule{
			Kinds: simdisk.Of(simdisk.OpWriteAt), Files: "*.log", Effect: simdisk.FailBefore, Error: env.ErrNoSpace,
		})
		err := error(nil)
		for n := 0; err == nil; n++ {
			if n > 1000 {
				return errors.New("the journal never fills up")
			}
			err = p.append(t, l, 1, 3000, -1)
		}
		if !errors.Is(err, journal.ErrFull) && !errors.Is(err, ErrBusy) {
			return fmt.Errorf("a full journal says %w", err)
		}
		t.Sleep(p.loop.Now().Add(time.Second))
		lack.End()
		t.Sleep(p.loop.Now().Add(time.Second))
		for range 20 {
			if err := p.append(t, l, 1, 3000, -1); err != nil {
				return fmt.Errorf("there is room again: %w", err)
			}
			t.Sleep(p.loop.Now().Add(50 * time.Millisecond))
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// Reads of partition logs fail for two seconds: who reads waits, and nothing is in doubt for that.
func TestReadsThatFailForAWhilePutNothingInDoubt(t *testing.T) {
	p := newPlay(2, simdisk.PosixMin)
	if err := p.live(func(t *task.Task) error { return filled(p, t) }); err != nil {
		t.Fatal(err)
	}
	p.end(simdisk.ProcessDeath)
	reads := p.machine.Inject(simdisk.Rule{
		Kinds: simdisk.Of(simdisk.OpReadAt), Files: "*.log", Effect: simdisk.FailPartly, Until: p.kernel.Now().Add(2 * time.Second),
	})
	if _, err := p.recovered(p.moments[p.floor:]); err != nil {
		t.Error(err)
	}
	if reads.Fired == 0 {
		t.Error("no read failed")
	}
}

// The journal fails before anybody has asked to be told: a start waits for commits then that never come.
func TestAFailureIsToldWhoeverAsksLater(t *testing.T) {
	r := newRig(1, simdisk.PosixMin)
	d := r.mustOpen()
	var told []error
	r.step(func() { d.journal.Fail(env.ErrIO) })
	r.step(func() { d.OnFailure(func(err error) { told = append(told, err) }) })
	r.pass(time.Millisecond)
	r.step(func() { d.journal.Fail(env.ErrReadOnly) })
	r.pass(time.Millisecond)
	if len(told) != 1 || !errors.Is(told[0], env.ErrIO) {
		t.Errorf("told %v", told)
	}
}

// A start writes anew what it can't prove, and leaves what is damaged where it was: rows need not stand in the journal in the
// order of their offsets, and none of them may lose its place.
func TestTheJournalIsKeptForTheOldestBatchThatNoFileHas(t *testing.T) {
	l := &Log{saved: 1}
	for i, segment := range []uint32{2, 9, 7, 5, 8} {
		l.tail = append(l.tail, batch{
			base: record.Offset(i), end: record.Offset(i) + 1, at: journal.Location{Segment: segment}, gap: segment == 5,
		})
	}
	for oldest, want := range map[uint32]uint32{10: 7, 7: 7, 3: 3} {
		if got := l.needed(oldest); got != want {
			t.Errorf("needed from %d on, with segment %d: want %d", got, oldest, want)
		}
	}
}
