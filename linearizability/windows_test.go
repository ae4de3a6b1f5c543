package linearizability

import (
	"bytes"
	"testing"
	"time"
)

// What windows of Porcupine find, Check finds too; and of what does not lie in positions of clients, copies far apart or the
// end of the log, they find all.
func TestCheckAgreesWithWindows(t *testing.T) {
	inWindows := []Anomaly{InconsistentOffsets, RealTimeOrder, ReadBeforeWrite, NonmonotonicSend, AbortedRead, Unwritten}
	illegal, missed := 0, 0
	for _, trial := range trials(t, 12_000) {
		report, err := Check(trial.history)
		if err != nil {
			t.Fatal(err)
		}
		windows, err := JudgeWindows(trial.history, Windows{Size: 3, Patience: patience})
		if err != nil {
			t.Fatal(err)
		}
		if windows.Has(LinearizabilityUnknown) {
			t.Fatalf("seed %d: Porcupine ran out of time", trial.seed)
		}
		must := false
		for _, a := range inWindows {
			must = must || report.Has(a)
		}
		found := windows.Has(NotLinearizable)
		if found && report.Clean() || must && !found {
			var text bytes.Buffer
			trial.history.WriteTo(&text)
			t.Fatalf("seed %d: windows are illegal: %v, and Check finds %v in\n%s", trial.seed, found, report.Findings, &text)
		}
		if found {
			illegal++
		} else if !report.Clean() {
			missed++
		}
	}
	t.Logf("%d illegal, %d found by Check alone", illegal, missed)
	if illegal < 2000 {
		t.Errorf("too few: %d illegal", illegal)
	}
}

func TestWindowsOfALongHistory(t *testing.T) {
	h := longHistory(20_000)
	report, err := JudgeWindows(h, Windows{Patience: time.Minute})
	if err != nil || !report.Clean() {
		t.Fatal(report, err)
	}
	// One late send far behind is enough, whichever window it is in.
	for at := range h.Operations {
		if o := &h.Operations[at]; at > 10_000 && o.Kind == Send && o.Outcome == OK {
			o.Call, o.Return = o.Call+100_000, o.Return+100_000
			break
		}
	}
	report, err = JudgeWindows(h, Windows{Patience: time.Minute})
	if err != nil || report.Counts[NotLinearizable] == 0 || report.Has(LinearizabilityUnknown) {
		t.Fatal(report, err)
	}
	if fast, err := Check(h); err != nil || fast.Clean() {
		t.Fatal(fast, err)
	}
}

func TestPatienceEnds(t *testing.T) {
	report, err := JudgeWindows(longHistory(20_000), Windows{Size: 1 << 20, Patience: 1})
	if err != nil || !report.Has(LinearizabilityUnknown) || report.Has(NotLinearizable) {
		t.Fatal(report, err)
	}
}
