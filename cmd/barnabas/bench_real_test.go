package main

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"barnabas/cmd/barnabas/internal/bench"
)

// TestRealBenchShowsAStall stops a broker for a while under a scheduled load of one record at a time. Every record that was
// due meanwhile had to wait, and must count as late: not only the one that was on its way (coordinated omission).
func TestRealBenchShowsAStall(t *testing.T) {
	b := startBroker(t, t.TempDir())
	if _, err := kadm.NewClient(client(t, b)).CreateTopic(within(t), 1, 1, nil, "load"); err != nil {
		t.Fatal(err)
	}
	const rate, stall = 200, 500 * time.Millisecond
	stalled := make(chan time.Duration, 1)
	newClient := func(more ...kgo.Opt) (*kgo.Client, error) {
		return kgo.NewClient(append(more, kgo.SeedBrokers(b.address()), kgo.MaxBufferedRecords(1), kgo.ProducerLinger(0),
			kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	}
	result, err := bench.Run(within(t), bench.Plan{
		Mode: bench.Produce, Topic: "load", Partitions: 1, RecordBytes: 100, Producers: 1, Rate: rate, Duration: 2 * time.Second,
		Producer: newClient, Consumer: newClient, Progress: func(int64, string) {}, End: func() {},
		Begin: func() {
			time.AfterFunc(500*time.Millisecond, func() {
				begun := time.Now()
				_ = b.command.Process.Signal(syscall.SIGSTOP)
				time.Sleep(stall)
				_ = b.command.Process.Signal(syscall.SIGCONT)
				stalled <- time.Since(begun)
			})
		},
	})
	if err != nil || result.FirstError != nil || result.Errors != 0 {
		t.Fatal(err, result.FirstError, result.Errors)
	}
	took := <-stalled
	var late int64
	for _, bar := range result.Latency.Distribution() {
		if bar.From >= (stall / 2).Microseconds() {
			late += bar.Count
		}
	}
	// Of the records due while it stood still, those of the first half waited for more than half of it.
	if want := int64(stall.Seconds() / 2 * rate * 0.9); late < want {
		t.Errorf("%d records were late, want %d at least", late, want)
	}
	if most := time.Duration(result.Latency.Max()) * time.Microsecond; most < stall || most > took+patience {
		t.Errorf("the latest took %v, with a stall of %v", most, took)
	}
	if n := result.Latency.TotalCount(); n < rate*2-1 || n > rate*2+1 {
		t.Errorf("%d records of a schedule of %d", n, rate*2)
	}
}

// TestBenchReport shows what is printed, with the server's part and without.
func TestBenchReport(t *testing.T) {
	f := &benchFlags{partitions: 4, bytes: 1024, producers: 1, consumers: 2, outstanding: 10, rate: 100, acks: "all", codec: "none", payload: "random"}
	r := &benchReport{Mode: "e2e", Durability: "fsync", flags: f}
	r.server = serverUse{before: bench.Process{CPU: time.Second}, after: bench.Process{CPU: 3 * time.Second, RSS: 50e6, RSSMost: 60e6}, known: true}
	r.take(bench.Result{Records: 200, Bytes: 200 * 1024, Window: 2 * time.Second, Errors: 1})
	want := `e2e: 100 records/s, records of 1024 bytes (random), 4 partitions, acks all, compression none, durability fsync
  throughput  100 records/s, 0.1 MB/s (200 records in 2.00 s)
  server      2.00 s CPU, 9765.62 s a GB; RSS 50 MB, at most 60 MB
  errors      1
`
	if got := r.show(false); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	want = `{"mode":"e2e","durability":"fsync","settings":{"partitions":4,"record_bytes":1024,"producers":1,"consumers":2,"outstanding":10,` +
		`"rate":100,"acks":"all","compression":"none","linger_ms":0,"payload":"random"},"records":200,"bytes":204800,"seconds":2,` +
		`"records_per_second":100,"bytes_per_second":102400,"errors":1,` +
		`"server":{"cpu_seconds":2,"cpu_seconds_per_gb":9765.625,"rss_bytes":50000000,"rss_max_bytes":60000000}}` + "\n"
	if got := r.show(true); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestBenchUsage(t *testing.T) {
	for words, want := range map[string]string{
		"bench prodce":             `barnabas bench: --mode "prodce" is none of produce, consume, e2e; the nearest is produce`,
		"bench produce consume":    "barnabas bench: one mode at a time",
		"bench --record-bytes 1":   "barnabas bench: --record-bytes 1 is out of bounds: take 8 to 1000000",
		"bench --rate -1":          "barnabas bench: --duration and --prefill-bytes are more than 0",
		"bench --rate NaN":         "barnabas bench: --duration and --prefill-bytes are more than 0",
		"bench --payload zeros":    `barnabas bench: --payload "zeros" is none of random, text`,
		"bench --acks most":        `barnabas bench: --acks "most" is none of all, 1, 0`,
		"bench --server-pid -3":    "barnabas bench: --server-pid -3 is out of bounds",
		"bench -c retention.sm=10": "barnabas bench: there is no topic setting retention.sm; the nearest is retention.ms",
	} {
		p := newTrial()
		if code := p.guarded(strings.Fields(words)); code != 2 || !strings.HasPrefix(p.talk.String(), want) {
			t.Errorf("%s: exit %d, %s\nwant %s", words, code, p.talk.String(), want)
		}
	}
}
