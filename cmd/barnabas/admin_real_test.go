package main

import (
	"errors"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestRealAdmin has franz-go's administration client ask for what it can ask of a broker without groups.
func TestRealAdmin(t *testing.T) {
	b := startBroker(t, t.TempDir())
	admin := kadm.NewClient(client(t, b))
	ctx := within(t)
	if _, err := admin.CreateTopic(ctx, 2, 1, nil, "topic"); err != nil {
		t.Fatal(err)
	}
	produced(t, b, "topic", 0)

	meta, err := admin.BrokerMetadata(ctx)
	if err != nil || len(meta.Brokers) != 1 || meta.Cluster == "" {
		t.Errorf("brokers: %+v, %v", meta, err)
	}
	self := meta.Brokers[0].NodeID

	// Partitions.
	added, err := admin.UpdatePartitions(ctx, 4, "topic")
	if err != nil || added["topic"].Err != nil {
		t.Fatalf("partitions: %+v, %v", added, err)
	}
	fewer, err := admin.UpdatePartitions(ctx, 3, "topic")
	if err != nil || !errors.Is(fewer["topic"].Err, kerr.InvalidPartitions) || fewer["topic"].ErrMessage == "" {
		t.Errorf("fewer partitions: %+v, %v", fewer, err)
	}
	if listed, err := admin.ListTopics(ctx); err != nil || len(listed["topic"].Partitions) != 4 {
		t.Errorf("topics: %+v, %v", listed, err)
	}

	// Settings of a topic, and of all brokers.
	small, minute := "1000", "60000"
	altered, err := admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Name: "max.message.bytes", Value: &small}}, "topic", "absent")
	if err != nil || len(altered) != 2 {
		t.Fatalf("topic settings: %+v, %v", altered, err)
	}
	for _, row := range altered {
		if want := map[string]error{"topic": nil, "absent": kerr.UnknownTopicOrPartition}[row.Name]; !errors.Is(row.Err, want) {
			t.Errorf("settings of %s: %v", row.Name, row.Err)
		}
	}
	tooLarge(t, b, "topic")
	altered, err = admin.AlterBrokerConfigs(ctx, []kadm.AlterConfig{{Name: "log.retention.ms", Value: &minute}})
	if err != nil || altered[0].Err != nil {
		t.Fatalf("settings of all brokers: %+v, %v", altered, err)
	}
	altered, err = admin.AlterBrokerConfigs(ctx, []kadm.AlterConfig{{Name: "num.partitions", Value: &small}}, self)
	if err != nil || !errors.Is(altered[0].Err, kerr.InvalidRequest) || altered[0].ErrMessage == "" {
		t.Errorf("a setting that does not change: %+v, %v", altered, err)
	}
	settings, err := admin.DescribeTopicConfigs(ctx, "topic")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"max.message.bytes": "1000 DYNAMIC_TOPIC_CONFIG", "retention.ms": "60000 DYNAMIC_DEFAULT_BROKER_CONFIG"} {
		got := "none"
		for _, c := range settings[0].Configs {
			if c.Key == name {
				got = *c.Value + " " + c.Source.String()
			}
		}
		if got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if _, err := admin.AlterTopicConfigsState(ctx, nil, "topic"); err != nil { // takes all back
		t.Error(err)
	}

	// Epochs, producers, log directories.
	var request kadm.OffsetForLeaderEpochRequest
	request.Add("topic", 0, 0)
	epochs, err := admin.OffsetForLeaderEpoch(ctx, request)
	if err != nil || epochs["topic"][0].Err != nil || epochs["topic"][0].EndOffset != 1 {
		t.Errorf("epochs: %+v, %v", epochs, err)
	}
	producers, err := admin.DescribeProducers(ctx, kadm.TopicsSet{"topic": {0: {}}})
	if err != nil || len(producers["topic"].Partitions[0].ActiveProducers) != 1 {
		t.Errorf("producers: %+v, %v", producers, err)
	}
	dirs, err := admin.DescribeAllLogDirs(ctx, nil)
	if err != nil || len(dirs[self]) != 1 {
		t.Fatalf("log directories: %+v, %v", dirs, err)
	}
	for _, dir := range dirs[self] {
		if dir.Err != nil || len(dir.Topics["topic"]) != 4 || dir.Topics["topic"][0].Size == 0 {
			t.Errorf("log directory: %+v", dir)
		}
	}
}

// TestRealFetchSessions consumes with sessions, which franz-go keeps by default, and without: what is produced meanwhile
// comes either way, and idle partitions stay in the session.
func TestRealFetchSessions(t *testing.T) {
	b := startBroker(t, t.TempDir())
	admin := kadm.NewClient(client(t, b))
	if _, err := admin.CreateTopic(within(t), 3, 1, nil, "topic"); err != nil {
		t.Fatal(err)
	}
	consumers := []*kgo.Client{
		client(t, b, kgo.ConsumeTopics("topic")), client(t, b, kgo.ConsumeTopics("topic"), kgo.DisableFetchSessions()),
	}
	producer := client(t, b, kgo.DefaultProduceTopic("topic"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	for round := range 6 {
		record := &kgo.Record{Value: fmt.Append(nil, round), Partition: int32(round % 3)}
		if err := producer.ProduceSync(within(t), record).FirstErr(); err != nil {
			t.Fatal(err)
		}
		for i, consumer := range consumers {
			fetches := consumer.PollFetches(within(t))
			records := fetches.Records()
			if err := fetches.Err(); err != nil || len(records) != 1 || string(records[0].Value) != fmt.Sprint(round) {
				t.Fatalf("consumer %d, round %d: %v, %v", i, round, records, err)
			}
		}
	}
}
