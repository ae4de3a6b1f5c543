package controller

import (
	"testing"

	"barnabas/core/env"
	"barnabas/core/metadata"
	"barnabas/core/protocol"
)

// A broker of Kafka's that stops in order leaves the ISR empty and itself among the eligible replicas (KIP-966).
func TestAnEligibleReplicaLeadsAgain(t *testing.T) {
	for _, c := range []struct {
		isr, elr []int32
		leads    bool
	}{
		{[]int32{}, []int32{1}, true},
		{[]int32{}, []int32{2}, false},
		{[]int32{}, nil, false},
		{[]int32{2}, []int32{1}, false},
		{[]int32{1}, nil, true},
	} {
		p := metadata.Partition{ISR: c.isr, ELR: c.elr, Leader: metadata.NoLeader, Replicas: []int32{1, 2}}
		controller := New(env.NewRandom(1, 1), Options{})
		id := protocol.UUID{1}
		for _, m := range []protocol.Message{
			&protocol.RegisterBrokerRecord{BrokerId: 1, Fenced: true},
			&protocol.TopicRecord{Name: "topic", TopicId: id},
			&protocol.PartitionRecord{
				TopicId: id, Replicas: p.Replicas, Isr: p.ISR, EligibleLeaderReplicas: p.ELR, Leader: p.Leader,
			},
		} {
			if err := controller.image.Apply(protocol.Record{Message: m}, 0); err != nil {
				t.Fatal(err)
			}
		}
		for _, r := range controller.Unfence(1) {
			b, err := protocol.AppendRecord(nil, r)
			if err != nil {
				t.Fatal(err)
			}
			again, err := protocol.DecodeRecord(b)
			if err != nil {
				t.Fatal(err)
			}
			if err := controller.image.Apply(again, 0); err != nil {
				t.Fatal(err)
			}
		}
		got := controller.image.Partition(id, 0)
		if leads := got.Leader == 1 && got.IsInISR(1); leads != c.leads {
			t.Errorf("ISR %v, eligible %v: %+v, want it to lead: %t", c.isr, c.elr, got, c.leads)
		}
		if c.leads && len(got.ELR) > 0 {
			t.Errorf("ISR %v, eligible %v: still eligible: %v", c.isr, c.elr, got.ELR)
		}
	}
}
