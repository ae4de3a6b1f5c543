package main

import (
	"os/exec"
	"strings"
	"testing"
)

// TestCompletionBash has bash itself complete, where there is one. .ci/parts/45-readme does the same with zsh and fish.
func TestCompletionBash(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("this machine has no bash")
	}
	p := newTrial()
	p.guarded([]string{"completion", "bash"})
	script := p.out.String() + `
barnabas() { printf 'TOPIC ID\norders x\nother y\n'; }
try() { COMP_WORDS=("$@"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _barnabas; echo "${COMPREPLY[*]}"; }
try barnabas ''
try barnabas to
try barnabas topic de
try barnabas topic describe o
try barnabas topic describe --output json orders --o
try barnabas topic list --output ''
try barnabas -x produce
`
	command := exec.Command(bash, "--norc", "-c", script)
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want := []string{
		strings.Join(places(commands(), "")[0].words(), " "), "topic", "describe delete", "orders other", "--output", "table json", "produce",
	}
	if got := strings.Split(strings.TrimSpace(string(out)), "\n"); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestCompletionKnowsEveryCommand: a command or a flag is in all three scripts.
func TestCompletionKnowsEveryCommand(t *testing.T) {
	all := places(commands(), "")
	for name, script := range map[string]string{"bash": completionBash(all), "zsh": completionZsh(all), "fish": completionFish(all)} {
		for _, x := range all {
			if x.path != "" && !strings.Contains(script, x.path) {
				t.Errorf("%s does not know %s", name, x.path)
			}
			for _, flag := range x.flags {
				if long, found := strings.CutPrefix(flag, "--"); found && !strings.Contains(script, long) {
					t.Errorf("%s does not know %s of %s", name, flag, x.path)
				}
			}
		}
	}
}
