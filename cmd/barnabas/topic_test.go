package main

import (
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"barnabas/core/protocol"
)

// described is two topics on two brokers, of which one can't be asked.
func described() *description {
	return &description{
		topics: []topicView{
			{Topic: "a", ID: "AAAA", Settings: map[string]string{"segment.ms": "5", "retention.ms": "10"}, Partitions: []*partitionView{
				{Partition: 0, Leader: 1, Replicas: []int32{1, 2}, ISR: []int32{1}, Start: 5, End: 12},
				{Partition: 1, Leader: -1, Replicas: []int32{2}, ISR: []int32{}, Start: -1, End: -1},
				{Partition: 2, Leader: 1, Replicas: []int32{1}, ISR: []int32{1}, Start: 0, End: -1, Error: "OFFSET_NOT_AVAILABLE"},
			}},
			{Topic: "b", ID: "BBBB"},
		},
		brokers: []brokerView{
			{Broker: 1, Address: "h:1", Durability: "fsync", Promise: "all is well"},
			{Broker: 2, Address: "h:2", Error: "gone"},
			{Broker: 3, Address: "h:3"},
		},
	}
}

func TestShowDescription(t *testing.T) {
	want := `a  id AAAA  retention.ms=10  segment.ms=5
  PARTITION  LEADER  REPLICAS  ISR  START  END
  0          1       1,2       1    5      12
  1          none    2              -      -
  2          1       1         1    0      -  OFFSET_NOT_AVAILABLE

b  id BBBB
  PARTITION  LEADER  REPLICAS  ISR  START  END

broker 1 at h:1: durability fsync: all is well
broker 2 at h:2: could not be asked: gone
broker 3 at h:3: does not say what it promises
`
	if got := described().show(false); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	json := strings.Split(described().show(true), "\n")
	if len(json) != 6 || json[0] != `{"topic":"a","id":"AAAA","settings":{"retention.ms":"10","segment.ms":"5"},"partitions":[`+
		`{"partition":0,"leader":1,"replicas":[1,2],"isr":[1],"start":5,"end":12},`+
		`{"partition":1,"leader":-1,"replicas":[2],"isr":[],"start":-1,"end":-1},`+
		`{"partition":2,"leader":1,"replicas":[1],"isr":[1],"start":0,"end":-1,"error":"OFFSET_NOT_AVAILABLE"}]}` ||
		json[3] != `{"broker":2,"address":"h:2","error":"gone"}` {
		t.Errorf("%d lines: %s", len(json), strings.Join(json, "\n"))
	}
}

func TestShowList(t *testing.T) {
	topics := []protocol.MetadataResponseTopic{
		{Name: protocol.String("orders"), Partitions: []protocol.MetadataResponsePartition{{ReplicaNodes: []int32{1, 2}}, {ReplicaNodes: []int32{1}}}},
		{Name: protocol.String("x")},
	}
	want := `TOPIC   ID                      PARTITIONS  REPLICATION
orders  AAAAAAAAAAAAAAAAAAAAAA  2           2
x       AAAAAAAAAAAAAAAAAAAAAA  0           0
`
	if got := showList(topics, false); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := showList(topics[:1], true); got != `{"topic":"orders","id":"AAAAAAAAAAAAAAAAAAAAAA","partitions":2,"replication":2}`+"\n" {
		t.Error(got)
	}
}

// TestAskingSomethingElse: what listens there is no broker.
func TestAskingSomethingElse(t *testing.T) {
	for answer, want := range map[string]string{
		"":                           "it closed the connection",
		"HTTP/1.1 400 Bad Request\n": "is none of Kafka's protocol",
		"\x00\x00\x00\x0c\x00\x00\x00\x09\x00\x00\x01\x00\x00\x00\x00\x00": "request 9, not 1",
	} {
		p := newTrial()
		p.dial = func(string, time.Duration) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() {
				var size [4]byte
				_, _ = io.ReadFull(theirs, size[:])
				_, _ = io.ReadFull(theirs, make([]byte, binary.BigEndian.Uint32(size[:])))
				_, _ = io.WriteString(theirs, answer)
				_ = theirs.Close()
			}()
			return ours, nil
		}
		if code := p.guarded([]string{"topic", "list"}); code != 1 || !strings.Contains(p.talk.String(), want) {
			t.Errorf("%q: exit %d, %s", answer, code, p.talk.String())
		}
	}
}
