package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"barnabas/core/config"
)

// Continuous integration runs 20 rounds. For a longer look: just kill-loop 200, or
//
//	go test ./cmd/barnabas -run '^TestRealKill$' -count=1 -v -timeout 1h -kill.rounds 200
var (
	killRounds = flag.Int("kill.rounds", 2, "how often TestRealKill kills the broker under load")
	killSeed   = flag.Uint64("kill.seed", 0, "the seed of its choices; 0 takes a new one")
)

// lastingWriters is how many idempotent producers live through all kills, with batches on their way each time.
const lastingWriters = 3

// wholeEvery is how many rounds go by between two that read everything; the others read what is new.
const wholeEvery = 10

// TestRealKill kills the broker with SIGKILL at random moments under load, also while it recovers, on one data folder.
// After each start it reads what is there and compares it with what was acknowledged. SIGKILL takes the process and leaves
// the kernel's memory, so this looks at recovery and at what is promised before it is written; TestPowerCut takes the
// kernel's memory too.
func TestRealKill(t *testing.T) {
	seed := *killSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	// The folder is kept when the test fails: it is what there is to look at.
	folder, err := os.MkdirTemp("", "barnabas-kill-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("-kill.seed %d; the data is left in %s", seed, folder)
			return
		}
		_ = os.RemoveAll(folder)
	})
	k := newKillLoop(t, seed, filepath.Join(folder, "data"), "fsync", "replicated")
	k.crash = func(b *broker) { b.kill() }
	k.begin()
	for round := range *killRounds {
		fresh := k.load()
		k.crash(k.broker)
		fresh.abandon()
		k.crashEarly()
		k.start()
		k.took = append(k.took, k.broker.took)
		k.verify(round%wholeEvery == 0)
	}
	k.end()
	t.Log(k.totals("kills"))
	journal, _ := filepath.Glob(filepath.Join(k.folder, "journal-*.segment"))
	segments, _ := filepath.Glob(filepath.Join(k.folder, "*", "*.log"))
	t.Logf("left: journal from %s to %s, %d segments of partition logs",
		filepath.Base(journal[0]), filepath.Base(journal[len(journal)-1]), len(segments))
}

// killLoop is a broker that dies again and again, and those who write to it.
type killLoop struct {
	t            *testing.T
	random       *rand.Rand
	folder       string
	listen       string
	segment      int      // of the journal, in bytes
	durabilities []string // one is taken at each start
	crash        func(*broker)
	dial         kgo.Opt // how writers find the broker, or nil
	broker       *broker
	history      *history
	writers      []*writer // that last
	next         int       // writer number
	early        int
	took         []time.Duration
}

// newKillLoop is a loop with choices of its own.
func newKillLoop(t *testing.T, seed uint64, folder string, durabilities ...string) *killLoop {
	random := rand.New(rand.NewPCG(seed, 0))
	return &killLoop{
		t: t, random: random, folder: folder, listen: "127.0.0.1:0", segment: 128 << 10 << random.IntN(4),
		durabilities: durabilities, history: newHistory(t),
	}
}

// begin starts the first broker, makes the topics, and starts the producers that last.
func (k *killLoop) begin() {
	k.t.Helper()
	k.start()
	k.listen = k.broker.address() // so that producers find it again
	admin := kadm.NewClient(client(k.t, k.broker))
	for _, topic := range killTopics {
		configs := map[string]*string{}
		if topic == shortTopic {
			configs["retention.bytes"] = kadm.StringPtr(fmt.Sprint(shortBytes))
		}
		if _, err := admin.CreateTopic(within(k.t), killPartitions, 1, configs, topic); err != nil {
			k.t.Fatal(err)
		}
	}
	for range lastingWriters {
		k.produce(lastingTopic, kgo.RequiredAcks(kgo.AllISRAcks()))
	}
	k.produce(shortTopic, kgo.RequiredAcks(kgo.AllISRAcks()))
	k.produce(leaderTopic, kgo.DisableIdempotentWrite(), kgo.RequiredAcks(kgo.LeaderAck()))
	k.produce(leaderTopic, kgo.DisableIdempotentWrite(), kgo.RequiredAcks(kgo.AllISRAcks()))
}

// end has the producers send what is left, and reads everything once more.
func (k *killLoop) end() {
	k.t.Helper()
	for _, w := range k.writers {
		w.finish(within(k.t))
	}
	k.verify(true)
	k.history.complete(slices.DeleteFunc(k.writers, func(w *writer) bool { return w.topic == leaderTopic }))
	k.judge()
}

