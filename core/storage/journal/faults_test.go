package journal

import (
	"errors"
	"strings"
	"testing"
	"time"

	"barnabas/core/env"
	"barnabas/core/task"
	"barnabas/sim/simdisk"
)

// faulty is a disk some of whose operations fail. It changes nothing else.
type faulty struct {
	env.Disk
	loop *task.Loop
	fail func(operation, path string) error
	log  []string // what reached it: operation and path
	open int
}

type faultyFile struct {
	env.File
	disk *faulty
	path string
}

// injected puts a faulty disk before the rig's and returns where the next one will be.
func (r *rig) injected(fail func(operation, path string) error) **faulty {
	at := new(*faulty)
	r.wrap = func(r *rig, disk env.Disk) env.Disk {
		*at = &faulty{Disk: disk, loop: r.loop, fail: fail}
		return *at
	}
	return at
}

func (d *faulty) reach(operation, path string) *task.Pending[task.Done] {
	d.log = append(d.log, operation+" "+path)
	err := d.fail(operation, path)
	if err == nil {
		return nil
	}
	p := task.NewPending[task.Done](d.loop)
	d.loop.At(d.loop.Now().Add(50*time.Microsecond), func() { p.Complete(task.Done{}, err) })
	return p
}

func (d *faulty) Open(path string, mode env.OpenMode) *task.Pending[env.File] {
	p := task.NewPending[env.File](d.loop)
	d.Disk.Open(path, mode).Then(func(f env.File, err error) {
		if err != nil {
			p.Complete(nil, err)
			return
		}
		d.open++
		p.Complete(&faultyFile{f, d, path}, nil)
	})
	return p
}

func (f *faultyFile) Close() {
	f.disk.open--
	f.File.Close()
}

func (f *faultyFile) WriteAt(p []byte, offset int64) *task.Pending[task.Done] {
	if failed := f.disk.reach("write", f.path); failed != nil {
		return failed
	}
	return f.File.WriteAt(p, offset)
}

func (f *faultyFile) WriteCached(p []byte, offset int64) *task.Pending[task.Done] {
	if failed := f.disk.reach("writecached", f.path); failed != nil {
		return failed
	}
	return f.File.WriteCached(p, offset)
}

func (f *faultyFile) WriteSync(p []byte, offset int64) *task.Pending[task.Done] {
	if failed := f.disk.reach("writesync", f.path); failed != nil {
		return failed
	}
	return f.File.WriteSync(p, offset)
}

func (f *faultyFile) Sync() *task.Pending[task.Done] {
	if failed := f.disk.reach("sync", f.path); failed != nil {
		return failed
	}
	return f.File.Sync()
}

var errBroken = errors.New("the device is broken")

func TestAFailedWriteTakesTheJournalOffline(t *testing.T) {
	for _, c := range []struct {
		operation string
		synced    bool
		size      int
	}{{"writesync", true, 100}, {"writecached", false, 100}, {"sync", false, -1}, {"sync", false, 100}} {
		t.Run(c.operation, func(t *testing.T) {
			o := small
			o.Synced = c.synced
			r := newRig(1, simdisk.PosixMin, o)
			broken := false
			disk := r.injected(func(operation, path string) error {
				if broken && operation == c.operation && strings.Contains(path, "segment") {
					return errBroken
				}
				return nil
			})
			r.mustOpen()
			var s story
			r.step(func() { r.append(&s, 100) })
			r.pass(20 * time.Millisecond)
			before := r.journal.Marks()
			broken = true
			r.step(func() { r.append(&s, c.size) })
			r.pass(1100 * time.Millisecond)
			if len(r.failures) != 1 || !errors.Is(r.failures[0], errBroken) || !errors.Is(r.journal.Failure(), errBroken) {
				t.Fatalf("told %v, failure %v", r.failures, r.journal.Failure())
			}
			if got := r.journal.Marks(); got.Durable > before.Durable && c.operation != "sync" {
				t.Errorf("marks went from %v to %v", before, got)
			}
			if err := r.journal.Room(1); !errors.Is(err, ErrOffline) || !errors.Is(err, errBroken) {
				t.Errorf("there is room: %v", err)
			}
			// Nothing is tried again, and nothing else is promised, also when the device is well again.
			broken = false
			count, marks := len((*disk).log), r.journal.Marks()
			r.pass(3 * time.Second)
			if len((*disk).log) != count || r.journal.Marks() != marks {
				t.Errorf("it went on: %v, %v", (*disk).log[count:], r.journal.Marks())
			}
			r.tell(func(s *task.Task) {
				if err := r.journal.Close(s); !errors.Is(err, errBroken) {
					t.Errorf("closing says %v", err)
				}
			})
		})
	}
}

