// Package codes explains Kafka's error codes to people: what usually causes each, and what to do about it. What a code
// means in a line is said by core/protocol, where brokers take it from too.
package codes

import (
	"fmt"
	"strconv"
	"strings"

	"barnabas/core/config"
	"barnabas/core/protocol"
)

// Code is one of them, explained.
type Code struct {
	Number    int16  `json:"code"`
	Name      string `json:"name"`
	Retriable bool   `json:"retriable"` // clients try again by themselves
	Meaning   string `json:"meaning"`
	Cause     string `json:"cause"`
	Do        string `json:"do"`
}

func explain(e protocol.Error) Code {
	x := table[e]
	return Code{int16(e), e.Name(), e.Retriable(), e.Message(), x.cause, x.do}
}

// All returns every code there is, in ascending order.
func All() []Code {
	var all []Code
	for e := protocol.ErrUnknownServerError; e.Known(); e++ {
		all = append(all, explain(e))
	}
	return all
}

// Find returns the code that a number or a name stands for. Case, and what stands between words, do not matter: the Java
// client's NotLeaderOrFollowerException is found as well. The error names the nearest.
func Find(word string) (Code, error) {
	if n, err := strconv.ParseInt(word, 10, 16); err == nil {
		if e := protocol.Error(n); e.Known() {
			return explain(e), nil
		}
		return Code{}, fmt.Errorf("there is no error code %d: Kafka has -1 to %d", n, All()[len(All())-1].Number)
	}
	var names []string
	for _, c := range All() {
		if letters(c.Name) == letters(word) || letters(c.Name)+"exception" == letters(word) {
			return c, nil
		}
		names = append(names, c.Name)
	}
	upper := strings.ToUpper(strings.NewReplacer("-", "_", " ", "_").Replace(word))
	return Code{}, fmt.Errorf("there is no error %q; the nearest is %s", word, config.Nearest(upper, names))
}

func letters(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(name))
}
