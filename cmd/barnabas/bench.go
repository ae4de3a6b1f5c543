package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/spf13/pflag"
	"github.com/twmb/franz-go/pkg/kgo"

	"barnabas/cmd/barnabas/internal/bench"
)

const benchHelp = `produce (the default) sends records, e2e also reads them, consume reads what it has written before. It makes a topic of its
own and deletes it afterwards.

With --rate there is a fixed schedule, and a latency begins when a record was due, whether or not its producer got round to
it: a broker that stalls does not hide the records that had to wait. Without --rate a latency is mostly waiting in the
producer's own buffer; --outstanding 1 sends one record at a time.

A load generator on the broker's own machine takes part of what it measures. --server-pid tells what the broker used meanwhile
(Linux). Throughput and latencies are of the time after the warm-up; consume has none.

Exit codes: 0 done, 1 failed, or a record was not acknowledged or not read, 2 wrong usage.
`

const benchPath = "barnabas bench"

// benchFlags are what barnabas bench is given.
type benchFlags struct {
	clusterFlags
	partitions, replicas, bytes int
	producers, consumers        int
	outstanding                 int
	rate                        float64
	duration, warmup, linger    time.Duration
	prefill                     int64
	acks, codec, payload        string
	batchBytes                  int32
	serverPID                   int
	config                      []string
	keep                        bool
}

func prepareBench(p *program, flags *pflag.FlagSet) func() int {
	var f benchFlags
	f.declare(p, flags)
	flags.IntVar(&f.partitions, "partitions", 4, "partitions of the topic")
	flags.IntVar(&f.replicas, "replication-factor", 1, "replicas of each")
	flags.StringArrayVarP(&f.config, "config", "c", nil, "a setting of the topic as `key=value`, may be repeated")
	flags.IntVar(&f.bytes, "record-bytes", 1024, "bytes of each value")
	flags.StringVar(&f.payload, "payload", "random", "random values, or text, which compresses well")
	flags.IntVar(&f.producers, "producers", 1, "clients that send")
	flags.IntVar(&f.consumers, "consumers", 1, "clients that read")
	flags.Float64Var(&f.rate, "rate", 0, "records a second of all producers together, on a fixed schedule; 0: as fast as they may")
	flags.IntVar(&f.outstanding, "outstanding", 10_000, "records a producer may have sent and not acknowledged")
	flags.DurationVar(&f.duration, "duration", 10*time.Second, "how long to measure; consume ends earlier when all is read")
	flags.DurationVar(&f.warmup, "warmup", time.Second, "how long to run before that")
	flags.DurationVar(&f.linger, "linger", 5*time.Millisecond, "how long a producer waits for more records before a batch leaves")
	flags.Int64Var(&f.prefill, "prefill-bytes", 256<<20, "bytes of values to write before consuming")
	flags.StringVar(&f.acks, "acks", "all", "who has to have a record before it is acknowledged: all, 1 (the leader), 0 (nobody)")
	flags.StringVarP(&f.codec, "compression", "z", "none", "none, gzip, snappy, lz4 or zstd")
	flags.Int32Var(&f.batchBytes, "batch-bytes", 1_000_000, "the largest batch to send, in bytes")
	flags.IntVar(&f.serverPID, "server-pid", 0, "the broker's process, to say what it used")
	flags.BoolVar(&f.keep, "keep", false, "do not delete the topic")
	return func() int {
		mode := bench.Produce
		if flags.NArg() > 0 {
			mode = bench.Mode(flags.Arg(0))
		}
		if err := errors.Join(f.checkAll(mode), tooMany(flags)); err != nil {
			return p.misused(benchPath, err)
		}
		return p.bench(f, mode)
	}
}

func tooMany(flags *pflag.FlagSet) error {
	if flags.NArg() > 1 {
		return usagef("one mode at a time")
	}
	return nil
}

