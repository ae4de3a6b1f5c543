package core

import (
	"slices"

	"barnabas/core/replica"
	"barnabas/core/storage"
	"barnabas/core/task"
	"barnabas/core/wire"
)

// Metrics is what a broker counts, at one moment.
type Metrics struct {
	// Ready says that produce is accepted; Failure, if not nil, why it will not be any more.
	Ready   bool
	Failure error

	Connections int
	Traffic     wire.Traffic
	Unsent      int64 // bytes of answers that have not left

	Brokers, Topics, Partitions int   // of the cluster, as this broker knows it
	MetadataEnd                 int64 // of what it knows

	Replicas        int // here
	Leads           int // of these
	UnderReplicated int // of those it leads: fewer in sync than there are replicas
	UnderMinISR     int // of those it leads: acks=all is refused
	Offline         int // ranges of offsets in doubt
	LogBytes        int64

	JournalBytes, JournalBytesMax int
	Journal                       storage.JournalCounts

	ByTopic []TopicMetrics // in ascending order of names
}

// TopicMetrics is the traffic of one topic here.
type TopicMetrics struct {
	Topic string
	replica.Traffic
}

// metricsPiece is how many replicas are looked at in one go (rule T2).
const metricsPiece = 1000

// Metrics counts. Everything but what is said of replicas is of one moment.
func (b *Broker) Metrics(t *task.Task) Metrics {
	m := Metrics{Ready: b.served && b.stopped == nil && b.failure == nil, Failure: b.failure}
	if b.server != nil {
		m.Connections, m.Traffic, m.Unsent = b.server.Connections(), *b.server.Traffic(), b.server.Unsent()
	}
	if b.directory != nil {
		m.JournalBytes, m.JournalBytesMax, m.Journal = b.directory.BytesUsed(), b.directory.BytesMax(), b.directory.JournalCounts()
	}
	m.Brokers, m.MetadataEnd = b.image.Brokers.Len(), int64(b.image.End)
	for _, topic := range b.image.Topics.All {
		m.Topics++
		m.Partitions += topic.Partitions.Len()
	}
	if b.replicas == nil {
		return m
	}
	for name, traffic := range b.replicas.Traffic {
		if n := len(m.ByTopic); n > 0 && m.ByTopic[n-1].Topic == name {
			m.ByTopic[n-1].Add(traffic)
			continue
		}
		m.ByTopic = append(m.ByTopic, TopicMetrics{name, *traffic})
	}
	for piece := range slices.Chunk(b.replicas.Numbers(), metricsPiece) {
		for _, number := range piece {
			if p := b.replicas.ByNumber(number); p != nil {
				m.count(p)
			}
		}
		if len(piece) == metricsPiece {
			t.Yield()
		}
	}
	return m
}

func (m *Metrics) count(p *replica.Partition) {
	m.Replicas++
	m.LogBytes += p.Log.Bytes()
	m.Offline += len(p.Log.Doubts())
	if !p.IsLeader() {
		return
	}
	m.Leads++
	inSync, replicas, least := p.InSync()
	if inSync < replicas {
		m.UnderReplicated++
	}
	if inSync < least {
		m.UnderMinISR++
	}
}
