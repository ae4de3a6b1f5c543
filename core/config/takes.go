package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Word names the type, as Kafka's documentation does where it has it.
func (t Type) Word() string {
	return [...]string{"int", "long", "ms", "boolean", "string", "list", "one of", "decimal"}[t]
}

// Takes says in words which texts the rule takes.
func (r Rule) Takes() string {
	switch r.Type {
	case Int, Long, Duration:
		return r.takesNumbers()
	case Bool:
		return "true, false"
	case Enum:
		return strings.Join(r.Values, ", ")
	case List:
		if len(r.Values) > 0 {
			return "of " + strings.Join(r.Values, ", ")
		}
		return "words with commas between"
	case Ratio:
		return "0 to 1"
	case String:
	}
	return "any text"
}

func (r Rule) takesNumbers() string {
	text := ""
	switch {
	case r.Min < -1 && r.Max >= intMax:
		text = "any number"
	case r.Max >= intMax:
		text = strconv.FormatInt(r.Min, 10) + " or more"
	default:
		text = fmt.Sprintf("%d to %d", r.Min, r.Max)
	}
	if r.Multiple > 0 {
		text += fmt.Sprintf(", in steps of %d", r.Multiple)
	}
	return text
}

// WithoutEffect returns the names of Kafka's broker settings that nothing here reads, in ascending order.
func WithoutEffect() []string { return slices.Clone(withoutEffect) }
