package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"barnabas/sim"
	"barnabas/sim/kernel"
	"barnabas/sim/plan"
)

const simDivergePath = "barnabas sim diverge"

const simDivergeHelp = `Runs a seed, or a plan that was kept, here and in another process with another number of processors and another pace of
the garbage collector, and compares what was delivered to every node. Of the first delivery that differs both sides are
printed, with the one before.

Exit codes: 0 both ran alike, 6 they did not, 2 wrong usage, 1 anything else.
`

func prepareSimDiverge(p *program, flags *pflag.FlagSet) func() int {
	c := campaign{seeds: 1, profile: defaultProfile}
	f := simFlags{set: flags}
	flags.Uint64Var(&c.first, "seed", 1, "run this seed; or name the FILE of a plan instead")
	flags.Float64Var(&f.minutes, "minutes", 1, "how many virtual minutes it runs")
	flags.StringVar(&c.profile, "profile", defaultProfile, "how its world is drawn")
	flags.StringVar(&c.plant, "plant", "", "plant a nondeterminism, to see it found")
	record := flags.String("record", "", "write what is delivered into this `file` and compare nothing: what the other process does")
	return func() int {
		err := errors.Join(f.readMinutes(&c), p.checkProfile(c.profile), oneOf("plant", c.plant, append([]string{""}, sim.Plants()...)...))
		if err != nil {
			return p.misused(simDivergePath, err)
		}
		run := p.divergent(&c)
		if flags.NArg() > 0 {
			read, code := p.loadPlan(simDivergePath, flags.Args(), false)
			if read == nil {
				return code
			}
			run.plan, run.words = read, []string{flags.Arg(0)}
		}
		if c.plant != "" {
			run.words = append(run.words, "--plant", c.plant)
		}
		if *record != "" {
			return p.recordDeliveries(run, *record)
		}
		return p.simDiverge(run)
	}
}

// divergent is a run that is to be compared with itself.
type divergent struct {
	plan  *plan.Plan
	plant string
	words []string // after barnabas sim diverge: what makes it
}

func (p *program) divergent(c *campaign) divergent {
	return divergent{
		plan: sim.Draw(c.options(c.first)), plant: c.plant,
		words: []string{"--seed", strconv.FormatUint(c.first, 10), "--minutes", minutes(c.virtual), "--profile", c.profile},
	}
}

// deliveryBytes is the length of a delivery in a record: time, payload, node, kind.
const deliveryBytes = 8 + 8 + 4 + 1

func encodeDelivery(e kernel.Event) (row [deliveryBytes]byte) {
	binary.BigEndian.PutUint64(row[0:], uint64(e.At))
	binary.BigEndian.PutUint64(row[8:], e.Payload)
	binary.BigEndian.PutUint32(row[16:], uint32(e.Node))
	row[20] = byte(e.Kind)
	return row
}

func describeDelivery(row [deliveryBytes]byte) string {
	at := time.Duration(binary.BigEndian.Uint64(row[0:]))
	return fmt.Sprintf("at %.6f s, node %d, %v, payload %016x",
		at.Seconds(), int32(binary.BigEndian.Uint32(row[16:])), kernel.Kind(row[20]), binary.BigEndian.Uint64(row[8:]))
}

// recordDeliveries writes every delivery of a run, and at last its digest.
func (p *program) recordDeliveries(run divergent, path string) int {
	file, err := os.Create(path)
	if err != nil {
		return p.failed(simDivergePath, err)
	}
	w := bufio.NewWriterSize(file, 1<<20)
	r := p.rerun(run.plan, sim.Options{Plant: run.plant, Event: func(e kernel.Event, _ func() string) {
		row := encodeDelivery(e)
		_, _ = w.Write(row[:]) // the error stays with the writer
	}})
	last := encodeDelivery(kernel.Event{At: -1, Payload: r.Digest})
	_, _ = w.Write(last[:])
	if err := errors.Join(w.Flush(), file.Close()); err != nil {
		return p.failed(simDivergePath, fmt.Errorf("could not write the record: %w", err))
	}
	return exitDone
}

// simDiverge runs the other process first, and this one against its record.
func (p *program) simDiverge(run divergent) int {
	folder, err := os.MkdirTemp("", "barnabas-diverge")
	if err != nil {
		return p.failed(simDivergePath, err)
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "record")
	if err := p.another(append([]string{"sim", "diverge", "--record", path}, run.words...)); err != nil {
		return p.failed(simDivergePath, fmt.Errorf("the other process: %w", err))
	}
	file, err := os.Open(path)
	if err != nil {
		return p.failed(simDivergePath, err)
	}
	defer file.Close()
	c := comparison{record: bufio.NewReaderSize(file, 1<<20)}
	r := p.rerun(run.plan, sim.Options{Plant: run.plant, Event: c.compare})
	c.end(r.Digest)
	if c.verdict == "" {
		return p.print(fmt.Sprintf("seed %d: %d deliveries alike, digest %016x in both processes\n", run.plan.Seed, c.count, r.Digest))
	}
	if code := p.print(c.verdict); code != exitDone {
		return code
	}
	words := []string{p.called, "sim diverge"}
	for _, word := range run.words {
		words = append(words, quoted(word))
	}
	p.say("%s", strings.Join(words, " "))
	return exitViolation
}

// another runs this program in another process, which differs in what must not matter.
func another(arguments []string) error {
	binary, err := os.Executable()
	if err != nil {
		return err
	}
	processors := 1
	if runtime.GOMAXPROCS(0) == 1 {
		processors = 2
	}
	command := exec.Command(binary, arguments...)
	command.Env = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", processors), "GOGC=25")
	command.Stderr = os.Stderr
	return command.Run()
}

// comparison compares deliveries with a record, one by one, until two differ.
type comparison struct {
	record  *bufio.Reader
	count   int
	before  string
	verdict string // what differs; "": nothing yet
}

func (c *comparison) next() (row [deliveryBytes]byte, ok bool) {
	_, err := io.ReadFull(c.record, row[:])
	return row, err == nil
}

func (c *comparison) compare(e kernel.Event, what func() string) {
	if c.verdict != "" {
		return
	}
	here := encodeDelivery(e)
	there, ok := c.next()
	if ok && here == there {
		c.count++
		c.before = describeDelivery(here)
		return
	}
	other := describeDelivery(there)
	switch {
	case !ok:
		other = "nothing more"
	case int64(binary.BigEndian.Uint64(there[0:])) == -1:
		other = "the end of the run"
	}
	before := "no delivery is alike"
	if c.count > 0 {
		before = fmt.Sprintf("%d deliveries are alike; the last one %s", c.count, c.before)
	}
	c.verdict = fmt.Sprintf("%s\nthen here  %s: %s\nand there  %s\n", before, describeDelivery(here), what(), other)
}

// end compares what comes after the last delivery: the digest, which has the states of brokers and disks in it.
func (c *comparison) end(digest uint64) {
	if c.verdict != "" {
		return
	}
	last, ok := c.next()
	switch {
	case !ok:
		c.verdict = "the other process ended too early\n"
	case int64(binary.BigEndian.Uint64(last[0:])) != -1:
		c.verdict = fmt.Sprintf("%d deliveries are alike; here the run ends\nand there  %s\n", c.count, describeDelivery(last))
	case binary.BigEndian.Uint64(last[8:]) != digest:
		c.verdict = fmt.Sprintf("all %d deliveries are alike, and the states of brokers or disks at the end are not: digest %016x here, %016x there\n",
			c.count, digest, binary.BigEndian.Uint64(last[8:]))
	}
}
