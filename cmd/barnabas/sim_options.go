package main

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"barnabas/core/config"
	"barnabas/core/mutant"
	"barnabas/sim"
)

const (
	simRunPath = "barnabas sim run"

	defaultProfile = "swarm"

	minutesMax = 1e6 // nearly two years; far below where virtual nanoseconds end

	microsecondsAMinute = 60e6

	seedsMax = 1 << 40
	nodesMax = 1000
)

const simRunHelp = `Every seed is one run of one simulated cluster, a function of the flags and the commit alone. It stops after the
first seed with a violation, unless --keep-going.

With --output json there is one object a line a seed, in the order of seeds, and a summary as the last line.

Exit codes: 0 clean, 6 a violation or a check that could not decide (the last line of stderr is then the command that
replays the first one), 2 wrong usage, 1 anything else.
`

// campaign is what barnabas sim run was asked for.
type campaign struct {
	first, seeds     uint64
	virtual          time.Duration
	brokers, clients int
	profile          string
	mutant           mutant.Entry // with ID None for none
	jobs             int
	keepGoing        bool
	save             string
	history          string
	json             bool
	twice            bool
	plant            string
	ledgerOff        bool
	weakness         string // of the judge
}

// simFlags are the flags of barnabas sim run as they are read.
type simFlags struct {
	set                    *pflag.FlagSet
	seed, seeds, firstSeed uint64
	minutes                float64
	brokers, clients, jobs int
	profile, mutant        string
	keepGoing              bool
	save, output, plant    string
	history                string
	twice, ledger          bool
}

func prepareSimRun(p *program, flags *pflag.FlagSet) func() int {
	f := simFlags{set: flags}
	flags.Uint64Var(&f.seed, "seed", 1, "run this one seed")
	flags.Uint64Var(&f.seeds, "seeds", 1, "run this many seeds")
	flags.Uint64Var(&f.firstSeed, "first-seed", 1, "the first one of them")
	flags.Float64Var(&f.minutes, "minutes", 1, "how many virtual minutes each runs, fractions allowed")
	flags.IntVar(&f.brokers, "brokers", 0, "how many brokers (default: drawn by the seed)")
	flags.IntVar(&f.clients, "clients", 0, "how many clients (default: drawn by the seed)")
	flags.StringVar(&f.profile, "profile", defaultProfile, "how worlds are drawn; help lists the profiles")
	flags.StringVar(&f.mutant, "mutant", "",
		"put this historic bug into the brokers (barnabas sim mutants lists them; needs a build with -tags mutants)")
	flags.IntVar(&f.jobs, "jobs", 1, "how many seeds to run at once")
	flags.BoolVar(&f.keepGoing, "keep-going", false, "go on after a seed with a violation")
	flags.StringVar(&f.save, "save", "",
		"write the plan of every failing seed into this `folder`, with a history and a picture where clients saw it; or, with a name that ends in .plan, that of the one seed")
	flags.StringVar(&f.history, "history", "", "write what clients did and saw to this `FILE`, for barnabas check (one seed)")
	flags.StringVar(&f.output, "output", "table", "table or json")
	flags.BoolVar(&f.twice, "twice", false, "run every seed twice; different digests are a violation")
	flags.StringVar(&f.plant, "plant", "",
		"plant a nondeterminism ("+strings.Join(sim.Plants(), ", ")+"), to see the determinism check fail")
	flags.BoolVar(&f.ledger, "ledger", true,
		"judge with all that the simulator knows; --ledger=false judges only by what clients saw")

	return func() int {
		if f.profile == "help" {
			return p.listProfiles()
		}
		c, err := f.campaign(p)
		if err != nil {
			return p.misused(simRunPath, err)
		}
		return p.simRun(c)
	}
}

// campaign checks the flags.
func (f *simFlags) campaign(p *program) (campaign, error) {
	c := campaign{
		first: f.firstSeed, seeds: f.seeds, brokers: f.brokers, clients: f.clients, profile: f.profile, jobs: f.jobs,
		keepGoing: f.keepGoing, save: f.save, history: f.history, json: f.output == "json",
		twice: f.twice, plant: f.plant, ledgerOff: !f.ledger,
	}
	err := errors.Join(f.readSeeds(&c), f.readMinutes(&c), f.checkCounts(), p.checkProfile(f.profile),
		p.readMutant(f.mutant, &c), oneOf("output", f.output, "table", "json"),
		oneOf("plant", f.plant, append([]string{""}, sim.Plants()...)...))
	if err == nil && c.savesOne() && c.seeds > 1 {
		err = usagef("--save %s is one plan, and there are %d seeds; name a folder", c.save, c.seeds)
	}
	if err == nil && c.history != "" && c.seeds > 1 {
		err = usagef("--history %s is of one run, and there are %d seeds; take --seed S", c.history, c.seeds)
	}
	return c, err
}

