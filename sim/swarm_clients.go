package sim

import (
	"strconv"
	"time"

	"barnabas/sim/plan"
)

func (s *swarm) drawClients(o Options, topology *drawer) {
	count := 2 + int(topology.below(7))
	switch {
	case o.Clients > 0:
		count = o.Clients
	case s.profile.reference:
		count = 16
	case s.profile.fast:
		count = 8
	}
	for i := range count {
		d := &drawer{random: s.random, stream: streamClient, key: uint64(i) << 40}
		versions := []int16{4, 7, 11, 12, 13, 15, 16, 17, 18}
		c := plan.Client{ID: uint64(i), FetchVersion: versions[d.below(uint64(len(versions)))]}
		if !d.oneIn(6) || i == 0 || s.profile.fast {
			c.Producers = append(c.Producers, s.drawProducer(d, count, s.Virtual))
		}
		if !d.oneIn(3) && !s.profile.reference || s.profile.fast && !s.profile.reference || s.profile.reference && i%4 == 0 {
			c.Consumers = append(c.Consumers, s.drawConsumer(d))
		}
		s.Clients = append(s.Clients, c)
	}
}

// work is how a producer behaves, from which its batches are drawn.
type work struct {
	interval  time.Duration // between batches, on average
	records   uint64        // in a batch, at most
	bytes     uint64        // of a value, at most
	impatient uint64        // in how many batches one is sent again before its answer; 0: never
}

// drawProducer draws a producer, one of so many, and its batches until the end.
func (s *swarm) drawProducer(d *drawer, of int, end time.Duration) plan.Producer {
	versions := []int16{3, 5, 8, 9, 10, 12, 13}
	p := plan.Producer{Topic: s.Topics[d.below(uint64(len(s.Topics)))], Idempotent: !d.oneIn(3), Acks: -1}
	w := work{interval: d.between(20*time.Millisecond, 500*time.Millisecond), records: 1 + d.below(8), bytes: 1 + d.below(1000)}
	p.Version = versions[d.below(uint64(len(versions)))]
	if d.oneIn(3) {
		w.bytes = 12_000 / w.records // commits of several blocks, which tear
	}
	if d.oneIn(2) {
		w.impatient = 1 + d.below(10)
	}
	if !p.Idempotent && d.oneIn(2) {
		p.Acks = 1
	}
	if s.profile.fast {
		w = work{interval: 200 * time.Millisecond, records: 1, bytes: 100}
		p.Idempotent, p.Acks = true, -1
	}
	if s.profile.reference {
		w.interval = time.Duration(of) * time.Second / 40
	}
	s.drawSends(d, &p, w, end)
	return p
}

// drawSends draws the batches themselves.
func (s *swarm) drawSends(d *drawer, p *plan.Producer, w work, end time.Duration) {
	p.Sends = nil
	for at := d.upTo(2 * w.interval); at < end; at += time.Microsecond + d.upTo(2*w.interval) {
		send := plan.Send{ID: uint64(len(p.Sends)), At: at, Records: 1 + d.below(w.records), Bytes: w.bytes}
		if w.impatient > 0 && d.oneIn(w.impatient) {
			send.Again = time.Microsecond + d.upTo(20*time.Millisecond)
		}
		p.Sends = append(p.Sends, send)
	}
}

func (s *swarm) drawConsumer(d *drawer) plan.Consumer {
	c := plan.Consumer{
		Topic:   s.Topics[d.below(uint64(len(s.Topics)))],
		WaitMax: d.between(100*time.Millisecond, 2*time.Second), BytesMin: 1, BytesMax: 1 << 20,
	}
	if d.oneIn(3) {
		c.WaitMax = 10 * time.Minute // so long that only a wake-up ends it
	}
	if d.oneIn(3) {
		c.BytesMin = 1 + int32(d.below(200))
	}
	if d.oneIn(3) {
		c.BytesMax = 1 + int32(d.below(4000))
	}
	if s.profile.fast {
		c.WaitMax, c.BytesMin, c.BytesMax = 500*time.Millisecond, 1, 1<<20
	}
	return c
}

// drawChurn has an administrator, in some worlds, make and delete a topic of one name again and again. Only a broker with
// a controller of its own can.
func (s *swarm) drawChurn() {
	d := &drawer{random: s.random, stream: streamChurn}
	if s.Brokers() > 1 || s.profile.fast || !d.oneIn(2) {
		return
	}
	churn := plan.Churn{Topic: "again"}
	life := d.between(500*time.Millisecond, 16*time.Second)
	for at := life/2 + d.upTo(life); at < s.Virtual; at += life/2 + d.upTo(life) {
		churn.Deletes = append(churn.Deletes, at)
	}
	churn.Producer = s.drawProducer(d, 1, 0)
	w := work{interval: d.between(20*time.Millisecond, 100*time.Millisecond), records: 1 + d.below(8), bytes: 1 + d.below(1000)}
	s.drawSends(d, &churn.Producer, w, s.Virtual)
	churn.Consumer = s.drawConsumer(d)
	churn.Producer.Topic, churn.Consumer.Topic, churn.Producer.Version = churn.Topic, churn.Topic, 13
	churn.Consumer.WaitMax, churn.Consumer.BytesMin = min(churn.Consumer.WaitMax, time.Second), 1
	if d.oneIn(2) {
		churn.Settings = append(churn.Settings, plan.Setting{Name: "retention.ms", Value: strconv.Itoa(500 << d.below(6))})
	}
	if d.oneIn(2) {
		churn.Settings = append(churn.Settings, plan.Setting{Name: "retention.bytes", Value: strconv.Itoa(4096 << d.below(6))})
	}
	s.Clients = append(s.Clients, plan.Client{ID: uint64(len(s.Clients)), FetchVersion: 13, Churns: []plan.Churn{churn}})
}

// drawOldRecords has some consumers read old records again, and in some worlds an administrator delete them.
func (s *swarm) drawOldRecords() {
	d := &drawer{random: s.random, stream: streamOld}
	if s.profile.fast {
		return
	}
	for i := range s.Clients {
		for k := range s.Clients[i].Consumers {
			if d.oneIn(3) {
				s.Clients[i].Consumers[k].Rereads = 1 + d.below(20)
			}
		}
	}
	if !d.oneIn(3) {
		return
	}
	deletion := plan.Deletion{Topic: s.Topics[d.below(uint64(len(s.Topics)))]}
	interval := d.between(500*time.Millisecond, 16*time.Second)
	for at := d.upTo(2 * interval); at < s.Virtual; at += time.Microsecond + d.upTo(2*interval) {
		deletion.Turns = append(deletion.Turns, plan.Turn{ID: uint64(len(deletion.Turns)), At: at})
	}
	s.Clients = append(s.Clients, plan.Client{ID: uint64(len(s.Clients)), FetchVersion: 13, Deletions: []plan.Deletion{deletion}})
}
