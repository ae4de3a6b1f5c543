package storage

import (
	"time"

	"barnabas/core/record"
	"barnabas/core/task"
)

// A world is a script short enough that every crash of it can be tried. What comes before is told and not crashed.
type world struct {
	name       string
	durability Durability
	before     func(p *play, t *task.Task) error // nil: there is no directory yet
	script     func(p *play, t *task.Task) error // of another life
}

var worlds = []world{
	{"birth", Fsync, nil, func(p *play, t *task.Task) error {
		l := p.create(topic, 0, "orders-0")
		if err := p.append(t, l, 2, 100, 7); err != nil {
			return err
		}
		p.vote("one", 3)
		return p.directory.Close(t)
	}},
	{"fill and checkpoint", Fsync, twoLogs, func(p *play, t *task.Task) error {
		for _, l := range p.directory.Logs().All {
			if err := p.append(t, l, 1, 2000, 7); err != nil {
				return err
			}
		}
		if err := p.checkpoint(t); err != nil {
			return err
		}
		if err := p.append(t, p.log(1), 1, 3000, 7); err != nil {
			return err
		}
		return p.checkpoint(t)
	}},
	{"roll and seal", Fsync, twoLogs, func(p *play, t *task.Task) error {
		for range 4 {
			if err := p.append(t, p.log(1), 1, 4000, -1); err != nil {
				return err
			}
			if err := p.rest(t, 100*time.Microsecond); err != nil {
				return err
			}
		}
		return p.checkpoint(t)
	}},
	{"truncate and refill", Fsync, filled, func(p *play, t *task.Task) error {
		l := p.log(1)
		p.cut(l, l.End()-3)
		for range 2 {
			if err := p.copied(t, l, 2, 1500); err != nil {
				return err
			}
		}
		if err := p.checkpoints(t); err != nil {
			return err
		}
		p.cut(l, l.End()-1)
		return p.rest(t, time.Millisecond)
	}},
	{"retention", Fsync, filled, func(p *play, t *task.Task) error {
		p.expire(p.log(1))
		if err := p.append(t, p.log(1), 1, 2000, 7); err != nil {
			return err
		}
		if err := p.rest(t, 3*time.Millisecond); err != nil {
			return err
		}
		return p.checkpoints(t)
	}},
	{"drop and make again", Fsync, filled, func(p *play, t *task.Task) error {
		p.drop(p.log(1))
		l := p.create([16]byte{9}, 0, "orders-0")
		if err := p.append(t, l, 3, 500, 7); err != nil {
			return err
		}
		if err := p.rest(t, 2*time.Millisecond); err != nil {
			return err
		}
		return p.checkpoints(t)
	}},
	{"reset", Fsync, filled, func(p *play, t *task.Task) error {
		l := p.log(1)
		p.reset(l, l.End()+10)
		if err := p.copied(t, l, 2, 1500); err != nil {
			return err
		}
		return p.checkpoints(t)
	}},
	{"recycle", Fsync, nearTheEnd, func(p *play, t *task.Task) error {
		for i := range 3 {
			if err := p.append(t, p.log(1+LogNumber(i%2)), 1, 7000, 7); err != nil {
				return err
			}
			if err := p.checkpoint(t); err != nil {
				return err
			}
		}
		return nil
	}},
	{"stop", Fsync, filled, func(p *play, t *task.Task) error {
		if err := p.append(t, p.log(1), 3, 2000, 7); err != nil {
			return err
		}
		return p.directory.Close(t)
	}},
	{"replicated", Replicated, twoLogs, func(p *play, t *task.Task) error {
		for i := range 4 {
			if err := p.append(t, p.log(1+LogNumber(i%2)), 1, 2000, 7); err != nil {
				return err
			}
			if err := p.rest(t, 30*time.Microsecond); err != nil {
				return err
			}
		}
		p.vote("two", 4)
		if err := p.append(t, p.log(1), 1, 2000, 7); err != nil {
			return err
		}
		return p.checkpoint(t)
	}},
	{"replicated, truncate and refill", Replicated, filled, func(p *play, t *task.Task) error {
		l := p.log(1)
		p.cut(l, l.End()-3)
		if err := p.copied(t, l, 2, 1500); err != nil {
			return err
		}
		return p.checkpoints(t)
	}},
}

// checkpoints writes several: what was cut is written again only after the second or third.
func (p *play) checkpoints(t *task.Task) error {
	for range 4 {
		if err := p.checkpoint(t); err != nil {
			return err
		}
	}
	return nil
}

func (p *play) log(number LogNumber) *Log { return p.directory.Logs().At(number) }

// twoLogs have a little each, in the journal only.
func twoLogs(p *play, t *task.Task) error {
	for i := range int32(2) {
		l := p.create(topic, i, [...]string{"orders-0", "orders-1"}[i])
		if err := p.append(t, l, 2, 700, 7); err != nil {
			return err
		}
	}
	return p.settle(t)
}

// filled logs have segments on disk, and some of the last in the journal only.
func filled(p *play, t *task.Task) error {
	if err := twoLogs(p, t); err != nil {
		return err
	}
	for i := range 5 {
		if err := p.append(t, p.log(1), 2, 2000, int64(i%2)); err != nil {
			return err
		}
	}
	if err := p.checkpoint(t); err != nil {
		return err
	}
	p.log(1).Settle(record.Offset(6))
	if err := p.append(t, p.log(1), 2, 300, 7); err != nil {
		return err
	}
	return p.settle(t)
}

// nearTheEnd has the journal's segment nearly full.
func nearTheEnd(p *play, t *task.Task) error {
	if err := twoLogs(p, t); err != nil {
		return err
	}
	for p.directory.journal.Position().Position < uint32(p.options.Journal.SegmentBytes)-14000 {
		if err := p.append(t, p.log(1), 1, 3500, 7); err != nil {
			return err
		}
		if err := p.rest(t, 400*time.Microsecond); err != nil {
			return err
		}
	}
	return p.settle(t)
}
