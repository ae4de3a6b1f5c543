package plan

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"barnabas/core/env"
	"barnabas/sim/simdisk"
)

// Bounds of what a plan may ask for, so that a bad one is refused instead of filling the memory.
const (
	bytesMax   = 256 << 20
	brokersMax = 1000
	timeMax    = 1 << 60 * time.Nanosecond // 36 years
	recordsMax = 1 << 16
	valueMax   = 1 << 24
)

// Parse reads a plan that String wrote. An error names the line.
func Parse(input string) (*Plan, error) {
	if len(input) > bytesMax {
		return nil, fmt.Errorf("a plan of %d bytes; at most %d are read", len(input), bytesMax)
	}
	r := &reader{plan: &Plan{}}
	number := 0
	for one := range strings.Lines(input) {
		number++
		l := &line{}
		l.split(one)
		if len(l.words) > 0 {
			r.take(l)
		}
		if l.err != nil {
			return nil, fmt.Errorf("line %d: %w", number, l.err)
		}
	}
	if err := r.complete(); err != nil {
		return nil, fmt.Errorf("line %d: %w", number, err)
	}
	return r.plan, nil
}

// reader takes lines in the order of a plan.
type reader struct {
	plan     *Plan
	headed   bool
	client   *Client
	producer *Producer // that sends are of
	churn    *Churn
	deletion *Deletion
	used     [2]bool // whether the present churn has its consumer and its producer
	seeded   bool
}

func (r *reader) take(l *line) {
	keyword := l.word()
	if !r.headed {
		if r.headed = strings.Join(append([]string{keyword}, l.words...), " ") == Header; !r.headed {
			l.fail("this is no plan of a version that can be read here: a plan begins with %q", Header)
		}
		return
	}
	p := r.plan
	switch keyword {
	case "seed":
		p.Seed, r.seeded = l.unsigned(1<<64-1), true
	case "virtual":
		p.Virtual = l.duration()
	case "mutant":
		p.Mutant = l.name()
	case "expect":
		p.Expect = l.name()
	case "set":
		p.Settings = append(p.Settings, l.setting(p.Settings))
	case "disk":
		p.Disks = append(p.Disks, l.disk())
		if len(p.Disks) > brokersMax {
			l.fail("more than %d disks", brokersMax)
		}
	case "network":
		l.network(p)
	case "chance":
		p.Chances = append(p.Chances, l.oneOf("site", siteNames()))
	case "topic":
		p.Topics = append(p.Topics, l.name())
	case "fault":
		p.Faults = append(p.Faults, l.fault(p.Brokers()))
	case "client":
		r.leave(l)
		p.Clients = append(p.Clients, Client{ID: l.unsigned(1 << 32), FetchVersion: l.version("fetch-version")})
		r.client = &p.Clients[len(p.Clients)-1]
	default:
		r.takeOfClient(l, keyword)
	}
	l.end()
}

// takeOfClient takes a line that belongs to the last client.
func (r *reader) takeOfClient(l *line, keyword string) {
	c := r.client
	switch {
	case !slices.Contains([]string{"producer", "consumer", "send", "churn", "with", "idle", "delete", "used-by-consumer", "used-by-producer", "deletion", "turn"}, keyword):
		l.fail("unknown word %q", keyword)
	case c == nil:
		l.fail("%s without a client before it", keyword)
	case keyword == "producer":
		r.leave(l)
		c.Producers = append(c.Producers, l.producer(r.plan))
		r.producer = &c.Producers[len(c.Producers)-1]
	case keyword == "consumer":
		c.Consumers = append(c.Consumers, l.consumer(r.plan))
	case keyword == "send":
		r.send(l)
	case keyword == "churn":
		r.open(l)
	case keyword == "deletion":
		r.leave(l)
		l.keyword("topic")
		c.Deletions = append(c.Deletions, Deletion{Topic: l.topic(r.plan)})
		r.deletion = &c.Deletions[len(c.Deletions)-1]
	case keyword == "turn":
		if r.deletion == nil {
			l.fail("turn without a deletion before it")
			return
		}
		r.deletion.Turns = append(r.deletion.Turns, Turn{ID: l.unsigned(1 << 32), At: l.duration()})
	case r.churn == nil:
		l.fail("%s without a churn before it", keyword)
	case keyword == "with":
		r.churn.Settings = append(r.churn.Settings, l.setting(r.churn.Settings))
	case keyword == "idle":
		r.churn.Idle = l.duration()
	case keyword == "delete":
		r.churn.Deletes = append(r.churn.Deletes, l.duration())
	case keyword == "used-by-consumer":
		r.churn.Consumer, r.used[0] = l.consumer(nil), true
	default:
		r.churn.Producer, r.used[1] = l.producer(nil), true
		r.producer = &r.churn.Producer
	}
}

