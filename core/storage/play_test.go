package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"barnabas/core/env"
	"barnabas/core/protocol"
	"barnabas/core/record"
	"barnabas/core/task"
	"barnabas/sim/kernel"
	"barnabas/sim/simdisk"
)

// play is a directory on a simulated machine that a script uses, and beside it what the directory should hold. Recovery must
// lead to one of its moments (rule S7): one that no acknowledgement lies behind.
type play struct {
	*rig
	shadows []*shadow // ascending by number
	moments []scene
	number  uint32
	said    []string // to the operator
	floor   int      // the first moment that the last crash may have left
	marks   map[env.Mark]bool
}

// shadow is what one log should hold.
type shadow struct {
	modelLog
	number LogNumber
	name   string
}

// scene is what a whole directory holds after one change, and the commit that took it.
type scene struct {
	sequence uint64
	votes    string
	epoch    int64
	logs     []sceneLog
}

// sceneLog is what one log holds.
type sceneLog struct {
	number     LogNumber
	name       string
	start, end record.Offset
	batches    []modelBatch
	rest       string // epochs and producers
	doubts     [][2]record.Offset
}

func (s scene) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "vote %q, broker epoch %d\n", s.votes, s.epoch)
	for _, l := range s.logs {
		fmt.Fprintf(&text, "%d %s [%d,%d) %v %s, in doubt %v\n", l.number, l.name, l.start, l.end, l.batches, l.rest, l.doubts)
	}
	return text.String()
}

// newPlay returns a machine whose directories do everything they do soon.
func newPlay(seed uint64, s simdisk.Strictness) *play {
	p := &play{rig: newRig(seed, s), marks: map[env.Mark]bool{}}
	p.options.CheckpointBytes = 24 << 10
	p.options.Journal.BytesMax = 512 << 10
	p.note()
	return p
}

// onto returns a play of its own that goes on with a machine no process uses.
func onto(left *simdisk.Machine, seed uint64, o Options) *play {
	k := kernel.New(env.NewRandom(seed, 21))
	r := &rig{kernel: k, node: k.Add(), seed: seed, options: o, machine: left, probe: env.NoProbe{}}
	left.Attach(k, r.node)
	return &play{rig: r, marks: map[env.Mark]bool{}}
}

// Say takes a line for the operator.
func (p *play) Say(line string) { p.said = append(p.said, line) }

// Fail takes the reason why the process ends.
func (p *play) Fail(reason error) { p.Say(reason.Error()) }

// Chance takes no rare path.
func (p *play) Chance(env.Site) bool { return false }

// Sometimes notes what was reached.
func (p *play) Sometimes(m env.Mark) { p.marks[m] = true }

// errKilled says that the process died before its story was over; errHangs that it waits for ever.
var (
	errKilled = errors.New("the process died")
	errHangs  = errors.New("the story hangs")
)

// live starts a process, has it open the directory and tell a story, and returns how that ended. The process may live on.
func (p *play) live(story func(t *task.Task) error) error {
	e := p.begin()
	e.Talk, e.Probe = p, p
	p.directory = nil
	return p.proceed(func(t *task.Task) error {
		d, err := Open(t, e, p.options)
		if err != nil {
			return err
		}
		p.directory = d
		p.configure()
		return story(t)
	})
}

// proceed has the living process tell a story.
func (p *play) proceed(story func(t *task.Task) error) error {
	result := errHangs
	ended := false
	p.loop.Go("story", func(t *task.Task) {
		result = story(t)
		ended = true
	})
	p.node.Poke()
	for limit := p.kernel.Now().Add(time.Minute); !ended && p.kernel.Now() < limit; {
		if !p.node.Alive() {
			return errKilled
		}
		p.kernel.Run(p.kernel.Now().Add(50 * time.Microsecond))
	}
	if !ended && p.directory != nil {
		return fmt.Errorf("%w: failure %v, stopping %v, %d tasks", errHangs, p.directory.Failure(), p.directory.stopping, p.directory.tasks)
	}
	return result
}

// configure gives the logs small segments.
func (p *play) configure() {
	for _, l := range p.directory.Logs().All {
		l.Configure(smallSegments())
	}
}

func smallSegments() LogConfig {
	c := defaultConfig()
	c.SegmentBytes, c.IndexIntervalBytes, c.FileDeleteDelay = 9000, 1000, time.Millisecond
	c.Delete, c.RetentionBytes = true, 10000
	return c
}

// note remembers the present moment.
func (p *play) note() {
	s := scene{epoch: -1}
	if d := p.directory; d != nil {
		s.sequence, s.votes, s.epoch = d.journal.LastSequence(), string(d.QuorumState()), d.BrokerEpoch()
	}
	for _, x := range p.shadows {
		l := p.directory.Logs().At(x.number)
		s.logs = append(s.logs, sceneLog{x.number, x.name, x.start, x.end, slices.Clone(x.batches), restOf(l), nil})
	}
	p.moments = append(p.moments, s)
}

