package config

import (
	"fmt"
	"strings"
)

const perIPOverrides = "max.connections.per.ip.overrides"

// ConnectionsPerIP returns the addresses with a bound of their own on their connections.
func (s *Settings) ConnectionsPerIP() (map[string]int, error) {
	most, err := connectionsPerIP(s.List(perIPOverrides))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.describe(perIPOverrides), err)
	}
	return most, nil
}

// connectionsPerIP reads ADDRESS:NUMBER words.
func connectionsPerIP(words []string) (map[string]int, error) {
	most := map[string]int{}
	for _, word := range words {
		word = strings.TrimSpace(word)
		colon := strings.LastIndexByte(word, ':')
		switch {
		case word == "":
			continue
		case colon < 1:
			return nil, fmt.Errorf("%q is no pair; write ADDRESS:NUMBER", word)
		}
		v, err := atLeast(Int, 0).read(word[colon+1:])
		if err != nil {
			return nil, fmt.Errorf("the number of %q %w", word, err)
		}
		most[strings.Trim(word[:colon], "[]")] = int(v.number)
	}
	return most, nil
}

// checkRequestMemory sees to it that a request fits in.
func (s *Settings) checkRequestMemory() error {
	most := s.Long("queued.max.request.bytes")
	if most < 0 || most >= mib {
		return nil
	}
	return fmt.Errorf("%s is too small to work with: take %d or more, or -1 for no bound", s.describe("queued.max.request.bytes"), mib)
}
