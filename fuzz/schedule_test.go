package fuzz

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"barnabas/sim"
	"barnabas/sim/plan"
	"barnabas/sim/simdisk"
)

// decisions reads a fuzzer's bytes one by one. After the last every decision is 0, which is always the benign one: so
// whatever the fuzzer cuts off makes the run quieter, and no input is too short.
type decisions struct{ bytes []byte }

func (d *decisions) next() uint64 {
	if len(d.bytes) == 0 {
		return 0
	}
	b := d.bytes[0]
	d.bytes = d.bytes[1:]
	return uint64(b)
}

// below makes a decision between n.
func (d *decisions) below(n uint64) uint64 { return d.next() % n }

// upTo decides on a time.
func (d *decisions) upTo(most time.Duration) time.Duration {
	return (most * time.Duration(d.next()) / 255).Truncate(time.Microsecond)
}

// fuzzedTime is how long work and faults go on.
const fuzzedTime = 2 * time.Second

// decide turns decisions into a plan: without any, one broker with a good disk, whose client sends twenty batches.
func decide(bytes []byte) *plan.Plan {
	d := &decisions{bytes}
	p := &plan.Plan{Virtual: fuzzedTime, Topics: []string{"topic-0"}}
	p.Seed = d.next()<<8 | d.next() // of what is too small to be decided on
	brokers := 1 + 2*int(d.below(2))
	for range brokers {
		disk := simdisk.Plain(simdisk.Strictness(d.below(3)))
		disk.Sync <<= d.below(6)
		p.Disks = append(p.Disks, disk)
	}
	p.Set("num.partitions", "1")
	p.Set("journal.segment.bytes", "65536")
	p.Set("journal.max.bytes", "1048576")
	p.Set("message.max.bytes", "16384")
	p.Set("journal.commit.max.bytes", "16384")
	p.Set("internal.log.segment.bytes", []string{"1048576", "16384"}[d.below(2)])
	c := plan.Client{FetchVersion: 13, Consumers: []plan.Consumer{{
		Topic: p.Topics[0], WaitMax: 500 * time.Millisecond, BytesMin: 1, BytesMax: 1 << 20, Rereads: d.below(8),
	}}}
	producer := plan.Producer{Topic: p.Topics[0], Idempotent: d.below(2) == 0, Acks: -1, Version: 13}
	for i := range uint64(20) {
		send := plan.Send{ID: i, At: 100 * time.Millisecond * time.Duration(i), Records: 1, Bytes: 100}
		send.At += d.upTo(100 * time.Millisecond)
		send.Records += d.below(4)
		send.Bytes += 10 * d.next()
		send.Again = d.upTo(20 * time.Millisecond)
		producer.Sends = append(producer.Sends, send)
	}
	c.Producers = []plan.Producer{producer}
	p.Clients = []plan.Client{c}
	kinds := []plan.Kind{plan.Crash, plan.Power, plan.Pause, plan.Limp, plan.Lead, plan.Stop, plan.Clock}
	for id := uint64(1); len(p.Faults) < 16; id++ {
		kind := d.next()
		if kind == 0 {
			return p
		}
		f := plan.Fault{ID: id, At: d.upTo(fuzzedTime), Kind: kinds[kind%uint64(len(kinds))]}
		if f.Kind != plan.Lead {
			f.Broker = int32(1 + d.below(uint64(brokers)))
		}
		switch f.Kind {
		case plan.Crash, plan.Power, plan.Stop:
			f.Down, f.Flag = d.upTo(time.Second), f.Kind != plan.Crash && d.below(2) == 1
		case plan.Limp:
			f.For, f.Number = d.upTo(time.Second), 1+d.next()
		case plan.Pause:
			f.For = d.upTo(time.Second)
		case plan.Clock:
			f.For = (d.upTo(2*time.Hour) - time.Hour).Truncate(time.Millisecond)
		}
		p.Faults = append(p.Faults, f)
	}
	return p
}

// FuzzSchedule lets the bytes decide what happens in a small world: coverage then leads to states that random seeds meet
// rarely. A run with a violation is kept as a plan, and the last line says how to run it again.
func FuzzSchedule(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{1, 1, 1})
	f.Add(append(make([]byte, 84), 1, 100, 0, 20, 2, 200, 0, 10))
	f.Fuzz(func(t *testing.T, bytes []byte) {
		p := decide(bytes)
		read, err := plan.Parse(p.String())
		if err != nil {
			t.Fatal(err)
		}
		r := sim.RunPlan(read, sim.Options{UntilViolation: true})
		if len(r.Violations) == 0 {
			return
		}
		v := r.Violations[0]
		read.Expect = v.Invariant
		path := filepath.Join(os.TempDir(), "fuzzed.plan")
		if err := os.WriteFile(path, []byte(read.String()), 0o644); err != nil {
			t.Error(err)
		}
		t.Fatalf("%s at %v: %s\n%s\ngo run ./cmd/barnabas sim replay %s", v.Invariant, time.Duration(v.At), v.Detail, read, path)
	})
}

// Without a decision, a run is benign, and does what it is there for.
func TestNoDecisionIsBenign(t *testing.T) {
	p := decide(nil)
	if len(p.Faults) != 0 || p.Brokers() != 1 || p.Clients[0].Producers[0].Sends[3].Again != 0 {
		t.Fatalf("%s", p)
	}
	if r := sim.RunPlan(p, sim.Options{}); len(r.Violations) != 0 || r.Acked != 20 {
		t.Fatalf("%d batches acknowledged, %v", r.Acked, r.Violations)
	}
}
