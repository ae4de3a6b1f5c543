// Package feature is what the Go programs of the client matrix share: they try what a client can do, one feature after the
// other, and say how each went.
package feature

import (
	"errors"
	"fmt"
	"os"
)

// Records is how many records each test of a codec sends.
const Records = 100

// ErrNeedsGroups is the outcome of what a client offers through a consumer group only.
var ErrNeedsGroups = errors.New("needs groups")

// Try prints a line with the outcome of a feature: "ok", "needs groups", or the error, after which the program's exit code is 1.
func Try(name string, f func() error) {
	err := f()
	switch {
	case err == nil:
		fmt.Printf("%s\tok\n", name)
	case errors.Is(err, ErrNeedsGroups):
		fmt.Printf("%s\tneeds groups\n", name)
	default:
		fmt.Printf("%s\tFAILED: %v\n", name, err)
		failed = true
	}
}

var failed bool

// Exit ends the program.
func Exit() {
	if failed {
		os.Exit(1)
	}
	os.Exit(0)
}

// Want is an error unless got is want.
func Want[T comparable](what string, got, want T) error {
	if got != want {
		return fmt.Errorf("%s: %v, want %v", what, got, want)
	}
	return nil
}

// Value is the value of record n.
func Value(n int) string { return fmt.Sprintf("value %d, which compresses well, well, well", n) }
