package main

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
)

// TestShowCluster shows two brokers, one that can't be reached, with a partition without a leader and one behind.
func TestShowCluster(t *testing.T) {
	rack := "west"
	detail := func(n, leader int32, replicas, isr []int32) kadm.PartitionDetail {
		return kadm.PartitionDetail{Topic: "orders", Partition: n, Leader: leader, Replicas: replicas, ISR: isr}
	}
	view := viewOfCluster(kadm.Metadata{
		Cluster: "C", Controller: 1,
		Brokers: kadm.BrokerDetails{{NodeID: 2, Host: "b", Port: 2, Rack: &rack}, {NodeID: 1, Host: "::1", Port: 1}},
		Topics: kadm.TopicDetails{"orders": {Topic: "orders", Partitions: kadm.PartitionDetails{
			0: detail(0, 1, []int32{1, 2}, []int32{1, 2}), 1: detail(1, 1, []int32{1, 2}, []int32{1}), 2: detail(2, -1, []int32{2, 3}, nil),
		}}},
	})
	if view.isWell() {
		t.Error("that is called well")
	}
	view.brokers[1].Error = "cannot reach b:2"
	want := `cluster C  controller 1  topics 1  partitions 3

BROKER  ADDRESS  RACK  LEADS  REPLICAS  IN SYNC  STATE
1       [::1]:1  -     2      2         2        reached
2       b:2      west  0      3         1        cannot reach b:2

without leader 1  under-replicated 2
PARTITION  LEADER  REPLICAS  ISR
orders[1]  1       1,2       1
orders[2]  none    2,3       
`
	if got := view.show(false); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	want = `{"cluster":"C","controller":1,"topics":1,"partitions":3,"leaderless_partitions":1,"under_replicated_partitions":2}
{"broker":1,"address":"[::1]:1","rack":"","leads":2,"replicas":2,"in_sync":2}
{"broker":2,"address":"b:2","rack":"west","leads":0,"replicas":3,"in_sync":1,"error":"cannot reach b:2"}
{"topic":"orders","partition":1,"leader":1,"replicas":[1,2],"isr":[1]}
{"topic":"orders","partition":2,"leader":-1,"replicas":[2,3],"isr":[]}
`
	if got := view.show(true); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	alone := viewOfCluster(kadm.Metadata{Brokers: kadm.BrokerDetails{{NodeID: 1}}})
	if !alone.isWell() {
		t.Error("an empty cluster is not called well")
	}
	alone.brokers[0].Error = "gone"
	if alone.isWell() {
		t.Error("a cluster whose broker can't be reached is called well")
	}
}
