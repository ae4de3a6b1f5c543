package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"barnabas/core/mutant"
	"barnabas/sim"
)

// museumOf runs barnabas sim museum on a simulator: find says which violation a seed has with the mutant that is on.
func museumOf(words string, find func(id mutant.ID, o sim.Options) string) (p *trial, code int) {
	p = newTrial()
	p.simulate = func(o sim.Options) sim.Result {
		r := sim.Result{Seed: o.Seed}
		if name := find(p.given, o); name != "" {
			r.Violations = []sim.Violation{{Invariant: name}}
		}
		return r
	}
	return p, p.guarded(strings.Fields("sim museum " + words))
}

// every sixth seed finds the mutant, and every fourth with the ledger off.
func everySixth(id mutant.ID, o sim.Options) string {
	switch {
	case id == mutant.None:
		return ""
	case o.LedgerOff && o.Seed%4 == 0:
		return "lost-write"
	case o.LedgerOff:
		return ""
	case o.Seed%6 == 0:
		return "AckedOnDisk"
	case o.Seed%3 == 0:
		return "Panic" // the broker's own check: no oracle of ours
	}
	return ""
}

func TestMuseumMeasures(t *testing.T) {
	// Trials begin at seeds 10, 30, 50 and find 12, 30, 54; with the ledger off at 70, where 72 finds it.
	p, code := museumOf("--mutant ack-before-sync --trials 3 --off-trials 1 --seeds 20 --first-seed 10 --jobs 2", everySixth)
	want := exhibitHead +
		"ack-before-sync               3, 1–5 (3)           3, 3–3 (1)           yes    AckedOnDisk 3; lost-write 1; 1 more seeds were noticed, not by an oracle that counts\n"
	if got := p.out.String(); got != want || code != 0 {
		t.Errorf("exit %d, %s\n%s", code, p.talk.String(), got)
	}
	if p.given != mutant.None {
		t.Error("a mutant stays switched on:", p.given)
	}
}

func TestMuseumThatFails(t *testing.T) {
	for _, c := range []struct {
		name, want string
		find       func(id mutant.ID, o sim.Options) string
	}{
		{"one trial does not find it", "1, 1–over 20 (2)", func(id mutant.ID, o sim.Options) string {
			if id != mutant.None && o.Seed < 30 {
				return "AckedOnDisk"
			}
			return ""
		}},
		{"its own package finds it", "over 20, over 20–over 20 (2)", func(id mutant.ID, _ sim.Options) string {
			if id != mutant.None {
				return "Panic"
			}
			return ""
		}},
		{"the seed fails without it too", "NO: [10 30]", func(mutant.ID, sim.Options) string { return "AckedOnDisk" }},
	} {
		p, code := museumOf("--mutant lost-long-poll-wakeup --trials 2 --seeds 20 --first-seed 10", c.find)
		if code != 6 || !strings.Contains(p.out.String(), c.want) {
			t.Errorf("%s: exit %d, %s\n%s", c.name, code, p.talk.String(), p.out.String())
		}
	}
}

// Every trial has seeds of its own, and no mutant is on while another one is measured.
func TestMuseumKeepsTrialsApart(t *testing.T) {
	var mu sync.Mutex
	ran := make(map[string]int)
	p, code := museumOf("--trials 2 --off-trials 1 --seeds 3 --first-seed 100 --jobs 3", func(id mutant.ID, o sim.Options) string {
		mu.Lock()
		defer mu.Unlock()
		if id != mutant.None {
			ran[fmt.Sprint(id, o.Seed)]++
		}
		return ""
	})
	want := 0
	for _, e := range mutant.Museum() {
		want += 6
		if e.Loss {
			want += 3
		}
	}
	if code != 6 || len(ran) != want {
		t.Errorf("exit %d, %d seeds, want %d: %s", code, len(ran), want, p.talk.String())
	}
	for seed, times := range ran {
		if times != 1 {
			t.Errorf("%s ran %d times", seed, times)
		}
	}
}

func TestMuseumUsage(t *testing.T) {
	for words, want := range map[string]string{
		"--mutant nobody": `barnabas sim museum: there is no mutant "nobody"`,
		"--trials 0":      "barnabas sim museum: --trials and --off-trials are counts up to",
		"--seeds 0":       "barnabas sim museum: --seeds 0 or --first-seed 1000001 is out of bounds",
		"--profile x":     `barnabas sim museum: there is no profile "x"`,
	} {
		if p, code := museumOf(words, everySixth); code != 2 || !strings.HasPrefix(p.talk.String(), want) {
			t.Errorf("%s: exit %d, %s", words, code, p.talk.String())
		}
	}
	p := newTrial()
	p.mutants = false
	if code := p.guarded([]string{"sim", "museum"}); code != 2 || !strings.Contains(p.talk.String(), "go build -tags mutants ./cmd/barnabas") {
		t.Errorf("exit %d, %s", code, p.talk.String())
	}
}

func TestMuseumWritesItsRegion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "CLAIMS.md")
	const before = "before\n" + museumBegin + "\nold head\n|---|\n| torn-commit-accepted | kept |\n| ack-before-sync | replaced |\n| gone | dropped |\n" + museumEnd + "\nafter\n"
	if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	p, code := museumOf("--mutant ack-before-sync --trials 1 --off-trials 1 --seeds 20 --first-seed 10 --write "+path, everySixth)
	got, err := os.ReadFile(path)
	e, _ := mutant.Find("ack-before-sync")
	want := "before\n" + museumBegin + "\n" + museumHead +
		"| ack-before-sync | " + e.Claim + " | " + e.Origin + " | AckedOnDisk 1 | 3, 3–3 (1) | lost-write 1 | 3, 3–3 (1) | yes | COMMIT |\n" +
		"| torn-commit-accepted | kept |\n" + museumEnd + "\nafter\n"
	want = strings.Replace(want, "COMMIT", commitOf(debug.ReadBuildInfo), 1)
	if err != nil || code != 0 || string(got) != want {
		t.Errorf("exit %d, %s%v\n%s\nwant\n%s", code, p.talk.String(), err, got, want)
	}
	for text, want := range map[string]string{"no region": "there is no region", museumBegin + "\nopen": "there is no region"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p, code := museumOf("--mutant ack-before-sync --trials 1 --seeds 20 --first-seed 10 --write "+path, everySixth)
		if code != 1 || !strings.Contains(p.talk.String(), want) {
			t.Errorf("%q: exit %d, %s", text, code, p.talk.String())
		}
	}
}

func TestCommitOf(t *testing.T) {
	info := &debug.BuildInfo{Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123456789abcdef"}, {Key: "vcs.modified", Value: "true"},
	}}
	if got := commitOf(func() (*debug.BuildInfo, bool) { return info, true }); got != "0123456 and changes" {
		t.Error(got)
	}
	if got := commitOf(func() (*debug.BuildInfo, bool) { return nil, false }); got != "unknown" {
		t.Error(got)
	}
}
