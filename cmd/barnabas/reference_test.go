package main

import (
	"flag"
	"os"
	"testing"
)

var updateReferences = flag.Bool("references.update", false, "write the generated references anew")

// TestReferencesAreFresh compares docs with the tables they are made of.
func TestReferencesAreFresh(t *testing.T) {
	for file, want := range map[string]string{
		"../../docs/SETTINGS.md": settingsReference(), "../../docs/METRICS.md": metricsReference(),
		"../../docs/PROTOCOL.md": protocolReference(),
	} {
		if *updateReferences {
			if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		got, err := os.ReadFile(file)
		if err != nil || string(got) != want {
			t.Errorf("%s is stale (%v): run go generate ./cmd/barnabas", file, err)
		}
	}
}
