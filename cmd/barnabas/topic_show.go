package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"barnabas/core/protocol"
)

type jsonTopic struct {
	Topic       string `json:"topic"`
	ID          string `json:"id"`
	Partitions  int    `json:"partitions"`
	Replication int    `json:"replication"`
}

// showList is a line for each topic.
func showList(topics []protocol.MetadataResponseTopic, asJSON bool) string {
	var b strings.Builder
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	if !asJSON {
		fmt.Fprintln(table, "TOPIC\tID\tPARTITIONS\tREPLICATION")
	}
	for i := range topics {
		t := &topics[i]
		row := jsonTopic{Topic: t.Name.Value, ID: t.TopicId.String(), Partitions: len(t.Partitions)}
		for _, p := range t.Partitions {
			row.Replication = max(row.Replication, len(p.ReplicaNodes))
		}
		if asJSON {
			writeJSON(&b, row)
		} else {
			fmt.Fprintf(table, "%s\t%s\t%d\t%d\n", row.Topic, row.ID, row.Partitions, row.Replication)
		}
	}
	_ = table.Flush()
	return b.String()
}

// show is the whole description.
func (d *description) show(asJSON bool) string {
	var b strings.Builder
	for i := range d.topics {
		if asJSON {
			writeJSON(&b, d.topics[i])
		} else {
			d.topics[i].write(&b)
		}
	}
	for i := range d.brokers {
		if asJSON {
			writeJSON(&b, d.brokers[i])
		} else {
			d.brokers[i].write(&b)
		}
	}
	return b.String()
}

func writeJSON(b *strings.Builder, row any) {
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(row)
}

func (t *topicView) write(b *strings.Builder) {
	fmt.Fprintf(b, "%s  id %s%s\n", t.Topic, t.ID, t.settingsText())
	table := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  PARTITION\tLEADER\tREPLICAS\tISR\tSTART\tEND")
	for _, p := range t.Partitions {
		fmt.Fprintf(table, "  %d\t%s\t%s\t%s\t%s\t%s", p.Partition, numberOr(int64(p.Leader), "none"), join(p.Replicas),
			join(p.ISR), numberOr(p.Start, "-"), numberOr(p.End, "-"))
		if p.Error != "" {
			fmt.Fprintf(table, "\t%s", p.Error)
		}
		fmt.Fprintln(table)
	}
	_ = table.Flush()
	fmt.Fprintln(b)
}

// write says in a line what the broker promises.
func (v *brokerView) write(b *strings.Builder) {
	fmt.Fprintf(b, "broker %d at %s: ", v.Broker, v.Address)
	switch {
	case v.Error != "":
		fmt.Fprintf(b, "could not be asked: %s\n", v.Error)
	case v.Durability == "":
		fmt.Fprintln(b, "does not say what it promises")
	default:
		fmt.Fprintf(b, "durability %s: %s\n", v.Durability, v.Promise)
	}
}

// numberOr is the number, or otherwise when it is negative.
func numberOr(n int64, otherwise string) string {
	if n < 0 {
		return otherwise
	}
	return strconv.FormatInt(n, 10)
}

func join(ids []int32) string {
	words := make([]string, len(ids))
	for i, id := range ids {
		words[i] = strconv.Itoa(int(id))
	}
	return strings.Join(words, ",")
}
