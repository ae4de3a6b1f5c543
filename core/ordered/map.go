// Package ordered walks maps in key order, because core may not walk them any other way.
//
// A Map is a Go map beside a sorted slice of its keys: lookups cost what a map costs, a walk is in ascending order and
// the same in every run. Inserting or deleting a key is linear in the number of keys, which suits the maps core walks
// (brokers, topics, partitions, logs, connections): they are walked and looked up far more often than they change.
package ordered

import (
	"cmp"
	"slices"
)

// Map maps keys to values and walks them in ascending key order. The zero Map is empty and ready to use.
type Map[K cmp.Ordered, V any] struct {
	values map[K]V
	keys   []K
}

// Len returns the number of keys.
func (m *Map[K, V]) Len() int { return len(m.keys) }

// Get returns the value of key and whether there is one.
func (m *Map[K, V]) Get(key K) (V, bool) {
	v, ok := m.values[key]
	return v, ok
}

// At returns the value of key, or the zero value.
func (m *Map[K, V]) At(key K) V { return m.values[key] }

// Set gives key a value.
func (m *Map[K, V]) Set(key K, value V) {
	if m.values == nil {
		m.values = make(map[K]V)
	}
	if _, ok := m.values[key]; !ok {
		at, _ := slices.BinarySearch(m.keys, key)
		m.keys = slices.Insert(m.keys, at, key)
	}
	m.values[key] = value
}

// Delete removes key if it is there.
func (m *Map[K, V]) Delete(key K) {
	if _, ok := m.values[key]; !ok {
		return
	}
	delete(m.values, key)
	at, _ := slices.BinarySearch(m.keys, key)
	m.keys = slices.Delete(m.keys, at, at+1)
}

// Keys returns the keys in ascending order. The slice is the map's own: copy it before changing the map in a walk.
func (m *Map[K, V]) Keys() []K { return m.keys }

// All walks keys and values in ascending key order: `for k, v := range m.All`. The map must not change during the walk.
func (m *Map[K, V]) All(yield func(K, V) bool) {
	for _, k := range m.keys {
		if !yield(k, m.values[k]) {
			return
		}
	}
}
