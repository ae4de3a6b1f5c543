// Command barnabas is the one binary: the broker, and the front end of its simulator.
//
//	barnabas start            runs a broker
//	barnabas topic ...        makes, lists, describes, alters and deletes the topics of a cluster
//	barnabas produce          sends lines as records
//	barnabas consume          prints records
//	barnabas cluster status   shows brokers, and partitions in trouble
//	barnabas config ...       shows and changes settings
//	barnabas bench            puts a load on a broker, and measures it
//	barnabas explain          says what an error code means, and what to do
//	barnabas dump-log         shows what a file of a data folder holds, and checks it
//	barnabas doctor           says what state a data folder is in, and what a start would do
//	barnabas check            judges a history of what clients did and saw
//	barnabas sim ...          runs simulated clusters, and checks what they promise
//	barnabas completion       prints a script that completes commands in a shell
//	barnabas version          says what was built, from what
//	barnabas help             explains a command, or the settings
//
// stdout is data, stderr is talk. Exit codes: 0 done, 1 failed, 2 wrong usage, 6 a check found a violation.
//
// Everything a command touches outside comes in through program, so that tests run commands in their own process.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"golang.org/x/term"

	"barnabas/core/mutant"
	"barnabas/sim"
	"barnabas/sim/plan"
)

// Exit codes.
const (
	exitDone      = 0
	exitFailed    = 1
	exitUsage     = 2
	exitViolation = 6
)

// program is the world of one command.
type program struct {
	called  string // how the program was called, for commands it prints
	stdin   io.Reader
	stdout  io.Writer
	stderr  io.Writer
	environ []string
	// asks says that somebody sits at a terminal and can be asked; shows, that stderr is one and progress may be shown.
	asks, shows bool

	dial     func(address string, patience time.Duration) (net.Conn, error)
	serve    func(s site, stop <-chan struct{}) error
	stop     func() (stopped <-chan struct{}, release func()) // closed when the operator asks for the end
	simulate func(sim.Options) sim.Result
	rerun    func(*plan.Plan, sim.Options) sim.Result
	another  func(arguments []string) error // runs this program in another process
	profiles func() []sim.Profile
	mutants  bool // whether this binary carries them
	give     func(mutant.ID)
}

func main() {
	p := &program{
		called: called(os.Args[0], mutant.Available), stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		environ: os.Environ(), asks: isTerminal(os.Stdin) && isTerminal(os.Stderr), shows: isTerminal(os.Stderr),
		dial: dialTCP, serve: serve, stop: signals,
		simulate: simulate, rerun: sim.RunPlan, another: another, profiles: profiles, mutants: mutant.Available, give: mutant.Switch,
	}
	os.Exit(p.guarded(os.Args[1:]))
}

// guarded runs a command and turns a panic into exit code 1: Go's own, 2, means wrong usage here.
func (p *program) guarded(arguments []string) (code int) {
	defer func() {
		if cause := recover(); cause != nil {
			fmt.Fprintf(p.stderr, "barnabas: internal error: %v\n%s", cause, debug.Stack())
			code = exitFailed
		}
	}()
	return p.run(arguments)
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// say writes a line of talk.
func (p *program) say(format string, arguments ...any) {
	fmt.Fprintf(p.stderr, format+"\n", arguments...)
}

// signals is closed at the first SIGINT or SIGTERM. A second one ends the process at once, as if it were not handled.
func signals() (stopped <-chan struct{}, release func()) {
	caught := make(chan os.Signal, 1)
	done := make(chan struct{})
	released := make(chan struct{})
	signal.Notify(caught, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-caught:
			signal.Stop(caught)
			close(done)
		case <-released:
			signal.Stop(caught)
		}
	}()
	return done, func() { close(released) }
}
