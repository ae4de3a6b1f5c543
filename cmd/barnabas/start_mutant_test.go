package main

import (
	"strings"
	"testing"

	"barnabas/core/mutant"
)

// TestStartWithAMutant: a build with mutants starts a broker with the one asked for; no other build knows the variable.
func TestStartWithAMutant(t *testing.T) {
	for _, c := range []struct {
		value   string
		mutants bool
		given   mutant.ID
		code    int
		said    string
	}{
		{"ack-before-sync", true, mutant.AckBeforeSync, exitDone, "warning: this broker has the bug ack-before-sync\n"},
		{"ack-before-sync", false, mutant.None, exitDone, ""},
		{"", true, mutant.None, exitDone, ""},
		{"no-such-bug", true, mutant.None, exitUsage, `there is no mutant "no-such-bug"`},
	} {
		p := newTrial()
		p.mutants, p.environ = c.mutants, []string{mutantVariable + "=" + c.value}
		code := p.guarded([]string{"start"})
		talk := p.talk.String()
		if code != c.code || p.given != c.given || !strings.Contains(talk, c.said) || c.said == "" && strings.Contains(talk, "bug") {
			t.Errorf("%+v: exit %d, mutant %d\n%s", c, code, p.given, talk)
		}
	}
}
