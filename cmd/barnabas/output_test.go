package main

import (
	"strings"
	"testing"
	"time"
)

// TestMeter shows progress on a terminal, and nothing elsewhere.
func TestMeter(t *testing.T) {
	for _, shows := range []bool{true, false} {
		p := newTrial()
		p.shows = shows
		m := p.newMeter("records")
		m.count(256)
		if p.talk.String() != "" {
			t.Errorf("short work shows its progress: %q", p.talk.String())
		}
		m.next = time.Time{}
		m.count(512)
		m.end()
		got := p.talk.String()
		if shows != strings.HasPrefix(got, "\r512 records, ") || shows != strings.HasSuffix(got, " \r") || !shows && got != "" {
			t.Errorf("terminal %t: %q", shows, got)
		}
	}
}