// judge has what clients saw judged.
func (k *killLoop) judge() {
	k.t.Helper()
	report := k.history.judge(k.t)
	k.history.leave(k.t, !report.Clean())
	for i := range report.Findings {
		k.t.Error(k.history.h.Describe(&report.Findings[i]))
	}
}

func (k *killLoop) verify(whole bool) {
	k.t.Helper()
	for _, problem := range k.history.verify(k.broker, whole) {
		k.t.Error(problem)
	}
	if k.t.Failed() {
		k.judge()
		k.t.FailNow()
	}
}

// totals is what a whole loop did.
func (k *killLoop) totals(what string) string {
	slices.Sort(k.took)
	deleted := int64(0)
	for _, l := range k.history.logs {
		deleted += l.jumped
	}
	return fmt.Sprintf("%d %s under load, %d during recovery: %d records acknowledged, %d read, %d deleted by retention; ready again after %v at most, %v median",
		len(k.took), what, k.early, k.history.count(), k.history.read, deleted, slices.Max(k.took), k.took[len(k.took)/2])
}

// words are the flags of the next start. Everything is small, so that the journal goes round, partition logs are filled
// and rolled, and retention deletes; durability may change at any start.
func (k *killLoop) words() []string {
	words := []string{"--listen", k.listen}
	for _, setting := range []struct{ name, value string }{
		{"durability", k.durabilities[k.random.IntN(len(k.durabilities))]},
		{"journal.segment.bytes", fmt.Sprint(k.segment)},
		{"message.max.bytes", fmt.Sprint(k.segment / 2)},
		{"journal.commit.max.bytes", fmt.Sprint(k.segment / 2)},
		{"journal.checkpoint.bytes", fmt.Sprint(64 << 10 << k.random.IntN(6))},
		{"internal.log.segment.bytes", fmt.Sprint(48 << 10 << k.random.IntN(3))}, // more than any batch
		{"log.retention.check.interval.ms", "100"},
		{"log.initial.task.delay.ms", "0"},
		{"log.segment.delete.delay.ms", "50"},
		{"open.files.max", fmt.Sprint(16 << k.random.IntN(4))},
	} {
		if hasSetting(setting.name) {
			words = append(words, "--set", setting.name+"="+setting.value)
		}
	}
	return words
}

// hasSetting says whether this broker has the setting.
func hasSetting(name string) bool {
	return slices.ContainsFunc(config.Rows(), func(r config.Row) bool { return r.Name == name })
}

func (k *killLoop) start() {
	k.t.Helper()
	k.broker = startBroker(k.t, k.folder, k.words()...)
}

// produce starts a writer of the topic.
func (k *killLoop) produce(topic string, options ...kgo.Opt) *writer {
	if k.dial != nil {
		options = append(options, k.dial)
	}
	w := newWriter(k.t, k.history, k.broker, k.next, topic, options...)
	k.next++
	if topic != freshTopic {
		k.writers = append(k.writers, w)
	}
	return w
}

// load adds a producer that ends with the broker, waits until work is under way, and then for a random time.
func (k *killLoop) load() (fresh *writer) {
	k.t.Helper()
	fresh = k.produce(freshTopic)
	before := k.history.count()
	for begun := time.Now(); k.history.count() < before+200 || fresh.acked.Load() == 0; pause() {
		if time.Since(begun) > patience {
			k.t.Fatalf("no progress: %d records acknowledged, %d of them before\n%s", k.history.count(), before, k.broker.said())
		}
	}
	time.Sleep(time.Duration(k.random.Int64N(int64(200 * time.Millisecond))))
	if k.random.IntN(2) == 0 {
		fresh.abandon() // its last batches are on their way when the broker dies
	}
	return fresh
}

// crashEarly crashes every second broker once or more before it is ready.
func (k *killLoop) crashEarly() {
	k.t.Helper()
	for k.random.IntN(2) == 0 {
		b := launch(k.t, k.folder, k.words()...)
		time.Sleep(time.Duration(k.random.Int64N(int64(100 * time.Millisecond))))
		select {
		case <-b.ended:
			k.t.Fatalf("the broker ended with code %d:\n%s", b.command.ProcessState.ExitCode(), b.said())
		default:
		}
		k.crash(b)
		k.early++
	}
}
