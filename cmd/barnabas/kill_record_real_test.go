package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"barnabas/linearizability"
)

var killHistory = flag.String("kill.history", "", "write what clients did and saw to this `file`, for barnabas check")

// recorder writes down what real clients do and see, as a history that is judged like a simulated one.
type recorder struct {
	begun      time.Time
	h          *linearizability.History
	partitions map[partition]uint32
	writers    map[int]uint32 // clients, by the numbers of writers
	reader     uint32         // all readings are one client, which reads a partition from where it left off, or begins anew
	from       map[partition]int64
}

func newRecorder() *recorder {
	r := &recorder{
		begun: time.Now(), h: &linearizability.History{}, partitions: make(map[partition]uint32), writers: make(map[int]uint32),
		from: make(map[partition]int64),
	}
	for _, topic := range killTopics {
		for number := range int32(killPartitions) {
			r.partitions[partition{topic, number}] = r.h.AddPartition(linearizability.Partition{
				Name: fmt.Sprintf("%s-%d", topic, number), Expires: topic == shortTopic,
			})
		}
	}
	r.reader = r.h.AddClient(linearizability.Client{})
	return r
}

// now is a moment of the one clock of this process.
func (r *recorder) now() int64 { return int64(time.Since(r.begun)) }

// addWriter adds a producer. One that is not idempotent sends again when it does not know. With one broker, what is
// acknowledged by the leader alone is as good as the rest.
func (r *recorder) addWriter(w *writer) {
	class := linearizability.Idempotent
	if w.topic == leaderTopic {
		class = linearizability.Retrying
	}
	r.writers[w.number] = r.h.AddClient(linearizability.Client{Class: class})
}

func (r *recorder) value(of identity) linearizability.Value {
	return linearizability.MakeValue(r.writers[of.writer], uint32(of.number))
}

// sends notes that a record is sent. What comes of it is not known, until it is acknowledged.
func (r *recorder) sends(p partition, of identity) (at int) {
	return r.h.Add(linearizability.Operation{
		Kind: linearizability.Send, Outcome: linearizability.Unknown, Client: r.writers[of.writer], Partition: r.partitions[p],
		Epoch: linearizability.NoEpoch, Offset: -1, First: r.value(of), Count: 1, Call: r.now(), Return: linearizability.Never,
	})
}

func (r *recorder) acknowledged(at int, offset int64) {
	o := &r.h.Operations[at]
	o.Outcome, o.Offset, o.Return = linearizability.OK, offset, r.now()
}

// begins notes that reading goes on, or begins anew, at the offset.
func (r *recorder) begins(p partition, offset int64) { r.from[p] = offset }

// polling is one poll, which may return records of many partitions.
type polling struct {
	*history
	call int64
	open map[partition]int // its place in the history, for each partition
}

func (h *history) poll() *polling { return &polling{h, h.now(), make(map[partition]int)} }

// returns notes a record that the poll returned.
func (o *polling) returns(p partition, record *kgo.Record, of identity) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	from, chosen := o.from[p]
	at, ok := o.open[p]
	if !ok || chosen {
		if ok {
			o.call = o.now() // a client polls once at a time
		}
		at = o.h.Add(linearizability.Operation{
			Kind: linearizability.Poll, Client: o.reader, Partition: o.partitions[p], Epoch: linearizability.NoEpoch, Offset: -1,
			Call: o.call, Return: o.now(),
		})
		o.open[p] = at
	}
	operation := &o.h.Operations[at]
	if chosen {
		operation.Offset = from
		delete(o.from, p)
	}
	operation.Runs = extend(operation.Runs, linearizability.Run{
		Offset: record.Offset, First: o.value(of), Count: 1, Epoch: record.LeaderEpoch,
	})
}

// extend adds a record to runs.
func extend(runs []linearizability.Run, next linearizability.Run) []linearizability.Run {
	if n := len(runs); n > 0 {
		last := &runs[n-1]
		if last.Offset+int64(last.Count) == next.Offset && last.First+linearizability.Value(last.Count) == next.First && last.Epoch == next.Epoch {
			last.Count++
			return runs
		}
	}
	return append(runs, next)
}

// lists notes where logs were said to start, or to end. There is but one broker, so whoever answers leads.
func (r *recorder) lists(kind linearizability.Kind, call int64, p partition, offset kadm.ListedOffset) {
	r.h.Add(linearizability.Operation{
		Kind: kind, Client: r.reader, Partition: r.partitions[p], Epoch: linearizability.NoEpoch, Offset: offset.Offset,
		Final: kind == linearizability.Latest, Call: call, Return: r.now(),
	})
}

// judge judges all that was recorded.
func (h *history) judge(t *testing.T) *linearizability.Report {
	t.Helper()
	h.mutex.Lock()
	defer h.mutex.Unlock()
	begun := time.Now()
	report, err := linearizability.Examine(h.recorder.h, linearizability.Windows{Most: someWindows})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d operations of clients judged in %v: %d findings", len(h.recorder.h.Operations), time.Since(begun).Round(time.Millisecond), len(report.Findings))
	return report
}

// leave leaves the history behind where -kill.history says, or anywhere if something is wrong with it.
func (h *history) leave(t *testing.T, wrong bool) {
	t.Helper()
	path := *killHistory
	if path == "" && wrong {
		folder, err := os.MkdirTemp("", "barnabas-history-")
		if err != nil {
			t.Fatal(err)
		}
		path = filepath.Join(folder, "history")
	}
	if path == "" {
		return
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if err := writeHistory(path, h.recorder.h); err != nil {
		t.Fatal(err)
	}
	t.Logf("what clients saw is left: barnabas check %s", path)
}
