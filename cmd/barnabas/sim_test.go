package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"barnabas/core/env"
	"barnabas/core/mutant"
	"barnabas/sim"
)

// someRun is a simulator that finds a violation in seed 3 and can't decide in seed 5.
func someRun(o sim.Options) sim.Result {
	r := sim.Result{
		Seed: o.Seed, Digest: 0xab0 + o.Seed, Virtual: o.Virtual, Wall: 1500 * time.Microsecond, Events: 1000, Operations: 20, Acked: 10,
		Faults: []sim.FaultCount{{Kind: "D1", Count: 2}, {Kind: "N10", Count: 1}},
	}
	for mark := range r.Seen {
		r.Seen[mark] = env.Mark(mark) != env.MarkColdRead && (env.Mark(mark) != env.MarkStepOfMany || o.Seed == 4)
	}
	switch o.Seed {
	case 3:
		r.Violations = []sim.Violation{{Invariant: "LostWrite", Detail: `<orders[2]@431> "gone"`, At: 12_381_000_500}}
	case 5:
		r.Unknown = 2
	}
	return r
}

func runSim(words string) (p *trial, code int) {
	p = newTrial()
	p.simulate = someRun
	return p, p.guarded(strings.Fields("sim run " + words))
}

// TestJSONGolden pins the contract with scripts, letter by letter but for the time of the whole run.
func TestJSONGolden(t *testing.T) {
	p, code := runSim("--output json --first-seed 2 --seeds 9 --minutes 0.5")
	want := `{"seed":2,"digest":"0000000000000ab2","virtual_ms":30000,"wall_ms":1.5,"events":1000,"operations":20,"acked":10,"faults":{"D1":2,"N10":1},"violations":[]}
{"seed":3,"digest":"0000000000000ab3","virtual_ms":30000,"wall_ms":1.5,"events":1000,"operations":20,"acked":10,"faults":{"D1":2,"N10":1},"violations":[{"invariant":"LostWrite","detail":"<orders[2]@431> \"gone\"","at_ms":12381.0005}]}
{"summary":{"seeds":2,"violations":1,"virtual_ms":60000,"wall_ms":WALL,"events":2000,"unknown":0,"sometimes_missed":["cold-read","step-of-many"]}}
`
	got := p.out.String()
	before, wall, found := strings.Cut(p.out.last(), `"wall_ms":`)
	number, after, _ := strings.Cut(wall, ",")
	if f, err := json.Number(number).Float64(); !found || err != nil || f <= 0 {
		t.Errorf("wall_ms of the summary is %q", number)
	}
	got = strings.Replace(got, p.out.last(), before+`"wall_ms":WALL,`+after, 1)
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if last := "barnabas sim run --seed 3 --minutes 0.5 --profile swarm"; code != 6 || p.talk.last() != last {
		t.Errorf("exit %d, last line %s", code, p.talk.last())
	}
}

func TestExitCodesOfSeeds(t *testing.T) {
	for _, c := range []struct {
		words, seeds string
		code         int
		last         string // of stderr
	}{
		{"", "1", 0, ""},
		{"--seeds 2", "1 2", 0, ""},
		{"--seed 4", "4", 0, ""},
		{"--seeds 9", "1 2 3", 6, "barnabas sim run --seed 3 --minutes 1 --profile swarm"},
		{"--seeds 9 --jobs 4", "1 2 3", 6, "barnabas sim run --seed 3 --minutes 1 --profile swarm"},
		{"--seeds 6 --keep-going --jobs 3", "1 2 3 4 5 6", 6, "barnabas sim run --seed 3 --minutes 1 --profile swarm"},
		{"--first-seed 4 --seeds 9", "4 5", 6, "barnabas sim run --seed 5 --minutes 1 --profile swarm"},
		{
			"--seed 3 --brokers 2 --clients 7 --profile calm --mutant ack-before-sync --minutes 0.1", "3", 6,
			"barnabas sim run --seed 3 --minutes 0.1 --profile calm --brokers 2 --clients 7 --mutant ack-before-sync",
		},
	} {
		p, code := runSim("--output json " + c.words)
		var seeds []string
		for line := range strings.Lines(p.out.String()) {
			var one struct {
				Seed *uint64 `json:"seed"`
			}
			if err := json.Unmarshal([]byte(line), &one); err != nil {
				t.Fatal(err)
			}
			if one.Seed != nil {
				seeds = append(seeds, fmt.Sprint(*one.Seed))
			}
		}
		if got := strings.Join(seeds, " "); got != c.seeds || code != c.code || p.talk.last() != c.last {
			t.Errorf("%s: seeds %s exit %d last line %q\nwant %s exit %d %q", c.words, got, code, p.talk.last(), c.seeds, c.code, c.last)
		}
	}
}

