package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"barnabas/core/protocol"
	"barnabas/core/wire"
)

// flooded is one of many produce requests.
type flooded struct {
	done bool
	err  error
	row  protocol.PartitionProduceResponse
}

// flood sends so many large batches at once over one connection, each of which may take the time.
func (r *rig) flood(n int, timeout time.Duration) []*flooded {
	var all []*flooded
	for range n {
		all = append(all, &flooded{})
	}
	r.asker.Deliver(r.kernel.Now(), 0, false, 0, call(func() {
		peer := wire.NewPeer(r.client, "n0:9092", "test", 8<<20)
		for i, q := range all {
			m := produce("led", -1, batch(fmt.Sprintf("%d %s", i, strings.Repeat("x", 12_000))), 12)
			m.TimeoutMs = int32(timeout.Milliseconds())
			peer.Ask(m, 12, time.Hour).Then(func(reply *wire.Reply, err error) {
				q.done, q.err = true, err
				if err == nil {
					q.row = reply.Message.(*protocol.ProduceResponse).Responses[0].PartitionResponses[0]
					q.row.ErrorMessage.Value = strings.Clone(q.row.ErrorMessage.Value)
					reply.Release()
				}
			})
		}
	}))
	return all
}

// A producer that is faster than partition logs are filled is slowed down and gets no error, and its order is kept.
func TestAFullJournalHoldsProducersBack(t *testing.T) {
	r := scripted(t, "journal.max.bytes", "1048576", "journal.checkpoint.bytes", "65536")
	r.machine.Limp(r.kernel.Now().Add(time.Hour), 20)
	all := r.flood(300, time.Minute)
	busy := false
	r.until("the last answer", func() bool {
		r.in(func() { busy = busy || r.process.Directory().BytesUsed() > 900_000 })
		return all[len(all)-1].done
	})
	if !busy {
		t.Error("the journal was never full")
	}
	for i, q := range all {
		if row := q.row; q.err != nil || row.ErrorCode != protocol.ErrNone || row.BaseOffset != int64(i) {
			t.Fatalf("batch %d: offset %d, %q %s", i, row.BaseOffset, row.ErrorCode, row.ErrorMessage.Value)
		}
	}
	r.machine.Limp(0, 1)
	for i, value := range r.values("led", 0) {
		if !strings.HasPrefix(value, fmt.Sprintf("%d ", i)) {
			t.Fatalf("offset %d holds %.10q", i, value)
		}
	}
}

// When the time is up, what was held gets an error that says why, and nothing of it is in the log; a full disk is no reason to
// wait.
func TestWhatIsHeldForTooLongIsRefusedWhole(t *testing.T) {
	r := scripted(t, "journal.max.bytes", "1048576", "journal.checkpoint.bytes", "65536")
	r.machine.Limp(r.kernel.Now().Add(time.Hour), 400)
	all := r.flood(200, 2*time.Second)
	r.until("the last answer", func() bool { return all[len(all)-1].done })
	taken, refused := map[string]bool{}, 0
	for i, q := range all {
		switch row := q.row; row.ErrorCode {
		case protocol.ErrNone, protocol.ErrRequestTimedOut:
			taken[fmt.Sprint(i)] = true
		case protocol.ErrKafkaStorageError:
			refused++
			if why := row.ErrorMessage.Value; !strings.Contains(why, "journal") {
				t.Fatalf("batch %d: %s", i, why)
			}
		default:
			t.Fatalf("batch %d: %s", i, row.ErrorCode)
		}
	}
	if refused == 0 || len(taken) == 0 {
		t.Fatalf("%d taken, %d refused", len(taken), refused)
	}
	r.machine.Limp(0, 1)
	r.pass(10 * time.Second)
	for _, value := range r.values("led", 0) {
		if n, _, _ := strings.Cut(value, " "); !taken[n] {
			t.Errorf("batch %s was refused and is in the log", n)
		}
	}
	if row := r.ask(produce("led", -1, batch("x"), 12), 12).(*protocol.ProduceResponse).Responses[0].PartitionResponses[0]; row.ErrorCode != protocol.ErrNone {
		t.Errorf("it does not go on: %s", row.ErrorMessage.Value)
	}
}
