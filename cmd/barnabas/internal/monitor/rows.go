package monitor

import "github.com/prometheus/client_golang/prometheus"

// Row is a family of series.
type Row struct {
	Name   string
	Type   string // counter, gauge or histogram
	Labels []string
	Help   string
}

const (
	counter   = "counter"
	gauge     = "gauge"
	histogram = "histogram"
)

// The families, by theme.
var (
	rowBuild = row("build_info", gauge, "always 1; what was built", "version")
	rowReady = row("ready", gauge, "1 when records are taken")

	rowConnections = row("connections", gauge, "connections of clients that are open")
	rowAccepted    = row("connections_accepted_total", counter, "connections taken")
	rowLimited     = row("connections_limited_total", counter,
		"connections refused (max.connections and those per address) or delayed (max.connection.creation.rate)", "how")
	rowClosed = row("connections_closed_total", counter,
		"connections the broker closed: idle (connections.max.idle.ms), refused (because of what was sent) or unread "+
			"(answers were not read, queued.max.response.bytes)", "reason")
	rowReceived = row("network_received_bytes_total", counter, "bytes of requests")
	rowSent     = row("network_sent_bytes_total", counter, "bytes of answers")
	rowUnsent   = row("network_unsent_bytes", gauge, "bytes of answers that clients have not read yet (at most queued.max.response.bytes)")
	rowCrowded  = row("network_unsent_limit_total", counter, "how often these came to queued.max.response.bytes, so that requests waited")
	rowRequests = row("request_seconds", histogram,
		"from a request's arrival to its answer, with all waiting that it asked for (acks, long polls)", "api")

	rowBrokers     = row("cluster_brokers", gauge, "brokers registered in the cluster, as this broker knows")
	rowTopics      = row("cluster_topics", gauge, "topics of the cluster")
	rowPartitions  = row("cluster_partitions", gauge, "partitions of the cluster")
	rowMetadataEnd = row("metadata_end_offset", gauge, "up to where this broker has applied the metadata log, exclusive")

	rowReplicas    = row("replicas", gauge, "replicas of partitions here")
	rowLeads       = row("leader_replicas", gauge, "replicas here that lead")
	rowUnder       = row("under_replicated_partitions", gauge, "partitions led here that have fewer replicas in sync than replicas")
	rowUnderMinISR = row("under_min_isr_partitions", gauge, "partitions led here that refuse acks=all, since too few replicas are in sync")
	rowOffline     = row("offline_ranges", gauge, "ranges of offsets that are not served, because their bytes are damaged")
	rowLogBytes    = row("log_size_bytes", gauge, "record bytes of all replicas here")

	rowJournalUsed    = row("journal_used_bytes", gauge, "the part of the journal that is needed")
	rowJournalMost    = row("journal_limit_bytes", gauge, "how much that may be (journal.max.bytes)")
	rowJournalWritten = row("journal_written_bytes_total", counter, "bytes of commits")
	rowCommits        = row("journal_commit_seconds", histogram, "the write of a commit, with its sync under durability=fsync")
	rowDiskFree       = row("disk_free_bytes", gauge, "what this user may still write where the data folder is")

	rowProducedRecords = row("topic_produced_records_total", counter, "records taken from producers", "topic")
	rowProducedBytes   = row("topic_produced_bytes_total", counter, "bytes of these, as they came (compressed)", "topic")
	rowProducedBatches = row("topic_produced_batches_total", counter, "batches they came in", "topic")
	rowFetchedBytes    = row("topic_fetched_bytes_total", counter, "record bytes sent to consumers", "topic")
	rowReplicated      = row("topic_replicated_bytes_total", counter, "record bytes sent to followers", "topic")
)

// family is a row that can be collected.
type family struct {
	Row
	description *prometheus.Desc
}

// families is every row, in the order they were made.
var families []*family

const prefix = "barnabas_"

func row(name, kind, help string, labels ...string) *family {
	f := &family{
		Row:         Row{Name: prefix + name, Type: kind, Labels: labels, Help: help},
		description: prometheus.NewDesc(prefix+name, help, labels, nil),
	}
	families = append(families, f)
	return f
}

// Rows returns all families of ours. Beside them are Go's and the process's own, go_… and process_….
func Rows() []Row {
	var all []Row
	for _, f := range families {
		all = append(all, f.Row)
	}
	return all
}
