package plan

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"barnabas/sim/simdisk"
	"barnabas/sim/simnet"
)

// Header is the first line of every plan. The number goes up when an old plan would be misread.
const Header = "barnabas plan 1"

// String writes the plan as text, one line a thing; Parse reads it back.
func (p *Plan) String() string {
	w := &writer{}
	w.line(Header)
	w.line("seed", p.Seed)
	w.line("virtual", p.Virtual)
	w.optional("mutant", p.Mutant)
	w.optional("expect", p.Expect)
	for _, s := range p.Settings {
		w.line("set", s.Name, text(s.Value))
	}
	for i := range p.Disks {
		w.disk(&p.Disks[i])
	}
	w.network(&p.Network)
	for _, site := range p.Chances {
		w.line("chance", site)
	}
	for _, topic := range p.Topics {
		w.line("topic", topic)
	}
	for i := range p.Faults {
		w.fault(&p.Faults[i])
	}
	for i := range p.Clients {
		w.client(&p.Clients[i])
	}
	return w.b.String()
}

// text is a string that may need quotes.
type text string

// writer writes lines of words.
type writer struct{ b strings.Builder }

// line writes its words, with numbers and times as they are read back. A flag that is false is left out, and so is "".
func (w *writer) line(words ...any) {
	first := true
	for _, word := range words {
		s := ""
		switch x := word.(type) {
		case string:
			if s = x; s == "" {
				continue
			}
		case text:
			if s = string(x); s == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == '"' || r == '#' || r > '~' }) {
				s = strconv.QuoteToASCII(s)
			}
		case time.Duration:
			s = duration(x)
		default:
			s = fmt.Sprint(x)
		}
		if !first {
			w.b.WriteByte(' ')
		}
		first = false
		w.b.WriteString(s)
	}
	w.b.WriteByte('\n')
}

func (w *writer) optional(name, value string) {
	if value != "" {
		w.line(name, value)
	}
}

// duration writes a time in ASCII.
func duration(d time.Duration) string { return strings.ReplaceAll(d.String(), "µ", "u") }

func flag(name string, on bool) string {
	if on {
		return name
	}
	return ""
}

func (w *writer) disk(d *simdisk.Profile) {
	w.line("disk", d.Strictness.String(), "call", d.Call, "read", d.Read, "sync", d.Sync, "bytes-per-us", d.BytesPerMicrosecond,
		"jitter", d.Jitter, "slow-in", d.SlowOneIn, "slow-factor", d.SlowFactor, "capacity", d.Capacity)
}

func (w *writer) network(f *simnet.Faults) {
	if *f == (simnet.Faults{}) {
		return
	}
	w.line("network", "delay-min", f.DelayMin, "delay-mean", f.DelayMean, "tail-in", f.TailIn, "loss-in", f.LossIn,
		"chunk-percent", f.ChunkPercent, "slow-percent", f.SlowPercent, "half-open-percent", f.HalfOpenPercent,
		"half-open-max", f.HalfOpenMax)
}

func (w *writer) fault(f *Fault) {
	r := rows()[f.Kind]
	words := []any{"fault", f.ID, "at", f.At, r.name}
	if r.broker {
		words = append(words, "broker", f.Broker)
	}
	if r.hows != nil {
		words = append(words, f.How)
	}
	if r.files {
		words = append(words, "files", text(f.Files))
	}
	if r.lasts {
		words = append(words, "for", f.For)
	}
	if r.shift {
		words = append(words, "by", f.For)
	}
	if r.number != "" {
		words = append(words, r.number, f.Number)
	}
	if r.down {
		words = append(words, "down", f.Down)
	}
	w.line(append(words, flag(r.flag, f.Flag))...)
}

func (w *writer) client(c *Client) {
	w.line("client", c.ID, "fetch-version", c.FetchVersion)
	for i := range c.Producers {
		w.producer(" producer", &c.Producers[i])
	}
	for i := range c.Consumers {
		w.consumer(" consumer", &c.Consumers[i])
	}
	for i := range c.Churns {
		churn := &c.Churns[i]
		w.line(" churn", churn.Topic)
		for _, s := range churn.Settings {
			w.line("  with", s.Name, text(s.Value))
		}
		if churn.Idle != 0 {
			w.line("  idle", churn.Idle)
		}
		for _, at := range churn.Deletes {
			w.line("  delete", at)
		}
		w.consumer("  used-by-consumer", &churn.Consumer)
		w.producer("  used-by-producer", &churn.Producer)
	}
	for i := range c.Deletions {
		w.line(" deletion", "topic", c.Deletions[i].Topic)
		for _, t := range c.Deletions[i].Turns {
			w.line("  turn", t.ID, t.At)
		}
	}
}

func (w *writer) producer(keyword string, p *Producer) {
	w.line(keyword, p.ID, "topic", p.Topic, flag("idempotent", p.Idempotent), "acks", p.Acks, "version", p.Version)
	for _, s := range p.Sends {
		words := []any{"   send", s.ID, s.At, fmt.Sprintf("%dx%d", s.Records, s.Bytes)}
		if s.Again != 0 {
			words = append(words, "again", s.Again)
		}
		w.line(words...)
	}
}

func (w *writer) consumer(keyword string, c *Consumer) {
	words := []any{keyword, c.ID, "topic", c.Topic, "wait", c.WaitMax, "least", c.BytesMin, "most", c.BytesMax, "rereads", c.Rereads}
	if c.Wanders != 0 {
		words = append(words, "wanders", c.Wanders)
	}
	w.line(words...)
}
