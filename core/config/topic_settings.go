package config

import (
	"slices"
	"strconv"
	"time"

	"barnabas/core/assert"
)

// TopicSettings are the settings of one topic: its own, else the broker's, else the table's.
//
// As with Settings, asking for a name that is not in the table, or as another type, is a broken assertion.
type TopicSettings struct {
	broker *Settings
	own    func(name string) (string, bool)
}

// OfTopic returns the settings of a topic that was given those that own returns. One that can't be read, which a
// controller that allows more may have let in, counts as not given.
func (s *Settings) OfTopic(own func(name string) (string, bool)) TopicSettings {
	return TopicSettings{s, own}
}

// Has says whether the setting has a value; most have one always.
func (t TopicSettings) Has(name string) bool {
	return !t.inForce(topicTable[placeOfTopic(name)]).unset
}

// Int returns a setting of type Int.
func (t TopicSettings) Int(name string) int { return int(t.get(name, Int).number) }

// Long returns a setting of type Long.
func (t TopicSettings) Long(name string) int64 { return t.get(name, Long).number }

// Duration returns a setting of type Duration; a negative one means never.
func (t TopicSettings) Duration(name string) time.Duration {
	return milliseconds(t.get(name, Duration).number)
}

// Milliseconds returns a setting of type Duration as it was given, for what is compared with records' timestamps.
func (t TopicSettings) Milliseconds(name string) int64 { return t.get(name, Duration).number }

// String returns a setting of type String or Enum.
func (t TopicSettings) String(name string) string { return t.get(name, String, Enum).text }

// List returns the words of a setting of type List.
func (t TopicSettings) List(name string) []string { return slices.Clone(t.get(name, List).list) }

func (t TopicSettings) get(name string, types ...Type) value {
	row := topicTable[placeOfTopic(name)]
	assert.That(slices.Contains(types, row.Rule.Type), "a setting is asked for as what it is")
	found := t.inForce(row)
	assert.That(!found.unset, "a setting that is asked for has a value")
	return found.value
}

// inForce returns the value that counts.
func (t TopicSettings) inForce(row TopicRow) entry {
	if v, ok := t.given(row); ok {
		return entry{value: v}
	}
	for _, synonym := range row.Broker {
		if e := t.broker.values[place(synonym.Name)]; !e.unset {
			return synonym.convert(e)
		}
	}
	if row.isOptional() {
		return entry{unset: true}
	}
	v, err := row.Rule.read(row.Default)
	assert.That(err == nil, "a default obeys its own rule")
	return entry{value: v}
}

// given returns what the topic itself was given.
func (t TopicSettings) given(row TopicRow) (value, bool) {
	text, ok := t.own(row.Name)
	if !ok {
		return value{}, false
	}
	v, err := row.Rule.read(text)
	return v, err == nil
}

// convert turns the broker's value into the topic's unit.
func (s Synonym) convert(e entry) entry {
	if s.Factor != 1 {
		e.number *= s.Factor // of 32 bits before, so this fits
		e.text = strconv.FormatInt(e.number, 10)
	}
	return e
}
