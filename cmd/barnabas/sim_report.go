package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"barnabas/core/task"
	"barnabas/sim"
)

// newReport returns how seeds are printed.
func newReport(w io.Writer, asJSON bool) report {
	if !asJSON {
		return &tableReport{w: w}
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return jsonReport{encoder}
}

// jsonReport prints one object a line. Names and units are a contract with scripts.
type jsonReport struct{ encoder *json.Encoder }

type jsonSeed struct {
	Seed       uint64            `json:"seed"`
	Digest     string            `json:"digest"`
	VirtualMs  ms                `json:"virtual_ms"`
	WallMs     ms                `json:"wall_ms"`
	Events     uint64            `json:"events"`
	Operations uint64            `json:"operations"`
	Acked      uint64            `json:"acked"`
	Faults     map[string]uint64 `json:"faults"`
	Violations []jsonViolation   `json:"violations"`
}

type jsonViolation struct {
	Invariant string `json:"invariant"`
	Detail    string `json:"detail"`
	AtMs      ms     `json:"at_ms"`
}

type jsonSummary struct {
	Seeds           uint64   `json:"seeds"`
	Violations      uint64   `json:"violations"`
	VirtualMs       ms       `json:"virtual_ms"`
	WallMs          ms       `json:"wall_ms"`
	Events          uint64   `json:"events"`
	Unknown         uint64   `json:"unknown"`
	SometimesMissed []string `json:"sometimes_missed"`
}

func (j jsonReport) seed(r *sim.Result) error {
	line := jsonSeed{
		Seed: r.Seed, Digest: fmt.Sprintf("%016x", r.Digest), VirtualMs: ms(r.Virtual), WallMs: wallMs(r.Wall),
		Events: r.Events, Operations: r.Operations, Acked: r.Acked,
		Faults: make(map[string]uint64, len(r.Faults)), Violations: make([]jsonViolation, 0, len(r.Violations)),
	}
	for _, f := range r.Faults {
		line.Faults[f.Kind] += f.Count
	}
	for _, v := range r.Violations {
		line.Violations = append(line.Violations, jsonViolation{v.Invariant, v.Detail, instantMs(v.At)})
	}
	return j.encoder.Encode(line)
}

func (j jsonReport) summary(t *totals) error {
	return j.encoder.Encode(map[string]jsonSummary{"summary": {
		Seeds: t.seeds, Violations: t.violations, VirtualMs: ms(t.virtual), WallMs: wallMs(t.wall), Events: t.events,
		Unknown: t.unknown, SometimesMissed: t.missed(),
	}})
}

// ms is a time that is printed in milliseconds, to the nanosecond.
type ms time.Duration

func instantMs(i task.Instant) ms { return ms(i) }

// wallMs is never zero, which a coarse clock could make it: who divides by it should not have to ask.
func wallMs(d time.Duration) ms { return ms(max(d, 1)) }

// String writes whole milliseconds and, where there are any, the nanoseconds below: exact, as floats are not.
func (m ms) String() string {
	sign, n := "", uint64(m)
	if m < 0 {
		sign, n = "-", -n
	}
	whole := sign + strconv.FormatUint(n/1e6, 10)
	if n%1e6 == 0 {
		return whole
	}
	return whole + "." + strings.TrimRight(fmt.Sprintf("%06d", n%1e6), "0")
}

// MarshalJSON writes a number.
func (m ms) MarshalJSON() ([]byte, error) { return []byte(m.String()), nil }

// tableReport prints for eyes.
type tableReport struct {
	w      io.Writer
	headed bool
}

func (t *tableReport) seed(r *sim.Result) error {
	var b strings.Builder
	if !t.headed {
		t.headed = true
		fmt.Fprintf(&b, "%-8s %-16s %9s %9s %10s %10s %8s  %-8s %s\n",
			"SEED", "DIGEST", "VIRTUAL", "WALL", "EVENTS", "OPERATIONS", "ACKED", "VERDICT", "FAULTS")
	}
	verdict := "ok"
	switch {
	case len(r.Violations) > 0:
		verdict = "VIOLATED"
	case r.Unknown > 0:
		verdict = "UNKNOWN"
	}
	var faults []string
	for _, f := range r.Faults {
		faults = append(faults, fmt.Sprintf("%s×%d", f.Kind, f.Count))
	}
	line := fmt.Sprintf("%-8d %016x %9s %9s %10d %10d %8d  %-8s %s",
		r.Seed, r.Digest, short(r.Virtual), short(r.Wall), r.Events, r.Operations, r.Acked, verdict, strings.Join(faults, " "))
	b.WriteString(strings.TrimRight(line, " ") + "\n")
	for _, v := range r.Violations {
		fmt.Fprintf(&b, "  %s at %v ms: %s\n", v.Invariant, instantMs(v.At), v.Detail)
	}
	if r.Unknown > 0 {
		fmt.Fprintf(&b, "  %d checks could not decide\n", r.Unknown)
	}
	_, err := io.WriteString(t.w, b.String())
	return err
}

func (t *tableReport) summary(sum *totals) error {
	var b strings.Builder
	wall := max(sum.wall, 1)
	fmt.Fprintf(&b, "\nseeds %d  violations %d  undecided %d  virtual %s  wall %s (%.0f× real time)  events %d  acked %d\n",
		sum.seeds, sum.violations, sum.unknown, short(sum.virtual), short(wall), sum.virtual.Seconds()/wall.Seconds(),
		sum.events, sum.acked)
	if missed := sum.missed(); len(missed) > 0 {
		fmt.Fprintf(&b, "never reached: %s\n", strings.Join(missed, ", "))
	}
	_, err := io.WriteString(t.w, b.String())
	return err
}

// short rounds a time to what eyes need.
func short(d time.Duration) string {
	switch {
	case d >= time.Minute:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	default:
		return d.Round(10 * time.Microsecond).String()
	}
}
