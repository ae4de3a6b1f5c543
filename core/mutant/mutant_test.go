package mutant

import (
	"regexp"
	"strings"
	"testing"
)

func TestTheMuseumIsComplete(t *testing.T) {
	name := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	names, ids := map[string]bool{}, map[ID]bool{None: true}
	for _, e := range Museum() {
		if !name.MatchString(e.Name) || names[e.Name] || ids[e.ID] || e.Origin == "" || e.Claim == "" || e.Oracle == "" || !strings.HasPrefix(e.Package, "core/") {
			t.Errorf("bad entry %+v", e)
		}
		names[e.Name], ids[e.ID] = true, true
		if found, ok := Find(e.Name); !ok || found != e {
			t.Errorf("%s is not found", e.Name)
		}
	}
	for id := range ID(len(ids)) {
		if !ids[id] {
			t.Errorf("mutant %d is not in the museum", id)
		}
	}
	if _, ok := Find("no-such-mutant"); ok {
		t.Error("found what is not there")
	}
}

func TestMutantsAreOffUnlessSwitchedOn(t *testing.T) {
	defer Switch(None)
	for id := range ID(len(Museum()) + 1) {
		if On(id) {
			t.Errorf("mutant %d is on from the start", id)
		}
	}
	for _, e := range Museum() {
		Switch(e.ID)
		for _, other := range Museum() {
			if want := Available && other.ID == e.ID; On(other.ID) != want {
				t.Errorf("%s is switched on, and %s is on: %v", e.Name, other.Name, !want)
			}
		}
	}
	Switch(None)
	if On(None) {
		t.Error("no mutant is a mutant")
	}
}
