package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestRealTopics makes, lists and deletes topics.
func TestRealTopics(t *testing.T) {
	b := startBroker(t, t.TempDir(), "--set", "num.partitions=4")
	admin := kadm.NewClient(client(t, b))
	limit := "1000"
	configs := map[string]*string{"max.message.bytes": &limit}
	made, err := admin.CreateTopic(within(t), 3, 1, configs, "small")
	if err != nil || made.ID == (kadm.TopicID{}) || made.NumPartitions != 3 || made.ReplicationFactor != 1 {
		t.Fatalf("%+v, %v", made, err)
	}
	if made, err := admin.CreateTopic(within(t), -1, -1, nil, "defaults"); err != nil || made.NumPartitions != 4 {
		t.Fatalf("%+v, %v", made, err)
	}
	listed, err := admin.ListTopics(within(t))
	if err != nil || len(listed) != 2 || listed["small"].ID != made.ID || len(listed["small"].Partitions) != 3 {
		t.Fatalf("%+v, %v", listed, err)
	}
	tooLarge(t, b, "small")
	produced(t, b, "small", 0)

	// By id, and by an id that nobody has.
	r := dial(t, b)
	request := kmsg.NewPtrMetadataRequest()
	request.Topics = []kmsg.MetadataRequestTopic{{TopicID: made.ID}, {TopicID: [16]byte{1}}}
	described := r.ask(13, request).(*kmsg.MetadataResponse).Topics
	if *described[0].Topic != "small" || described[1].ErrorCode != kerr.UnknownTopicID.Code {
		t.Errorf("%+v", described)
	}

	deleted, err := admin.DeleteTopics(within(t), "small", "absent")
	if err != nil || deleted["small"].Err != nil || !errors.Is(deleted["absent"].Err, kerr.UnknownTopicOrPartition) {
		t.Fatalf("%+v, %v", deleted, err)
	}
	if listed, err := admin.ListTopics(within(t)); err != nil || listed.Has("small") {
		t.Errorf("%+v, %v", listed, err)
	}
	again, err := admin.CreateTopic(within(t), 1, 1, nil, "small")
	if err != nil || again.ID == made.ID {
		t.Errorf("%+v, %v", again, err)
	}
	produced(t, b, "small", 0) // as in an empty topic
}

// produced produces one record to partition 0 and says where it must be.
func produced(t *testing.T, b *broker, topic string, want int64) {
	t.Helper()
	c := client(t, b, kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer c.Close()
	if r, err := c.ProduceSync(within(t), kgo.StringRecord("value")).First(); err != nil || r.Offset != want {
		t.Errorf("produced at offset %d, %v; want %d", r.Offset, err, want)
	}
}

// tooLarge produces a batch that is too large for a topic made with max.message.bytes=1000.
func tooLarge(t *testing.T, b *broker, topic string) {
	t.Helper()
	c := client(t, b, kgo.DefaultProduceTopic(topic), kgo.ProducerBatchCompression(kgo.NoCompression()))
	defer c.Close()
	err := c.ProduceSync(within(t), kgo.StringRecord(strings.Repeat("x", 2000))).FirstErr()
	if !errors.Is(err, kerr.MessageTooLarge) {
		t.Errorf("2000 bytes in a topic with max.message.bytes=1000: %v", err)
	}
}

// TestRealTopicsRefused asks for topics that can't be, and shows the error and that its message says what is wrong.
func TestRealTopicsRefused(t *testing.T) {
	b := startBroker(t, t.TempDir())
	admin := kadm.NewClient(client(t, b))
	if _, err := admin.CreateTopic(within(t), 1, 1, nil, "there"); err != nil {
		t.Fatal(err)
	}
	text := func(s string) *string { return &s }
	for _, c := range []struct {
		topic      string
		partitions int32
		factor     int16
		configs    map[string]*string
		want       *kerr.Error
		message    string
	}{
		{"there", 1, 1, nil, kerr.TopicAlreadyExists, "there"},
		{"a b", 1, 1, nil, kerr.InvalidTopicException, `' '`},
		{"..", 1, 1, nil, kerr.InvalidTopicException, ".."},
		{strings.Repeat("x", 250), 1, 1, nil, kerr.InvalidTopicException, "249"},
		{"__cluster_metadata", 1, 1, nil, kerr.InvalidTopicException, "reserved"},
		{"new", 0, 1, nil, kerr.InvalidPartitions, "0 partitions"},
		{"new", -2, 1, nil, kerr.InvalidPartitions, "-2 partitions"},
		{"new", 1, 2, nil, kerr.InvalidReplicationFactor, "1 brokers"},
		{"new", 1, 0, nil, kerr.InvalidReplicationFactor, "factor 0"},
		{"new", 1, 1, map[string]*string{"retention.sm": text("1")}, kerr.InvalidConfig, "retention.ms"},
		{"new", 1, 1, map[string]*string{"retention.ms": text("soon")}, kerr.InvalidConfig, "soon"},
		{"new", 1, 1, map[string]*string{"retention.ms": nil}, kerr.InvalidConfig, "retention.ms"},
	} {
		answer, err := admin.CreateTopic(within(t), c.partitions, c.factor, c.configs, c.topic)
		if !errors.Is(err, c.want) || !strings.Contains(answer.ErrMessage, c.message) {
			t.Errorf("%s, %d partitions, factor %d: %v %q; want %v with %q", c.topic, c.partitions, c.factor, err, answer.ErrMessage, c.want, c.message)
		}
	}
	if validated, err := admin.ValidateCreateTopics(within(t), 1, 1, nil, "new"); err != nil || validated["new"].Err != nil {
		t.Errorf("%+v, %v", validated, err)
	}
	if listed, err := admin.ListTopics(within(t)); err != nil || len(listed) != 1 {
		t.Errorf("a refused topic is there: %+v, %v", listed, err)
	}
}

// TestRealNoAutoCreation switches it off.
func TestRealNoAutoCreation(t *testing.T) {
	b := startBroker(t, t.TempDir(), "--set", "auto.create.topics.enable=false")
	c := client(t, b, kgo.AllowAutoTopicCreation(), kgo.DefaultProduceTopic("topic"), kgo.UnknownTopicRetries(0))
	if err := c.ProduceSync(within(t), kgo.StringRecord("value")).FirstErr(); !errors.Is(err, kerr.UnknownTopicOrPartition) {
		t.Errorf("produced to a topic that nobody made: %v", err)
	}
}
