package linearizability

import (
	"strings"
	"testing"
)

// Examine finds what Check finds, first, and then says that Porcupine agrees.
func TestExamineAsksBoth(t *testing.T) {
	for _, c := range []struct {
		text string
		want []Anomaly
	}{
		{"partition 0 t-0\nclient 0 plain\nclient 1 plain\nsend 0 0 10 20 ok 0.0@0\n", nil},
		{"partition 0 t-0\nclient 0 plain\nclient 1 plain\nsend 0 0 10 20 ok 0.0@1\nsend 1 0 21 30 ok 1.0@0\n", []Anomaly{RealTimeOrder, NotLinearizable}},
		{"client 0 consumer\ncreate 0 10 20 ok t=A\ncreate 0 21 30 ok t=B\n", []Anomaly{NotLinearizable}},
		{"client 0 consumer\ncreate 0 10 20 ok t=A m1\ncreate 0 21 30 ok t=B m2\n", []Anomaly{RegisterState, NotLinearizable}},
	} {
		h, err := Read(strings.NewReader(header + "\n" + c.text))
		if err != nil {
			t.Fatal(err)
		}
		report, err := Examine(h, Windows{})
		if err != nil {
			t.Fatal(err)
		}
		var got []Anomaly
		for _, f := range report.Findings {
			got = append(got, f.Anomaly)
		}
		if len(got) != len(c.want) {
			t.Fatalf("%s: %v, want %v", c.text, got, c.want)
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: %v, want %v", c.text, got, c.want)
			}
		}
	}
}

func TestUndecidedIsNoPass(t *testing.T) {
	report, err := Examine(longHistory(20_000), Windows{Size: 1 << 20, Patience: 1})
	if err != nil || report.Clean() || !report.Has(LinearizabilityUnknown) {
		t.Fatal(report, err)
	}
}
