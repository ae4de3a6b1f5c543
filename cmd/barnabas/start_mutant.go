package main

import (
	"strings"

	"barnabas/core/mutant"
)

// mutantVariable is the variable of the environment that gives a broker a bug of the museum, in a build with mutants. It
// is there for tests that show that they would notice.
const mutantVariable = "MUSEUM_MUTANT"

// mutate gives the broker the bug that the environment asks for.
func (p *program) mutate() error {
	if !p.mutants {
		return nil
	}
	for _, variable := range p.environ {
		name, found := strings.CutPrefix(variable, mutantVariable+"=")
		if !found || name == "" {
			continue
		}
		entry, found := mutant.Find(name)
		if !found {
			return usagef("%s: there is no mutant %q; barnabas sim mutants lists them", mutantVariable, name)
		}
		p.give(entry.ID)
		p.say("warning: this broker has the bug %s", entry.Name)
	}
	return nil
}
