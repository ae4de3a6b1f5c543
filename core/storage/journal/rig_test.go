package journal

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"

	"barnabas/core/env"
	"barnabas/core/record"
	"barnabas/core/task"
	"barnabas/sim/kernel"
	"barnabas/sim/simdisk"
)

var directory = [16]byte{0: 0xd1, 15: 0x01}

// small are options under which segments roll, chunks are dropped and the journal fills up soon.
var small = Options{
	Folder: "data", SegmentBytes: 64 << 10, BytesMax: 512 << 10, CommitBytesMax: 16 << 10, ArenaBytesMax: 96 << 10,
	ChunkBytes: 16 << 10, Synced: true,
}

// rig is one simulated machine, and a journal on it.
type rig struct {
	kernel  *kernel.Kernel
	node    *kernel.Node
	machine *simdisk.Machine
	loop    *task.Loop
	seed    uint64
	lives   uint64
	wrap    func(*rig, env.Disk) env.Disk // puts a fault injector before the disk

	options  Options
	probe    env.Probe
	journal  *Journal
	found    *story
	finding  Recovered
	failures []error
}

func newRig(seed uint64, s simdisk.Strictness, o Options) *rig {
	k := kernel.New(env.NewRandom(seed, 11))
	r := &rig{kernel: k, node: k.Add(), seed: seed, options: o, probe: env.NoProbe{}}
	r.machine = simdisk.New(k, r.node, simdisk.Plain(s))
	return r
}

// onto returns a rig of its own that goes on with a machine no process uses.
func onto(machine *simdisk.Machine, seed uint64, o Options) *rig {
	k := kernel.New(env.NewRandom(seed, 11))
	r := &rig{kernel: k, node: k.Add(), seed: seed, options: o, probe: env.NoProbe{}, machine: machine}
	machine.Attach(k, r.node)
	return r
}

// tell runs a story to its end.
func (r *rig) tell(story func(t *task.Task)) {
	ended := false
	r.loop.Go("story", func(t *task.Task) {
		story(t)
		ended = true
	})
	r.node.Poke()
	for limit := r.kernel.Now().Add(time.Minute); !ended; {
		if !r.kernel.Run(r.kernel.Now()+5000) && !ended || r.kernel.Now() > limit {
			panic("the story waits for nothing")
		}
	}
}

type call func()

func (c call) Happen() { c() }

// step has f run within one step.
func (r *rig) step(f func()) {
	done := false
	r.node.Deliver(r.kernel.Now(), kernel.KindControl, false, 0, call(func() {
		f()
		done = true
	}))
	for !done {
		r.kernel.Run(r.kernel.Now() + 100)
	}
}

// pass lets time go by.
func (r *rig) pass(d time.Duration) { r.kernel.Run(r.kernel.Now().Add(d)) }

func (r *rig) world(disk env.Disk) env.Env {
	return env.Env{Loop: r.loop, Disk: disk, Random: env.NewRandom(r.seed, r.lives), Probe: r.probe}
}

// start starts a process that opens the journal; run the kernel to let it.
func (r *rig) start(opened func(error)) {
	r.lives++
	r.loop = r.node.Start()
	var disk env.Disk = r.machine.Disk(r.node.Life())
	if r.wrap != nil {
		disk = r.wrap(r, disk)
	}
	e := r.world(disk)
	r.journal, r.found, r.failures = nil, &story{}, nil
	r.loop.Go("open", func(t *task.Task) {
		if _, err := disk.MakeFolder("data").Wait(t); err != nil {
			opened(err)
			return
		}
		if _, err := disk.SyncDir("").Wait(t); err != nil {
			opened(err)
			return
		}
		j, finding, err := Open(t, e, r.options, directory, r.found)
		if err == nil {
			r.journal, r.finding = j, finding
			j.OnFailure(func(err error) { r.failures = append(r.failures, err) })
			r.loop.AtStepEnd(j.Flush)
		}
		opened(err)
	})
	r.node.Poke()
}

// open starts a process and waits until it has opened the journal.
func (r *rig) open() error {
	var result error
	done := false
	r.start(func(err error) { result, done = err, true })
	for !done {
		if !r.kernel.Run(r.kernel.Now()+5000) && !done {
			panic("opening waits for nothing")
		}
	}
	return result
}

// mustOpen opens and panics if it does not.
func (r *rig) mustOpen() {
	if err := r.open(); err != nil {
		panic(err)
	}
}

// crash ends the process.
func (r *rig) crash(kind simdisk.Crash) {
	if kind == simdisk.PowerLoss {
		r.machine.PowerLost()
	} else {
		r.machine.ProcessDied()
	}
	r.node.Kill()
	r.journal = nil
}

// close stops cleanly.
func (r *rig) close() error {
	var err error
	r.tell(func(t *task.Task) { err = r.journal.Close(t) })
	r.crash(simdisk.ProcessDeath)
	return err
}

// item is one entry that was issued.
type item struct {
	number   int64
	sequence uint64 // of its commit; 0 once it was recovered
	at       Location
	payload  []byte
	synced   bool
	carried  bool // a start wrote it anew, at another place
}

