// Package plan holds what a run of the simulator is made of, as data: topology, settings, disks and network, a list of
// timed faults, and a script of operations for every client.
//
// A seed draws a plan, and a run is a function of the plan. What is too small to write down (delays, where a write tears,
// how long a back-off takes) is drawn by the plan's seed under keys of its own, so that taking one fault or operation out
// leaves the draws of all others as they were: that is what lets a failing plan shrink. A plan is kept as text (Append,
// Parse), one line a thing, and reads back to exactly itself.
//
// What it does not do: it knows neither how plans are drawn (package sim) nor how they are run.
package plan

import (
	"slices"
	"time"

	"barnabas/sim/simdisk"
	"barnabas/sim/simnet"
)

// Plan is one run of one simulated cluster.
type Plan struct {
	Seed     uint64        // of everything that is too small to be written down
	Virtual  time.Duration // how long faults and work go on
	Mutant   string        // the historic bug that the brokers carry; "": none
	Expect   string        // the invariant that the run is known to violate; "": none
	Settings []Setting     // of every broker
	Disks    []simdisk.Profile
	Network  simnet.Faults
	Chances  []string // the sites in core that take their rare path now and then
	Topics   []string // of one partition each; a broker's own controller makes them when they are asked for
	Faults   []Fault  // in the order they were drawn
	Clients  []Client
}

// Brokers returns how many brokers there are: each has a disk.
func (p *Plan) Brokers() int { return len(p.Disks) }

// Setting is a broker's or a topic's setting by its name.
type Setting struct{ Name, Value string }

// Client is one client's script.
type Client struct {
	ID           uint64 // of its draws
	FetchVersion int16
	Producers    []Producer
	Consumers    []Consumer
	Churns       []Churn
	Deletions    []Deletion
}

// Producer is what one producer sends, and how.
type Producer struct {
	ID         uint64 // of its draws, within the client
	Topic      string
	Idempotent bool
	Acks       int16
	Version    int16
	Sends      []Send
}

// Send is one batch to be sent.
type Send struct {
	ID      uint64 // of its draws, within the producer
	At      time.Duration
	Records uint64        // how many
	Bytes   uint64        // that each value has at most, beyond what names it
	Again   time.Duration // it is sent again on another connection if it has no answer after this long; 0: only when it failed
}

// Consumer reads a topic from its start, for ever.
type Consumer struct {
	ID       uint64 // of its draws, within the client
	Topic    string
	WaitMax  time.Duration
	BytesMin int32
	BytesMax int32
	Rereads  uint64 // once at the end it begins somewhere before, in one of so many answers; 0: never
	Wanders  uint64 // once at the end it fetches from any offset before, in one of so many answers; 0: never
}

// Churn is a topic of one partition that an administrator makes, has used, deletes, and makes again under its name.
type Churn struct {
	Topic    string
	Settings []Setting       // of the topic
	Idle     time.Duration   // how long it is empty each time, before it is used
	Deletes  []time.Duration // when it is deleted, and made again; in ascending order
	Producer Producer
	Consumer Consumer
}

// Deletion is an administrator who deletes the oldest records of a topic.
type Deletion struct {
	Topic string
	Turns []Turn
}

// Turn is one request to delete records.
type Turn struct {
	ID uint64 // of its draw, within the deletion
	At time.Duration
}

// Value returns the value of a setting, or "".
func (p *Plan) Value(name string) string {
	for _, s := range p.Settings {
		if s.Name == name {
			return s.Value
		}
	}
	return ""
}

// Set gives a setting a value.
func (p *Plan) Set(name, value string) {
	for i := range p.Settings {
		if p.Settings[i].Name == name {
			p.Settings[i].Value = value
			return
		}
	}
	p.Settings = append(p.Settings, Setting{name, value})
}

// Operations counts what clients are to do: batches, consumers, lives of topics, deletions.
func (p *Plan) Operations() (n int) {
	for i := range p.Clients {
		c := &p.Clients[i]
		n += len(c.Consumers)
		for k := range c.Producers {
			n += len(c.Producers[k].Sends)
		}
		for k := range c.Churns {
			n += 1 + len(c.Churns[k].Deletes) + len(c.Churns[k].Producer.Sends)
		}
		for k := range c.Deletions {
			n += len(c.Deletions[k].Turns)
		}
	}
	return n
}

// Clone returns a copy that shares nothing with the plan.
func (p *Plan) Clone() *Plan {
	c := *p
	c.Settings, c.Disks, c.Chances = slices.Clone(p.Settings), slices.Clone(p.Disks), slices.Clone(p.Chances)
	c.Topics, c.Faults, c.Clients = slices.Clone(p.Topics), slices.Clone(p.Faults), slices.Clone(p.Clients)
	for i := range c.Clients {
		k := &c.Clients[i]
		k.Producers, k.Consumers = slices.Clone(k.Producers), slices.Clone(k.Consumers)
		k.Churns, k.Deletions = slices.Clone(k.Churns), slices.Clone(k.Deletions)
		for n := range k.Producers {
			k.Producers[n].Sends = slices.Clone(k.Producers[n].Sends)
		}
		for n := range k.Churns {
			churn := &k.Churns[n]
			churn.Settings, churn.Deletes = slices.Clone(churn.Settings), slices.Clone(churn.Deletes)
			churn.Producer.Sends = slices.Clone(churn.Producer.Sends)
		}
		for n := range k.Deletions {
			k.Deletions[n].Turns = slices.Clone(k.Deletions[n].Turns)
		}
	}
	return &c
}
