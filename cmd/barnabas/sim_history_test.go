package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barnabas/linearizability"
	"barnabas/sim"
)

func TestTheHistoryOfARunIsChecked(t *testing.T) {
	folder := t.TempDir()
	path, plan := filepath.Join(folder, "run.history"), filepath.Join(folder, "run.plan")
	if p, code := realSim("run --seed 3 --minutes 0.05 --profile replicas --history " + path + " --save " + plan); code != 0 {
		t.Fatalf("exit %d: %s", code, p.talk.String())
	}
	p := newTrial()
	if code := p.guarded([]string{"check", path, "--porcupine", "all"}); code != 0 || !strings.HasSuffix(p.out.String(), ": clean\n") {
		t.Errorf("exit %d: %s%s", code, p.talk.String(), p.out.String())
	}
	again := filepath.Join(folder, "again.history")
	if p, code := realSim("replay --history " + again + " " + plan); code != 0 {
		t.Fatalf("exit %d: %s", code, p.talk.String())
	}
	first, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	second, err := os.ReadFile(again)
	if err != nil {
		t.Fatal(err)
	}
	if len(first) < 1000 || string(first) != string(second) {
		t.Errorf("%d bytes of history, and %d other ones from the plan", len(first), len(second))
	}
}

func TestFindingsAreSavedBesideThePlan(t *testing.T) {
	const lost = `barnabas-history 1
partition 0 orders-0
client 0 consumer
client 1 plain
send 1 0 10 20 ok 1.0@0
poll 0 0 30 40 ok from=0 final
`
	h, err := linearizability.Read(strings.NewReader(lost))
	if err != nil {
		t.Fatal(err)
	}
	report, err := linearizability.Check(h)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	p := newTrial()
	p.simulate = func(o sim.Options) sim.Result {
		return sim.Result{
			Seed: o.Seed, Virtual: o.Virtual, Violations: []sim.Violation{{Invariant: "unseen"}}, History: h, Findings: report.Findings,
		}
	}
	if code := p.guarded([]string{"sim", "run", "--seed", "4", "--save", folder}); code != 6 {
		t.Fatalf("exit %d: %s", code, p.talk.String())
	}
	for name, want := range map[string]string{
		"seed-4.plan": "expect unseen\n", "seed-4.history": lost, "seed-4.html": "unseen",
	} {
		if text, err := os.ReadFile(filepath.Join(folder, name)); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %v: %.200s", name, err, text)
		}
	}
}
