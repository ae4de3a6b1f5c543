package sim

import (
	"strconv"
	"strings"
	"time"

	"barnabas/core/config"
	"barnabas/core/env"
	"barnabas/sim/kernel"
	"barnabas/sim/ledger"
)

func (p *plan) drawSettings(o Options, random env.Random) {
	p.settings = config.Draw(func(name string, n int) int {
		return int(random.Below(uint64(n), streamSetting, kernel.HashBytes([]byte(name))))
	})
	p.set("num.partitions", "1")
	switch o.Profile {
	case "full":
		p.set("journal.max.bytes", "1048576")
		p.set("journal.segment.bytes", "65536")
	case "speed":
		p.drawSpeed()
	}
	config.Settle(p.settings)
	p.readRetention()
}

// drawSpeed sets what the fastest world has: nothing that a disk or a network would be waited for.
func (p *plan) drawSpeed() {
	for _, pair := range []config.Pair{
		{Name: "durability", Value: "fsync"},
		{Name: "journal.max.bytes", Value: "8589934592"},
		{Name: "journal.segment.bytes", Value: "4194304"},
		{Name: "journal.checkpoint.bytes", Value: "67108864"},
		{Name: "journal.commit.max.bytes", Value: "65536"},
		{Name: "arena.chunk.bytes", Value: "65536"},
		{Name: "arena.max.bytes", Value: "1048576"},
		{Name: "fetch.max.bytes", Value: "57671680"},
		{Name: "internal.log.segment.bytes", Value: "1073741824"},
		{Name: "log.retention.ms", Value: "-1"},
		{Name: "log.retention.bytes", Value: "-1"},
		{Name: "scrub.bytes.per.second", Value: "0"},
	} {
		p.set(pair.Name, pair.Value)
	}
}

func (p *plan) number(name string) int {
	for _, pair := range p.settings {
		if pair.Name == name {
			n, _ := strconv.Atoi(pair.Value)
			return n
		}
	}
	return 0
}

func (p *plan) set(name, value string) {
	for i := range p.settings {
		if p.settings[i].Name == name {
			p.settings[i].Value = value
			return
		}
	}
	p.settings = append(p.settings, config.Pair{Name: name, Value: value})
}

func (p *plan) setting(name string) string {
	for _, pair := range p.settings {
		if pair.Name == name {
			return pair.Value
		}
	}
	return ""
}

// readRetention works out what the drawn settings let a broker delete unasked. Kafka's default, a week, is beyond any run.
func (p *plan) readRetention() {
	p.retention = ledger.Forever
	if policy := p.setting("log.cleanup.policy"); policy != "" && !strings.Contains(policy, "delete") {
		return
	}
	if ms := p.setting("log.retention.ms"); ms != "" && ms != "-1" {
		p.retention.Age = time.Duration(p.number("log.retention.ms")) * time.Millisecond
	}
	if bytes := p.setting("log.retention.bytes"); bytes != "" && bytes != "-1" {
		p.retention.Bytes = int64(p.number("log.retention.bytes"))
	}
}

const week = 7 * 24 * time.Hour

// memory is how long brokers remember an idempotent producer: far beyond any run, unless a shorter time was drawn.
func (p *plan) memory() time.Duration {
	if ms := time.Duration(p.number("producer.id.expiration.ms")); ms > 0 && ms*time.Millisecond < 12*time.Hour {
		return ms * time.Millisecond
	}
	return week
}
