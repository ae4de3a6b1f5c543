package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"barnabas/linearizability"
)

const (
	checkPath = "barnabas check"

	checkHelp = `HISTORY is a file of what clients did and saw, one operation a line, from barnabas sim run --history or from real clients;
- reads it from stdin. go doc barnabas/linearizability.Read explains the format.

A checker with offsets as witnesses looks for every anomaly of Jepsen's Kafka tests that needs neither groups nor
transactions, and for more of its own; Porcupine, a general checker, judges windows of each partition, and registers. Each
anomaly is shown with the lines that prove it. Of each kind and partition the first few are shown, and all are counted.

With --output json there is one object a line for each finding, and a summary as the last line.

Exit codes: 0 clean, 6 an anomaly was found or Porcupine could not decide, 2 wrong usage, 1 the history can't be read, or
makes no sense in itself (the error names the line).
`
)

// someWindows is how many windows of each partition Porcupine judges, when not all.
const someWindows = 16

// checkFlags are what barnabas check is given.
type checkFlags struct {
	porcupine, picture, output string
}

func prepareCheck(p *program, flags *pflag.FlagSet) func() int {
	var f checkFlags
	flags.StringVar(&f.porcupine, "porcupine", "some", "how much Porcupine judges: all windows, some of each partition, or none")
	flags.StringVar(&f.picture, "picture", "", "write a page about the first finding to this `FILE`, for a browser")
	flags.StringVar(&f.output, "output", "table", "table or json")
	return func() int {
		err := errors.Join(oneOf("output", f.output, "table", "json"), oneOf("porcupine", f.porcupine, "all", "some", "none"))
		switch {
		case err != nil:
			return p.misused(checkPath, err)
		case flags.NArg() != 1:
			return p.misused(checkPath, usagef("it takes one HISTORY, and was given %d", flags.NArg()))
		}
		return p.check(f, flags.Arg(0))
	}
}

// check judges a history.
func (p *program) check(f checkFlags, path string) int {
	h, err := p.readHistory(path)
	if err != nil {
		return p.failed(checkPath, fmt.Errorf("%s: %w", path, err))
	}
	begun := time.Now()
	report, err := judge(h, f.porcupine)
	if err != nil {
		return p.failed(checkPath, fmt.Errorf("%s: %w", path, err))
	}
	took := time.Since(begun)
	out := newOutput(p)
	if f.output == "json" {
		reportAsJSON(out, h, report, took)
	} else {
		reportAsTable(out, h, report, took)
	}
	if out.flush(); out.err != nil {
		return p.failed(checkPath, out.err)
	}
	if f.picture != "" {
		if err := p.picture(h, report, f.picture); err != nil {
			return p.failed(checkPath, err)
		}
	}
	if !report.Clean() {
		return exitViolation
	}
	return exitDone
}

func (p *program) readHistory(path string) (*linearizability.History, error) {
	if path == "-" {
		return linearizability.Read(p.stdin)
	}
	file, err := os.Open(path)
	if err != nil {
		var at *os.PathError
		if errors.As(err, &at) { // the path is said already
			err = at.Err
		}
		return nil, err
	}
	defer file.Close()
	return linearizability.Read(file)
}

// judge judges with as much of Porcupine as is asked for.
func judge(h *linearizability.History, porcupine string) (*linearizability.Report, error) {
	switch porcupine {
	case "none":
		return linearizability.Check(h)
	case "all":
		return linearizability.Examine(h, linearizability.Windows{})
	default:
		return linearizability.Examine(h, linearizability.Windows{Most: someWindows})
	}
}

// picture writes the page about the first finding.
func (p *program) picture(h *linearizability.History, report *linearizability.Report, path string) error {
	if report.Clean() {
		p.say("%s: nothing was found, so there is no picture", checkPath)
		return nil
	}
	err := writeFile(path, func(w io.Writer) error { return linearizability.Picture(h, &report.Findings[0], w) })
	if err != nil {
		return fmt.Errorf("could not write the picture: %w", err)
	}
	return nil
}

func reportAsTable(out io.Writer, h *linearizability.History, report *linearizability.Report, took time.Duration) {
	for i := range report.Findings {
		fmt.Fprintf(out, "%s\n", h.Describe(&report.Findings[i]))
	}
	verdict := "clean"
	var counts []string
	for _, a := range linearizability.Anomalies() {
		if n := report.Counts[a]; n > 0 {
			counts = append(counts, fmt.Sprintf("%s %d", a, n))
		}
	}
	if len(counts) > 0 {
		verdict = strings.Join(counts, ", ")
	}
	fmt.Fprintf(out, "%d operations of %d clients on %d partitions, judged in %s: %s\n",
		len(h.Operations), len(h.Clients), len(h.Partitions), short(took), verdict)
}

// Names and units are a contract with scripts.
type jsonFinding struct {
	Anomaly    string   `json:"anomaly"`
	Where      string   `json:"where"`
	Offset     *int64   `json:"offset"`
	Detail     string   `json:"detail"`
	Lines      []int    `json:"lines"`
	Operations []string `json:"operations"`
}

type jsonCheck struct {
	Operations int            `json:"operations"`
	Clients    int            `json:"clients"`
	Partitions int            `json:"partitions"`
	JudgedMs   ms             `json:"judged_ms"`
	Anomalies  map[string]int `json:"anomalies"`
}

func reportAsJSON(out io.Writer, h *linearizability.History, report *linearizability.Report, took time.Duration) {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for i := range report.Findings {
		f := &report.Findings[i]
		line := jsonFinding{Anomaly: f.Anomaly.String(), Where: f.Where, Detail: f.Detail, Lines: []int{}, Operations: []string{}}
		if f.Offset >= 0 {
			line.Offset = &f.Offset
		}
		for _, at := range f.Proof() {
			line.Lines = append(line.Lines, h.Line(at))
			line.Operations = append(line.Operations, h.Operations[at].String())
		}
		_ = encoder.Encode(line) // out keeps its error
	}
	sum := jsonCheck{
		Operations: len(h.Operations), Clients: len(h.Clients), Partitions: len(h.Partitions), JudgedMs: wallMs(took),
		Anomalies: make(map[string]int),
	}
	for _, a := range linearizability.Anomalies() {
		if n := report.Counts[a]; n > 0 {
			sum.Anomalies[a.String()] = n
		}
	}
	_ = encoder.Encode(map[string]jsonCheck{"summary": sum})
}
