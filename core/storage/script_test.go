package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"barnabas/core/record"
	"barnabas/core/storage/journal"
	"barnabas/core/task"
)

// The acts of a script. Each changes the directory and what it should hold in one step.

// create makes a log.
func (p *play) create(id [16]byte, partition int32, name string) *Log {
	l := p.directory.Create(id, partition, name)
	l.Configure(smallSegments())
	p.shadows = append(p.shadows, &shadow{number: l.Number, name: name})
	p.note()
	return l
}

func (p *play) shadow(l *Log) *shadow {
	for _, s := range p.shadows {
		if s.number == l.Number {
			return s
		}
	}
	panic("no such log")
}

// value returns the next batch's value, which tells it from all others.
func (p *play) value(size int) []byte {
	p.number++
	v := make([]byte, 4+size)
	binary.BigEndian.PutUint32(v, p.number)
	return v
}

// append appends a batch as a leader does, once there is room. Errors: the directory's.
func (p *play) append(t *task.Task, l *Log, count, size int, producer int64) error {
	value := p.value(size)
	b := record.NewBuilder(nil, 0, 0)
	if producer >= 0 {
		sequence := int32(0)
		if known, ok := l.producers.byID.Get(producer); ok {
			sequence = record.AddSequence(known.window[len(known.window)-1].last, 1)
		}
		b.SetProducer(producer, 1, sequence)
	}
	for range count {
		b.Append(int64(p.number), nil, value)
	}
	batch := b.Finish(0)
	epoch := record.LeaderEpoch(p.number / 5)
	if epoch > l.Epochs().Latest() {
		l.BeginEpoch(epoch) // an entry of its own, so a moment of its own
		p.note()
	}
	return p.enter(t, l, count, func() error {
		_, err := l.AppendAsLeader(batch, head(batch), max(epoch, l.Epochs().Latest()))
		return err
	})
}

// copied appends a batch as a follower does, once there is room.
func (p *play) copied(t *task.Task, l *Log, count, size int) error {
	epoch := max(l.Epochs().Latest(), record.LeaderEpoch(p.number/5))
	value := p.value(size)
	b := record.NewBuilder(nil, 0, epoch)
	for range count {
		b.Append(int64(p.number), nil, value)
	}
	batch := b.Finish(l.End())
	return p.enter(t, l, count, func() error {
		_, err := l.AppendAsFollower(batch)
		return err
	})
}

func (p *play) enter(t *task.Task, l *Log, count int, appended func() error) error {
	for tries := 0; ; tries++ {
		err := appended()
		if err == nil {
			break
		}
		if !errors.Is(err, journal.ErrFull) || tries > 300 {
			return err
		}
		t.Sleep(p.loop.Now().Add(10 * time.Millisecond))
	}
	s := p.shadow(l)
	end := s.end + record.Offset(count)
	s.batches = append(s.batches, modelBatch{s.end, end, p.number})
	s.end = end
	p.note()
	return nil
}

// cut truncates a log to the offset or below.
func (p *play) cut(l *Log, end record.Offset) {
	l.Truncate(end)
	p.shadow(l).modelLog.cut(l.End())
	p.note()
}

// expire lets retention take what is too much of a log.
func (p *play) expire(l *Log) int {
	n := l.Expire(0, l.StableEnd())
	p.begun(l)
	return n
}

// begun takes the log's start over.
func (p *play) begun(l *Log) {
	s := p.shadow(l)
	s.start = l.Start()
	for len(s.batches) > 0 && s.batches[0].end <= s.start {
		s.batches = s.batches[1:]
	}
	p.note()
}

// moveStart deletes records below the offset.
func (p *play) moveStart(l *Log, start record.Offset) {
	l.MoveStart(min(start, l.StableEnd()))
	p.begun(l)
}

// reset empties a log and has it begin elsewhere.
func (p *play) reset(l *Log, start record.Offset) {
	l.Reset(start)
	p.shadow(l).modelLog = modelLog{start: start, end: start}
	p.note()
}

// drop ends a log.
func (p *play) drop(l *Log) {
	p.directory.Drop(l)
	for i, s := range p.shadows {
		if s.number == l.Number {
			p.shadows = append(p.shadows[:i:i], p.shadows[i+1:]...)
		}
	}
	p.note()
}

// vote writes a quorum state and a broker epoch.
func (p *play) vote(state string, epoch int64) {
	p.directory.Vote([]byte(state), nil)
	p.note()
	p.directory.SetBrokerEpoch(epoch)
	p.note()
}

// checkpoint has the directory fill everything and write a checkpoint, and waits a while.
func (p *play) checkpoint(t *task.Task) error {
	p.directory.forced = true
	p.directory.work.Raise()
	return p.rest(t, 8*time.Millisecond)
}

// rest waits, and returns why the directory is offline if it is.
func (p *play) rest(t *task.Task, d time.Duration) error {
	t.Sleep(p.loop.Now().Add(d))
	return p.directory.Failure()
}

// settle waits until everything is durable.
func (p *play) settle(t *task.Task) error {
	_, err := p.directory.journal.AwaitDurable(p.directory.journal.LastSequence()).Wait(t)
	return err
}

// look reads everything, finds timestamps, and compares both with what should be there.
func (p *play) look(t *task.Task) error {
	for number := range p.directory.Logs().All {
		p.directory.cold.forget(number)
	}
	found, err := p.observe(t)
	if err != nil {
		return err
	}
	if err := found.among(p.moments[len(p.moments)-1:]); err != nil {
		return fmt.Errorf("%w: %w", errWrong, err)
	}
	return p.lookUp(t)
}

// errWrong is what no fault excuses.
var errWrong = errors.New("wrong")

// lookUp finds each batch by its timestamp, which is its number.
func (p *play) lookUp(t *task.Task) error {
	for _, s := range p.shadows {
		l := p.directory.Logs().At(s.number)
		for _, b := range s.batches {
			found, err := l.FindTimestamp(int64(b.number), 0, l.End()).Wait(t)
			if err != nil {
				return err
			}
			if l.doubtAt(b.base) != nil {
				continue
			}
			if !found.Found || found.Base != b.base || found.MaxTimestamp != int64(b.number) {
				return fmt.Errorf("%w: %s finds %+v at or after %d, want %v", errWrong, l.Name, found, b.number, b)
			}
		}
	}
	return nil
}

// adopt has the play go on from what was recovered.
func (p *play) adopt(s scene) {
	p.shadows = nil
	for _, l := range s.logs {
		p.shadows = append(p.shadows, &shadow{modelLog{l.start, l.end, l.batches}, l.number, l.name})
		for _, b := range l.batches {
			p.number = max(p.number, b.number)
		}
	}
	s.sequence = 0
	p.moments, p.floor = []scene{s}, 0
}
