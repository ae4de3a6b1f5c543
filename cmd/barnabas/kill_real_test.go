package main

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Continuous integration runs 20 rounds. For a longer look:
//
//	go test ./cmd/barnabas -run '^TestRealKill$' -count=1 -v -timeout 1h -kill.rounds 100
var (
	killRounds = flag.Int("kill.rounds", 2, "how often TestRealKill kills the broker under load")
	killSeed   = flag.Uint64("kill.seed", 0, "the seed of its choices; 0 takes a new one")
)

// lasting is how many idempotent producers live through all kills, with batches on their way each time.
const lasting = 3

// TestRealKill kills the broker with SIGKILL at random moments under load, also while it recovers, on one data folder.
// After each start it reads everything and compares it with what was acknowledged. SIGKILL takes the process and leaves
// the kernel's memory, so this looks at recovery and at what is promised before it is written; that it is on the device
// is the simulator's to check.
func TestRealKill(t *testing.T) {
	k := newKillLoop(t)
	for range lasting {
		k.produce("lasting", kgo.RequiredAcks(kgo.AllISRAcks()))
	}
	leader := k.produce("leader", kgo.DisableIdempotentWrite(), kgo.RequiredAcks(kgo.LeaderAck()))
	for range *killRounds {
		fresh := k.load()
		k.broker.kill()
		fresh.abandon()
		k.killEarly()
		k.start()
		k.took = append(k.took, k.broker.took)
		k.history.verify(k.broker)
	}
	for _, w := range append(k.writers, leader) {
		w.finish(within(t))
	}
	k.history.verify(k.broker)
	k.history.complete(k.writers)
	slices.Sort(k.took)
	t.Logf("%d kills under load, %d during recovery: %d records acknowledged, %d read; ready again after %v at most, %v median",
		len(k.took), k.early, k.history.count(), k.history.read, slices.Max(k.took), k.took[len(k.took)/2])
}

type killLoop struct {
	t       *testing.T
	random  *rand.Rand
	folder  string
	listen  string
	broker  *broker
	history *history
	writers []*writer // that last and are idempotent
	next    int       // writer number
	early   int
	took    []time.Duration
}

func newKillLoop(t *testing.T) *killLoop {
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
	k := &killLoop{
		t: t, random: rand.New(rand.NewPCG(seed, 0)), folder: filepath.Join(folder, "data"), listen: "127.0.0.1:0",
		history: newHistory(t),
	}
	k.start()
	k.listen = k.broker.address() // so that producers find it again
	admin := kadm.NewClient(client(t, k.broker))
	for topic, partitions := range k.history.topics() {
		if _, err := admin.CreateTopic(within(t), partitions, 1, nil, topic); err != nil {
			t.Fatal(err)
		}
	}
	return k
}

// words are the flags of the next start. Small segments make the journal go round; durability may change at any start.
func (k *killLoop) words() []string {
	durability := []string{"fsync", "replicated"}[k.random.IntN(2)]
	return []string{
		"--listen", k.listen, "--set", "durability=" + durability,
		"--set", "journal.segment.bytes=1048576", "--set", "message.max.bytes=262144", "--set", "journal.commit.max.bytes=262144",
	}
}

func (k *killLoop) start() {
	k.t.Helper()
	k.broker = startBroker(k.t, k.folder, k.words()...)
}

// produce starts a writer of the topic.
func (k *killLoop) produce(topic string, options ...kgo.Opt) *writer {
	w := newWriter(k.t, k.history, k.broker, k.next, topic, options...)
	k.next++
	if topic == "lasting" {
		k.writers = append(k.writers, w)
	}
	return w
}

// load adds a producer that ends with the broker, waits until work is under way, and then for a random time.
func (k *killLoop) load() (fresh *writer) {
	k.t.Helper()
	fresh = k.produce("fresh")
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

// killEarly kills every second broker once or more before it is ready.
func (k *killLoop) killEarly() {
	k.t.Helper()
	for k.random.IntN(2) == 0 {
		b := launch(k.t, k.folder, k.words()...)
		time.Sleep(time.Duration(k.random.Int64N(int64(100 * time.Millisecond))))
		select {
		case <-b.ended:
			k.t.Fatalf("the broker ended with code %d:\n%s", b.command.ProcessState.ExitCode(), b.said())
		default:
		}
		b.kill()
		k.early++
	}
}
