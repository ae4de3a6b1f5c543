package config

import (
	"fmt"
	"slices"
	"strings"
)

// This file is about what the cluster's metadata may change while a broker runs, for one broker or for all of them: the
// defaults of topics' settings, and the rows that say so. What else a broker is given counts until it is started anew.

// layer is what the metadata say, by the places of the table; the places without a value are not given.
type layer []entry

func (l layer) at(i int) (entry, bool) {
	if l == nil || !l[i].given {
		return entry{}, false
	}
	return l[i], true
}

// IsDynamic says whether the setting may change while a broker runs.
func IsDynamic(name string) bool {
	if i := slices.IndexFunc(table, func(r Row) bool { return r.Name == name }); i >= 0 && table[i].Dynamic {
		return true
	}
	_, ok := dynamicTopicRow(name)
	return ok
}

// HasEffect says whether the setting of a broker has an effect here; the others are Kafka's.
func HasEffect(name string) bool { return find(name) >= 0 }

// dynamicTopicRow returns the topic's setting that the broker's is the default of, by its first name: log.retention.ms is
// dynamic, log.retention.hours is not.
func dynamicTopicRow(name string) (TopicRow, bool) {
	i := slices.IndexFunc(topicTable, func(r TopicRow) bool { return len(r.Broker) > 0 && r.Broker[0].Name == name })
	if i < 0 {
		return TopicRow{}, false
	}
	return topicTable[i], true
}

// With returns the settings with what the metadata say on top: values for this broker alone, and below them values for all
// brokers. What may not change, or can't be read, counts as not given, as a controller that allows more may have let it in.
func (s *Settings) With(own, all func(name string) (string, bool)) *Settings {
	start := s.started()
	with := &Settings{values: slices.Clone(start), static: start, listeners: s.listeners}
	with.all = with.lay(all)
	with.own = with.lay(own)
	return with
}

// started returns the values that the process was started with.
func (s *Settings) started() []entry {
	if s.static != nil {
		return s.static
	}
	return s.values
}

// lay puts a layer on top of the values.
func (s *Settings) lay(given func(name string) (string, bool)) layer {
	l := make(layer, len(table))
	for i := range table {
		name := table[i].Name
		if !IsDynamic(name) {
			continue
		}
		text, ok := given(name)
		if !ok || s.ValidateBrokerConfig(name, text) != nil {
			continue
		}
		v, err := table[i].Rule.read(text)
		if err != nil {
			continue
		}
		l[i] = entry{value: v, given: true}
		s.values[i].value, s.values[i].given, s.values[i].unset = v, true, false
	}
	return l
}

// ValidateBrokerConfig says what is wrong with giving a running broker the setting. What may not change is another matter:
// see IsDynamic.
func (s *Settings) ValidateBrokerConfig(name, text string) error {
	i := find(name)
	if i < 0 {
		return fmt.Errorf("%s: there is no such setting; the nearest is %s", name, Nearest(name, names()))
	}
	if v, err := table[i].Rule.read(text); err != nil {
		return fmt.Errorf("%s=%s %w", name, v.text, err)
	}
	if name == perIPOverrides {
		if _, err := connectionsPerIP(strings.Split(text, ",")); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
	row, ok := dynamicTopicRow(name)
	if !ok {
		return nil
	}
	if name == "log.retention.ms" && text == "0" {
		return fmt.Errorf("log.retention.ms=0 keeps no record at all: take 1 or more, or -1 to keep all")
	}
	if err := s.ValidateTopicConfig(row.Name, text); err != nil {
		return fmt.Errorf("%s is the default of the topics' %w", name, err)
	}
	return nil
}

// IsKnown says whether a broker may be given the setting.
func IsKnown(name string) bool { return find(name) >= 0 || slices.Contains(names(), name) }

// IsList says whether the setting of a topic, or of a broker, is a list.
func IsList(name string, ofTopic bool) bool {
	if ofTopic {
		row, ok := FindTopic(name)
		return ok && row.Rule.Type == List
	}
	i := find(name)
	return i >= 0 && table[i].Rule.Type == List
}

// Words returns the words of a broker's list, or none.
func (s *Settings) Words(name string) []string {
	if i := find(name); i >= 0 {
		return slices.Clone(s.values[i].list)
	}
	return nil
}

// DescribeDefaults describes what the metadata say for all brokers.
func (s *Settings) DescribeDefaults() []Description {
	var all []Description
	for i, row := range table {
		if e, ok := s.all.at(i); ok {
			all = append(all, Description{
				Name: row.Name, Value: e.text, HasValue: true, Type: row.Rule.Type, Meaning: row.Meaning, Source: SourceDynamicDefault,
				Synonyms: []DescribedSynonym{{row.Name, e.text, SourceDynamicDefault}},
			})
		}
	}
	return all
}
