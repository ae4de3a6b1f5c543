package linearizability

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// randomRegister makes a small history of one register, true or lied about. Its operations are changes and reads of images,
// and with openToo some whose outcome nobody knows.
func randomRegister(r *rand.Rand, openToo bool) *History {
	h := &History{}
	clients := 2 + r.IntN(5)
	for range clients {
		h.AddClient(Client{Class: Consumer})
	}
	values := []string{""} // after so many changes
	metadata := []int64{}
	for now, end := int64(1000), int64(1030+r.IntN(150)); now < end; now += 10 {
		o := Operation{Kind: Create, Client: uint32(r.IntN(clients)), Epoch: NoEpoch, Offset: -1, Register: &Register{"k", "", -1}}
		o.Call, o.Return = now-int64(r.IntN(26)), now+int64(r.IntN(26))
		value := values[len(values)-1]
		switch n := r.IntN(6); {
		case n < 2:
			o.Kind = Get
			seen := r.IntN(len(values))
			o.Register.Value, o.Register.Metadata = values[seen], 0
			if seen > 0 {
				o.Register.Metadata = metadata[seen-1] + 1
			}
		case n == 2:
			o.Kind = Set
			o.Register.Value = string(rune('a' + r.IntN(4)))
		case value != "":
			o.Kind = Delete
			if r.IntN(2) == 0 {
				o.Register.Value = value
			}
		default:
			o.Register.Value = string(rune('a' + r.IntN(4)))
		}
		if o.Kind != Get {
			took := true
			if openToo && r.IntN(4) == 0 {
				o.Outcome = Unknown
				took = r.IntN(2) == 0
			}
			if took {
				last := int64(r.IntN(3))
				if len(metadata) > 0 {
					last += metadata[len(metadata)-1] + 1
				}
				values, metadata = append(values, o.after()), append(metadata, last)
				if o.Outcome == OK {
					o.Register.Metadata = last
				}
			}
		}
		h.Add(o)
	}
	if r.IntN(2) == 0 {
		lieOfRegister(r, h)
	}
	return h
}

func lieOfRegister(r *rand.Rand, h *History) {
	o := &h.Operations[r.IntN(len(h.Operations))]
	switch r.IntN(5) {
	case 0:
		o.Register.Value = string(rune('a' + r.IntN(4)))
	case 1:
		o.Call, o.Return = o.Call+100, o.Return+100
	case 2:
		if o.Register.Metadata >= 0 {
			o.Register.Metadata = max(0, o.Register.Metadata+int64(r.IntN(5))-2)
		}
	case 3:
		if o.Kind != Get {
			o.Kind = []Kind{Create, Delete, Set}[r.IntN(3)]
		}
	case 4:
		other := &h.Operations[r.IntN(len(h.Operations))]
		if o.Outcome == OK && other.Outcome == OK && o.Kind != Get && other.Kind != Get {
			o.Register.Metadata, other.Register.Metadata = other.Register.Metadata, o.Register.Metadata
		}
	}
}

// registerTrials are histories without open outcomes, on which Check and Porcupine must agree.
func registerTrials(t *testing.T, count uint64) (all []trial) {
	t.Helper()
	for seed := range count {
		h := randomRegister(rand.New(rand.NewPCG(seed, 5)), false)
		v := Judge(h, patience)
		if v == Undecided {
			t.Fatalf("seed %d: Porcupine ran out of time", seed)
		}
		all = append(all, trial{seed, h, v})
	}
	return all
}

// cleanBut says whether the report is clean but for one anomaly, of which Porcupine knows nothing.
func (r *Report) cleanBut(a Anomaly) bool {
	rest := r.Counts
	rest[a] = 0
	return rest == [anomalies]int{}
}

func TestCheckAgreesWithPorcupineOnRegisters(t *testing.T) {
	const count = 10_000
	var found [anomalies]int
	illegal := 0
	for _, trial := range registerTrials(t, count) {
		report, err := Check(trial.history)
		if err != nil {
			t.Fatal(err)
		}
		if trial.disagrees() {
			var text bytes.Buffer
			trial.history.WriteTo(&text)
			t.Fatalf("seed %d: Porcupine says it is %v, and Check finds %v in\n%s", trial.seed, trial.verdict, report.Findings, &text)
		}
		if trial.verdict == Illegal {
			illegal++
		}
		for a, n := range report.Counts {
			found[a] += min(n, 1)
		}
	}
	t.Logf("%d of %d illegal", illegal, count)
	if illegal*5 < count {
		t.Errorf("too few: %d of %d illegal", illegal, count)
	}
	for a := RegisterOrder; a <= RegisterStale; a++ {
		if t.Logf("%6d %v", found[a], a); found[a] < ofEachAtLeast {
			t.Errorf("%v was found in %d histories, want %d", a, found[a], ofEachAtLeast)
		}
	}
}

// Where outcomes are open Check finds less than Porcupine, and nothing that is none.
func TestCheckFindsNothingThatIsLegalForARegister(t *testing.T) {
	illegal, found := 0, 0
	for seed := range uint64(5000) {
		h := randomRegister(rand.New(rand.NewPCG(seed, 6)), true)
		report, err := Check(h)
		if err != nil {
			t.Fatal(err)
		}
		v := Judge(h, patience)
		if v == Illegal {
			illegal++
		}
		if report.cleanBut(RegisterStale) {
			continue
		}
		found++
		if v != Illegal {
			var text bytes.Buffer
			h.WriteTo(&text)
			t.Fatalf("seed %d: Porcupine says it is %v, and Check finds %v in\n%s", seed, v, report.Findings, &text)
		}
	}
	t.Logf("%d of 5000 illegal, %d of them found", illegal, found)
	if found < 500 || illegal < 600 {
		t.Errorf("too few: %d illegal, %d found", illegal, found)
	}
}
