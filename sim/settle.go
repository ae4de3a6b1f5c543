package sim

import (
	"fmt"
	"slices"
	"time"

	"barnabas/core/protocol"
	"barnabas/core/task"
	"barnabas/sim/client"
	"barnabas/sim/ledger"
	"barnabas/sim/plan"
	"barnabas/sim/simnet"
)

// settleTime is how long after the last fault everything must have settled.
const settleTime = 30 * time.Second

// auditTime is how long reading everything once more may take, on the slowest disk with the smallest fetches.
const auditTime = 5 * time.Minute

// standstill is how long a consumer may go without a record it could have before it counts as stuck.
const standstill = 5 * time.Second

// runUntil runs events until the instant, unless something is broken beyond use.
func (w *world) runUntil(end task.Instant) {
	const slice = 100 * time.Millisecond
	for w.kernel.Now() < end && !w.over() {
		w.kernel.Run(min(w.kernel.Now().Add(slice), end))
	}
}

// heal ends all faults: brokers that are down come back, the network is calm.
func (w *world) heal() {
	w.healed = true
	if w.over() {
		return
	}
	w.network.SetFaults(simnet.Faults{HalfOpenMax: w.plan.Network.HalfOpenMax})
	for _, b := range w.brokers {
		b.healDisk()
		b.shift = 0
		if !b.node.Alive() {
			b.start()
		} else {
			b.node.Resume()
		}
	}
	if w.script != nil && w.script.partition().Leader == -1 {
		w.script.electSoon()
	}
}

// settle runs until everything has settled, or until that takes too long, which is a violation.
func (w *world) settle(deadline task.Instant, unsettled func() string) {
	for !w.over() {
		w.runUntil(w.kernel.Now().Add(100 * time.Millisecond))
		why := unsettled()
		if why == "" {
			return
		}
		if w.kernel.Now() >= deadline && !w.isReading() {
			w.violate("Liveness", fmt.Sprintf("%v after the last fault: %s%s",
				w.elapsed()-w.plan.Virtual, why, w.describe()))
			return
		}
	}
}

// isReading says whether consumers moved in the last seconds: one that asked for little at a time over a slow network may
// take longer than the rest, as long as it does not stand still.
func (w *world) isReading() bool {
	total := int64(0)
	for _, c := range append(slices.Clone(w.clients), w.auditor) {
		if c != nil {
			for _, consumer := range c.Consumers {
				total += consumer.Position()
			}
		}
	}
	if total != w.positions {
		w.positions, w.movedAt = total, w.kernel.Now()
	}
	return w.kernel.Now().Sub(w.movedAt) < standstill && w.kernel.Now() < task.Instant(0).Add(w.plan.Virtual+2*auditTime)
}

// unsettled says what is not as it should be yet, or nothing.
func (w *world) unsettled() string {
	for _, b := range w.brokers {
		if !b.up {
			return fmt.Sprintf("broker %d is not up", b.id)
		}
	}
	for _, c := range w.clients {
		for _, p := range c.Producers {
			if !p.Settled() {
				return p.Pending()
			}
		}
		for _, churn := range c.Churns {
			if !churn.Settled() {
				return churn.Pending()
			}
		}
		for _, consumer := range c.Consumers {
			if consumer.Over() {
				continue
			}
			if why := w.behind(consumer, "consumer"); why != "" && !consumer.MayWait(w.ledger.AckedEnd(consumer.Partition())) {
				return why
			}
		}
	}
	return ""
}

// unaudited says what the auditor has not read yet, or nothing.
func (w *world) unaudited() string {
	for _, consumer := range w.auditor.Consumers {
		if !consumer.LookedUp() {
			return "auditor of " + consumer.Partition().String() + " has not looked up all offsets by time, or not fetched from all spots"
		}
		if w.options.LedgerOff && consumer.AtEnd() {
			continue // nobody knows better
		}
		if why := w.behind(consumer, "auditor"); why != "" {
			return why
		}
	}
	return ""
}

func (w *world) behind(c *client.Consumer, who string) string {
	if end := w.ledger.AckedEnd(c.Partition()); c.Position() < end {
		return fmt.Sprintf("%s of %s is at %d of %d", who, c.Partition(), c.Position(), end)
	}
	return ""
}

// audit starts the client that reads every partition once more from its start.
func (w *world) audit() {
	o := w.clientOptions(auditorID, 18)
	o.Lives = make(map[ledger.Partition]protocol.UUID)
	for i, partition := range w.ledger.Partitions() {
		if id, ok := w.ledger.Topic(partition); ok {
			o.Lives[partition] = id
		}
		o.Consumers = append(o.Consumers, client.ConsumerPlan{
			Consumer:  plan.Consumer{ID: uint64(i), Topic: partition.Topic, WaitMax: 200 * time.Millisecond, BytesMin: 1, BytesMax: 1 << 20},
			Partition: partition, LookUps: 8, Spots: 8,
		})
	}
	w.auditor = w.startClient(o)
}

// auditorID is beyond every client's.
const auditorID = 1 << 33

// judgeEnd judges what was read at the end.
func (w *world) judgeEnd() {
	type row struct{ from, to int64 }
	rows := make(map[ledger.Partition]row)
	for _, c := range w.auditor.Consumers {
		rows[c.Partition()] = row{c.From(), c.Position()}
		if c.AtEnd() {
			w.witness.Ends(c.Reader())
		}
	}
	w.ledger.Finish(func(p ledger.Partition) (from, to int64) { return rows[p].from, rows[p].to })
	for _, b := range w.brokers {
		b.before = b.readDisk()
		b.judgeDisk()
	}
}
