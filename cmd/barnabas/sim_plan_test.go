package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"barnabas/sim"
	"barnabas/sim/plan"
)

// realSim runs a command with the real simulator.
func realSim(words string) (p *trial, code int) {
	p = newTrial()
	p.simulate, p.rerun, p.profiles, p.mutants = sim.Run, sim.RunPlan, sim.Profiles, false
	return p, p.guarded(strings.Fields("sim " + words))
}

// What a run prints, but for the time it took.
func printed(p *trial) string {
	return regexp.MustCompile(`"wall_ms":[^,]*,`).ReplaceAllString(p.out.String(), "")
}

func TestASavedRunReplays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.plan")
	run, code := realSim("run --seed 3 --minutes 0.05 --profile replicas --output json --save " + path)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, run.talk.String())
	}
	replayed, code := realSim("replay --output json " + path)
	if want, _, _ := strings.Cut(printed(run), "\n"); code != 0 || printed(replayed) != want+"\n" {
		t.Errorf("exit %d: %s%s\nwant %s", code, replayed.talk.String(), printed(replayed), want)
	}
	logged, code := realSim("replay --log table " + path)
	lines := strings.Split(logged.out.String(), "\n")
	if code != 0 || lines[0] != sim.LogHead || len(lines) < 100 || !strings.Contains(logged.out.String(), "topic-0-0   lead") {
		t.Errorf("exit %d, %d lines:\n%.2000s", code, len(lines), logged.out.String())
	}
	// The log only looks.
	if !strings.Contains(replayed.out.String(), strings.Fields(lines[len(lines)-2])[1]) {
		t.Errorf("with the log the digest is another one: %s", lines[len(lines)-2])
	}
}

func TestReplaysAndShrinksThatAreRefused(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	p, _ := realSim("run --seed 3 --minutes 0.01 --profile single --save " + filepath.Join(folder, "good.plan"))
	good, err := os.ReadFile(filepath.Join(folder, "good.plan"))
	if err != nil {
		t.Fatal(err, p.talk.String())
	}
	broken := write("broken.plan", "barnabas plan 1\nseed x\n")
	mutated := write("mutated.plan", strings.Replace(string(good), "virtual", "mutant ack-before-sync\nvirtual", 1))
	unknown := write("unknown.plan", strings.Replace(string(good), "virtual", "mutant ack-before-sink\nvirtual", 1))
	refused := write("refused.plan", regexp.MustCompile(`set durability \w+`).ReplaceAllString(string(good), "set durability perhaps"))
	for _, c := range []struct {
		words string
		code  int
		want  string
	}{
		{"replay", 2, "barnabas sim replay: one FILE is needed"},
		{"replay " + filepath.Join(folder, "none.plan"), 1, "barnabas sim replay: could not read the plan: open "},
		{"replay " + broken, 1, "barnabas sim replay: " + broken + `: line 2: "x" is no number`},
		{"replay " + mutated, 2, "barnabas sim replay: mutant ack-before-sync is not in this binary"},
		{"replay --without-mutant " + mutated, 0, ""},
		{"replay " + unknown, 2, `barnabas sim replay: there is no mutant "ack-before-sink"; the nearest is ack-before-sync`},
		{"replay " + refused, 1, "barnabas sim replay: " + refused + ": the plan's settings are refused: "},
		{"replay --log picture " + mutated, 2, "barnabas sim replay: --log"},
		{"shrink " + filepath.Join(folder, "good.plan"), 1, "barnabas sim shrink: " + filepath.Join(folder, "good.plan") + ": its run is clean, so there is nothing to shrink"},
		{"shrink --jobs 0 " + mutated, 2, "barnabas sim shrink: --jobs 0 is out of bounds"},
		{"shrink --budget 0s " + mutated, 2, "barnabas sim shrink: --budget 0s is out of bounds"},
	} {
		if p, code := realSim(c.words); code != c.code || !strings.HasPrefix(p.talk.String(), c.want) {
			t.Errorf("%s: exit %d, %s\nwant %d, %s", c.words, code, p.talk.String(), c.code, c.want)
		}
	}
}

// TestShrink has a simulator that fails as long as a plan has a certain fault.
func TestShrink(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "seed.plan")
	var name string
	for seed := uint64(1); ; seed++ {
		if drawn := sim.Draw(sim.Options{Seed: seed, Virtual: 60e9, Profile: "single"}); drawn.Has(plan.Pause, 0) && len(drawn.Faults) > 20 {
			if err := writePlan(path, drawn, nil); err != nil {
				t.Fatal(err)
			}
			name = drawn.Topics[0]
			break
		}
	}
	p := newTrial()
	p.rerun = func(q *plan.Plan, _ sim.Options) (r sim.Result) {
		if q.Has(plan.Pause, 0) {
			r.Violations = []sim.Violation{{Invariant: "LostWrite", Detail: "gone", At: 20e9}}
		}
		return r
	}
	code := p.guarded(strings.Fields("sim shrink --jobs 2 " + path))
	small, err := readPlan(filepath.Join(folder, "seed.small.plan"))
	if code != 0 || err != nil || p.talk.last() != "barnabas sim replay "+filepath.Join(folder, "seed.small.plan") {
		t.Fatalf("exit %d, %v: %s", code, err, p.talk.String())
	}
	if len(small.Faults) != 1 || small.Operations() != 0 || small.Expect != "LostWrite" || len(small.Topics) != 1 || name == "" {
		t.Errorf("%s", small)
	}
}
