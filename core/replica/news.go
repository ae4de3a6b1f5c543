package replica

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"barnabas/core/task"
)

// news is which partitions changed here and were not spoken of yet. They are, a little later: in a line for what this broker
// is to them then, and one for their replicas in sync, however many there are. A start, or the end of another broker,
// changes thousands at once.
type news struct {
	manager *Manager
	changed []*Partition
	told    task.Instant // when there were some last
	spoke   bool
}

// unsaid is what is to be said of a partition.
type unsaid struct {
	listed bool
	role   bool    // it has another leader, or epoch
	isr    []int32 // the replicas in sync that were spoken of last; nil: they did not change
}

// newsRows are named in a line, and the others counted. After a change it takes newsDelay until it is said, so that what
// happens together is said together, and from then on newsPause.
const (
	newsRows  = 5
	newsDelay = 200 * time.Millisecond
	newsPause = 5 * time.Second
)

// add notes a change of the partition.
func (n *news) add(p *Partition) *unsaid {
	if p.unsaid.listed {
		return &p.unsaid
	}
	p.unsaid.listed = true
	if n.changed = append(n.changed, p); len(n.changed) == 1 {
		at := n.manager.after(newsDelay)
		if n.spoke {
			at = max(at, n.told.Add(newsPause))
		}
		n.manager.env.Loop.At(at, n.say)
	}
	return &p.unsaid
}

// tellRole has it said what this broker is to the partition now.
func (p *Partition) tellRole() { p.manager.news.add(p).role = true }

// tellISR has it said which replicas are in sync now, if these are others.
func (p *Partition) tellISR(before []int32) {
	if before == nil || slices.Equal(before, p.isr) {
		return
	}
	if u := p.manager.news.add(p); u.isr == nil {
		u.isr = before
	}
}

// say says it.
func (n *news) say() {
	n.spoke, n.told = true, n.manager.env.Loop.Now()
	var leads, follows, leaderless, inSync newsLine
	for i, p := range n.changed {
		u := p.unsaid
		n.changed[i], p.unsaid = nil, unsaid{}
		if n.manager.byNumber.At(p.Log.Number) != p {
			continue // dropped meanwhile
		}
		switch {
		case !u.role:
		case p.role == roleLeader:
			leads.add(p, "epoch %d", p.epoch)
		case p.role == roleFollower:
			follows.add(p, "of broker %d, epoch %d", p.leader, p.epoch)
		default:
			leaderless.add(p, "epoch %d", p.epoch)
		}
		if p.role == roleLeader && u.isr != nil && !slices.Equal(u.isr, p.isr) {
			inSync.add(p, "%d, was %d", p.isr, u.isr)
		}
	}
	n.changed = n.changed[:0]
	n.line("led here", &leads)
	n.line("followed here", &follows)
	n.line("without a leader", &leaderless)
	n.line("with other replicas in sync", &inSync)
}

// newsLine is what happened alike to some partitions.
type newsLine struct {
	rows []string
	more int
}

func (l *newsLine) add(p *Partition, format string, values ...any) {
	if len(l.rows) == newsRows {
		l.more++
		return
	}
	l.rows = append(l.rows, p.Log.Name+" ("+fmt.Sprintf(format, values...)+")")
}

func (n *news) line(what string, l *newsLine) {
	if len(l.rows) == 0 {
		return
	}
	line := "partitions " + what + ": " + strings.Join(l.rows, ", ")
	if l.more > 0 {
		line += fmt.Sprintf(" and %d more", l.more)
	}
	n.manager.env.Talk.Say(line)
}