func (r *reader) send(l *line) {
	if r.producer == nil {
		l.fail("send without a producer before it")
		return
	}
	s := Send{ID: l.unsigned(1 << 32), At: l.duration()}
	records, bytes, ok := strings.Cut(l.word(), "x")
	if !ok {
		l.fail("a batch is RECORDSxBYTES")
	}
	s.Records, s.Bytes = l.parsed(records, recordsMax), l.parsed(bytes, valueMax)
	if s.Records == 0 || s.Bytes == 0 {
		l.fail("a batch without records, or records without a byte")
	}
	if l.flag("again") {
		s.Again = l.duration()
	}
	r.producer.Sends = append(r.producer.Sends, s)
}

// open begins a churn.
func (r *reader) open(l *line) {
	r.leave(l)
	r.client.Churns = append(r.client.Churns, Churn{Topic: l.name()})
	r.churn = &r.client.Churns[len(r.client.Churns)-1]
	if r.plan.Brokers() > 1 {
		l.fail("a churn with several brokers: their topics are fixed")
	}
}

// leave ends whatever of a client was being read.
func (r *reader) leave(l *line) {
	if err := r.lacks(); err != nil {
		l.fail("%w", err)
	}
	r.producer, r.churn, r.deletion, r.used = nil, nil, nil, [2]bool{}
}

// lacks says what the present churn does not have yet.
func (r *reader) lacks() error {
	if r.churn == nil || r.used == [2]bool{true, true} {
		return nil
	}
	return errors.New("the churn before lacks its used-by-consumer or its used-by-producer")
}

// complete says what the plan as a whole lacks.
func (r *reader) complete() error {
	p := r.plan
	switch {
	case !r.headed:
		return fmt.Errorf("this is no plan: a plan begins with %q", Header)
	case !r.seeded || p.Virtual <= 0 || p.Brokers() == 0 || len(p.Topics) == 0:
		return errors.New("the plan is cut off: it needs seed, virtual, a disk for every broker, and a topic")
	case p.Brokers() > 1 && len(p.Topics) > 1:
		return fmt.Errorf("%d topics; several brokers share one", len(p.Topics))
	}
	return r.lacks()
}

func siteNames() (names []string) {
	for site := range env.Sites {
		names = append(names, env.Site(site).String())
	}
	return names
}

func (l *line) setting(known []Setting) Setting {
	s := Setting{Name: l.name(), Value: l.word()}
	for _, k := range known {
		if k.Name == s.Name {
			l.fail("%s is set twice", s.Name)
		}
	}
	return s
}

func (l *line) disk() (d simdisk.Profile) {
	strictness := []string{simdisk.Ordered.String(), simdisk.PosixMin.String(), simdisk.Adversarial.String()}
	d.Strictness = simdisk.Strictness(slices.Index(strictness, l.oneOf("strictness", strictness)))
	l.keyword("call")
	d.Call = l.duration()
	l.keyword("read")
	d.Read = l.duration()
	l.keyword("sync")
	d.Sync = l.duration()
	d.BytesPerMicrosecond = l.least("bytes-per-us", 1)
	d.Jitter = l.least("jitter", 0)
	d.SlowOneIn = l.least("slow-in", 1)
	d.SlowFactor = l.least("slow-factor", 1)
	d.Capacity = l.least("capacity", 0)
	return d
}

