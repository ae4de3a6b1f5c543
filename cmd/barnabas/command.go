package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"barnabas/core/config"
)

// command is one thing the program can be told to do. It has either commands below it or something to do.
type command struct {
	name  string
	short string // one line, for the list of commands
	usage string // what follows its name
	long  string // what help says of it beyond its flags
	below []*command

	// prepare declares the flags and returns what to do once they are read.
	prepare func(p *program, flags *pflag.FlagSet) func() int
	// arguments says that words which are no flags are allowed.
	arguments bool
}

func commands() *command {
	root := &command{name: "barnabas", short: "a Kafka-protocol broker, and its simulator"}
	root.below = []*command{
		{name: "start", short: "run a broker", usage: "[flags]", long: startHelp, prepare: prepareStart},
		{name: "topic", short: "make, look at, change and delete the topics of a cluster", below: []*command{
			{
				name: "create", short: "make topics", usage: "TOPIC... [flags]", long: topicCreateHelp, prepare: prepareTopicCreate,
				arguments: true,
			},
			{name: "list", short: "list them", usage: "[flags]", long: topicListHelp, prepare: prepareTopicList},
			{
				name: "describe", short: "show settings, replicas and offsets, and what is promised", usage: "[TOPIC...] [flags]",
				long: topicDescribeHelp, prepare: prepareTopicDescribe, arguments: true,
			},
			{
				name: "alter", short: "change settings, or add partitions", usage: "TOPIC... [flags]", long: topicAlterHelp,
				prepare: prepareTopicAlter, arguments: true,
			},
			{
				name: "delete", short: "delete topics with their records", usage: "TOPIC... [flags]", long: topicDeleteHelp,
				prepare: prepareTopicDelete, arguments: true,
			},
		}},
		{
			name: "produce", short: "send lines as records", usage: "TOPIC [flags]", long: produceHelp, prepare: prepareProduce,
			arguments: true,
		},
		{
			name: "consume", short: "print records", usage: "TOPIC [flags]", long: consumeHelp(), prepare: prepareConsume,
			arguments: true,
		},
		{name: "cluster", short: "look at a cluster as a whole", below: []*command{
			{
				name: "status", short: "show its brokers, and which partitions are in trouble", usage: "[flags]", long: clusterStatusHelp,
				prepare: prepareClusterStatus,
			},
		}},
		{name: "config", short: "show and change settings", below: []*command{
			{
				name: "show", short: "show what a start would run with, and where it comes from", usage: "[flags]", long: configShowHelp,
				prepare: prepareConfigShow,
			},
			{
				name: "describe", short: "ask brokers for settings in force", usage: "[SETTING...] [flags]", long: configDescribeHelp,
				prepare: prepareConfigDescribe, arguments: true,
			},
			{
				name: "alter", short: "change settings of topics and of running brokers", usage: "[flags]", long: configAlterHelp,
				prepare: prepareConfigAlter,
			},
		}},
		{
			name: "bench", short: "put a load on a broker, and measure it", usage: "[produce|consume|e2e] [flags]", long: benchHelp,
			prepare: prepareBench, arguments: true,
		},
		{
			name: "explain", short: "say what an error code means, and what to do", usage: "[CODE...] [flags]", long: explainHelp,
			prepare: prepareExplain, arguments: true,
		},
		{
			name: "dump-log", short: "show what a file of a data folder holds, and check it", usage: "FILE... [flags]",
			long: dumpLogHelp, prepare: prepareDumpLog, arguments: true,
		},
		{
			name: "doctor", short: "say what state a data folder is in, and what a start would do", usage: "[flags]",
			long: doctorHelp, prepare: prepareDoctor,
		},
		{
			name: "check", short: "judge a history of what clients did and saw", usage: "HISTORY [flags]", long: checkHelp,
			prepare: prepareCheck, arguments: true,
		},
		{name: "sim", short: "run simulated clusters", below: []*command{
			{name: "run", short: "run seeds and check what they promise", usage: "[flags]", long: simRunHelp, prepare: prepareSimRun},
			{
				name: "replay", short: "run a plan that was kept", usage: "FILE [flags]", long: simReplayHelp, prepare: prepareSimReplay,
				arguments: true,
			},
			{
				name: "shrink", short: "make a failing plan small", usage: "FILE [flags]", long: simShrinkHelp, prepare: prepareSimShrink,
				arguments: true,
			},
			{
				name: "diverge", short: "name the first event in which two runs of one seed differ", usage: "[FILE] [flags]",
				long: simDivergeHelp, prepare: prepareSimDiverge, arguments: true,
			},
			{name: "mutants", short: "list the historic bugs to run with", usage: "[flags]", long: simMutantsHelp, prepare: prepareSimMutants},
			{name: "museum", short: "measure how soon each of them is found", usage: "[flags]", long: simMuseumHelp, prepare: prepareSimMuseum},
		}},
		{name: "completion", short: "print a script that completes commands in a shell", below: []*command{
			{name: "bash", short: "for bash", long: completionBashHelp, prepare: prepareCompletion(completionBash)},
			{name: "zsh", short: "for zsh", long: completionZshHelp, prepare: prepareCompletion(completionZsh)},
			{name: "fish", short: "for fish", long: completionFishHelp, prepare: prepareCompletion(completionFish)},
		}},
		{name: "version", short: "say what was built, from what", prepare: prepareVersion},
		{name: "help", short: "explain a command, or the settings (help settings)", usage: "[COMMAND...]", prepare: prepareHelp, arguments: true},
	}
	return root
}

