package journal

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
)

const firstSegment = "data/journal-0000000001.segment"

// edit changes a file's bytes while no journal is open.
func (r *rig) edit(path string, change func(p []byte) []byte) {
	r.lives++
	r.loop = r.node.Start()
	disk := r.machine.Disk(r.node.Life())
	p, _ := r.machine.Bytes(path)
	p = change(p)
	r.tell(func(t *task.Task) {
		if p == nil {
			must(t, disk.Remove(path))
		} else {
			f := must(t, disk.Open(path, env.OpenCreate))
			must(t, f.Truncate(int64(len(p))))
			must(t, f.WriteAt(p, 0))
			must(t, f.Sync())
		}
		must(t, disk.SyncDir("data"))
	})
	r.crash(simdisk.ProcessDeath)
}

func must[T any](t *task.Task, p *task.Pending[T]) T {
	value, err := p.Wait(t)
	if err != nil {
		panic(err)
	}
	return value
}

// written returns a stopped machine whose journal holds count commits of one batch each, and where they stand.
func written(t *testing.T, count, size int, clean bool) (*rig, *story, []Location) {
	t.Helper()
	r := newRig(1, simdisk.PosixMin, small)
	r.mustOpen()
	var s story
	var at []Location
	for range count {
		r.step(func() { r.append(&s, size) })
		r.pass(time.Millisecond)
		last := s.items[len(s.items)-1].at
		at = append(at, Location{last.Segment, last.Position - HeaderBytes})
	}
	if !clean {
		r.pass(12 * time.Millisecond) // the successor, rule J4
		r.crash(simdisk.PowerLoss)
	} else if err := r.close(); err != nil {
		t.Fatal(err)
	}
	return r, &s, at
}

func flip(at int) func([]byte) []byte {
	return func(p []byte) []byte {
		p[at] ^= 0x10
		return p
	}
}

// A damaged commit that was durable costs no more than the batches whose own bytes are damaged (rule J5).
func TestACorruptCommitIsMended(t *testing.T) {
	const size = 5000
	payload := len(batch(0, size))
	places := []struct {
		name string
		at   int
	}{
		{"magic", 0},
		{"header bytes", 5},
		{"flags", 7},
		{"journal id", 9},
		{"generation", 31},
		{"sequence", 39},
		{"segment", 47},
		{"position", 55},
		{"total", 58},
		{"payload bytes", 63},
		{"table bytes", 67},
		{"previous table bytes", 71},
		{"previous hash", 75},
		{"known durable", 87},
		{"payload checksum", 88},
		{"table checksum", 93},
		{"previous table checksum", 98},
		{"reserved", 110},
		{"header checksum", 126},
		{"first of the payload", HeaderBytes},
		{"middle of the payload", HeaderBytes + payload/2},
		{"last of the payload", HeaderBytes + payload - 1},
		{"first of the table", HeaderBytes + payload},
		{"last of the table", HeaderBytes + payload + entryHeaderBytes + entryFixedBytes - 1},
	}
	for _, clean := range []bool{true, false} {
		for _, which := range []int{0, 2, 4} { // first, middle, last
			for _, place := range places {
				r, _, at := written(t, 5, size, clean)
				r.edit(firstSegment, flip(int(at[which].Position)+place.at))
				if err := r.open(); err != nil {
					t.Fatalf("%s of commit %d, clean stop %v: %v", place.name, which+1, clean, err)
				}
				if len(r.found.items) != 5 || len(r.finding.Damaged) != 1 || !strings.Contains(r.finding.Damaged[0], firstSegment[5:]) {
					t.Fatalf("%s of commit %d, clean stop %v: %d entries, damaged %q", place.name, which+1, clean, len(r.found.items), r.finding.Damaged)
				}
				for i, it := range r.found.items {
					rotten := i == which && strings.Contains(place.name, "of the payload")
					if rotten != (it.number == int64(-1-i)) || !rotten && it.number != int64(i) {
						t.Errorf("%s of commit %d: entry %d is %v", place.name, which+1, i, it)
					}
				}
				kept, ok := r.machine.Bytes(fmt.Sprintf("data/quarantine-commit-%020d", which+1))
				if !ok || len(kept) < payload {
					t.Errorf("%s of commit %d: %d bytes were kept", place.name, which+1, len(kept))
				}
			}
		}
	}
}

