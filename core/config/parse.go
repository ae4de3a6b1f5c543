package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Parse checks pairs, which come in rising order of precedence: the last one of a name counts. The error names
// everything that is wrong, one thing a line, and how to put it right.
func Parse(pairs []Pair) (*Settings, []Warning, error) {
	given := make(map[string]Pair, len(pairs))
	var unread []string // names without effect, as they come
	var errs []error
	for _, p := range pairs {
		switch {
		case find(p.Name) >= 0:
			given[p.Name] = p
		case isWithoutEffect(p.Name):
			if !slices.Contains(unread, p.Name) {
				unread = append(unread, p.Name)
			}
		default:
			errs = append(errs, unknown(p))
		}
	}
	s := &Settings{values: make([]entry, len(table))}
	for i, row := range table {
		e, err := readRow(row, given)
		s.values[i] = e
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, nil, err
	}
	warnings := warnOfUnread(unread)
	more, err := s.agree()
	if err != nil {
		return nil, nil, err
	}
	return s, append(warnings, more...), nil
}

// Defaults returns the settings of a broker that was given none.
func Defaults() *Settings {
	s, _, err := Parse(nil)
	if err != nil {
		panic(err) // the table contradicts itself
	}
	return s
}

func unknown(p Pair) error {
	return fmt.Errorf("%s (%v): there is no such setting; the nearest is %s", p.Name, p.Origin, Nearest(p.Name, names()))
}

func readRow(row Row, given map[string]Pair) (entry, error) {
	p, ok := given[row.Name]
	if !ok && row.Alias != "" {
		p, ok = given[row.Alias]
	}
	if !ok && row.isOptional() {
		return entry{unset: true}, nil
	}
	if !ok {
		p = Pair{Name: row.Name, Value: row.Default}
	}
	v, err := row.Rule.read(p.Value)
	if err != nil {
		err = fmt.Errorf("%s=%s (%v) %w", p.Name, v.text, p.Origin, err)
	}
	return entry{value: v, origin: p.Origin, given: ok}, err
}

func warnOfUnread(names []string) []Warning {
	if len(names) == 0 {
		return nil
	}
	return []Warning{Warning("settings of Kafka that have no effect here: " + strings.Join(names, ", "))}
}
