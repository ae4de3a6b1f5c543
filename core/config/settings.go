package config

import (
	"slices"
	"time"

	"barnabas/core/assert"
)

// Settings are the checked values of one broker. Nothing changes them.
//
// A getter's name is the programmer's: asking for one that is not in the table, or as another type, is a broken
// assertion. Every name that a getter is asked for stands in the table, so that it is documented and simulated.
type Settings struct {
	values    []entry // of the table's rows, in its order
	listeners []listener

	// Of settings with what the metadata say on top, see With.
	static   []entry // what the process was started with
	own, all layer   // what is said for this broker, and for all
}

// listener is an address to listen on.
type listener struct {
	name, address string
	advertised    string // what its clients are told; "": what they came in on
}

type entry struct {
	value
	origin Origin
	given  bool // it is not the table's
	unset  bool // it has no value: it was given none, and the table has none
}

// Setting is a value in force, for listings.
type Setting struct {
	Name, Value string
	Origin      Origin
}

// Has says whether the setting has a value; most have one always.
func (s *Settings) Has(name string) bool { return !s.values[place(name)].unset }

// Int returns a setting of type Int.
func (s *Settings) Int(name string) int { return int(s.get(name, Int).number) }

// Long returns a setting of type Long.
func (s *Settings) Long(name string) int64 { return s.get(name, Long).number }

// Duration returns a setting of type Duration; a negative one means never.
func (s *Settings) Duration(name string) time.Duration {
	return milliseconds(s.get(name, Duration).number)
}

// Bool returns a setting of type Bool.
func (s *Settings) Bool(name string) bool { return s.get(name, Bool).number == 1 }

// String returns a setting of type String or Enum.
func (s *Settings) String(name string) string { return s.get(name, String, Enum).text }

// List returns the words of a setting of type List.
func (s *Settings) List(name string) []string { return slices.Clone(s.get(name, List).list) }

// Folder returns the data folder.
func (s *Settings) Folder() string { return s.get("log.dirs", List).list[0] }

// ListenAddresses returns the HOST:PORT of every listener to open, in order. An empty host means every interface.
func (s *Settings) ListenAddresses() []string {
	var all []string
	for _, l := range s.listeners {
		all = append(all, l.address)
	}
	return all
}

// AdvertisedAddresses returns, for each of them, the HOST:PORT its clients are told, or "" for the one they came in on. Port 0
// stands for the one that is listened on.
func (s *Settings) AdvertisedAddresses() []string {
	var all []string
	for _, l := range s.listeners {
		all = append(all, l.advertised)
	}
	return all
}

// Origin says where the setting's value comes from.
func (s *Settings) Origin(name string) Origin { return s.values[place(name)].origin }

// All returns every setting in the table's order.
func (s *Settings) All() []Setting {
	all := make([]Setting, len(table))
	for i, e := range s.values {
		all[i] = Setting{Name: table[i].Name, Value: e.text, Origin: e.origin}
	}
	return all
}

func (s *Settings) get(name string, types ...Type) value {
	i := place(name)
	assert.That(slices.Contains(types, table[i].Rule.Type), "a setting is asked for as what it is")
	assert.That(!s.values[i].unset, "a setting that is asked for has a value")
	return s.values[i].value
}

func place(name string) int {
	i := find(name)
	assert.That(i >= 0, "a setting that is asked for stands in the table")
	return i
}

// milliseconds saturates: 292 years are as good as any longer time.
func milliseconds(n int64) time.Duration {
	const most = int64(longMax / time.Millisecond)
	return time.Duration(min(max(n, -most), most)) * time.Millisecond
}
