package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"barnabas/linearizability"
)

// reading reads all logs from where the last one ended to where they end when it begins.
type reading struct {
	*history
	client *kgo.Client
	left   map[partition]int64 // the ends that were not reached yet
	jumps  map[partition]int64 // to the first record after others that were gone
}

func newReading(h *history, b *broker) *reading {
	return &reading{
		history: h, left: make(map[partition]int64), jumps: make(map[partition]int64),
		client: client(h.t, b, kgo.AlwaysRetryEOF(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())),
	}
}

// run reads the logs side by side, since they lie side by side on the disk.
func (r *reading) run() {
	r.t.Helper()
	defer r.client.Close()
	starts := r.offsets(linearizability.Earliest, (*kadm.Client).ListStartOffsets)
	r.begin(starts, r.offsets(linearizability.Latest, (*kadm.Client).ListEndOffsets))
	for len(r.left) > 0 {
		r.poll()
	}
	r.judgeStarts(r.offsets(linearizability.Earliest, (*kadm.Client).ListStartOffsets)) // retention may have gone on meanwhile
}

// offsets looks up something of all logs.
func (r *reading) offsets(kind linearizability.Kind, list func(*kadm.Client, context.Context, ...string) (kadm.ListedOffsets, error)) map[partition]int64 {
	r.t.Helper()
	found := make(map[partition]int64)
	call := r.now()
	all, err := list(kadm.NewClient(r.client), within(r.t), killTopics...)
	for p := range r.logs {
		one, ok := all.Lookup(p.topic, p.number)
		if err != nil || !ok || one.Err != nil {
			r.t.Fatalf("an offset of %+v: %+v, %v", p, one, err)
		}
		found[p] = one.Offset
		r.mutex.Lock()
		r.lists(kind, call, p, one)
		r.mutex.Unlock()
	}
	return found
}

// begin has the client consume the logs that hold anything new.
func (r *reading) begin(starts, ends map[partition]int64) {
	from := make(map[string]map[int32]kgo.Offset)
	for _, topic := range killTopics {
		from[topic] = make(map[int32]kgo.Offset)
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for p, l := range r.logs {
		if l.next < starts[p] {
			l.next, l.jumped = starts[p], starts[p]
		}
		if l.next < ends[p] {
			r.left[p] = ends[p]
			from[p.topic][p.number] = kgo.NewOffset().At(l.next)
			r.begins(p, l.next)
		} else if l.next > ends[p] {
			r.problem("lost: %+v was read up to offset %d, and ends at %d", p, l.next, ends[p])
			l.next = ends[p]
		}
	}
	r.client.AddConsumePartitions(from)
}

func (r *reading) poll() {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	polling := r.history.poll()
	fetches := r.client.PollFetches(ctx)
	for _, failed := range fetches.Errors() {
		if failed.Topic != shortTopic || !errors.Is(failed.Err, kerr.OffsetOutOfRange) {
			r.t.Fatalf("fetch: %+v", failed)
		}
	}
	for _, record := range fetches.Records() {
		p := partition{record.Topic, record.Partition}
		if l := r.logs[p]; record.Offset != l.next {
			if p.topic != shortTopic || record.Offset < l.next {
				r.t.Fatalf("%+v: offset %d follows %d", p, record.Offset, l.next-1)
			}
			l.jumped, r.jumps[p] = record.Offset, record.Offset
			r.begins(p, record.Offset)
		}
		of := identify(r.t, record)
		polling.returns(p, record, of)
		r.check(p, record.Offset, of)
		if end, ok := r.left[p]; ok && r.logs[p].next >= end {
			delete(r.left, p)
		}
	}
}

// judgeStarts checks that no more was deleted than may be.
func (r *reading) judgeStarts(starts map[partition]int64) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for p, start := range starts {
		l := r.logs[p]
		if start > 0 && p.topic != shortTopic {
			r.problem("deleted: %+v begins at offset %d, and is to keep everything", p, start)
		}
		if r.jumps[p] > start {
			r.problem("skipped: %+v begins at offset %d, and the first record is at %d", p, start, r.jumps[p])
		}
		kept := 0
		for offset := start; offset < l.next; offset++ {
			kept += l.told[offset].size() + recordOverhead
		}
		if start > 0 && kept < shortBytes {
			r.problem("deleted: %+v begins at offset %d, and to its end at %d it has %d bytes at most, less than %d", p, start, l.next, kept, shortBytes)
		}
	}
}

// identify reads a record's value, and checks that it is whole.
func identify(t *testing.T, r *kgo.Record) (of identity) {
	t.Helper()
	if _, err := fmt.Sscanf(string(r.Value[:min(len(r.Value), 40)]), "%d %d", &of.writer, &of.number); err != nil || !bytes.Equal(r.Value, of.value()) {
		t.Fatalf("nobody sent %q, at offset %d of partition %d of %s: %v", r.Value, r.Offset, r.Partition, r.Topic, err)
	}
	return of
}