// restOf tells what a log has beside its batches.
func restOf(l *Log) string {
	var text strings.Builder
	fmt.Fprintf(&text, "epochs %v producers", l.epochs.starts)
	for id, known := range l.producers.byID.All {
		fmt.Fprintf(&text, " %d.%d%v", id, known.epoch, known.window)
	}
	return text.String()
}

// end ends the process.
func (p *play) end(kind simdisk.Crash) {
	p.floor = p.survives(kind)
	p.directory = nil
	p.crash(kind)
}

// survives returns the index of the first moment that may be left by a crash now.
func (p *play) survives(kind simdisk.Crash) int {
	if p.directory == nil {
		return p.floor
	}
	first := p.floor
	marks := p.directory.journal.Marks()
	sequence := marks.Durable
	if kind == simdisk.ProcessDeath {
		sequence = marks.Written
	}
	for i, m := range p.moments {
		if m.sequence <= sequence {
			first = max(first, i)
		}
	}
	return first
}

// observe reads everything the open directory holds.
func (p *play) observe(t *task.Task) (scene, error) {
	d := p.directory
	s := scene{votes: string(d.QuorumState()), epoch: d.BrokerEpoch()}
	for number, l := range d.Logs().All {
		o := sceneLog{number: number, name: l.Name, start: l.Start(), end: l.End(), rest: restOf(l)}
		if l.StableEnd() > l.End() {
			return s, fmt.Errorf("%s is stable up to %d of %d", l.Name, l.StableEnd(), l.End())
		}
		var err error
		if o.batches, err = p.batches(t, l); err != nil {
			return s, err
		}
		o.doubts = l.Doubts()
		s.logs = append(s.logs, o)
	}
	return s, nil
}

// batches reads the batches of a log, but for those in doubt.
func (p *play) batches(t *task.Task, l *Log) (all []modelBatch, err error) {
	for at := l.Start(); at < l.End(); {
		s := &Slice{}
		err := l.Read(s, at, l.End(), 1<<20, true)
		if errors.Is(err, ErrNotInMemory) {
			if _, err = l.Load(at).Wait(t); err == nil {
				continue
			}
		}
		if errors.Is(err, protocol.ErrKafkaStorageError) {
			d := l.doubtAt(at)
			if d == nil {
				return all, fmt.Errorf("%s at %d: %w", l.Name, at, err)
			}
			at = d.end
			continue
		}
		if err != nil {
			return all, fmt.Errorf("%s at %d: %w", l.Name, at, err)
		}
		if s.End <= at {
			return all, fmt.Errorf("%s serves nothing at %d of [%d,%d)", l.Name, at, l.Start(), l.End())
		}
		for part := range slices.Values(s.Parts) {
			if all, err = numbered(all, part); err != nil {
				return all, fmt.Errorf("%s serves what is no batch: %w", l.Name, err)
			}
		}
		at = s.End
		s.Release()
	}
	return all, nil
}

// numbered appends the batches that lie one after another in p.
func numbered(all []modelBatch, p []byte) ([]modelBatch, error) {
	for len(p) > 0 {
		h, err := record.Check(p)
		if err != nil {
			return all, err
		}
		b := modelBatch{base: h.BaseOffset, end: h.EndOffset()}
		err = record.Walk(p[record.HeaderBytes:h.Length], h.Count, func(r *record.Record) error {
			b.number = binary.BigEndian.Uint32(r.Value)
			return nil
		})
		if err != nil {
			return all, err
		}
		all = append(all, b)
		p = p[h.Length:]
	}
	return all, nil
}

// is says whether the scene is the other one, but for what is in doubt.
func (s scene) is(want *scene) bool {
	if s.votes != want.votes || s.epoch != want.epoch || len(s.logs) != len(want.logs) {
		return false
	}
	for i := range s.logs {
		if !s.logs[i].is(&want.logs[i]) {
			return false
		}
	}
	return true
}

func (s *sceneLog) is(want *sceneLog) bool {
	if s.number != want.number || s.name != want.name || s.start != want.start || s.end != want.end || s.rest != want.rest {
		return false
	}
	if len(s.doubts) == 0 {
		return slices.Equal(s.batches, want.batches)
	}
	served := slices.DeleteFunc(slices.Clone(want.batches), func(b modelBatch) bool {
		for _, d := range s.doubts {
			if b.base < d[1] && d[0] < b.end {
				return true
			}
		}
		return false
	})
	return slices.Equal(s.batches, served)
}

// among finds the scene among the moments from the first on.
func (s scene) among(moments []scene) error {
	for i := range moments {
		if s.is(&moments[i]) {
			return nil
		}
	}
	return fmt.Errorf("what was recovered is none of %d moments:\n%v\nthe least is\n%v\nthe last is\n%v",
		len(moments), s, moments[0], moments[len(moments)-1])
}