func TestAFullDeviceIsTriedAgainInPlace(t *testing.T) {
	for _, synced := range []bool{true, false} {
		o := small
		o.Synced = synced
		r := newRig(1, simdisk.PosixMin, o)
		full := false
		r.injected(func(operation, path string) error {
			if full && operation != "sync" {
				return env.ErrNoSpace
			}
			return nil
		})
		r.mustOpen()
		var s story
		full = true
		for range 3 {
			r.step(func() { r.append(&s, 1000) })
			r.pass(500 * time.Millisecond)
		}
		if r.journal.Marks() != (Marks{}) || r.journal.Failure() != nil {
			t.Fatalf("marks %v, failure %v", r.journal.Marks(), r.journal.Failure())
		}
		full = false
		r.pass(1500 * time.Millisecond)
		if got := r.journal.Marks(); got.Durable < s.items[2].sequence {
			t.Fatalf("it did not go on: %v", got)
		}
		r.crash(simdisk.PowerLoss)
		r.mustOpen()
		if err := s.compare(r.found, 3); err != nil {
			t.Error(err)
		}
	}
}

func TestAfterAFailureAFullDeviceIsNotTriedAgain(t *testing.T) {
	r := newRig(1, simdisk.PosixMin, small)
	r.probe = early{}
	outcomes := []error{env.ErrNoSpace, errBroken}
	opened := false
	disk := r.injected(func(string, string) error {
		if !opened || len(outcomes) == 0 {
			return nil
		}
		err := outcomes[0]
		outcomes = outcomes[1:]
		return err
	})
	r.mustOpen()
	opened = true
	var s story
	r.step(func() { r.append(&s, 10) })
	r.step(func() { r.append(&s, 10) })
	r.pass(time.Millisecond)
	if r.journal.Failure() == nil {
		t.Fatal("the journal goes on")
	}
	count := len((*disk).log)
	r.pass(time.Second)
	if rest := (*disk).log[count:]; len(rest) > 0 {
		t.Errorf("an offline journal writes: %v", rest)
	}
}

// early seals commits though others are in flight.
type early struct{ env.NoProbe }

func (early) Chance(site env.Site) bool { return site == env.SiteCommitEarly }

func TestAFullDiskDelaysTheNextSegment(t *testing.T) {
	r := newRig(1, simdisk.PosixMin, small)
	disk := r.injected(func(string, string) error { return nil })
	r.mustOpen()
	r.machine.SetCapacity(r.machine.Used())
	var s story
	for range 8 {
		r.step(func() { r.append(&s, 12000) })
		r.pass(time.Millisecond)
	}
	if err := r.journal.Failure(); err != nil {
		t.Fatal(err)
	}
	held := s.acked(r.journal.Marks().Durable)
	if held == 0 || held == len(s.items) {
		t.Fatalf("%d of %d are durable", held, len(s.items))
	}
	files := (*disk).open
	r.pass(2 * time.Second)
	if now := (*disk).open; now > files+1 {
		t.Errorf("%d files were open, now %d", files, now)
	}
	r.machine.SetCapacity(0)
	r.pass(time.Second)
	if err := s.compare(&s, s.acked(r.journal.Marks().Durable)); err != nil || s.acked(r.journal.Marks().Durable) != len(s.items) {
		t.Fatalf("it did not go on: %v", r.journal.Marks())
	}
	r.crash(simdisk.PowerLoss)
	r.mustOpen()
	if err := s.compare(r.found, len(s.items)); err != nil {
		t.Error(err)
	}
}

