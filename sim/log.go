package sim

import (
	"fmt"
	"strings"

	"barnabas/core/replica"
	"barnabas/core/task"
	"barnabas/sim/kernel"
)

// LogHead names the columns of the log: who stepped, at what its partition stood afterwards, and what it was given.
const LogHead = "     SECONDS NODE      PARTITION   ROLE EPOCH  START STABLE    END    HIGH  WHAT"

// eventLog writes a line for every step of a node.
type eventLog struct {
	world *world
	given []string // to the node in the present step
	node  int32
	at    task.Instant
	shown map[*replica.Partition]string // how each stood when it was shown last
}

// watchEvents has the log, and whoever else was to be told, hear of every delivery.
func (w *world) watchEvents() {
	if w.options.Log != nil {
		w.log = &eventLog{world: w, shown: make(map[*replica.Partition]string)}
	}
	if w.log == nil && w.options.Event == nil {
		return
	}
	w.kernel.Trace = func(e kernel.Event, in task.Input) {
		if w.options.Event != nil {
			w.options.Event(e, func() string { return what(e, in) })
		}
		if w.log != nil {
			w.log.given, w.log.node, w.log.at = append(w.log.given, what(e, in)), e.Node, e.At
		}
	}
}

// what describes a delivery in a few words.
func what(e kernel.Event, in task.Input) string {
	if d, ok := in.(interface{ What() string }); ok {
		return e.Kind.String() + " " + d.What()
	}
	return e.Kind.String()
}

// step writes the line of a step that has just ended: the node, how its partition stands, and what the node was given. Of
// several partitions it is the one that changed; if several did, each has a line.
func (l *eventLog) step(n *kernel.Node) {
	given := strings.Join(l.given, "; ")
	l.given = l.given[:0]
	w := l.world
	if n.ID >= len(w.brokers) {
		l.line(fmt.Sprintf("client-%d", n.Key-firstClientKey), "", given)
		return
	}
	b := w.brokers[n.ID]
	name, lines := fmt.Sprintf("broker-%d", b.id), 0
	if b.process != nil && b.process.Replicas() != nil {
		last := ""
		for p := range b.process.Replicas().All {
			if strings.HasPrefix(p.Log.Name, "__") {
				continue
			}
			last = stand(p)
			if l.shown[p] == last {
				continue
			}
			l.shown[p] = last
			l.line(name, last, given)
			given, lines = "^", lines+1
		}
		if lines == 0 {
			l.line(name, last, given)
		}
		return
	}
	l.line(name, "", given)
}

// stand is how a replica stands, in columns.
func stand(p *replica.Partition) string {
	role := "-"
	switch leader, _ := p.Leader(); {
	case p.IsLeader():
		role = "lead"
	case leader >= 0:
		role = fmt.Sprintf("of %d", leader)
	}
	_, epoch := p.Leader()
	return fmt.Sprintf("%-11s %-4s %5d %6d %6d %6d %7d", p.Log.Name, role, epoch, p.Log.Start(), p.Log.StableEnd(), p.Log.End(), p.HighWatermark())
}

func (l *eventLog) line(node, stand, what string) {
	l.world.options.Log(strings.TrimRight(fmt.Sprintf("%12.6f %-9s %-51s  %s", float64(l.world.kernel.Now())/1e9, node, stand, what), " "))
}

// trace writes down what somebody has to say.
func (w *world) trace(line func() string) {
	if w.options.Trace == nil && w.log == nil {
		return
	}
	text := line()
	if w.options.Trace != nil {
		w.options.Trace(fmt.Sprintf("%12.6f %s", float64(w.kernel.Now())/1e9, text))
	}
	if w.log != nil {
		w.log.line("*", "", text)
	}
}
