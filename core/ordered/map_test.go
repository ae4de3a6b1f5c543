package ordered

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestTheZeroMapIsReady(t *testing.T) {
	var m Map[string, int]
	if _, ok := m.Get("a"); ok || m.Len() != 0 || m.At("a") != 0 || len(m.Keys()) != 0 {
		t.Error("the zero map holds something")
	}
	m.Delete("a")
	for range m.All {
		t.Error("the zero map is walked")
	}
	m.Set("b", 2)
	m.Set("a", 1)
	m.Set("b", 3)
	if m.Len() != 2 || m.At("b") != 3 {
		t.Errorf("%d keys, b is %d", m.Len(), m.At("b"))
	}
}

func TestAWalkCanStop(t *testing.T) {
	var m Map[int, int]
	for i := range 5 {
		m.Set(4-i, i)
	}
	var seen []int
	for k := range m.All {
		if seen = append(seen, k); k == 2 {
			break
		}
	}
	if !slices.Equal(seen, []int{0, 1, 2}) {
		t.Errorf("walked %v", seen)
	}
}

func TestAMapIsLikeAGoMapWalkedInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m Map[int, int]
		model := map[int]int{}
		for range rapid.IntRange(0, 60).Draw(t, "changes") {
			key := rapid.IntRange(0, 15).Draw(t, "key")
			if rapid.Bool().Draw(t, "delete") {
				m.Delete(key)
				delete(model, key)
			} else {
				value := rapid.Int().Draw(t, "value")
				m.Set(key, value)
				model[key] = value
			}
			want := slices.Sorted(maps.Keys(model))
			if !slices.Equal(m.Keys(), want) || !maps.Equal(maps.Collect(m.All), model) || m.Len() != len(model) {
				t.Fatalf("keys %v, want %v", m.Keys(), want)
			}
		}
	})
}
