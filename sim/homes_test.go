package sim

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"barnabas/core/mutant"
)

// Every invariant that is reported anywhere has a home, and the home is where it is reported.
func TestEveryInvariantHasItsHome(t *testing.T) {
	report := regexp.MustCompile(`(?:violate|judge|Violate)\((?:\w+, )?"(\w+)"`)
	named := map[string]bool{"LostWrite": true, "InconsistentOffset": true, "DigestMismatch": true} // through a variable, or a literal
	for _, folder := range []string{".", "ledger", "client"} {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range report.FindAllStringSubmatch(string(text), -1) {
				named[m[1]] = true
				want := filepath.ToSlash(filepath.Join("sim", folder))
				if in := OracleIn(m[1]); in != want && in != "core" {
					t.Errorf("%s reports %s, whose home is %q", file, m[1], in)
				}
			}
		}
	}
	for name, in := range homes() {
		if !named[name] && in != "linearizability" {
			t.Errorf("nobody reports %s", name)
		}
	}
}

func TestOutside(t *testing.T) {
	for _, c := range []struct {
		invariant, folder string
		want              bool
	}{
		{"AckedOnDisk", "core/storage", true},
		{"Panic", "core/storage/journal", false},
		{"BrokerStarts", "core/storage", false},
		{"LogStructure", "sim", false},
		{"AckedOnDisk", "sim", false},
		{"NoSuchThing", "core/storage", false},
	} {
		if got := Outside(c.invariant, c.folder); got != c.want {
			t.Errorf("%s of %s: %v", c.invariant, c.folder, got)
		}
	}
}

// An oracle that is expected to find a mutant exists, and stands outside what the mutant changes.
func TestMutantsAreExpectedByOraclesOutsideThem(t *testing.T) {
	for _, m := range mutant.Museum() {
		if !Outside(m.Oracle, m.Package) {
			t.Errorf("%s of %s: oracle %q in %q", m.Name, m.Package, m.Oracle, OracleIn(m.Oracle))
		}
	}
}
