package config

import (
	"fmt"
	"strings"
)

// ConnectionsPerIP returns the addresses with a bound of their own on their connections.
func (s *Settings) ConnectionsPerIP() (map[string]int, error) {
	const name = "max.connections.per.ip.overrides"
	most := map[string]int{}
	for _, word := range s.List(name) {
		colon := strings.LastIndexByte(word, ':')
		if colon < 1 {
			return nil, fmt.Errorf("%s: %q is no pair; write ADDRESS:NUMBER", s.describe(name), word)
		}
		v, err := atLeast(Int, 0).read(word[colon+1:])
		if err != nil {
			return nil, fmt.Errorf("%s: the number of %q %w", s.describe(name), word, err)
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
