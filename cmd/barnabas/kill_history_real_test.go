package main

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
)

// killPartitions is how many partitions each topic has.
const killPartitions = 3

// The topics in use. What "short" holds may be deleted from its beginning: it keeps shortBytes.
const (
	lastingTopic = "lasting"
	freshTopic   = "fresh"
	leaderTopic  = "leader"
	shortTopic   = "short"
)

var killTopics = []string{lastingTopic, freshTopic, leaderTopic, shortTopic}

// shortBytes is what retention leaves of a partition at least, where the broker has retention.
const shortBytes = 30_000

// partition is one log.
type partition struct {
	topic  string
	number int32
}

// identity is who sent a record, and as which of its records for that partition.
type identity struct{ writer, number int }

// unknown is what stands where nothing was told yet.
var unknown = identity{-1, -1}

// recordOverhead is more than a record costs on disk beside its value, also when it is alone in its batch.
const recordOverhead = 150

// size is the length of the record's value.
func (i identity) size() int {
	if i.number%400 == 399 {
		return 30_000
	}
	return 20 + i.number%300
}

// value is a text of its own for every record, some of them long.
func (i identity) value() []byte {
	text := fmt.Appendf(nil, "%d %d ", i.writer, i.number)
	for len(text) < i.size() {
		text = append(text, byte('a'+(i.number+len(text))%26))
	}
	return text
}

// history is all that clients were told. It stays in memory: this process is not the one that is killed.
type history struct {
	t     *testing.T
	calm  atomic.Bool // while a verify reads, writers go on slowly, or it would never catch up
	mutex sync.Mutex
	logs  map[partition]*logHistory
	*recorder

	acked, read int
	problems    []string
}

// logHistory is what is known of one log.
type logHistory struct {
	told  []identity // by offset: as it was acknowledged, or read by a consumer
	acked int64      // the offset after the last acknowledged one

	// What was read last, from which the next reading may go on.
	next   int64                // the offset to read next
	jumped int64                // where the log began when records had been deleted
	found  map[int]lastOfWriter // by writer
}

// lastOfWriter is the last record of a writer that was read from a log.
type lastOfWriter struct {
	next   int // the number of the next one
	offset int64
}

func newHistory(t *testing.T) *history {
	h := &history{t: t, logs: make(map[partition]*logHistory), recorder: newRecorder()}
	for _, topic := range killTopics {
		for number := range int32(killPartitions) {
			h.logs[partition{topic, number}] = &logHistory{found: make(map[int]lastOfWriter)}
		}
	}
	return h
}

func (h *history) count() int {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.acked
}

// send notes that a record is about to be sent, and returns its place.
func (h *history) send(p partition, of identity) (at int) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.sends(p, of)
}

// acknowledge notes what a producer was told.
func (h *history) acknowledge(at int, p partition, offset int64, of identity) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.acknowledged(at, offset)
	h.acked++
	l := h.logs[p]
	l.acked = max(l.acked, offset+1)
	h.tell(p, offset, of, "acknowledged")
}

// tell notes which record stands at an offset; it stays the same for ever.
func (h *history) tell(p partition, offset int64, of identity, how string) {
	l := h.logs[p]
	for int64(len(l.told)) <= offset {
		l.told = append(l.told, unknown)
	}
	if was := l.told[offset]; was != unknown && was != of {
		h.problem("replaced: offset %d of %+v held %+v, and is %s as %+v", offset, p, was, how, of)
	}
	l.told[offset] = of
}

// problem notes what is wrong. A few of a kind are enough.
func (h *history) problem(format string, arguments ...any) {
	if len(h.problems) < 20 {
		h.problems = append(h.problems, fmt.Sprintf(format, arguments...))
	}
}

// verify reads the logs and compares: the whole of them, or what came since the last verify. It returns what is wrong.
// Producers may go on meanwhile.
func (h *history) verify(b *broker, whole bool) []string {
	h.t.Helper()
	h.calm.Store(true)
	defer h.calm.Store(false)
	promised := make(map[partition]int64)
	h.mutex.Lock()
	for p, l := range h.logs {
		promised[p] = l.acked
		if whole {
			l.next, l.jumped, l.found = 0, 0, make(map[int]lastOfWriter)
		}
	}
	h.mutex.Unlock()
	newReading(h, b).run()
	h.mutex.Lock()
	defer h.mutex.Unlock()
	for p, l := range h.logs {
		if l.next < promised[p] {
			h.problem("lost: %+v ends at offset %d, and records before %d were acknowledged", p, l.next, promised[p])
		}
	}
	problems := h.problems
	h.problems = nil
	return problems
}

// check compares one record with what was told, and with the one before of its writer.
func (h *history) check(p partition, offset int64, of identity) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.read++
	h.tell(p, offset, of, "read")
	l := h.logs[p]
	last := l.found[of.writer]
	// Each next one, without a gap: none is lost, none is there twice, and none overtook another. Without idempotence a
	// batch may be there twice.
	deleted := last.offset < l.jumped && of.number > last.next
	if p.topic != leaderTopic && of.number != last.next && !deleted {
		h.problem("order: offset %d of %+v holds %+v, want number %d", offset, p, of, last.next)
	}
	l.found[of.writer] = lastOfWriter{of.number + 1, offset}
	l.next = offset + 1
}

// complete checks that all that these writers ever sent is there: each of them saw all its records acknowledged.
func (h *history) complete(writers []*writer) {
	h.t.Helper()
	for _, w := range writers {
		for number, sent := range w.sent {
			if found := h.logs[partition{w.topic, int32(number)}].found[w.number].next; found != sent {
				h.t.Errorf("writer %d sent %d records to partition %d of %s, and %d are there", w.number, sent, number, w.topic, found)
			}
		}
	}
}
