package sim

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"barnabas/sim/plan"
)

// What a seed draws is all that its run needs: read back from its text, it runs to the same digest.
func TestARunByItsPlanIsTheRunByItsSeed(t *testing.T) {
	for _, profile := range Profiles() {
		for seed := range uint64(3) {
			o := Options{Seed: 60 + seed, Virtual: 5 * time.Second, Profile: profile.Name}
			drawn := Draw(o)
			read, err := plan.Parse(drawn.String())
			if err != nil {
				t.Fatalf("%s, seed %d: %v", profile.Name, o.Seed, err)
			}
			if !reflect.DeepEqual(drawn, read) {
				t.Fatalf("%s, seed %d reads back as another plan", profile.Name, o.Seed)
			}
			if want, got := Run(o).Digest, RunPlan(read, Options{}).Digest; got != want {
				t.Errorf("%s, seed %d: digest %016x by its seed, %016x by its plan", profile.Name, o.Seed, want, got)
			}
		}
	}
}

// Taking something out of a plan leaves the draws of everything else as they were: until the moment when it would have
// happened, the run is the same.
func TestARunWithoutItsLastFaultIsTheSameUntilThen(t *testing.T) {
	tried := 0
	for seed := range uint64(6) {
		o := Options{Seed: seed, Virtual: 10 * time.Second, Profile: "swarm"}
		p := Draw(o)
		if len(p.Faults) == 0 {
			continue
		}
		last := p.Faults[len(p.Faults)-1]
		p.Virtual = last.At - 1 // both end before it happens
		with := RunPlan(p, Options{}).Digest
		p.Faults = p.Faults[:len(p.Faults)-1]
		if without := RunPlan(p, Options{}).Digest; without != with && last.Kind != plan.Rollback {
			t.Errorf("seed %d: what has not happened yet changes the run", seed)
		}
		tried++
	}
	if tried < 3 {
		t.Fatalf("only %d seeds had a fault", tried)
	}
}

// regressions returns the plans that once found a bug, or a mutant, by the names of their files.
func regressions(t *testing.T) map[string]*plan.Plan {
	files, err := filepath.Glob("testdata/regressions/*.plan")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	all := make(map[string]*plan.Plan)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p, err := plan.Parse(string(text))
		if err == nil {
			err = Check(p)
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if p.Expect == "" || OracleIn(p.Expect) == "" {
			t.Errorf("%s does not say what it found, or what nobody reports: %q", file, p.Expect)
		}
		all[file] = p
	}
	return all
}

// What a plan once found is fixed, or was a mutant's doing: without one, every plan is clean.
func TestRegressionsStayFixed(t *testing.T) {
	for file, p := range regressions(t) {
		for _, v := range RunPlan(p, Options{}).Violations {
			t.Errorf("%s at %v: %s: %s\ngo run ./cmd/barnabas sim replay --without-mutant sim/%s", file, time.Duration(v.At), v.Invariant, v.Detail, file)
		}
	}
}
