package config

import "fmt"

// Source is the kind of place a value comes from.
type Source uint8

// The sources.
const (
	FromTable Source = iota
	FromFile
	FromEnvironment
	FromFlag
	FromSimulation
)

// Origin says where a value comes from.
type Origin struct {
	Source Source
	Name   string // of the file, the environment variable or the flag
	Line   int    // in the file, from 1
}

// String returns the origin as it appears in errors and listings.
func (o Origin) String() string {
	switch o.Source {
	case FromFile:
		return fmt.Sprintf("%s line %d", o.Name, o.Line)
	case FromEnvironment:
		return "environment variable " + o.Name
	case FromFlag:
		return "flag " + o.Name
	case FromSimulation:
		return "simulation"
	default:
		return "default"
	}
}

// Pair is a setting that was given, not checked yet.
type Pair struct {
	Name, Value string
	Origin      Origin
}

// Warning is a line for the operator that is no reason to stop.
type Warning string
