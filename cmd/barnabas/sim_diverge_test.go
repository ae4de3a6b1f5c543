package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"barnabas/core/task"
	"barnabas/sim"
	"barnabas/sim/kernel"
	"barnabas/sim/plan"
)

// Two runs are alike, unless something is planted: then the first delivery that differs is named, from both.
func TestDiverge(t *testing.T) {
	diverge := func(words string) (p *trial, code int) {
		p = newTrial()
		p.simulate, p.rerun, p.profiles = sim.Run, sim.RunPlan, sim.Profiles
		p.another = func(arguments []string) error {
			child := newTrial()
			child.rerun, child.profiles = sim.RunPlan, sim.Profiles
			if code := child.guarded(arguments); code != 0 {
				t.Fatalf("%v: exit %d, %s", arguments, code, child.talk.String())
			}
			return nil
		}
		return p, p.guarded(strings.Fields("sim diverge " + words))
	}
	p, code := diverge("--seed 3 --minutes 0.02 --profile single")
	if code != 0 || !regexp.MustCompile(`^seed 3: \d{3,} deliveries alike, digest [0-9a-f]{16} in both processes\n$`).MatchString(p.out.String()) {
		t.Errorf("exit %d: %s%s", code, p.out.String(), p.talk.String())
	}
	for _, plant := range sim.Plants() {
		p, code := diverge("--seed 3 --minutes 0.02 --profile single --plant " + plant)
		if code != 6 || !regexp.MustCompile(`(?s)^(\d+ deliveries are alike; .*|no delivery is alike)\nthen here  at .*\nand there  at .*\n$`).MatchString(p.out.String()) {
			t.Errorf("%s: exit %d: %s%s", plant, code, p.out.String(), p.talk.String())
		}
		if want := "barnabas sim diverge --seed 3 --minutes 0.02 --profile single --plant " + plant; p.talk.last() != want {
			t.Errorf("the last line is %s", p.talk.last())
		}
	}
	path := filepath.Join(t.TempDir(), "kept.plan")
	if err := writePlan(path, sim.Draw(sim.Options{Seed: 4, Virtual: 1e9, Profile: "single"}), nil); err != nil {
		t.Fatal(err)
	}
	if p, code := diverge(path); code != 0 || !strings.HasPrefix(p.out.String(), "seed 4: ") {
		t.Errorf("exit %d: %s%s", code, p.out.String(), p.talk.String())
	}
	if p, code := diverge("--profile none"); code != 2 {
		t.Errorf("exit %d: %s", code, p.talk.String())
	}
}

// Runs may also differ in their lengths, or at the end alone.
func TestWhatDiverges(t *testing.T) {
	for _, c := range []struct {
		here, there uint64 // how many deliveries
		digest      uint64 // here
		want        string
	}{
		{5, 5, 7, "seed 1: 5 deliveries alike"},
		{5, 5, 8, "all 5 deliveries are alike, and the states of brokers or disks at the end are not"},
		{4, 5, 7, "4 deliveries are alike; here the run ends\nand there  at 0.000004 s, node 1, disk"},
		{6, 5, 7, "5 deliveries are alike; the last one at 0.000004 s, node 1, disk, payload 0000000000000004\nthen here  at 0.000005 s, node 1, disk, payload 0000000000000005: a thing\nand there  the end of the run"},
	} {
		run := func(count, digest uint64) func(*plan.Plan, sim.Options) sim.Result {
			return func(p *plan.Plan, o sim.Options) sim.Result {
				for i := range count {
					e := kernel.Event{At: task.Instant(i) * 1000, Payload: i, Node: 1, Kind: kernel.KindDisk}
					o.Event(e, func() string { return "a thing" })
				}
				return sim.Result{Seed: p.Seed, Digest: digest}
			}
		}
		p := newTrial()
		p.rerun = run(c.here, c.digest)
		p.another = func(arguments []string) error {
			child := newTrial()
			child.rerun = run(c.there, 7)
			child.guarded(arguments)
			return nil
		}
		if p.guarded([]string{"sim", "diverge"}); !strings.HasPrefix(p.out.String(), c.want) {
			t.Errorf("%d and %d deliveries: %s", c.here, c.there, p.out.String())
		}
	}
}