// Nothing of a damaged commit may be left, and still it is known in which segment it stood: a wrong one would pass for what is
// needed of the journal, or be recycled under batches that stand there.
func TestADamagedCommitIsMendedWhereItStood(t *testing.T) {
	const count = 10
	_, _, at := written(t, count, 12000, true)
	for which := range count {
		r, _, _ := written(t, count, 12000, true)
		r.edit(fmt.Sprintf("data/%s", segmentName(at[which].Segment)), func(p []byte) []byte {
			clear(p[at[which].Position:][:roundUp(12000)])
			return p
		})
		if err := r.open(); err != nil || len(r.found.items) != count {
			t.Fatalf("commit %d: %v, %v", which+1, err, r.found.items)
		}
		for i, it := range r.found.items {
			if want := (Location{at[i].Segment, at[i].Position + HeaderBytes}); it.at != want {
				t.Errorf("commit %d was damaged: %v stands at %v, want %v", which+1, it, it.at, want)
			}
		}
	}
	if at[0].Segment == at[count-1].Segment {
		t.Error("all stand in one segment")
	}
}

func TestDamageThatTouchesNoDataIsNoCorruption(t *testing.T) {
	const size = 3000
	table := entryHeaderBytes + entryFixedBytes
	copied := HeaderBytes + len(batch(0, size)) + table
	for name, at := range map[string]int{"copy of the previous table": copied + 3, "padding": copied + table + 9} {
		r, s, commits := written(t, 5, size, true)
		r.edit(firstSegment, flip(int(commits[2].Position)+at))
		if err := r.open(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := s.compare(r.found, 5); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestATornTailIsDropped(t *testing.T) {
	for cut := 0; cut < 5200; cut += 512 {
		r := newRig(1, simdisk.PosixMin, small)
		r.mustOpen()
		var s story
		r.step(func() { r.append(&s, 100) })
		r.pass(time.Millisecond)
		r.step(func() { r.append(&s, 5000) })
		r.pass(time.Millisecond) // durable, but nothing says so yet
		r.crash(simdisk.PowerLoss)
		end := int(s.items[1].at.Position) - HeaderBytes + cut
		r.edit(firstSegment, func(p []byte) []byte {
			clear(p[end:])
			return p
		})
		r.mustOpen()
		if err := s.compare(r.found, 1); err != nil || len(r.found.items) != 1 {
			t.Fatalf("cut after %d bytes: %d entries, %v", cut, len(r.found.items), err)
		}
		if torn := cut > 0; r.finding.TornTail != torn || r.finding.Clean {
			t.Errorf("cut after %d bytes: %+v", cut, r.finding)
		}
		s.items = r.found.items
		r.step(func() { r.append(&s, 6000) })
		r.pass(time.Millisecond)
		r.crash(simdisk.PowerLoss)
		r.mustOpen()
		if err := s.compare(r.found, 2); err != nil {
			t.Fatalf("cut after %d bytes, then another: %v", cut, err)
		}
	}
}

func TestADroppedCommitNeverComesBack(t *testing.T) {
	r := newRig(1, simdisk.PosixMin, small)
	r.probe = early{}
	r.mustOpen()
	var s story
	r.step(func() { r.append(&s, 100) })
	r.pass(time.Millisecond)
	r.step(func() { r.append(&s, 5000) })
	r.step(func() { r.append(&s, 200) }) // in flight together: neither says that the other is durable
	r.pass(time.Millisecond)
	r.crash(simdisk.PowerLoss)
	second := int(s.items[1].at.Position) - HeaderBytes + env.BlockBytes
	var lost []byte
	r.edit(firstSegment, func(p []byte) []byte {
		lost = append(lost, p[second:second+env.BlockBytes]...)
		clear(p[second : second+env.BlockBytes])
		return p
	})
	r.mustOpen()
	if len(r.found.items) != 1 {
		t.Fatalf("%d entries behind the tear", len(r.found.items))
	}
	r.crash(simdisk.PowerLoss)
	// The next life wrote the same batch there, and its write tore the other way round.
	r.edit(firstSegment, func(p []byte) []byte {
		copy(p[second:], lost)
		return p
	})
	r.mustOpen()
	if len(r.found.items) != 1 {
		t.Errorf("%d entries: what one recovery dropped, another took", len(r.found.items))
	}
}

// resum changes bytes under a checksum.
func resum(change func([]byte), from, to, sum int) func([]byte) []byte {
	return func(p []byte) []byte {
		change(p)
		binary.BigEndian.PutUint32(p[sum:], record.Checksum(p[from:to]))
		return p
	}
}

func TestOfOtherVersionsAndFoldersIsRefused(t *testing.T) {
	const checkpoint0, checkpoint1 = "data/journal-0.checkpoint", "data/journal-1.checkpoint"
	second := strings.Replace(firstSegment, "01.", "02.", 1)
	third := strings.Replace(firstSegment, "01.", "03.", 1)
	keep := func(p []byte) []byte { return p }
	remove := func([]byte) []byte { return nil }
	inSegment := func(f func([]byte)) func([]byte) []byte { return resum(f, 0, 64, 64) }
	inCheckpoint := func(f func([]byte)) func([]byte) []byte {
		return func(p []byte) []byte {
			f(p)
			state := p[checkpointHeaderBytes:][:binary.BigEndian.Uint32(p[100:])]
			binary.BigEndian.PutUint32(p[104:], record.ChecksumOf(p[:104], state))
			return p
		}
	}
	version := func(p []byte) { p[9] = 2 }
	feature := func(p []byte) { p[15] = 4 }
	cases := []struct {
		name, path string
		change     func(r *rig) func([]byte) []byte
		want       string
	}{
		{"newer segment", firstSegment, func(*rig) func([]byte) []byte { return inSegment(version) }, "newer version"},
		{"newer checkpoint", checkpoint0, func(*rig) func([]byte) []byte { return inCheckpoint(version) }, "newer version"},
		{"segment feature", second, func(*rig) func([]byte) []byte { return inSegment(feature) }, "features 0x4"},
		{"checkpoint feature", checkpoint0, func(*rig) func([]byte) []byte { return inCheckpoint(feature) }, "features 0x4"},
		{"renamed segment", firstSegment, func(r *rig) func([]byte) []byte {
			return func([]byte) []byte {
				p, _ := r.machine.Bytes(second)
				return p
			}
		}, "renamed"},
		{"first segment missing", firstSegment, func(*rig) func([]byte) []byte { return remove }, "missing"},
		{"middle segment missing", second, func(*rig) func([]byte) []byte { return remove }, "missing"},
		{"segment of another journal", second, func(*rig) func([]byte) []byte {
			return inSegment(func(p []byte) { p[30] ^= 1 })
		}, "mixed up"},
		{"other directory", checkpoint0, func(*rig) func([]byte) []byte {
			return inCheckpoint(func(p []byte) { p[50] ^= 1 })
		}, "mixed up"},
		{"middle header damaged", second, func(*rig) func([]byte) []byte { return flip(20) }, "damaged"},
		{"checkpoints gone", checkpoint0, func(*rig) func([]byte) []byte { return remove }, "damaged"},
		{"nothing", third, func(*rig) func([]byte) []byte { return keep }, ""},
	}
	for _, c := range cases {
		r, _, _ := written(t, 12, 9000, true)
		if p, _ := r.machine.Bytes(checkpoint1); !isZero(p) {
			t.Fatal("there is a second checkpoint already")
		}
		r.edit(c.path, c.change(r))
		err := r.open()
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

func TestEitherCheckpointIsEnough(t *testing.T) {
	for which, at := range map[string]int{"data/journal-0.checkpoint": 10, "data/journal-1.checkpoint": 10} {
		r, s, _ := written(t, 3, 100, true)
		r.mustOpen() // the second checkpoint
		r.crash(simdisk.PowerLoss)
		r.edit(which, flip(at))
		r.mustOpen()
		if err := s.compare(r.found, 3); err != nil {
			t.Errorf("%s damaged: %v", which, err)
		}
	}
}

// closedAtOnce returns a machine whose journal was told to close in the step of its last append.
func closedAtOnce(synced bool) (*rig, *story) {
	o := small
	o.Synced = synced
	r := newRig(1, simdisk.PosixMin, o)
	r.mustOpen()
	var s story
	r.step(func() { r.append(&s, 100) })
	r.pass(time.Millisecond)
	started := r.kernel.Now()
	r.tell(func(t *task.Task) {
		r.append(&s, 100) // not yet in a commit of its own when the closing one comes
		if err := r.journal.Close(t); err != nil {
			panic(err)
		}
	})
	if took := r.kernel.Now().Sub(started); took > 20*time.Millisecond {
		panic("closing waits for a timer")
	}
	r.pass(time.Second)
	r.crash(simdisk.PowerLoss)
	return r, &s
}

func TestAClosedJournalWritesNothing(t *testing.T) {
	for _, synced := range []bool{true, false} {
		r, s := closedAtOnce(synced)
		r.mustOpen()
		if err := s.compare(r.found, 2); err != nil || !r.finding.Clean {
			t.Errorf("synced %v: %+v, %v", synced, r.finding, err)
		}
	}
}

func TestTheClosingCommitVouchesForTheLastOne(t *testing.T) {
	for _, synced := range []bool{true, false} {
		r, s := closedAtOnce(synced)
		r.edit(firstSegment, flip(int(s.items[1].at.Position)+20))
		if err := r.open(); err != nil || len(r.finding.Damaged) != 1 || len(r.found.items) != 2 || r.found.items[1].number != -2 {
			t.Errorf("synced %v: rot passed for a tear: %v, %+v, %v", synced, err, r.finding, r.found.items)
		}
	}
}

// When neither the commit nor its successor says what it held, nothing is guessed.
func TestACommitThatNobodyKnowsStopsTheStart(t *testing.T) {
	r, _, at := written(t, 5, 5000, true)
	r.edit(firstSegment, flip(int(at[2].Position)+30)) // the header, and so the place of its table
	r.edit(firstSegment, func(p []byte) []byte {
		next := p[at[3].Position:]
		copyAt := HeaderBytes + binary.BigEndian.Uint32(next[60:]) + binary.BigEndian.Uint32(next[64:])
		next[copyAt+3] ^= 1
		return p
	})
	before, _ := r.machine.Bytes(firstSegment)
	err := r.open()
	if err == nil {
		t.Fatalf("opened with %d entries", len(r.found.items))
	}
	for _, want := range []string{firstSegment[5:], "position", "corrupt", "commit"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q says nothing of %q", err, want)
		}
	}
	if after, _ := r.machine.Bytes(firstSegment); string(after) != string(before) {
		t.Error("the refused journal was changed")
	}
}

func TestTheLastCommitGetsASuccessorInTime(t *testing.T) {
	r := newRig(1, simdisk.PosixMin, small)
	r.mustOpen()
	var s story
	for range 9 { // the first one's time is nearly over when the last one comes
		r.step(func() { r.append(&s, 100) })
		r.pass(time.Millisecond)
	}
	r.pass(10*time.Millisecond + 500*time.Microsecond)
	if got := r.journal.LastSequence(); got != 10 {
		t.Errorf("%d commits after 9 appends and 11 ms", got)
	}
	r.pass(time.Minute)
	if got := r.journal.LastSequence(); got != 10 {
		t.Errorf("an idle journal writes on: %d commits", got)
	}
}

func TestDamagedColdBytesAreNotServed(t *testing.T) {
	r, s, _ := written(t, 3, 9000, true)
	r.mustOpen()
	r.journal.arena.shrink(0)
	it := s.items[1]
	r.machineWrite(firstSegment, int64(it.at.Position)+500)
	r.tell(func(t2 *task.Task) {
		must(t2, r.journal.Load(it.at, uint32(len(it.payload))))
		_, _, pin, err := r.journal.Bytes(it.at, uint32(len(it.payload)))
		if pin != nil || err == nil || !strings.Contains(err.Error(), "position") {
			t.Errorf("served: %v, %v", pin != nil, err)
		}
	})
}

// machineWrite rots a byte under a running process.
func (r *rig) machineWrite(path string, at int64) {
	r.tell(func(t *task.Task) {
		f := must(t, r.journal.env.Disk.Open(path, env.OpenExisting))
		must(t, f.WriteAt([]byte{0xff}, at))
		f.Close()
	})
}