func (f *benchFlags) checkAll(mode bench.Mode) error {
	for _, x := range []struct {
		flag        string
		n           int
		least, most int
	}{
		{"partitions", f.partitions, 1, 100_000},
		{"replication-factor", f.replicas, 1, 1<<15 - 1},
		{"record-bytes", f.bytes, 8, int(f.batchBytes)},
		{"producers", f.producers, 1, 10_000},
		{"consumers", f.consumers, 1, 10_000},
		{"outstanding", f.outstanding, 1, 1 << 30},
		{"server-pid", f.serverPID, 0, 1<<31 - 1},
	} {
		if x.n < x.least || x.n > x.most {
			return usagef("--%s %d is out of bounds: take %d to %d", x.flag, x.n, x.least, x.most)
		}
	}
	if f.duration <= 0 || f.warmup < 0 || !(f.rate >= 0 && f.rate <= 1e9) || f.prefill < 1 {
		return usagef("--duration and --prefill-bytes are more than 0, --warmup and --rate no less")
	}
	return errors.Join(oneOf("mode", string(mode), "produce", "consume", "e2e"), oneOf("payload", f.payload, "random", "text"), f.check())
}

func (p *program) bench(f benchFlags, mode bench.Mode) int {
	sends := produceFlags{
		clusterFlags: f.clusterFlags, codec: f.codec, acks: f.acks, batchBytes: f.batchBytes, linger: f.linger, partition: 0,
	}
	topic := "barnabas-bench-" + strconv.Itoa(os.Getpid()) + "-" + strconv.FormatInt(time.Now().UnixMilli(), 36)
	options, err := sends.options(topic)
	settings, errSettings := topicSettings(f.config)
	if err = errors.Join(err, errSettings); err != nil {
		return p.misused(benchPath, err)
	}
	if f.serverPID > 0 {
		if _, err := bench.Look(f.serverPID); err != nil {
			return p.failed(benchPath, err)
		}
	}
	s, err := p.open(&f.clusterFlags)
	if err != nil {
		return p.failed(benchPath, err)
	}
	defer s.close()
	made, err := s.admin.CreateTopic(s.ctx, int32(f.partitions), int16(f.replicas), settings, topic)
	if err != nil {
		return p.failed(benchPath, fmt.Errorf("topic %s: %w", topic, refusal(err, made.ErrMessage)))
	}
	if !f.keep {
		defer p.removeBenchTopic(s, topic)
	}
	report := benchReport{Mode: string(mode), flags: &f, Durability: p.durabilityOf(&f.clusterFlags)}
	meter := p.newMeter("records")
	plan := bench.Plan{
		Mode: mode, Topic: topic, Partitions: f.partitions, RecordBytes: f.bytes, Text: f.payload == "text",
		Producers: f.producers, Consumers: f.consumers, Rate: f.rate, Duration: f.duration, Warmup: f.warmup, Prefill: f.prefill,
		Producer: func(more ...kgo.Opt) (*kgo.Client, error) {
			return p.client(&f.clusterFlags, append(append(more, options...), kgo.MaxBufferedRecords(f.outstanding))...)
		},
		Consumer: func(more ...kgo.Opt) (*kgo.Client, error) { return p.client(&f.clusterFlags, more...) },
		Progress: func(n int64, what string) { meter.show(fmt.Sprintf("%d records %s", n, what)) },
		Begin:    func() { report.server.begin(f.serverPID) },
		End:      func() { report.server.end(f.serverPID) },
	}
	result, err := bench.Run(s.ctx, plan)
	meter.end()
	if err != nil {
		return p.failed(benchPath, fmt.Errorf("it was cut short: %w", err))
	}
	report.take(result)
	code := p.print(report.show(f.json()))
	if result.FirstError != nil || result.Errors > 0 {
		err := fmt.Errorf("%d records of the window did not arrive", result.Errors)
		if result.FirstError != nil {
			err = fmt.Errorf("%w; the first error: %s", err, produceError(result.FirstError))
		}
		return p.failed(benchPath, err)
	}
	return code
}

// removeBenchTopic deletes what the bench made, also when it was interrupted.
func (p *program) removeBenchTopic(s *session, topic string) {
	ctx, cancel := detached(s.ctx)
	defer cancel()
	if _, err := s.admin.DeleteTopic(ctx, topic); err != nil {
		p.say("warning: topic %s is left: %v", topic, err)
	}
}

// durabilityOf asks the first broker what an acknowledgement means there; "" when it does not say.
func (p *program) durabilityOf(f *clusterFlags) string {
	a, err := p.connect(f.addresses()...)
	if err != nil {
		return ""
	}
	defer a.close()
	image, err := a.metadata([]string{})
	if err != nil || len(image.Brokers) == 0 {
		return ""
	}
	view := brokerView{Broker: image.Brokers[0].NodeId}
	if err := a.addPromise(&view); err != nil {
		return ""
	}
	return view.Durability
}