func (i *item) String() string {
	return fmt.Sprintf("entry %d (%d bytes, commit %d)", i.number, len(i.payload), i.sequence)
}

// story is what a journal holds, in order. It is a Redo.
type story struct{ items []*item }

func (s *story) Entry(e Entry, _ Moment, at Location, payload []byte) error {
	if e.Kind == Carried {
		s.Carried(Piece{Base: e.Base}, at)
		return nil
	}
	s.items = append(s.items, &item{number: e.Base, at: at, payload: bytes.Clone(payload), synced: e.Kind == Vote})
	return nil
}

// Damaged takes an append of a damaged commit for what it is: number −1 − its own if its payload is not whole.
func (s *story) Damaged(e Entry, after Moment, at Location, payload []byte, _ string) error {
	if h, err := record.Check(payload); err != nil || int64(h.BaseOffset) != e.Base || h.LeaderEpoch != 1 {
		e.Base = -1 - e.Base
	}
	return s.Entry(e, after, at, payload)
}

// Unproven returns the items with a payload from the place on.
func (s *story) Unproven(from Location) (pieces []Piece) {
	for _, it := range s.items {
		if !it.at.Before(from) && len(it.payload) > 0 {
			pieces = append(pieces, Piece{Base: it.number, At: it.at, Bytes: uint32(len(it.payload))})
		}
	}
	return pieces
}

// Carried moves an item.
func (s *story) Carried(p Piece, at Location) {
	for _, it := range s.items {
		if it.number == p.Base {
			it.at, it.carried = at, true
		}
	}
}

// Snapshot returns all items, and that none of them may be recycled.
func (s *story) Snapshot(Moment, Location) ([][]byte, uint32) {
	be := binary.BigEndian
	p := be.AppendUint32(nil, uint32(len(s.items)))
	for _, it := range s.items {
		p = be.AppendUint64(p, uint64(it.number))
		p = be.AppendUint32(be.AppendUint32(p, it.at.Segment), it.at.Position)
		p = append(be.AppendUint32(p, uint32(len(it.payload))), it.payload...)
		p = append(p, map[bool]byte{true: 1}[it.synced]|map[bool]byte{true: 2}[it.carried])
	}
	return [][]byte{p}, 1
}

// State takes the items of a snapshot.
func (s *story) State(p []byte) error {
	be := binary.BigEndian
	n := int(be.Uint32(p))
	for p = p[4:]; n > 0; n-- {
		size := int(be.Uint32(p[16:]))
		s.items = append(s.items, &item{
			number: int64(be.Uint64(p)), at: Location{be.Uint32(p[8:]), be.Uint32(p[12:])},
			payload: bytes.Clone(p[20 : 20+size]), synced: p[20+size]&1 != 0, carried: p[20+size]&2 != 0,
		})
		p = p[21+size:]
	}
	return nil
}

// batch returns a whole record batch that no other number has.
func batch(number int64, size int) []byte {
	value := bytes.Repeat([]byte{byte(number)}, size)
	b := record.NewBuilder(nil, 0, 1)
	b.Append(number, nil, value)
	return b.Finish(record.Offset(number))
}

// append issues an entry: a batch, or with size < 0 a vote, which must be synced.
func (r *rig) append(s *story, size int) {
	number := int64(len(s.items))
	e, synced := Entry{Kind: Append, Flags: FlagRequired, Log: 1, Base: number, End: number + 1, Epoch: 1}, size < 0
	var payload []byte
	if synced {
		e = Entry{Kind: Vote, Flags: FlagRequired, Base: number, Body: []byte{1, 2, 3}}
	} else {
		payload = batch(number, size)
	}
	at, _ := r.journal.Append(e, payload, synced)
	s.items = append(s.items, &item{number: number, sequence: r.journal.LastSequence(), at: at, payload: payload, synced: synced})
}

// compare says how what was found differs from what is allowed: the first acked items for sure, then any more of those
// issued, in order.
func (s *story) compare(found *story, acked int) error {
	if len(found.items) < acked {
		return fmt.Errorf("%d entries recovered, %d were acknowledged: %v is lost", len(found.items), acked, s.items[len(found.items)])
	}
	if len(found.items) > len(s.items) {
		return fmt.Errorf("%d entries recovered, %d were issued", len(found.items), len(s.items))
	}
	for i, f := range found.items {
		issued := s.items[i]
		if f.number != issued.number || f.synced != issued.synced || !bytes.Equal(f.payload, issued.payload) {
			return fmt.Errorf("%v was recovered, %v was issued there", f, issued)
		}
		if len(f.payload) > 0 && !f.carried && f.at != issued.at {
			return fmt.Errorf("%v was found at %v, it was written at %v", f, f.at, issued.at)
		}
	}
	return nil
}

// acked counts the items, from the first on, that a commit up to the sequence holds.
func (s *story) acked(sequence uint64) int {
	for i, it := range s.items {
		if it.sequence > sequence {
			return i
		}
	}
	return len(s.items)
}

// borders says whether a count of items ends where a commit ends.
func (s *story) border(count int) bool {
	return count == 0 || count >= len(s.items) || s.items[count].sequence == 0 ||
		s.items[count-1].sequence != s.items[count].sequence
}
