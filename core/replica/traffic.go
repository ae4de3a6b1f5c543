package replica

import (
	"slices"
	"strings"

	"barnabas/core/protocol"
	"barnabas/core/record"
	"barnabas/core/storage"
)

// Traffic counts what clients wrote to and read from a topic here, since the broker's start or the topic's making.
// Repetitions by idempotent producers are not counted again.
type Traffic struct {
	ProducedRecords, ProducedBytes, ProducedBatches int64
	FetchedBytes                                    int64 // by consumers
	ReplicatedBytes                                 int64 // by followers
}

func (t *Traffic) produced(h *record.Header, bytes int) {
	t.ProducedRecords += int64(h.Count)
	t.ProducedBytes += int64(bytes)
	t.ProducedBatches++
}

// CountFetched counts record bytes that were sent.
func (p *Partition) CountFetched(bytes int, toFollower bool) {
	if toFollower {
		p.traffic.ReplicatedBytes += int64(bytes)
	} else {
		p.traffic.FetchedBytes += int64(bytes)
	}
}

// Traffic walks the topics that have replicas here, in ascending order. What is given goes on counting.
func (m *Manager) Traffic(yield func(topic string, t *Traffic) bool) {
	for key, t := range m.traffic.All {
		topic, _, _ := strings.Cut(key, keySeparator)
		if !yield(topic, t) {
			return
		}
	}
}

// keySeparator is in no topic's name. A topic that was deleted and made anew may be there twice for a moment.
const keySeparator = "/"

// trafficOf returns the topic's counts.
func (m *Manager) trafficOf(topic string, id protocol.UUID) *Traffic {
	key := topic + keySeparator + id.String()
	t, found := m.traffic.Get(key)
	if !found {
		t = &Traffic{}
		m.traffic.Set(key, t)
	}
	return t
}

func (m *Manager) dropTraffic(topic string, id protocol.UUID) {
	m.traffic.Delete(topic + keySeparator + id.String())
}

// Add adds the counts of another.
func (t *Traffic) Add(more *Traffic) {
	t.ProducedRecords += more.ProducedRecords
	t.ProducedBytes += more.ProducedBytes
	t.ProducedBatches += more.ProducedBatches
	t.FetchedBytes += more.FetchedBytes
	t.ReplicatedBytes += more.ReplicatedBytes
}

// Numbers returns the numbers of the logs of the replicas here, ascending.
func (m *Manager) Numbers() []storage.LogNumber { return slices.Clone(m.byNumber.Keys()) }

// ByNumber returns the replica with this log, or nil.
func (m *Manager) ByNumber(n storage.LogNumber) *Partition { return m.byNumber.At(n) }

// InSync returns, of a leader, how many replicas are in sync, how many there are, and how many acks=all needs.
func (p *Partition) InSync() (inSync, replicas, least int) {
	return len(p.isr), len(p.replicas), p.minimumISR()
}