// TestReplayRunsTheSameOptions gives the printed command to the program again.
func TestReplayRunsTheSameOptions(t *testing.T) {
	for _, words := range []string{
		"--seeds 9 --jobs 2", "--seed 3 --minutes 0.3333333333", "--seed 3 --minutes 123456.7", "--seed 3 --brokers 3 --profile calm",
		"--seed 3 --clients 2 --mutant torn-commit-accepted", "--seed 3 --minutes 1e-7",
	} {
		run := func(words []string) (options sim.Options, given mutant.ID, last string) {
			p := newTrial()
			p.simulate = func(o sim.Options) sim.Result {
				if o.Seed == 3 {
					options = o
				}
				return someRun(o)
			}
			p.guarded(words)
			return options, p.given, p.talk.last()
		}
		first, mutant1, last := run(strings.Fields("sim run " + words))
		again, mutant2, _ := run(strings.Fields(last)[1:])
		if fmt.Sprint(first) != fmt.Sprint(again) || mutant1 != mutant2 || first.Seed != 3 {
			t.Errorf("%s: %v %v, and again %v %v", words, first, mutant1, again, mutant2)
		}
	}
}

// TestOrderOfSeeds has later seeds end first: seed n waits until seed n+1 is done.
func TestOrderOfSeeds(t *testing.T) {
	const seeds = 8
	var done [seeds + 2]chan struct{}
	for i := range done {
		done[i] = make(chan struct{})
	}
	close(done[seeds+1])
	p := newTrial()
	p.simulate = func(o sim.Options) sim.Result {
		<-done[o.Seed+1]
		defer close(done[o.Seed])
		return sim.Result{Seed: o.Seed}
	}
	code := p.guarded(strings.Fields(fmt.Sprintf("sim run --output json --seeds %d --jobs %d", seeds, seeds)))
	var want strings.Builder
	for seed := 1; seed <= seeds; seed++ {
		fmt.Fprintf(&want, `{"seed":%d,"digest":"0000000000000000","virtual_ms":0,"wall_ms":0.000001,"events":0,"operations":0,"acked":0,"faults":{},"violations":[]}`+"\n", seed)
	}
	if !strings.HasPrefix(p.out.String(), want.String()) || code != 0 {
		t.Errorf("exit %d\n%s", code, p.out.String())
	}
}

func TestSimulatorThatPanicsIsExitOne(t *testing.T) {
	p := newTrial()
	p.simulate = func(o sim.Options) sim.Result {
		if o.Seed == 2 {
			panic("broken")
		}
		return sim.Result{Seed: o.Seed}
	}
	code := p.guarded(strings.Fields("sim run --seeds 9 --jobs 2"))
	if code != 1 || !strings.HasPrefix(p.talk.String(), "barnabas sim run: seed 2: the simulator failed: broken\ngoroutine") ||
		p.talk.last() != "barnabas sim run --seed 2 --minutes 1 --profile swarm" {
		t.Errorf("exit %d: %s", code, p.talk.String())
	}
}

func TestTable(t *testing.T) {
	p, _ := runSim("--first-seed 2 --seeds 4 --keep-going")
	lines := strings.Split(p.out.String(), "\n")
	want := []string{
		"SEED     DIGEST             VIRTUAL      WALL     EVENTS OPERATIONS    ACKED  VERDICT  FAULTS",
		"2        0000000000000ab2      1m0s     1.5ms       1000         20       10  ok       D1×2 N10×1",
		"3        0000000000000ab3      1m0s     1.5ms       1000         20       10  VIOLATED D1×2 N10×1",
		`  LostWrite at 12381.0005 ms: <orders[2]@431> "gone"`,
		"4        0000000000000ab4      1m0s     1.5ms       1000         20       10  ok       D1×2 N10×1",
		"5        0000000000000ab5      1m0s     1.5ms       1000         20       10  UNKNOWN  D1×2 N10×1",
		"  2 checks could not decide",
		"",
	}
	if got := strings.Join(lines[:len(want)], "\n"); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	if !strings.HasPrefix(lines[8], "seeds 4  violations 1  undecided 2  virtual 4m0s  wall ") || lines[9] != "never reached: cold-read" {
		t.Errorf("summary %q, %q", lines[8], lines[9])
	}
}

