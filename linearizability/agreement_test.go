package linearizability

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
	"time"
)

// A small history is judged by Porcupine in microseconds; what takes longer than this is a fault of the model.
const patience = 20 * time.Second

const (
	histories     = 24_000 // at least 20,000 make sense
	ofEachAtLeast = 200
)

// trial is a history with Porcupine's verdict.
type trial struct {
	seed    uint64
	history *History
	verdict Verdict
}

// trials makes the histories and has them judged. Three quarters are lied about, up to three times.
func trials(t *testing.T, count uint64) (all []trial) {
	t.Helper()
	for seed := range count {
		r := rand.New(rand.NewPCG(seed, 4))
		h := randomHistory(r)
		if r.IntN(4) > 0 {
			for range 1 + r.IntN(3) {
				lie(r, h)
			}
		}
		if _, err := Check(h); err != nil {
			if !errors.As(err, new(*InvalidError)) {
				t.Fatalf("seed %d: %v", seed, err)
			}
			continue // a lie made it senseless
		}
		v := Judge(h, patience)
		if v == Undecided {
			t.Fatalf("seed %d: Porcupine ran out of time", seed)
		}
		all = append(all, trial{seed, h, v})
	}
	return all
}

// disagrees says whether Check and Porcupine do.
func (t *trial) disagrees() bool {
	report, err := Check(t.history)
	return err != nil || report.cleanBut(RegisterStale) != (t.verdict == Linearizable)
}

func TestCheckAgreesWithPorcupine(t *testing.T) {
	all := trials(t, histories)
	var found [anomalies]int
	illegal, open := 0, 0
	clients := make(map[int]int)
	for i := range all {
		trial := &all[i]
		report, err := Check(trial.history)
		if err != nil {
			t.Fatalf("seed %d: %v", trial.seed, err)
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
		clients[len(trial.history.Clients)]++
		for n := range trial.history.Operations {
			if trial.history.Operations[n].Outcome == Unknown {
				open++
				break
			}
		}
	}
	t.Logf("%d histories, %d illegal, %d with open outcomes, by clients %v", len(all), illegal, open, clients)
	if len(all) < 20_000 || illegal*3 < len(all) || open*3 < len(all) || len(clients) != 5 {
		t.Errorf("too few: %d histories, %d illegal, %d with open outcomes, by clients %v", len(all), illegal, open, clients)
	}
	for a := InconsistentOffsets; a <= StaleEnd; a++ {
		t.Logf("%6d %v", found[a], a)
		if found[a] < ofEachAtLeast {
			t.Errorf("%v was found in %d histories, want %d", a, found[a], ofEachAtLeast)
		}
	}
}
