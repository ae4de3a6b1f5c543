package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"barnabas/core/mutant"
	"barnabas/sim"
	"barnabas/sim/plan"
)

// planSuffix is how the names of files end that hold a plan.
const planSuffix = ".plan"

// savesOne says whether --save names the file of one run, and not a folder for failing ones.
func (c *campaign) savesOne() bool { return strings.HasSuffix(c.save, planSuffix) }

// prepareSave makes the folder of --save.
func (c *campaign) prepareSave() error {
	if c.save == "" {
		return nil
	}
	folder := c.save
	if c.savesOne() {
		folder = filepath.Dir(folder)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("could not make the folder of --save: %w", err)
	}
	return nil
}

// saveRun writes the plan of a run, if it is one that is to be kept, with what came of it as comments.
func (p *program) saveRun(c *campaign, r *sim.Result) error {
	failed := len(r.Violations) > 0 || r.Unknown > 0
	if c.save == "" || !failed && !c.savesOne() {
		return nil
	}
	drawn := sim.Draw(c.options(r.Seed))
	drawn.Mutant = c.mutant.Name
	if len(r.Violations) > 0 {
		drawn.Expect = r.Violations[0].Invariant
	}
	path := c.save
	if !c.savesOne() {
		name := fmt.Sprintf("seed-%d", r.Seed)
		if c.mutant.ID != mutant.None {
			name += "-" + c.mutant.Name
		}
		path = filepath.Join(path, name+planSuffix)
	}
	comments := []string{c.replay(p.called, r.Seed), fmt.Sprintf("seed %d, digest %016x", r.Seed, r.Digest)}
	for _, v := range r.Violations {
		comments = append(comments, fmt.Sprintf("%s at %v ms: %s", v.Invariant, instantMs(v.At), v.Detail))
	}
	if r.Unknown > 0 {
		comments = append(comments, fmt.Sprintf("%d checks could not decide", r.Unknown))
	}
	if err := writePlan(path, drawn, comments); err != nil {
		return fmt.Errorf("could not save seed %d: %w", r.Seed, err)
	}
	if err := writeFindings(strings.TrimSuffix(path, planSuffix), r); err != nil {
		return fmt.Errorf("seed %d: %w", r.Seed, err)
	}
	return nil
}

// writePlan writes a plan behind comments.
func writePlan(path string, p *plan.Plan, comments []string) error {
	var b strings.Builder
	for _, c := range comments {
		for line := range strings.Lines(c) {
			b.WriteString("# " + strings.TrimRight(line, "\n") + "\n")
		}
	}
	b.WriteString(p.String())
	return os.WriteFile(path, []byte(b.String()), 0o644)
}

// readPlan reads a plan that can be run.
func readPlan(path string) (*plan.Plan, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("could not read the plan: %w", err)
	}
	read, err := plan.Parse(string(text))
	if err == nil {
		err = sim.Check(read)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return read, nil
}

// loadPlan reads the plan that a command is given, and gives brokers the bug it names.
func (p *program) loadPlan(path string, arguments []string, without bool) (read *plan.Plan, code int) {
	if len(arguments) != 1 {
		return nil, p.misused(path, usagef("one FILE is needed, which barnabas sim run --save wrote"))
	}
	read, err := readPlan(arguments[0])
	if err != nil {
		return nil, p.failed(path, err)
	}
	if without {
		read.Mutant = ""
	}
	var c campaign
	err = p.readMutant(read.Mutant, &c)
	var usage errUsage
	switch {
	case errors.As(err, &usage):
		return nil, p.misused(path, err)
	case err != nil:
		return nil, p.failed(path, err)
	}
	p.give(c.mutant.ID)
	return read, exitDone
}
