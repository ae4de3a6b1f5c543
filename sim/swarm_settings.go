package sim

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"barnabas/core/config"
	"barnabas/sim/kernel"
	"barnabas/sim/ledger"
	"barnabas/sim/plan"
)

func (s *swarm) drawSettings() {
	pairs := config.Draw(func(name string, n int) int {
		return int(s.random.Below(uint64(n), streamSetting, kernel.HashBytes([]byte(name))))
	})
	for _, pair := range pairs {
		s.Set(pair.Name, pair.Value)
	}
	s.Set("num.partitions", "1")
	switch {
	case s.profile.full:
		s.Set("journal.max.bytes", "1048576")
		s.Set("journal.segment.bytes", "65536")
	case s.profile.fast:
		s.setFast()
	}
	s.focusSettings()
	if s.profile.reference { // a journal that goes round (rule O4)
		s.Set("journal.max.bytes", "4194304")
		s.Set("journal.segment.bytes", "262144")
		s.Set("journal.checkpoint.bytes", "1048576")
	}
	pairs = pairsOf(s.Plan)
	config.Settle(pairs)
	for _, pair := range pairs {
		s.Set(pair.Name, pair.Value)
	}
}

// setFast sets what the fastest world has: nothing that a disk or a network would be waited for.
func (s *swarm) setFast() {
	for _, setting := range []plan.Setting{
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
		s.Set(setting.Name, setting.Value)
	}
}

func pairsOf(p *plan.Plan) (pairs []config.Pair) {
	for _, s := range p.Settings {
		pairs = append(pairs, config.Pair{Name: s.Name, Value: s.Value, Origin: config.Origin{Source: config.FromSimulation}})
	}
	return pairs
}

// settingsOf returns each broker's: the same ones, but for the node's id.
func settingsOf(p *plan.Plan) (all []*config.Settings, err error) {
	for i := range p.Brokers() {
		pairs := append(pairsOf(p), config.Pair{Name: "node.id", Value: fmt.Sprint(i + 1)})
		s, _, err := config.Parse(pairs)
		if err != nil {
			return nil, fmt.Errorf("the plan's settings are refused: %w", err)
		}
		all = append(all, s)
	}
	return all, nil
}

// Check says whether the plan can be run at all: whether its settings are good.
func Check(p *plan.Plan) error {
	_, err := settingsOf(p)
	return err
}

// retentionOf works out what the settings let a broker delete unasked. Kafka's default, a week, is beyond any run.
func retentionOf(p *plan.Plan) ledger.Retention {
	r := ledger.Forever
	if policy := p.Value("log.cleanup.policy"); policy != "" && !strings.Contains(policy, "delete") {
		return r
	}
	if ms := p.Value("log.retention.ms"); ms != "" && ms != "-1" {
		r.Age = milliseconds(ms)
	}
	if bytes := p.Value("log.retention.bytes"); bytes != "" && bytes != "-1" {
		r.Bytes, _ = strconv.ParseInt(bytes, 10, 64)
	}
	return r
}

// retentionOfTopic is retentionOf for a topic that has settings of its own.
func retentionOfTopic(p *plan.Plan, settings []plan.Setting) ledger.Retention {
	r := retentionOf(p)
	for _, s := range settings {
		switch s.Name {
		case "retention.ms":
			r.Age = milliseconds(s.Value)
		case "retention.bytes":
			r.Bytes, _ = strconv.ParseInt(s.Value, 10, 64)
		}
	}
	return r
}

func milliseconds(s string) time.Duration {
	n, _ := strconv.ParseInt(s, 10, 64)
	return time.Duration(n) * time.Millisecond
}

const week = 7 * 24 * time.Hour

// memoryOf is how long brokers remember an idempotent producer: far beyond any run, unless a shorter time was drawn.
func memoryOf(p *plan.Plan) time.Duration {
	if d := milliseconds(p.Value("producer.id.expiration.ms")); d > 0 && d < 12*time.Hour {
		return d
	}
	return week
}
