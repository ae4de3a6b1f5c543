package replica

import (
	"slices"
	"time"

	"barnabas/core/env"
	"barnabas/core/storage"
	"barnabas/core/task"
)

// visitAtOnce is how many partitions a step looks at (rule T2).
const visitAtOnce = 64

// keepHouse starts what the manager does of its own accord, until Stop. Followers let segments go as leaders do: what one
// of them still holds is no reason for another to keep it.
func (m *Manager) keepHouse() {
	o := &m.options
	m.env.Loop.Go("retention", func(t *task.Task) {
		m.visit(t, min(o.RetentionDelay, o.RetentionInterval), o.RetentionInterval, (*Partition).expire)
	})
	m.env.Loop.Go("producer expiration", func(t *task.Task) {
		m.visit(t, o.ProducerInterval, o.ProducerInterval, (*Partition).expireProducers)
	})
}

// visit calls do with every partition after the delay, and again and again with the interval between.
func (m *Manager) visit(t *task.Task, delay, interval time.Duration, do func(*Partition)) {
	for t.Sleep(m.after(delay)); !m.stopped; t.Sleep(m.after(interval)) {
		m.visitAll(t, do)
	}
}

// visitAll goes by log numbers, since partitions come and go while it lets others work.
func (m *Manager) visitAll(t *task.Task, do func(*Partition)) {
	for next := storage.LogNumber(0); ; t.Yield() {
		numbers := m.byNumber.Keys()
		from, _ := slices.BinarySearch(numbers, next)
		numbers = slices.Clone(numbers[from:min(from+visitAtOnce, len(numbers))])
		if len(numbers) == 0 || m.stopped {
			return
		}
		for _, number := range numbers {
			do(m.byNumber.At(number))
		}
		next = numbers[len(numbers)-1] + 1
	}
}

// expire lets segments go, but no record that is not committed. Who waits below the new start is told.
func (p *Partition) expire() {
	if p.Log.Expire(p.manager.env.Clock.Wall(), p.highWater) > 0 {
		p.startMoved()
	}
}

// expireProducers forgets producers that have been silent for long.
func (p *Partition) expireProducers() {
	p.Log.ExpireProducers(int64(p.manager.env.Clock.Wall()) - p.manager.options.ProducerExpiration().Milliseconds())
}

// startMoved wakes fetches: one below the start must say so, and followers move their own.
func (p *Partition) startMoved() { p.visible.wakeFor(p.manager.env.Probe, env.MarkFetchWokenByStart) }

// Stop ends what the manager does of its own accord: a log directory that is closing takes no more entries.
func (m *Manager) Stop() { m.stopped = true }
