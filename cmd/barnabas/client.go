package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"barnabas/core/config"
	"barnabas/core/protocol"
)

const (
	defaultBroker     = "localhost:9092"
	bootstrapVariable = "BARNABAS_BOOTSTRAP_SERVER"
)

// clusterFlags say which cluster a command speaks to, and how it shows what it got.
type clusterFlags struct {
	brokers string // HOST:PORT, with commas between
	output  string
}

func (f *clusterFlags) declare(p *program, flags *pflag.FlagSet) {
	f.declareBrokers(p, flags)
	flags.StringVar(&f.output, "output", "table", "table or json")
}

func (f *clusterFlags) declareBrokers(p *program, flags *pflag.FlagSet) {
	f.output = "table"
	first := defaultBroker
	if given := p.variable(bootstrapVariable); given != "" {
		first = given
	}
	flags.StringVarP(&f.brokers, "bootstrap-server", "b", first,
		"a broker of the cluster, or several: `HOST:PORT`,... (or set "+bootstrapVariable+")")
}

// variable returns a variable of the environment, or "".
func (p *program) variable(name string) string {
	value := ""
	for _, v := range p.environ {
		if after, found := strings.CutPrefix(v, name+"="); found {
			value = after
		}
	}
	return value
}

func (f *clusterFlags) addresses() []string { return strings.Split(f.brokers, ",") }

func (f *clusterFlags) json() bool { return f.output == "json" }

// check says what is wrong with the flags.
func (f *clusterFlags) check() error {
	for _, address := range f.addresses() {
		if err := config.CheckAddress(address); err != nil {
			return usagef("--bootstrap-server: %v", err)
		}
	}
	return oneOf("output", f.output, "table", "json")
}

// reach connects to the first of the addresses that answers.
func (p *program) reach(addresses []string) (net.Conn, string, error) {
	var first error
	for _, address := range addresses {
		conn, err := p.dial(address, askPatience)
		if err == nil {
			return conn, address, nil
		}
		if first == nil {
			first = p.unreachable(address, err)
		}
	}
	return nil, "", first
}

// unreachable says why nobody answers at an address, and what to do.
func (p *program) unreachable(address string, err error) error {
	why := err.Error()
	var lookup *net.DNSError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		why = "connection refused"
	case errors.Is(err, os.ErrDeadlineExceeded), isTimeout(err):
		why = "no answer"
	case errors.As(err, &lookup):
		return fmt.Errorf("cannot reach %s: there is no host %s; name a broker with -b HOST:PORT", address, lookup.Name)
	}
	return fmt.Errorf("cannot reach %s: %s; is a broker running there? start one with: %s start --listen %s, or name another with -b",
		address, why, p.called, address)
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// session is a client of a cluster for the time of one command.
type session struct {
	*kgo.Client
	admin *kadm.Client
	ctx   context.Context
	close func()
}

// clientPatience bounds what a request may take, with all its repetitions.
const clientPatience = 30 * time.Second

// open makes a client of the cluster. It ends when the operator asks for the end, and must be closed.
func (p *program) open(f *clusterFlags, options ...kgo.Opt) (*session, error) {
	probe, _, err := p.reach(f.addresses())
	if err != nil {
		return nil, err
	}
	_ = probe.Close()
	c, err := p.client(f, options...)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	stopped, release := p.stop()
	go func() {
		select {
		case <-stopped:
			cancel()
		case <-ctx.Done():
		}
	}()
	return &session{Client: c, admin: kadm.NewClient(c), ctx: ctx, close: func() {
		cancel()
		release()
		c.Close()
	}}, nil
}

// detached is a context that outlives ctx by a little, to clean up in.
func detached(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), clientPatience)
}

// client makes a client of the cluster.
func (p *program) client(f *clusterFlags, options ...kgo.Opt) (*kgo.Client, error) {
	dialer := func(ctx context.Context, _, address string) (net.Conn, error) {
		patience := askPatience
		if deadline, ok := ctx.Deadline(); ok {
			patience = min(patience, time.Until(deadline))
		}
		return p.dial(address, patience)
	}
	return kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(f.addresses()...), kgo.Dialer(dialer), kgo.ClientID("barnabas"), kgo.RetryTimeout(clientPatience),
		kgo.MetadataMinAge(100 * time.Millisecond), kgo.WithLogger(kgo.BasicLogger(p.stderr, kgo.LogLevelNone, nil)),
	}, options...)...)
}

// refusal is one of Kafka's error codes with what the broker said of it, in one line.
func refusal(err error, message string) error {
	if err == nil {
		return nil
	}
	code, found := codeOf(err)
	if !found {
		return err
	}
	if message == "" || strings.HasPrefix(message, code.Name()) {
		message = strings.TrimPrefix(message, code.Name()+": ")
		if message == "" || message == code.Name() {
			message = code.Message()
		}
	}
	return fmt.Errorf("%s: %s", code.Name(), message)
}

// codeOf finds the protocol's code in a client's error.
func codeOf(err error) (protocol.Error, bool) {
	var coded *kerr.Error
	if errors.As(err, &coded) {
		return protocol.Error(coded.Code), true
	}
	return 0, false
}
