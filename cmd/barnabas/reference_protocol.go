package main

import (
	_ "embed"
	"fmt"
	"strings"

	"barnabas/core/api"
	"barnabas/core/protocol"
)

// clientsTable is what clients can do, as .ci/clients/matrix/run found it; CI holds it against what they do.
//
//go:embed clients.md
var clientsTable string

// protocolReference is docs/PROTOCOL.md.
func protocolReference() string {
	served := make(map[int16]api.Row)
	for _, row := range api.Table() {
		served[row.Key] = row
	}
	var b strings.Builder
	b.WriteString(generated + `# Protocol

Barnabas speaks the protocol of Apache Kafka 4.3. Every request and response is described in every version that Kafka takes
(` + "`core/protocol/definitions`" + `); a broker announces and serves those below that have versions in the column "Served", and closes the
connection on any other. How each request is answered is said at the head of its file in ` + "`core/api`" + `.

`)
	fmt.Fprintf(&b, "## APIs\n\n%d of %d are served.\n\n", len(served), count(protocol.APIs))
	b.WriteString("| Key | API | Kafka 4.3 | Flexible from | Served | Notes |\n|---|---|---|---|---|---|\n")
	for row := range protocol.APIs {
		versions, flexible, answered := span(row.Min, row.Max), "never", ""
		if row.Flexible >= 0 {
			flexible = fmt.Sprint(max(row.Flexible, row.Min))
		}
		own, ok := served[row.Key]
		if ok {
			answered = versions
		}
		markdownRow(&b, fmt.Sprint(row.Key), row.Name, versions, flexible, answered, own.Notes)
	}
	b.WriteString(`
## Records

What brokers write into topics of their own is Kafka's too, at all versions: the metadata records of ` + "`__cluster_metadata`" + `, raft's
control records and snapshots, and the keys and values of these topics.

| Topic | Type | Record | Versions of the value |
|---|---|---|---|
`)
	for _, topic := range []protocol.InternalTopic{protocol.ConsumerOffsets, protocol.TransactionState, protocol.ShareGroupState} {
		for row := range topic.Types {
			markdownRow(&b, code(topic.String()), fmt.Sprint(row.Key), row.Name, span(row.Min, row.Max))
		}
	}
	b.WriteString(`
## Clients

What clients of other makers do with the broker that ` + "`go build ./cmd/barnabas`" + ` makes. CI tries every row
(` + "`.ci/clients/matrix/run`" + `); an empty field was not tried, mostly because the client lacks the feature. librdkafka's kcat is tried
apart, in every combination of acks, codec and idempotence (` + "`.ci/parts/40-kcat`" + `).

`)
	b.WriteString(clientsTable)
	return b.String()
}

func count(all func(func(protocol.API) bool)) (n int) {
	for range all {
		n++
	}
	return n
}

func span(least, greatest int16) string {
	if least == greatest {
		return fmt.Sprint(least)
	}
	return fmt.Sprintf("%d–%d", least, greatest)
}
