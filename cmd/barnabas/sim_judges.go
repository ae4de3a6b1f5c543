package main

import (
	"fmt"
	"runtime/debug"
	"strings"

	"barnabas/core/mutant"
	"barnabas/sim"
)

// verdict is what was measured of one weakness of the judge.
type verdict struct {
	weakness sim.Weakness
	sound    []hunt // for the canary
	weak     []hunt // for the same, with the weakness, over twice as many seeds
	commit   string
}

// simJudges measures one weakness after the other.
func (p *program) simJudges(m *museum) int {
	var rows []verdict
	failed := false
	p.print(verdictHead)
	for _, w := range sim.Weaknesses() {
		e, ok := mutant.Find(w.Canary)
		if !ok || m.only != "" && e.Name != m.only {
			continue
		}
		v := verdict{weakness: w, commit: commitOf(debug.ReadBuildInfo), sound: make([]hunt, m.trials), weak: make([]hunt, m.trials)}
		p.give(e.ID)
		p.inParallel(m.jobs, m.trials, func(i int) {
			h, weak := &v.sound[i], *m
			weak.class = w.Class()
			sound := weak
			h.first, h.off = m.first+uint64(i)*m.seeds, w.LedgerOff
			v.weak[i] = *h
			p.hunt(&sound, e, h)
			if h.oracle == "" || h.crash != "" {
				return
			}
			weak.seeds, weak.weakness = 2*h.seeds, w.Name
			p.hunt(&weak, e, &v.weak[i])
		})
		p.give(mutant.None)
		for _, h := range append(v.sound, v.weak...) {
			if h.crash != "" {
				return p.failed(simMuseumPath, fmt.Errorf("weakness %s: the simulator failed: %s", w.Name, h.crash))
			}
		}
		failed = failed || !v.noticed()
		p.print(v.line())
		rows = append(rows, v)
	}
	if m.write != "" {
		if err := rewrite(m.write, func(text string) (string, error) { return withJudges(text, rows) }); err != nil {
			return p.failed(simMuseumPath, err)
		}
	}
	if failed {
		return exitViolation
	}
	return exitDone
}

// noticed says whether the sound judge found the canary in every trial, and the weak one in none.
func (v *verdict) noticed() bool {
	for i := range v.sound {
		if v.sound[i].oracle == "" || v.weak[i].oracle != "" {
			return false
		}
	}
	return true
}

func (v *verdict) word() string {
	for i := range v.weak {
		if v.weak[i].oracle != "" {
			return "NO: " + v.weak[i].oracle
		}
	}
	if !v.noticed() {
		return "NO: the canary was not found"
	}
	return "yes"
}

// counts lists how many seeds each trial took.
func counts(hunts []hunt) string {
	var all []string
	for _, h := range hunts {
		if h.oracle == "" {
			all = append(all, fmt.Sprintf("over %d", h.seeds))
			continue
		}
		all = append(all, fmt.Sprint(h.seeds))
	}
	return strings.Join(all, ", ")
}

const verdictHead = "WEAKNESS              CANARY                    SOUND                WEAK                 NOTICED\n"

func (v *verdict) line() string {
	return fmt.Sprintf("%-21s %-25s %-20s %-20s %s\n", v.weakness.Name, v.weakness.Canary, counts(v.sound), counts(v.weak), v.word())
}

const verdictTable = `| Weakness | What the judge no longer does | Canary | Seeds of the sound judge | Of the weak one | Noticed | Commit |
|---|---|---|---|---|---|---|
`

// withJudges returns the text with what was measured in its region.
func withJudges(text string, measured []verdict) (string, error) {
	var order []string
	for _, w := range sim.Weaknesses() {
		order = append(order, w.Name)
	}
	rows := make(map[string]string)
	for _, v := range measured {
		rows[v.weakness.Name] = "| " + strings.Join([]string{
			v.weakness.Name, v.weakness.Does(), v.weakness.Canary, counts(v.sound), counts(v.weak), v.word(), v.commit,
		}, " | ") + " |\n"
	}
	return region{"<!-- judges -->", "<!-- /judges -->", verdictTable}.with(text, order, rows)
}
