package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Type is how a setting's text is read.
type Type uint8

// The types. Kafka's password and class settings have no effect here, so nothing reads them.
const (
	Int      Type = iota // a whole number of 32 bits
	Long                 // a whole number of 64 bits
	Duration             // milliseconds, a whole number of 64 bits
	Bool                 // true or false, in any case
	String
	List  // words with commas between; empty: none
	Enum  // one of Values
	Ratio // a decimal fraction from 0 to 1
)

// Rule says which texts a setting takes.
type Rule struct {
	Type     Type
	Min, Max int64    // of numbers, both inclusive
	Multiple int64    // numbers must be a multiple of it; 0: any number
	Values   []string // of an Enum; of a List, which words it may hold, or nil for any
}

const (
	intMax  = 1<<31 - 1
	longMax = 1<<63 - 1
)

func between(t Type, least, most int64) Rule { return Rule{Type: t, Min: least, Max: most} }

func blocks(t Type, least, most int64) Rule {
	return Rule{Type: t, Min: least, Max: most, Multiple: blockBytes}
}

func atLeast(t Type, least int64) Rule {
	if t == Int {
		return between(t, least, intMax)
	}
	return between(t, least, longMax)
}

// isNumber says whether texts of the rule are whole numbers.
func (r Rule) isNumber() bool { return r.Type == Int || r.Type == Long || r.Type == Duration }

func oneOf(values ...string) Rule { return Rule{Type: Enum, Values: values} }

func listOf(values ...string) Rule { return Rule{Type: List, Values: values} }

// value is a text that was read.
type value struct {
	text   string
	number int64 // of a Bool, 1 for true
	list   []string
}

// read turns text into a value, or says what would be right.
func (r Rule) read(text string) (value, error) {
	text = strings.TrimSpace(text)
	v := value{text: text}
	var err error
	switch r.Type {
	case Int, Long, Duration:
		v.number, err = r.readNumber(text)
	case Bool:
		v.number, err = readBool(text)
	case Enum:
		if !slices.Contains(r.Values, text) {
			err = fmt.Errorf("is none of %s", strings.Join(r.Values, ", "))
		}
	case List:
		v.list, err = r.readList(text)
	case Ratio:
		err = checkRatio(text)
	case String:
	}
	return v, err
}

func (r Rule) readNumber(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, fmt.Errorf("is out of bounds: take %d to %d", r.Min, r.Max)
	case err != nil && r.Type == Duration:
		return 0, errors.New("is no whole number of milliseconds; write digits only")
	case err != nil:
		return 0, errors.New("is no whole number; write digits only")
	case n < r.Min && r.Max >= intMax:
		return 0, fmt.Errorf("is too small: take %d or more", r.Min)
	case n < r.Min || n > r.Max:
		return 0, fmt.Errorf("is out of bounds: take %d to %d", r.Min, r.Max)
	case r.Multiple > 0 && n%r.Multiple != 0:
		return 0, fmt.Errorf("is no multiple of %d; the nearest below is %d", r.Multiple, n-n%r.Multiple)
	}
	return n, nil
}

func readBool(text string) (int64, error) {
	switch strings.ToLower(text) {
	case "true":
		return 1, nil
	case "false":
		return 0, nil
	}
	return 0, errors.New("is neither true nor false")
}

func (r Rule) readList(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	words := strings.Split(text, ",")
	for i, word := range words {
		words[i] = strings.TrimSpace(word)
		switch {
		case words[i] == "":
			return nil, errors.New("has an empty word between its commas")
		case r.Values != nil && !slices.Contains(r.Values, words[i]):
			return nil, fmt.Errorf("holds %q, which is none of %s", words[i], strings.Join(r.Values, ", "))
		}
	}
	return words, nil
}

// checkRatio reads digits instead of a float: core decides nothing by floats.
func checkRatio(text string) error {
	whole, fraction, _ := strings.Cut(text, ".")
	digits := func(s string) bool { return strings.Trim(s, "0123456789") == "" }
	zeros := func(s string) bool { return strings.Trim(s, "0") == "" }
	switch {
	case whole+fraction == "" || !digits(whole) || !digits(fraction):
		return errors.New("is no decimal fraction; write it as 0.5")
	case zeros(whole), strings.TrimLeft(whole, "0") == "1" && zeros(fraction):
		return nil
	}
	return errors.New("is out of bounds: take 0 to 1")
}
