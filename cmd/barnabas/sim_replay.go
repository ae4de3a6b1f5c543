package main

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"barnabas/sim"
	"barnabas/sim/plan"
)

const simReplayPath = "barnabas sim replay"

const simReplayHelp = `Runs a plan that barnabas sim run --save or barnabas sim shrink wrote: the same digest as the run it was saved from, as
long as the simulator is the same. A plan is text; whatever is taken out of it, or changed, leaves what else happens as
it was, as far as the brokers let it.

--log table prints a line for every step of a node: when, who, how its partition stands afterwards, and what it was
given. The result comes last then.

Exit codes: 0 clean, 6 a violation or a check that could not decide (the last line of stderr is then the command that
replays it), 2 wrong usage, 1 anything else.
`

// look is how a plan is to be run and shown.
type look struct {
	file           string
	without        bool // the plan's mutant
	untilViolation bool
	log, output    string
	twice, ledger  bool
	plant          string
	history        string
}

func prepareSimReplay(p *program, flags *pflag.FlagSet) func() int {
	var l look
	flags.StringVar(&l.output, "output", "table", "table or json")
	flags.StringVar(&l.history, "history", "", "write what clients did and saw to this `FILE`, for barnabas check")
	flags.StringVar(&l.log, "log", "", "table: print what happens, line by line")
	flags.BoolVar(&l.untilViolation, "until-violation", false, "stop at the first violation")
	flags.BoolVar(&l.without, "without-mutant", false, "leave out the bug that the plan puts into brokers")
	flags.BoolVar(&l.twice, "twice", false, "run it twice; different digests are a violation")
	flags.StringVar(&l.plant, "plant", "", "plant a nondeterminism ("+strings.Join(sim.Plants(), ", ")+")")
	flags.BoolVar(&l.ledger, "ledger", true,
		"judge with all that the simulator knows; --ledger=false judges only by what clients saw")
	return func() int {
		for _, err := range []error{
			oneOf("output", l.output, "table", "json"), oneOf("log", l.log, "", "table"),
			oneOf("plant", l.plant, append([]string{""}, sim.Plants()...)...),
		} {
			if err != nil {
				return p.misused(simReplayPath, err)
			}
		}
		read, code := p.loadPlan(simReplayPath, flags.Args(), l.without)
		if read == nil {
			return code
		}
		l.file = flags.Arg(0)
		return p.simReplay(read, l)
	}
}

func (p *program) simReplay(read *plan.Plan, l look) int {
	o := sim.Options{Twice: l.twice, Plant: l.plant, LedgerOff: !l.ledger, UntilViolation: l.untilViolation, KeepHistory: l.history != ""}
	var unwritten error
	if l.log == "table" {
		o.Log = func(line string) {
			if _, err := fmt.Fprintln(p.stdout, line); err != nil {
				unwritten = err
			}
		}
		o.Log(sim.LogHead)
	}
	out := p.oneOfPlan(read, o)
	if out.crash != "" {
		p.say("%s: the simulator failed: %s", simReplayPath, out.crash)
		p.say("%s", l.command(p.called))
		return exitFailed
	}
	if err := newReport(p.stdout, l.output == "json").seed(&out.result); err != nil || unwritten != nil {
		return p.failed(simReplayPath, fmt.Errorf("could not print: %v %v", err, unwritten))
	}
	if l.history != "" {
		if err := writeHistory(l.history, out.result.History); err != nil {
			return p.failed(simReplayPath, err)
		}
	}
	if out.clean() {
		if read.Expect != "" {
			p.say("%s: clean, though the plan expects %s", simReplayPath, read.Expect)
		}
		return exitDone
	}
	p.say("%s", l.command(p.called))
	return exitViolation
}

// command is what runs the plan again, without the log.
func (l *look) command(program string) string {
	words := []string{program, "sim replay", quoted(l.file)}
	if l.without {
		words = append(words, "--without-mutant")
	}
	if !l.ledger {
		words = append(words, "--ledger=false")
	}
	if l.twice {
		words = append(words, "--twice")
	}
	if l.plant != "" {
		words = append(words, "--plant", l.plant)
	}
	return strings.Join(words, " ")
}