func TestSave(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "new", "folder")
	p, code := runSim("--seeds 5 --keep-going --mutant ack-before-sync --save " + folder)
	if code != 6 {
		t.Fatalf("exit %d: %s", code, p.talk.String())
	}
	files, err := os.ReadDir(folder)
	if err != nil || len(files) != 2 {
		t.Fatal(files, err)
	}
	got, err := os.ReadFile(filepath.Join(folder, "seed-3-ack-before-sync.plan"))
	want := `# barnabas sim run --seed 3 --minutes 1 --profile swarm --mutant ack-before-sync
# seed 3, digest 0000000000000ab3
# LostWrite at 12381.0005 ms: <orders[2]@431> "gone"
barnabas plan 1
seed 3
virtual 1m0s
mutant ack-before-sync
expect LostWrite
set `
	if !strings.HasPrefix(string(got), want) || err != nil {
		t.Errorf("%v, got\n%.1000s", err, got)
	}
	if _, err := readPlan(filepath.Join(folder, "seed-3-ack-before-sync.plan")); err != nil {
		t.Error(err)
	}
	one := filepath.Join(folder, "one.plan")
	if _, code := runSim("--seed 4 --save " + one); code != 0 {
		t.Errorf("exit %d", code)
	}
	if p, err := readPlan(one); err != nil || p.Seed != 4 || p.Expect != "" {
		t.Error(p, err)
	}
	if p, code := runSim("--seeds 4 --save " + one); code != 2 || !strings.Contains(p.talk.String(), "is one plan, and there are 4 seeds; name a folder") {
		t.Errorf("exit %d: %s", code, p.talk.String())
	}
	if p, code := runSim("--save /dev/null/x"); code != 1 || !strings.HasPrefix(p.talk.String(), "barnabas sim run: could not make the folder of --save: ") {
		t.Errorf("exit %d: %s", code, p.talk.String())
	}
}

func TestMutants(t *testing.T) {
	p := newTrial()
	p.mutants = false
	if code := p.guarded(strings.Fields("sim run --mutant ack-before-sync")); code != 2 || !strings.HasPrefix(p.talk.String(),
		"barnabas sim run: mutant ack-before-sync is not in this binary; build one that has it: go build -tags mutants ./cmd/barnabas") {
		t.Errorf("exit %d: %s", code, p.talk.String())
	}
	p, _ = runSim("--mutant lost-long-poll-wakeup")
	if p.given != mutant.LostLongPollWakeup {
		t.Error("the mutant given is", p.given)
	}
	p = newTrial()
	code := p.guarded(strings.Fields("sim mutants --output json"))
	lines := strings.Split(strings.TrimSuffix(p.out.String(), "\n"), "\n")
	first := `{"name":"ack-before-sync","origin":"acknowledging at the append, as brokers with a write-back cache do (simulation.md Z07)","claim":"C1","oracle":"RecoveredCoversPromised","available":true}`
	if code != 0 || len(lines) != len(mutant.Museum()) || lines[0] != first {
		t.Errorf("exit %d: %s", code, p.out.String())
	}
	p = newTrial()
	p.mutants = false
	p.guarded(strings.Fields("sim mutants"))
	if !strings.HasPrefix(p.out.String(), "ack-before-sync\n  breaks C1, found by RecoveredCoversPromised\n") || !strings.HasSuffix(p.out.String(), "-tags mutants ./cmd/barnabas\n") {
		t.Error(p.out.String())
	}
}

func TestMilliseconds(t *testing.T) {
	for m, want := range map[ms]string{0: "0", 1: "0.000001", 1e6: "1", 1_500_000: "1.5", 60e9: "60000", -1_500_000: "-1.5", 1<<63 - 1: "9223372036854.775807"} {
		if got := m.String(); got != want {
			t.Errorf("%d is %s, want %s", int64(m), got, want)
		}
	}
}

func TestCalled(t *testing.T) {
	for _, c := range []struct {
		argument string
		mutants  bool
		want     string
	}{
		{"barnabas", false, "barnabas"},
		{"./barnabas", true, "./barnabas"},
		{"/a b/barnabas", false, "'/a b/barnabas'"},
		{"/a'b/barnabas", false, `'/a'\''b/barnabas'`},
		{"/tmp/go-build123/b001/exe/barnabas", false, "go run ./cmd/barnabas"},
		{"/tmp/go-build123/b001/exe/barnabas", true, "go run -tags mutants ./cmd/barnabas"},
	} {
		if got := called(c.argument, c.mutants); got != c.want {
			t.Errorf("%s: %s, want %s", c.argument, got, c.want)
		}
	}
}
