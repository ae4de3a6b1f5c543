package storage

import (
	"bytes"
	"slices"
	"time"

	"barnabas/core/env"
	"barnabas/core/record"
	"barnabas/core/task"
	"barnabas/sim/kernel"
	"barnabas/sim/simdisk"
)

// rig is one simulated machine with one log directory.
type rig struct {
	kernel  *kernel.Kernel
	node    *kernel.Node
	machine *simdisk.Machine
	loop    *task.Loop
	seed    uint64
	lives   uint64
	options Options
	probe   env.Probe

	directory *Directory
}

func newRig(seed uint64, s simdisk.Strictness) *rig {
	k := kernel.New(env.NewRandom(seed, 21))
	r := &rig{kernel: k, node: k.Add(), seed: seed, probe: env.NoProbe{}}
	r.machine = simdisk.New(k, r.node, simdisk.Plain(s))
	r.options = Options{
		Folder: "data", NodeID: 1, ClusterID: "cluster",
		Journal: JournalOptions{
			SegmentBytes: 64 << 10, BytesMax: 1 << 20, CommitBytesMax: 16 << 10, ArenaBytesMax: 160 << 10, ChunkBytes: 16 << 10,
		},
		CheckpointBytes: 64 << 10, OpenFilesMax: 16,
		Votes: VoteForms{ToFile: func([]byte) (QuorumState, error) { return QuorumState{}, nil }},
	}
	return r
}

func (r *rig) begin() env.Env {
	r.lives++
	r.loop = r.node.Start()
	disk := r.machine.Disk(r.node.Life())
	return env.Env{Loop: r.loop, Disk: disk, Random: env.NewRandom(r.seed, r.lives), Probe: r.probe, Talk: quiet{}}
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

func (r *rig) open() (err error) {
	e := r.begin()
	r.tell(func(t *task.Task) { r.directory, err = Open(t, e, r.options) })
	return err
}

func (r *rig) mustOpen() *Directory {
	if err := r.open(); err != nil {
		panic(err)
	}
	return r.directory
}

func (r *rig) crash(kind simdisk.Crash) {
	if kind == simdisk.PowerLoss {
		r.machine.PowerLost()
	} else {
		r.machine.ProcessDied()
	}
	r.node.Kill()
}

func (r *rig) pass(d time.Duration) { r.kernel.Run(r.kernel.Now().Add(d)) }

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

// hash is the directory's state as one list of numbers, but for the journal's sequence, which every start moves.
func hash(d *Directory) (state []uint64) {
	d.hashLogs(func(v uint64) { state = append(state, v) })
	return slices.Delete(state, 1, 2)
}

// made returns a batch of count records, as a producer or a leader sends it.
func made(base record.Offset, count int, epoch record.LeaderEpoch, value string) []byte {
	b := record.NewBuilder(nil, 0, epoch)
	for i := range count {
		b.Append(int64(base)+int64(i), nil, []byte(value))
	}
	return b.Finish(base)
}

// produced is made by an idempotent producer.
func produced(id int64, epoch int16, sequence int32, count int) []byte {
	b := record.NewBuilder(nil, 0, 0)
	b.SetProducer(id, epoch, sequence)
	for range count {
		b.Append(1, nil, []byte("v"))
	}
	return b.Finish(0)
}

func head(p []byte) record.Header {
	h, err := record.Check(p)
	if err != nil {
		panic(err)
	}
	return h
}

func lead(l *Log, p []byte, epoch record.LeaderEpoch) record.Offset {
	base, err := l.AppendAsLeader(p, head(p), epoch)
	if err != nil {
		panic(err)
	}
	return base
}

func follow(l *Log, p []byte) {
	if _, err := l.AppendAsFollower(p); err != nil {
		panic(err)
	}
}

// contents reads everything a log holds, from memory or from the journal.
func contents(t *task.Task, l *Log) (all []byte) {
	for at := l.Start(); at < l.End(); {
		s := &Slice{}
		switch err := l.Read(s, at, l.End(), 1<<20, true); err {
		case nil:
		case ErrNotInMemory:
			if _, err := l.Load(at).Wait(t); err != nil {
				panic(err)
			}
			continue
		default:
			panic(err)
		}
		all = append(all, slices.Concat(s.Parts...)...)
		at = s.End
		s.Release()
	}
	return bytes.Clone(all)
}

var topic = [16]byte{0: 0x70, 15: 1}
