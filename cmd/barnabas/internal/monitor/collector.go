package monitor

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"barnabas/core"
	"barnabas/core/metric"
	"barnabas/core/protocol"
)

// scrapePatience is how long a broker has to count.
const scrapePatience = 5 * time.Second

// collector asks a broker for each scrape.
type collector struct {
	broker  Broker
	version string
	topics  topics
}

// Describe says nothing, so that series need not be there from the beginning.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

// Collect asks the broker and hands everything on. A broker that does not answer fails the scrape.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapePatience)
	defer cancel()
	m, err := c.broker.Metrics(ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(rowReady.description, err)
		return
	}
	s := series{out}
	s.one(rowBuild, 1, c.version)
	s.one(rowReady, number(m.Ready))
	c.network(s, &m)
	c.partitions(s, &m)
	c.disk(s, &m)
	for _, t := range c.topics.bounded(m.ByTopic) {
		s.one(rowProducedRecords, float64(t.ProducedRecords), t.Topic)
		s.one(rowProducedBytes, float64(t.ProducedBytes), t.Topic)
		s.one(rowProducedBatches, float64(t.ProducedBatches), t.Topic)
		s.one(rowFetchedBytes, float64(t.FetchedBytes), t.Topic)
		s.one(rowReplicated, float64(t.ReplicatedBytes), t.Topic)
	}
}

func (c *collector) network(s series, m *core.Metrics) {
	s.one(rowConnections, float64(m.Connections))
	s.one(rowAccepted, float64(m.Traffic.Accepted))
	counts := c.broker.Counts()
	s.one(rowLimited, float64(counts.Refused), "refused")
	s.one(rowLimited, float64(counts.Delayed), "delayed")
	s.one(rowClosed, float64(m.Traffic.Idle), "idle")
	s.one(rowClosed, float64(m.Traffic.Refused), "refused")
	s.one(rowClosed, float64(m.Traffic.Unread), "unread")
	s.one(rowReceived, float64(m.Traffic.BytesIn))
	s.one(rowSent, float64(m.Traffic.BytesOut))
	s.one(rowUnsent, float64(m.Unsent))
	s.one(rowCrowded, float64(m.Traffic.Crowded))
	for key := range m.Traffic.Requests {
		if h := &m.Traffic.Requests[key]; h.Count() > 0 {
			api, _ := protocol.APIByKey(int16(key))
			s.many(rowRequests, h, api.Name)
		}
	}
}

func (c *collector) partitions(s series, m *core.Metrics) {
	s.one(rowBrokers, float64(m.Brokers))
	s.one(rowTopics, float64(m.Topics))
	s.one(rowPartitions, float64(m.Partitions))
	s.one(rowMetadataEnd, float64(m.MetadataEnd))
	s.one(rowReplicas, float64(m.Replicas))
	s.one(rowLeads, float64(m.Leads))
	s.one(rowUnder, float64(m.UnderReplicated))
	s.one(rowUnderMinISR, float64(m.UnderMinISR))
	s.one(rowOffline, float64(m.Offline))
	s.one(rowLogBytes, float64(m.LogBytes))
}

func (c *collector) disk(s series, m *core.Metrics) {
	s.one(rowJournalUsed, float64(m.JournalBytes))
	s.one(rowJournalMost, float64(m.JournalBytesMax))
	s.one(rowJournalWritten, float64(m.Journal.Bytes))
	s.many(rowCommits, &m.Journal.Took)
	if free := c.broker.FreeBytes(); free >= 0 {
		s.one(rowDiskFree, float64(free))
	}
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// series makes Prometheus' values.
type series struct{ out chan<- prometheus.Metric }

func (s series) one(f *family, value float64, labels ...string) {
	kind := prometheus.GaugeValue
	if f.Type == counter {
		kind = prometheus.CounterValue
	}
	s.out <- prometheus.MustNewConstMetric(f.description, kind, value, labels...)
}

func (s series) many(f *family, h *metric.Histogram, labels ...string) {
	below, buckets := uint64(0), make(map[float64]uint64)
	for i, bound := range metric.Bounds() {
		below += uint64(h.Buckets[i])
		buckets[bound.Seconds()] = below
	}
	s.out <- prometheus.MustNewConstHistogram(f.description, uint64(h.Count()), h.Sum.Seconds(), buckets, labels...)
}
