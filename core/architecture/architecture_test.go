package architecture

import (
	"path/filepath"
	"testing"
)

// TestArchitecture holds the whole module to the rules.
func TestArchitecture(t *testing.T) {
	root, err := findRoot()
	if err != nil {
		t.Fatal(err)
	}
	r := newReport(root)
	for _, tags := range variants {
		if err := r.checkVariant(tags); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.checkLayout(); err != nil {
		t.Fatal(err)
	}
	r.addUnused()
	r.checkCounts(filepath.Join(root, "core/architecture/testdata/exceptions.txt"))
	for _, f := range r.sorted() {
		t.Error(f)
	}
}