func (f *simFlags) readSeeds(c *campaign) error {
	switch {
	case f.set.Changed("seed") && (f.set.Changed("seeds") || f.set.Changed("first-seed")):
		return usagef("--seed S is one seed; for several take --seeds N and --first-seed S")
	case f.set.Changed("seed"):
		c.first, c.seeds = f.seed, 1
	case f.seeds == 0 || f.seeds > seedsMax:
		return usagef("--seeds %d is out of bounds: take 1 to %d", f.seeds, uint64(seedsMax))
	case f.firstSeed > math.MaxUint64-(f.seeds-1):
		return usagef("--first-seed %d with --seeds %d goes beyond the last seed, %d", f.firstSeed, f.seeds, uint64(math.MaxUint64))
	}
	return nil
}

func (f *simFlags) readMinutes(c *campaign) error {
	if !(f.minutes <= minutesMax) { // so that NaN is refused too
		return usagef("--minutes %v is out of bounds: take at most %d", f.minutes, int(minutesMax))
	}
	c.virtual = time.Duration(math.Round(f.minutes*microsecondsAMinute)) * time.Microsecond
	if c.virtual <= 0 {
		return usagef("--minutes %v is out of bounds: take a microsecond or more", f.minutes)
	}
	return nil
}

func (f *simFlags) checkCounts() error {
	var errs []error
	for _, n := range []struct {
		flag  string
		count int
	}{{"brokers", f.brokers}, {"clients", f.clients}, {"jobs", f.jobs}} {
		if f.set.Changed(n.flag) && (n.count < 1 || n.count > nodesMax) {
			errs = append(errs, usagef("--%s %d is out of bounds: take 1 to %d", n.flag, n.count, nodesMax))
		}
	}
	return errors.Join(errs...)
}

func (p *program) checkProfile(name string) error {
	var names []string
	for _, known := range p.profiles() {
		names = append(names, known.Name)
	}
	if slices.Contains(names, name) {
		return nil
	}
	return usagef("there is no profile %q; the nearest is %s (--profile help lists them)", name, config.Nearest(name, names))
}

func (p *program) readMutant(name string, c *campaign) error {
	if name == "" {
		return nil
	}
	var names []string
	for _, m := range mutant.Museum() {
		names = append(names, m.Name)
	}
	m, found := mutant.Find(name)
	switch {
	case !found:
		return usagef("there is no mutant %q; the nearest is %s (barnabas sim mutants lists them)", name, config.Nearest(name, names))
	case !p.mutants:
		return usagef("mutant %s is not in this binary; build one that has it: go build -tags mutants ./cmd/barnabas", name)
	}
	c.mutant = m
	return nil
}

// options returns what to give the simulator for a seed.
func (c *campaign) options(seed uint64) sim.Options {
	return sim.Options{Seed: seed, Virtual: c.virtual, Brokers: c.brokers, Clients: c.clients, Profile: c.profile, Twice: c.twice, Plant: c.plant, LedgerOff: c.ledgerOff, KeepHistory: c.history != "", Weakness: c.weakness}
}

// replay is the command that runs one seed of the campaign again, with every flag that matters, so that a changed
// default does not change what it does.
func (c *campaign) replay(program string, seed uint64) string {
	words := []string{
		program, "sim run --seed", strconv.FormatUint(seed, 10), "--minutes", minutes(c.virtual), "--profile", c.profile,
	}
	if c.brokers > 0 {
		words = append(words, "--brokers", strconv.Itoa(c.brokers))
	}
	if c.clients > 0 {
		words = append(words, "--clients", strconv.Itoa(c.clients))
	}
	if c.mutant.ID != mutant.None {
		words = append(words, "--mutant", c.mutant.Name)
	}
	if c.ledgerOff {
		words = append(words, "--ledger=false")
	}
	if c.twice {
		words = append(words, "--twice")
	}
	if c.plant != "" {
		words = append(words, "--plant", c.plant)
	}
	return strings.Join(words, " ")
}

// minutes writes a whole number of microseconds so that reading it gives the same one.
func minutes(d time.Duration) string {
	return strconv.FormatFloat(float64(d/time.Microsecond)/microsecondsAMinute, 'f', -1, 64)
}

// called is how to call the program again. What go run builds is gone when it ends.
func called(argument string, mutants bool) string {
	switch {
	case !strings.Contains(filepath.ToSlash(argument), "/go-build"):
		return quoted(argument)
	case mutants:
		return "go run -tags mutants ./cmd/barnabas"
	default:
		return "go run ./cmd/barnabas"
	}
}

// quoted protects a path from the shell, when it needs it.
func quoted(path string) string {
	for _, r := range path {
		plain := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+~", r)
		if !plain {
			return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
		}
	}
	return path
}

func (p *program) listProfiles() int {
	var b strings.Builder
	for _, known := range p.profiles() {
		fmt.Fprintf(&b, "%-12s %s\n", known.Name, known.Doc)
	}
	return p.print(b.String())
}
