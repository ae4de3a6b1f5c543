//go:build mutants

package mutant

// Available says whether mutants are compiled in.
const Available = true

// switched is written once, before any broker runs, and only in builds that carry mutants.
var switched ID

// On says whether the mutant is switched on.
func On(id ID) bool { return switched == id && id != None }

// Switch turns id on for the rest of the process and every other mutant off. Requires: no broker runs yet.
func Switch(id ID) { switched = id } //core:variable the museum's switch, compiled under the tag mutants only

// One returns 1 when the mutant is switched on, and 0 otherwise: for bugs that are off by one.
func One(id ID) int {
	if On(id) {
		return 1
	}
	return 0
}
