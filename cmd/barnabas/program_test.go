package main

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"barnabas/core/mutant"
	"barnabas/sim"
	"barnabas/sim/plan"
)

// trial is a program whose world is in memory.
type trial struct {
	program
	out, talk lines
	given     mutant.ID
}

// lines is a writer that workers may share.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string { return l.b.String() }

// last is the last line written.
func (l *lines) last() string {
	all := strings.Split(strings.TrimSuffix(l.String(), "\n"), "\n")
	return all[len(all)-1]
}

func newTrial() *trial {
	t := &trial{}
	t.program = program{
		called: "barnabas", stdout: &t.out, stderr: &t.talk,
		dial:     func(string, time.Duration) (net.Conn, error) { return nil, errors.New("nobody there") },
		serve:    func(site, <-chan struct{}) error { return nil },
		stop:     func() (<-chan struct{}, func()) { return nil, func() {} },
		simulate: func(o sim.Options) sim.Result { return sim.Result{Seed: o.Seed, Virtual: o.Virtual} },
		rerun:    func(p *plan.Plan, o sim.Options) sim.Result { return sim.Result{Seed: p.Seed, Virtual: p.Virtual} },
		profiles: func() []sim.Profile { return []sim.Profile{{Name: "swarm", Doc: "all"}, {Name: "calm", Doc: "none"}} },
		mutants:  true,
		give:     func(id mutant.ID) { t.given = id },
	}
	return t
}

// TestUsage gives wrong and odd words, and shows the code and the first line said.
func TestUsage(t *testing.T) {
	for _, c := range []struct {
		words string
		code  int
		want  string // beginning of what is said, on stderr unless the code is 0
	}{
		{"", 2, "barnabas: a Kafka-protocol broker, and its simulator"},
		{"--help", 0, "barnabas: a Kafka-protocol broker, and its simulator"},
		{"help", 0, "barnabas: a Kafka-protocol broker, and its simulator"},
		{"help sim run", 0, "barnabas sim run: run seeds and check what they promise"},
		{"sim run -h", 0, "barnabas sim run: run seeds and check what they promise"},
		{"help settings", 0, "SETTING"},
		{"help strat", 2, `barnabas help: there is no command "strat"; the nearest is barnabas start`},
		{"help start now", 2, `barnabas help: barnabas start has no commands below it`},
		{"strat", 2, `barnabas: there is no command "strat"; the nearest is barnabas start`},
		{"sim", 2, "barnabas sim: run simulated clusters"},
		{"sim rnu", 2, `barnabas sim: there is no command "rnu"; the nearest is barnabas sim run`},
		{"version", 0, "barnabas "},
		{"version now", 2, `barnabas version: "now" is no flag of barnabas version`},
		{"start --lisen x", 2, "barnabas start: there is no flag --lisen; the nearest is --listen"},
		{"start --listen", 2, "barnabas start: flag needs an argument: --listen"},
		{"start --listen localhost", 2, `barnabas start: --listen: "localhost" has no port; write HOST:PORT, with port 0 for a free one`},
		{"start --listen ::1:9092", 2, `barnabas start: --listen: host "::1" of "::1:9092" is none; write an IPv6 address in brackets, as [::1]:9092`},
		{"start --set num.partitions", 2, `barnabas start: --set "num.partitions" is no setting; write key=value`},
		{"start --set num.partition=1", 2, "barnabas start: num.partition (flag --set): there is no such setting; the nearest is num.partitions"},
		{"start --set num.partitions=0", 2, "barnabas start: num.partitions=0 (flag --set) is too small: take 1 or more"},
		{"start --data a,b", 2, `barnabas start: --data "a,b" has a comma`},
		{"start data", 2, `barnabas start: "data" is no flag of barnabas start`},
		{"start --config /does/not/exist", 1, "barnabas start: could not read the settings: open /does/not/exist:"},
		{"topic", 2, "barnabas topic: make, look at, change and delete the topics of a cluster"},
		{"topic lst", 2, `barnabas topic: there is no command "lst"; the nearest is barnabas topic list`},
		{"topic list orders", 2, `barnabas topic list: "orders" is no flag of barnabas topic list`},
		{"topic list -b localhost", 2, `barnabas topic list: --bootstrap-server: "localhost" has no port`},
		{"topic list -b localhost:1", 1, "barnabas topic list: cannot reach localhost:1: nobody there; is a broker running there? start one with: barnabas start --listen localhost:1, or name another with -b"},
		{"topic describe --output yaml", 2, `barnabas topic describe: --output "yaml" is none of table, json`},
		{"topic describe orders -b localhost:1", 1, "barnabas topic describe: cannot reach localhost:1: nobody there; is a broker running there? start one with: barnabas start --listen localhost:1, or name another with -b"},
		{"topic create", 2, "barnabas topic create: name a topic"},
		{"topic create x -p 0", 2, "barnabas topic create: --partitions and --replication-factor are 1 or more"},
		{"topic alter x", 2, "barnabas topic alter: say what to change: --partitions N, --set key=value or --unset key"},
		{"topic alter x --set a", 2, `barnabas topic alter: --set "a" is no setting; write key=value`},
		{"topic alter x --unset retention", 2, "barnabas topic alter: there is no topic setting retention; the nearest is retention.ms"},
		{"topic delete x", 2, "barnabas topic delete: nobody can be asked here: add --yes to delete x and all their records"},
		{"produce", 2, "barnabas produce: name one topic"},
		{"produce a b", 2, "barnabas produce: name one topic"},
		{"produce a -z zip", 2, `barnabas produce: --compression "zip" is none of none, gzip, snappy, lz4, zstd; the nearest is gzip`},
		{"produce a -a 2", 2, `barnabas produce: --acks "2" is none of all, 1, 0`},
		{"produce a -H x", 2, `barnabas produce: --header: "x" is no header; write name=value`},
		{"produce a --batch-bytes 1", 2, "barnabas produce: --batch-bytes 1 is out of bounds: take 1024 to 1073741824"},
		{"produce a -b x", 2, `barnabas produce: --bootstrap-server: "x" has no port`},
		{"produce a -b a:1,b:2", 1, "barnabas produce: cannot reach a:1: nobody there; is a broker running there?"},
		{"consume", 2, "barnabas consume: name one topic"},
		{"consume a -n 0", 2, "barnabas consume: --count 0 is out of bounds: take 1 or more"},
		{"consume a -f %s --output json", 2, "barnabas consume: --format says all by itself"},
		{"consume a -o middle", 2, `barnabas consume: --offset "middle" is no place to begin: take start, end, N, -N or @MS`},
		{"consume a -o @noon", 2, `barnabas consume: --offset "@noon" is no place to begin`},
		{"sim run --seed x", 2, `barnabas sim run: invalid argument "x" for "--seed" flag`},
		{"sim run --seed 1 --seeds 2", 2, "barnabas sim run: --seed S is one seed; for several take --seeds N and --first-seed S"},
		{"sim run --seed 1 --first-seed 2", 2, "barnabas sim run: --seed S is one seed"},
		{"sim run --seeds 0", 2, "barnabas sim run: --seeds 0 is out of bounds: take 1 to"},
		{"sim run --first-seed 18446744073709551615 --seeds 2", 2, "barnabas sim run: --first-seed 18446744073709551615 with --seeds 2 goes beyond"},
		{"sim run --first-seed 18446744073709551615", 0, "SEED"},
		{"sim run --seed 0", 0, "SEED"},
		{"sim run --minutes 0", 2, "barnabas sim run: --minutes 0 is out of bounds"},
		{"sim run --minutes -1", 2, "barnabas sim run: --minutes -1 is out of bounds"},
		{"sim run --minutes NaN", 2, "barnabas sim run: --minutes NaN is out of bounds"},
		{"sim run --minutes 1e300", 2, "barnabas sim run: --minutes 1e+300 is out of bounds"},
		{"sim run --brokers 0", 2, "barnabas sim run: --brokers 0 is out of bounds: take 1 to 1000"},
		{"sim run --clients -1", 2, "barnabas sim run: --clients -1 is out of bounds: take 1 to 1000"},
		{"sim run --seeds 2 --history h", 2, "barnabas sim run: --history h is of one run, and there are 2 seeds; take --seed S"},
		{"sim run --jobs 0", 2, "barnabas sim run: --jobs 0 is out of bounds: take 1 to 1000"},
		{"sim run --output yaml", 2, `barnabas sim run: --output "yaml" is none of table, json; the nearest is table`},
		{"sim run --profile swam", 2, `barnabas sim run: there is no profile "swam"; the nearest is swarm (--profile help lists them)`},
		{"sim run --profile help", 0, "swarm        all\ncalm         none\n"},
		{"sim run --mutant ack-before-sink", 2, `barnabas sim run: there is no mutant "ack-before-sink"; the nearest is ack-before-sync (barnabas sim mutants lists them)`},
		{"sim mutants --output yaml", 2, `barnabas sim mutants: --output "yaml" is none of table, json`},
	} {
		p := newTrial()
		code := p.guarded(strings.Fields(c.words))
		said := p.talk.String()
		if c.code == 0 {
			said = p.out.String()
		}
		if code != c.code || !strings.HasPrefix(said, c.want) {
			t.Errorf("%s: exit %d, want %d\n said %s\n want %s", c.words, code, c.code, said, c.want)
		}
		if code == 2 && p.out.String() != "" {
			t.Errorf("%s: wrong usage wrote data: %s", c.words, p.out.String())
		}
	}
}