// errUsage is what the caller got wrong. Its text names the right way.
type errUsage struct{ text string }

func (e errUsage) Error() string { return e.text }

func usagef(format string, arguments ...any) error {
	return errUsage{fmt.Sprintf(format, arguments...)}
}

// run finds the command and does it.
func (p *program) run(arguments []string) int {
	at, path := commands(), "barnabas"
	for len(at.below) > 0 {
		if len(arguments) == 0 {
			fmt.Fprint(p.stderr, helpOf(at, path, nil))
			return exitUsage
		}
		if isHelpFlag(arguments[0]) {
			return p.print(helpOf(at, path, nil))
		}
		next := at.find(arguments[0])
		if next == nil {
			return p.misused(path, unknownCommand(at, path, arguments[0]))
		}
		at, path, arguments = next, path+" "+next.name, arguments[1:]
	}
	flags := newFlags(at)
	do := at.prepare(p, flags)
	switch err := flags.Parse(arguments); {
	case errors.Is(err, pflag.ErrHelp):
		return p.print(helpOf(at, path, flags))
	case err != nil:
		return p.misused(path, flagError(err, flags))
	case flags.NArg() > 0 && !at.arguments:
		return p.misused(path, usagef("%q is no flag of %s", flags.Arg(0), path))
	}
	return do()
}

func (c *command) find(name string) *command {
	for _, below := range c.below {
		if below.name == name {
			return below
		}
	}
	return nil
}

func newFlags(c *command) *pflag.FlagSet {
	flags := pflag.NewFlagSet(c.name, pflag.ContinueOnError)
	flags.Usage = func() {}
	flags.SortFlags = false
	return flags
}

func isHelpFlag(word string) bool { return word == "-h" || word == "--help" }

// misused reports wrong usage.
func (p *program) misused(path string, err error) int {
	p.say("%s: %v", path, err)
	p.say("see: %s help%s", p.called, strings.TrimPrefix(path, "barnabas"))
	return exitUsage
}

// failed reports what could not be done.
func (p *program) failed(path string, err error) int {
	p.say("%s: %v", path, err)
	return exitFailed
}

// print writes data.
func (p *program) print(text string) int {
	if _, err := fmt.Fprint(p.stdout, text); err != nil {
		return p.failed("barnabas", err)
	}
	return exitDone
}

func unknownCommand(at *command, path, word string) error {
	names := make([]string, len(at.below))
	for i, below := range at.below {
		names[i] = below.name
	}
	return usagef("there is no command %q; the nearest is %s %s", word, path, config.Nearest(word, names))
}

// flagError adds the nearest flag to the error about one that does not exist.
func flagError(err error, flags *pflag.FlagSet) error {
	var missing *pflag.NotExistError
	if !errors.As(err, &missing) {
		return errUsage{err.Error()}
	}
	names := []string{"help"}
	flags.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	wrong := missing.GetSpecifiedName()
	return usagef("there is no flag --%s; the nearest is --%s", wrong, config.Nearest(wrong, names))
}

// oneOf checks a flag that takes one of a few words.
func oneOf(flag, word string, words ...string) error {
	for _, w := range words {
		if word == w {
			return nil
		}
	}
	return usagef("--%s %q is none of %s; the nearest is %s", flag, word, strings.Join(words, ", "), config.Nearest(word, words))
}
