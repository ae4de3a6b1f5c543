package witness

import (
	"slices"
	"testing"

	"barnabas/sim/ledger"
)

var part = ledger.Partition{Topic: "t"}

func payload(v ledger.Value) []byte {
	p := make([]byte, ledger.ValueBytes)
	v.Encode(p)
	return p
}

// history is a witness with an idempotent producer (0), a plain one (1), one whose acknowledgements promise little (2), a
// consumer, and the one that reads everything at the end.
type history struct {
	*Witness
	early, final Reader
	from         int64 // of the last reading
}

func (h *history) read(r Reader, base int64, values ...ledger.Value) {
	for i, v := range values {
		h.Read(r, base+int64(i), payload(v))
	}
}

func TestEveryAnomalyIsNoticedAndNothingElse(t *testing.T) {
	a0, a1, a2 := ledger.Value{Producer: 0, Number: 0}, ledger.Value{Producer: 0, Number: 1}, ledger.Value{Producer: 0, Number: 2}
	b0, b1, c0 := ledger.Value{Producer: 1, Number: 0}, ledger.Value{Producer: 1, Number: 1}, ledger.Value{Producer: 2, Number: 0}
	for _, test := range []struct {
		name    string
		happens func(h *history)
		want    []string
	}{
		{"a clean history", func(h *history) {
			h.Acked([]ledger.Value{a0, a1}, 0)
			h.Acked([]ledger.Value{a0, a1}, 0) // the answer to a repeat
			h.Acked([]ledger.Value{b0}, 2)
			h.read(h.early, 0, a0, a1)
			h.read(h.early, 1, a1, b0) // once more, from the middle
			h.read(h.final, 0, a0, a1, b0)
		}, nil},
		{"an acknowledged record is missing at the end", func(h *history) {
			h.Acked([]ledger.Value{a0, a1}, 0)
			h.read(h.final, 0, a0)
		}, []string{"ClientLost"}},
		{"everything is missing", func(h *history) {
			h.Acked([]ledger.Value{a0}, 0)
		}, []string{"ClientLost"}},
		{"another record stands where one was acknowledged", func(h *history) {
			h.Acked([]ledger.Value{a0}, 0)
			h.read(h.final, 0, b0)
		}, []string{"ClientLost"}},
		{"an acknowledgement that promises little", func(h *history) {
			h.Acked([]ledger.Value{c0}, 0)
			h.read(h.final, 0, b0)
		}, nil},
		{"records below the start are missing", func(h *history) {
			h.Acked([]ledger.Value{a0, a1}, 0)
			h.read(h.final, 1, a1)
		}, []string{"ClientLost"}},
		{"records below the start are missing, as they may", func(h *history) {
			h.Expires(part)
			h.Acked([]ledger.Value{a0, a1}, 0)
			h.read(h.final, 1, a1)
		}, nil},
		{"records go while they are read at the end", func(h *history) {
			h.Expires(part)
			h.Acked([]ledger.Value{a0, a1, a2}, 0)
			h.read(h.final, 0, a0)
			h.read(h.final, 2, a2)
		}, nil},
		{"all that is left goes while it is read at the end", func(h *history) {
			h.Expires(part)
			h.Acked([]ledger.Value{a0, a1}, 0)
			h.read(h.final, 0, a0)
			h.from = 2
		}, nil},
		{"an offset is told twice", func(h *history) {
			h.Acked([]ledger.Value{a0}, 0)
			h.Acked([]ledger.Value{b0}, 0)
			h.read(h.final, 0, a0)
		}, []string{"ClientOffsetTwice", "ClientLost"}},
		{"an idempotent record stands twice", func(h *history) {
			h.read(h.final, 0, a0, b0, a0)
		}, []string{"ClientDuplicate"}},
		{"a plain record may stand twice", func(h *history) {
			h.read(h.final, 0, b0, b0)
		}, nil},
		{"idempotent records change places", func(h *history) {
			h.read(h.final, 0, a1, a0)
		}, []string{"ClientReordered"}},
		{"plain records may change places", func(h *history) {
			h.read(h.final, 0, b1, b0)
		}, nil},
		{"two consumers read different records", func(h *history) {
			h.read(h.early, 0, a0)
			h.read(h.final, 0, b0)
		}, []string{"ClientDiverged"}},
		{"a record that was read is gone", func(h *history) {
			h.read(h.early, 0, b0, b1)
			h.read(h.final, 0, b0)
		}, []string{"ClientDiverged"}},
		{"records that are refused are not lost", func(h *history) {
			h.Acked([]ledger.Value{a0, a1}, 0)
			h.read(h.early, 0, a0, a1, b0)
			h.Refused(h.early, 3)
			h.Refused(h.final, 0)
			h.read(h.final, 1, a1)
			h.Refused(h.final, 2)
			h.read(h.final, 3, b1)
		}, nil},
		{"what is neither refused nor there is lost", func(h *history) {
			h.Acked([]ledger.Value{a0, a1}, 0)
			h.Refused(h.final, 0)
		}, []string{"ClientLost"}},
		{"a record nobody sent", func(h *history) {
			h.Read(h.final, 0, []byte("garbage that is long enough"))
			h.Read(h.final, 0, payload(ledger.Value{Producer: 9}))
		}, []string{"ClientUnwritten", "ClientUnwritten"}},
		{"a record of the topic that had the name before", func(h *history) {
			next := h.AddReader(ledger.Partition{Topic: "t", Life: 1})
			h.Read(next, 0, payload(a0))
		}, []string{"ClientUnwritten"}},
		{"a deleted topic owes nothing", func(h *history) {
			h.Acked([]ledger.Value{a0}, 0)
			h.Gone(part)
		}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			h := &history{Witness: New(func(invariant, _ string) { got = append(got, invariant) })}
			h.AddProducer(ledger.Class{Partition: part, Idempotent: true, Lasting: true})
			h.AddProducer(ledger.Class{Partition: part, Lasting: true})
			h.AddProducer(ledger.Class{Partition: part})
			h.early, h.final = h.AddReader(part), h.AddReader(part)
			test.happens(h)
			h.Judge([]Final{{Reader: h.final, From: h.from}})
			if !slices.Equal(got, test.want) {
				t.Errorf("noticed %v, want %v", got, test.want)
			}
		})
	}
}