func TestHelpNamesEveryFlagAndSetting(t *testing.T) {
	for _, c := range []struct{ words, want string }{
		{"help start", "--listen --data --ready-file --config --set HOST:PORT barnabas-data"},
		{"help topic list", "-b --bootstrap-server HOST:PORT localhost:9092 --output BARNABAS_BOOTSTRAP_SERVER"},
		{"help topic describe", "[TOPIC...] -b --bootstrap-server --output"},
		{"help sim run", "--seed --seeds --first-seed --minutes --brokers --clients --profile --mutant --jobs --keep-going --save --output"},
		{"help settings", "node.id (broker.id) journal.segment.bytes 16777216"},
	} {
		p := newTrial()
		p.guarded(strings.Fields(c.words))
		for _, word := range strings.Fields(c.want) {
			if !strings.Contains(p.out.String(), word) {
				t.Errorf("%s does not say %s:\n%s", c.words, word, p.out.String())
			}
		}
	}
}

func TestPanicIsExitOne(t *testing.T) {
	p := newTrial()
	p.serve = func(site, <-chan struct{}) error { panic("broken") }
	if code := p.guarded([]string{"start"}); code != 1 || !strings.Contains(p.talk.String(), "internal error: broken\ngoroutine") {
		t.Errorf("exit %d: %s", code, p.talk.String())
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space") }

func TestUnwritableOutputIsExitOne(t *testing.T) {
	for _, words := range []string{"version", "sim run", "sim run --output json", "sim mutants", "help"} {
		p := newTrial()
		p.stdout = io.Writer(fullDisk{})
		if code := p.guarded(strings.Fields(words)); code != 1 || !strings.HasSuffix(p.talk.last(), ": no space") {
			t.Errorf("%s: exit %d: %s", words, code, p.talk.String())
		}
	}
}