// least reads a named number that has a lower bound.
func (l *line) least(name string, least int64) int64 {
	l.keyword(name)
	n := int64(l.unsigned(1 << 40))
	if n < least {
		l.fail("%s is at least %d", name, least)
		return least
	}
	return n
}

func (l *line) network(p *Plan) {
	f := &p.Network
	l.keyword("delay-min")
	f.DelayMin = l.duration()
	l.keyword("delay-mean")
	f.DelayMean = l.duration()
	for _, n := range []struct {
		name string
		most uint64
		to   *uint64
	}{
		{"tail-in", 1 << 40, &f.TailIn},
		{"loss-in", 1 << 40, &f.LossIn},
		{"chunk-percent", 100, &f.ChunkPercent},
		{"slow-percent", 100, &f.SlowPercent},
		{"half-open-percent", 100, &f.HalfOpenPercent},
	} {
		l.keyword(n.name)
		*n.to = l.unsigned(n.most)
	}
	l.keyword("half-open-max")
	f.HalfOpenMax = l.duration()
}

func (l *line) fault(brokers int) (f Fault) {
	f.ID = l.unsigned(1 << 32)
	l.keyword("at")
	f.At = l.duration()
	var names []string
	for _, k := range Kinds() {
		names = append(names, k.String())
	}
	at := slices.Index(names, l.oneOf("kind of fault", names))
	if at < 0 {
		return f
	}
	f.Kind = Kind(at)
	row := rows()[f.Kind]
	if row.broker {
		l.keyword("broker")
		f.Broker = int32(l.unsigned(brokersMax))
		if f.Broker < 1 || int(f.Broker) > brokers {
			l.fail("there is no broker %d; brokers, each with its disk line, come before faults", f.Broker)
		}
	}
	if row.hows != nil {
		f.How = l.oneOf("kind of "+row.name, row.hows)
	}
	if row.files {
		l.keyword("files")
		f.Files = l.word()
	}
	if row.lasts {
		l.keyword("for")
		f.For = l.duration()
	}
	if row.shift {
		l.keyword("by")
		f.For = l.signedDuration()
	}
	if row.number != "" {
		f.Number = uint64(l.least(row.number, int64(row.least)))
		if f.Number > row.most {
			l.fail("%s is at most %d", row.number, row.most)
		}
	}
	if row.down {
		l.keyword("down")
		f.Down = l.duration()
	}
	f.Flag = row.flag != "" && l.flag(row.flag)
	return f
}

// topic reads the name of a topic. Of a churn's, with no plan, anything goes: it is the churn's own.
func (l *line) topic(p *Plan) string {
	name := l.name()
	if p != nil && !slices.Contains(p.Topics, name) {
		l.fail("there is no topic %q; topics come before clients", name)
	}
	return name
}

func (l *line) version(name string) int16 {
	l.keyword(name)
	return int16(l.unsigned(1<<15 - 1))
}

func (l *line) producer(p *Plan) (producer Producer) {
	producer.ID = l.unsigned(1 << 32)
	l.keyword("topic")
	producer.Topic = l.topic(p)
	producer.Idempotent = l.flag("idempotent")
	l.keyword("acks")
	acks, err := strconv.ParseInt(l.word(), 10, 16)
	if err != nil || acks < -1 || acks > 1 || producer.Idempotent && acks != -1 {
		l.fail("acks are -1, 0 or 1, and those of an idempotent producer -1")
	}
	producer.Acks = int16(acks)
	producer.Version = l.version("version")
	return producer
}

func (l *line) consumer(p *Plan) (c Consumer) {
	c.ID = l.unsigned(1 << 32)
	l.keyword("topic")
	c.Topic = l.topic(p)
	l.keyword("wait")
	c.WaitMax = l.duration()
	c.BytesMin = int32(min(l.least("least", 0), 1<<31-1))
	c.BytesMax = int32(min(l.least("most", 1), 1<<31-1))
	l.keyword("rereads")
	c.Rereads = l.unsigned(1 << 32)
	if l.flag("wanders") {
		c.Wanders = l.unsigned(1 << 32)
	}
	return c
}