// A full disk is no want while there is a spare: those that are recycled while another one is made count too.
func TestASegmentThatIsRecycledMeanwhileEndsTheWantOfRoom(t *testing.T) {
	for _, c := range []struct {
		name   string
		spares int
		begin  func(j *Journal, next uint32) (made uint32)
	}{
		{"a spare is made", 0, func(j *Journal, _ uint32) uint32 { j.replenish(); return spareNumber }},
		{"the next segment is made", 1, func(j *Journal, next uint32) uint32 { j.prepare(next); return next }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(1, simdisk.PosixMin, small)
			failing := ""
			tries := 0
			r.injected(func(operation, path string) error {
				if operation != "writesync" || failing == "" || !strings.HasSuffix(path, failing) {
					return nil
				}
				if tries++; tries == 1 {
					r.journal.recycle(r.journal.first + 2)
				}
				return env.ErrNoSpace
			})
			r.mustOpen()
			var s story
			for range 24 {
				r.step(func() { r.append(&s, 12000) })
				r.pass(time.Millisecond)
			}
			r.step(func() {
				r.journal.spares = r.journal.spares[:c.spares]
				failing = segmentName(c.begin(r.journal, r.journal.segments[len(r.journal.segments)-1].number+1))
			})
			r.pass(time.Second)
			if tries == 0 || len(r.journal.spares) == 0 {
				t.Fatalf("%d tries, %d spares", tries, len(r.journal.spares))
			}
			if err := r.journal.Room(1); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDataIsRefusedWhenFullAndControlEntriesAreNot(t *testing.T) {
	r := newRig(1, simdisk.Ordered, small)
	r.mustOpen()
	var s story
	for n := 0; ; n++ {
		var err error
		r.step(func() {
			if err = r.journal.Room(8000); err == nil {
				r.append(&s, 7000)
			}
		})
		r.pass(time.Millisecond)
		if errors.Is(err, ErrBusy) {
			if !strings.Contains(err.Error(), "journal.max.bytes") {
				t.Errorf("the error does not say what to do: %v", err)
			}
			break
		}
		if n > 100 {
			t.Fatal("the journal is never full")
		}
	}
	for range 3 {
		r.step(func() { r.append(&s, -1) })
		r.pass(time.Millisecond)
	}
	if s.acked(r.journal.Marks().Durable) != len(s.items) {
		t.Errorf("control entries wait: %v", r.journal.Marks())
	}
	if err := r.close(); err != nil {
		t.Fatal(err)
	}
	r.mustOpen()
	if err := s.compare(r.found, len(s.items)); err != nil {
		t.Error(err)
	}
}

func TestAnEntryThatMustBeSyncedDoesNotWaitForTheSync(t *testing.T) {
	o := small
	o.Synced = false
	r := newRig(1, simdisk.PosixMin, o)
	r.mustOpen()
	var s story
	r.step(func() { r.append(&s, 100) })
	r.pass(5 * time.Millisecond)
	if got := r.journal.Marks(); got.Written != 1 || got.Durable != 0 {
		t.Fatalf("data alone: %v", got)
	}
	r.step(func() { r.append(&s, -1) })
	r.pass(5 * time.Millisecond)
	if got := r.journal.Marks(); got.Durable < s.items[1].sequence {
		t.Fatalf("a vote waits: %v", got)
	}
	r.step(func() { r.append(&s, 100) })
	r.pass(1100 * time.Millisecond)
	if got := r.journal.Marks(); got.Durable < s.items[2].sequence {
		t.Fatalf("the syncs stopped: %v", got)
	}
}
