package main

import (
	"context"
	"log/slog"
	"net"

	"barnabas/core/config"
)

// logbook is a running broker's talk: a line a change of state.
type logbook struct {
	p    *program
	json *slog.Logger // nil: text for people
}

func (p *program) logbook(settings *config.Settings) *logbook {
	b := &logbook{p: p}
	if settings.String("logging.format") == "json" {
		b.json = slog.New(slog.NewJSONHandler(p.stderr, nil))
	}
	return b
}

// say notes a change of state.
func (b *logbook) say(line string) { b.note(slog.LevelInfo, "", line) }

// warn notes what its operator should know.
func (b *logbook) warn(line string) { b.note(slog.LevelWarn, "warning: ", line) }

func (b *logbook) note(level slog.Level, before, line string) {
	if b.json != nil {
		b.json.Log(context.Background(), level, line)
		return
	}
	b.p.say("%s%s", before, line)
}

// fields notes a change of state with a number of facts.
func (b *logbook) fields(line string, facts [][2]string) {
	if b.json == nil {
		for _, fact := range facts {
			b.p.say("  %-12s %s", fact[0], fact[1])
		}
		b.p.say("%s", line)
		return
	}
	var all []any
	for _, fact := range facts {
		all = append(all, fact[0], fact[1])
	}
	b.json.Info(line, all...)
}

// failed notes why the broker ends.
func (b *logbook) failed(path string, err error) int {
	if b.json == nil {
		return b.p.failed(path, err)
	}
	b.json.Error(path + ": " + err.Error())
	return exitFailed
}

// isLoopback says whether only this machine reaches the address.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// warnOfOpenDoors names the addresses that others reach too: nobody is asked who he is there.
func (b *logbook) warnOfOpenDoors(s started) {
	for _, address := range s.addresses {
		if !isLoopback(address) {
			b.warn(address + " is open to other machines, and nobody is authenticated: who reaches it can read, write and delete everything; " +
				"keep strangers out with a firewall, or listen on localhost")
		}
	}
	if s.metrics != "" && !isLoopback(s.metrics) {
		b.warn("metrics at " + s.metrics + " are open to other machines without authentication: they show names of topics")
	}
}
