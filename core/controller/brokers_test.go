package controller_test

import (
	"testing"

	"barnabas/core/metadata"
	"barnabas/core/protocol"
)

func TestAFirstStartFinalisesTheMetadataVersionOnce(t *testing.T) {
	r := &rig{t: t, c: fresh()}
	r.append(r.c.Bootstrap())
	if level := r.c.Image().Features.At("metadata.version"); level != 30 {
		t.Errorf("metadata.version is %d", level)
	}
	if again := r.c.Bootstrap(); len(again) != 0 {
		t.Errorf("again: %v", again)
	}
}

// Rule S6: a restart never leads on in an old epoch.
func TestRegisteringAndUnfencingRaiseTheLeaderEpochsOfWhatTheBrokerLed(t *testing.T) {
	r := newRig(t, 3)
	r.create(assigned("t", []int32{1, 2}, []int32{2, 1}, []int32{2, 3}, []int32{1, 3}))
	type row struct{ leader, epoch int32 }
	f := func(when string, want ...row) {
		t.Helper()
		for i, w := range want {
			if p := r.partition("t", int32(i)); p.Leader != w.leader || p.LeaderEpoch != w.epoch {
				t.Errorf("%s: partition %d is led by %d in epoch %d, want %d in %d", when, i, p.Leader, p.LeaderEpoch, w.leader, w.epoch)
			}
		}
	}
	f("at first", row{1, 0}, row{2, 0}, row{2, 0}, row{1, 0})
	epoch := r.register(1)
	if b := r.c.Image().Brokers.At(1); !b.Fenced || b.Epoch != epoch || epoch < int64(r.end())-1 {
		t.Errorf("registered: %+v, epoch %d of log end %d", *b, epoch, r.end())
	}
	f("registered", row{-1, 1}, row{2, 0}, row{2, 0}, row{-1, 1})
	r.append(r.c.Unfence(1))
	f("unfenced", row{1, 2}, row{2, 0}, row{2, 0}, row{1, 2})
	if again := r.c.Unfence(1); len(again) != 0 {
		t.Errorf("unfenced again: %v", again)
	}
	if unknown := r.c.Unfence(9); len(unknown) != 0 {
		t.Errorf("an unknown broker was unfenced: %v", unknown)
	}
	r.register(1)
	r.register(2)
	f("both registered", row{-1, 3}, row{-1, 1}, row{-1, 1}, row{-1, 3})
	r.append(r.c.Unfence(2))
	f("the other one unfenced", row{2, 4}, row{2, 2}, row{2, 2}, row{-1, 3})
	r.append(r.c.Unfence(1))
	f("both unfenced", row{2, 4}, row{2, 2}, row{2, 2}, row{1, 4})
}

func TestABrokerOutsideTheISRIsNotElected(t *testing.T) {
	r := newRig(t, 2)
	r.create(assigned("t", []int32{1, 2}))
	r.register(1)
	change := protocol.NewPartitionChangeRecord()
	change.PartitionId, change.TopicId, change.Isr = 0, r.partition("t", 0).TopicID, []int32{2}
	r.append([]protocol.Record{{Message: change, Version: 1}})
	r.append(r.c.Unfence(1))
	if p := r.partition("t", 0); p.Leader != metadata.NoLeader {
		t.Errorf("%+v", *p)
	}
}

func TestEveryRegistrationHasANewBrokerEpoch(t *testing.T) {
	r := newRig(t, 1)
	r.create(topic("t", 5, 1))
	last := int64(-1)
	for range 5 {
		epoch := r.register(1)
		if epoch <= last {
			t.Fatalf("epoch %d after %d", epoch, last)
		}
		last = epoch
		r.append(r.c.Unfence(1))
	}
}
