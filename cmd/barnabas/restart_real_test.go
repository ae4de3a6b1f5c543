package main

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestRealRestart stops and kills a broker, and looks for everything it held: records, topics with ids and settings, the
// cluster's id, what idempotent producers sent last, and the producer ids it gave out.
func TestRealRestart(t *testing.T) {
	folder := t.TempDir()
	b := startBroker(t, folder)
	sent := fill(t, b, "records", 50)
	limit := "1000"
	admin := kadm.NewClient(client(t, b))
	small, err := admin.CreateTopic(within(t), 2, 1, map[string]*string{"max.message.bytes": &limit}, "small")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.CreateTopic(within(t), 1, 1, nil, "gone"); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.DeleteTopics(within(t), "gone"); err != nil {
		t.Fatal(err)
	}
	cluster := clusterID(t, b)
	r := dial(t, b)
	id := r.describe("idempotent").TopicID
	from := producer{id: initProducer(r), sequence: 0}
	if at := produceOnce(t, r, id, from); at != 0 {
		t.Fatalf("the first batch is at %d", at)
	}
	given := map[int64]bool{from.id: true}

	for round, end := range []func(*testing.T){b.stop, nil, nil} {
		if end == nil {
			b.kill()
		} else {
			end(t)
		}
		b = startBroker(t, folder)
		t.Logf("ready in %v after round %d", b.took, round)
		if b.took > 5*time.Second {
			t.Errorf("ready after %v", b.took)
		}
		same(t, sent, consume(t, b, "records", kgo.NewOffset().AtStart(), len(sent)))
		produced(t, b, "records", int64(len(sent)))
		sent = append(sent, &kgo.Record{Value: []byte("value")})

		listed, err := kadm.NewClient(client(t, b)).ListTopics(within(t))
		if err != nil || len(listed) != 3 || listed["small"].ID != small.ID || len(listed["small"].Partitions) != 2 {
			t.Errorf("topics %+v, %v", listed, err)
		}
		tooLarge(t, b, "small")
		if got := clusterID(t, b); got != cluster {
			t.Errorf("cluster %s, was %s", got, cluster)
		}

		r := dial(t, b)
		if at := produceOnce(t, r, id, from); at != int64(round) {
			t.Errorf("the last batch, sent again, is at %d, was at %d", at, round)
		}
		from.sequence++
		if at := produceOnce(t, r, id, from); at != int64(round)+1 {
			t.Errorf("the next batch is at %d, want %d", at, round+1)
		}
		fresh := initProducer(r)
		if given[fresh] {
			t.Errorf("producer id %d is given twice", fresh)
		}
		given[fresh] = true
	}
}

func clusterID(t *testing.T, b *broker) string {
	t.Helper()
	metadata, err := kadm.NewClient(client(t, b)).BrokerMetadata(within(t))
	if err != nil || metadata.Cluster == "" {
		t.Fatalf("%+v, %v", metadata, err)
	}
	return metadata.Cluster
}

func initProducer(r *raw) int64 {
	r.t.Helper()
	return r.ask(5, kmsg.NewPtrInitProducerIDRequest()).(*kmsg.InitProducerIDResponse).ProducerID
}

// produceOnce sends one batch of one record and returns its offset.
func produceOnce(t *testing.T, r *raw, topic [16]byte, from producer) int64 {
	t.Helper()
	answer := r.ask(13, produceRequest("", topic, batch(from, "value"))).(*kmsg.ProduceResponse)
	partition := answer.Topics[0].Partitions[0]
	if partition.ErrorCode != 0 {
		t.Fatalf("%+v", partition)
	}
	return partition.BaseOffset
}
