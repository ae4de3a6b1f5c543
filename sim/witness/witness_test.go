package witness

import (
	"bytes"
	"testing"

	"barnabas/core/task"
	"barnabas/linearizability"
	"barnabas/sim/ledger"
)

// scene is a witness with a clock that stands until it is moved.
type scene struct {
	*Witness
	time task.Instant
}

func newScene() *scene {
	s := &scene{}
	s.Witness = New(func() task.Instant { return s.time })
	return s
}

func (s *scene) polled(r Reader, base int64, values ...ledger.Value) {
	s.Polled(r, func(visit func(int64, []byte)) {
		for i, v := range values {
			p := make([]byte, ledger.ValueBytes+3)
			v.Encode(p)
			visit(base+int64(i), p)
		}
	})
}

func TestWhatClientsSeeIsWritten(t *testing.T) {
	part := ledger.Partition{Topic: "t"}
	next := ledger.Partition{Topic: "t", Life: 2}
	s := newScene()
	s.AddProducer(ledger.Class{Partition: part, Idempotent: true, Lasting: true})
	early := s.AddReader(part)
	s.AddProducer(ledger.Class{Partition: part})
	final := s.AddReader(part)
	idle, lost := s.AddReader(part), s.AddReader(part)
	s.AddProducer(ledger.Class{Partition: next, Lasting: true})
	admin := s.AddClient()
	s.Expires(next)
	a, b := ledger.Value{Producer: 0, Number: 0}, ledger.Value{Producer: 0, Number: 1}
	c, other := ledger.Value{Producer: 1, Number: 0}, ledger.Value{Producer: 2, Number: 7}

	s.time = 10
	s.Changed(linearizability.Create, admin, 5, "t", [16]byte{1}, linearizability.Conflict)
	first := s.Send([]ledger.Value{a, b})
	s.Poll(early)
	s.time = 20
	s.Acked(first, 0)
	s.Acked(first, 0) // the answer to a repeat
	s.polled(early, 0)
	s.Poll(early)
	second := s.Send([]ledger.Value{c})
	failed := s.Send([]ledger.Value{{Producer: 1, Number: 1}})
	s.time = 30
	s.polled(early, 0, a, b, c)
	s.Failed(failed)
	s.Acked(first, 4) // a repeat was appended again
	s.Acked(second, 2)
	s.Acked(second, 9) // that promises nothing
	s.Seek(early, 1)
	s.Poll(early)
	s.Polled(early, func(visit func(int64, []byte)) { visit(1, []byte("garbage that is long enough")) })
	s.Poll(early)
	s.polled(early, 2, other, ledger.Value{Producer: 9})
	s.Starts(early, 25, 0)

	s.time = 40
	s.Poll(final)
	s.time = 50
	s.polled(final, 0, a, b)
	s.Poll(final)
	s.time = 60
	s.polled(final, 2)
	s.Ends(final) // that was told by an answer without records
	s.Poll(idle)
	s.polled(idle, 0, a)
	s.Ends(idle)
	s.Seek(lost, 5)
	s.Ends(lost) // it was told nothing there

	const want = `barnabas-history 1
partition 0 t-0
partition 1 t-0#2 expires
client 0 idempotent
client 1 consumer
client 2 retrying lossy
client 3 consumer
client 4 consumer
client 5 consumer
client 6 retrying
client 7 consumer
client 8 consumer
create 7 5 10 conflict topic/t=01000000000000000000000000000000
send 0 0 10 20 ok 0.0+2@0
send 2 0 20 30 ok 2.0@2
send 2 0 20 30 failed 2.1
poll 1 0 20 30 ok from=0 0.0+2@0 2.0@2
poll 8 0 30 30 ok from=4 0.0+2@4
poll 1 0 30 30 ok from=1 4294967294.1@1
poll 1 0 30 30 ok 6.7@2 4294967294.2@3
earliest 1 0 25 30 ok 0
poll 3 0 40 50 ok from=0 0.0+2@0
poll 3 0 50 60 ok final
poll 4 0 60 60 ok from=0 0.0@0 final
`
	var got bytes.Buffer
	if _, err := s.History().WriteTo(&got); err != nil {
		t.Fatal(err)
	}
	if got.String() != want {
		t.Errorf("wrote\n%s\nwant\n%s", &got, want)
	}
	if _, err := linearizability.Read(&got); err != nil {
		t.Error(err)
	}
}
