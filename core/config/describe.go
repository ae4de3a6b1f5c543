package config

import "slices"

// Description is a setting as clients are shown it.
type Description struct {
	Name     string
	Value    string
	HasValue bool
	Source   DescribedSource
	Type     Type
	Meaning  string
	// Synonyms are the places its value could come from, in falling order of precedence; the first is where it does.
	Synonyms []DescribedSynonym
}

// DescribedSynonym is one of those places.
type DescribedSynonym struct {
	Name, Value string
	Source      DescribedSource
}

// DescribedSource is where a value comes from, by Kafka's numbers.
type DescribedSource int8

// The sources there are so far.
const (
	SourceTopic          DescribedSource = 1
	SourceDynamicBroker  DescribedSource = 2 // the metadata say it for this broker
	SourceDynamicDefault DescribedSource = 3 // the metadata say it for all brokers
	SourceBroker         DescribedSource = 4 // the broker was started with it
	SourceDefault        DescribedSource = 5
)

// Describe describes the broker's settings, in the table's order.
func (s *Settings) Describe() []Description {
	all := make([]Description, len(table))
	for i, row := range table {
		e := &s.values[i]
		all[i] = Description{
			Name: row.Name, Value: e.text, HasValue: !e.unset, Type: row.Rule.Type, Meaning: row.Meaning,
			Synonyms: s.synonyms(Synonym{row.Name, 1}), Source: SourceDefault,
		}
		if e.given {
			all[i].Source = all[i].Synonyms[0].Source
		}
	}
	return all
}

// Describe describes the topic's settings, in ascending order of names. Those for tests are left out unless the topic has
// them.
func (t TopicSettings) Describe() []Description {
	var all []Description
	for _, row := range topicTable {
		own, given := t.given(row)
		if row.isOptional() && !given {
			continue
		}
		e := t.inForce(row)
		d := Description{
			Name: row.Name, Value: e.text, HasValue: true, Type: row.Rule.Type, Source: SourceDefault,
			Synonyms: t.broker.synonyms(row.Broker...),
		}
		if given {
			d.Synonyms = append([]DescribedSynonym{{row.Name, own.text, SourceTopic}}, d.Synonyms...)
		}
		if len(d.Synonyms) > 0 {
			d.Source = d.Synonyms[0].Source
		}
		all = append(all, d)
	}
	return all
}

// synonyms returns what of these has a value: what the metadata say comes first, for this broker and then for all; then
// what the broker was started with, then the table.
func (s *Settings) synonyms(of ...Synonym) []DescribedSynonym {
	var own, all, given, defaults []DescribedSynonym
	for _, synonym := range of {
		i := place(synonym.Name)
		if e, ok := s.own.at(i); ok {
			own = append(own, DescribedSynonym{synonym.Name, e.text, SourceDynamicBroker})
		}
		if e, ok := s.all.at(i); ok {
			all = append(all, DescribedSynonym{synonym.Name, e.text, SourceDynamicDefault})
		}
		if e := &s.started()[i]; e.given {
			given = append(given, DescribedSynonym{synonym.Name, e.text, SourceBroker})
		}
		if !table[i].isOptional() {
			defaults = append(defaults, DescribedSynonym{synonym.Name, table[i].Default, SourceDefault})
		}
	}
	return slices.Concat(own, all, given, defaults)
}
