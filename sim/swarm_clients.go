package sim

import (
	"strconv"
	"time"

	"barnabas/core/env"
	"barnabas/core/protocol"
	"barnabas/sim/client"
	"barnabas/sim/ledger"
)

type clientPlan struct {
	producers    []client.ProducerPlan
	consumers    []client.ConsumerPlan
	churns       []client.ChurnPlan
	deletions    []client.DeletionPlan
	lives        map[ledger.Partition]protocol.UUID
	fetchVersion int16
}

func (p *plan) drawClients(o Options, random env.Random, topology *drawer) {
	count := 2 + int(topology.below(7))
	if p.fast {
		count = 8
	}
	if o.Clients > 0 {
		count = o.Clients
	}
	for i := range count {
		d := &drawer{random: random, stream: streamClient, key: uint64(i) << 32}
		versions := []int16{4, 7, 11, 12, 13, 15, 16, 17, 18}
		c := clientPlan{fetchVersion: versions[d.below(uint64(len(versions)))]}
		if !d.oneIn(6) || i == 0 || p.fast {
			c.producers = append(c.producers, p.drawProducer(d))
		}
		if !d.oneIn(3) || p.fast {
			c.consumers = append(c.consumers, p.drawConsumer(d))
		}
		p.clients = append(p.clients, c)
	}
}

func (p *plan) drawProducer(d *drawer) client.ProducerPlan {
	versions := []int16{3, 5, 8, 9, 10, 12, 13}
	plan := client.ProducerPlan{
		Partition: p.partitions[d.below(uint64(len(p.partitions)))], Idempotent: !d.oneIn(3), Acks: -1, Lasting: true,
		Interval: d.between(20*time.Millisecond, 500*time.Millisecond), RecordsMax: 1 + d.below(8), ValueMax: 1 + d.below(1000),
		Version: versions[d.below(uint64(len(versions)))],
	}
	if d.oneIn(3) {
		plan.ValueMax = 12_000 / plan.RecordsMax // commits of several blocks, which tear
	}
	if d.oneIn(2) {
		plan.Impatient = 1 + d.below(10)
	}
	if !plan.Idempotent && d.oneIn(2) {
		plan.Acks = 1
		plan.Lasting = p.brokers == 1
	}
	if p.fast {
		plan.Interval, plan.Impatient, plan.RecordsMax, plan.ValueMax = 200*time.Millisecond, 0, 1, 100
		plan.Idempotent, plan.Acks = true, -1
	}
	return plan
}

func (p *plan) drawConsumer(d *drawer) client.ConsumerPlan {
	plan := client.ConsumerPlan{
		Partition: p.partitions[d.below(uint64(len(p.partitions)))],
		WaitMax:   d.between(100*time.Millisecond, 2*time.Second), BytesMin: 1, BytesMax: 1 << 20,
	}
	if d.oneIn(3) {
		plan.WaitMax = 10 * time.Minute // so long that only a wake-up ends it
	}
	if d.oneIn(3) {
		plan.BytesMin = 1 + int32(d.below(200))
	}
	if d.oneIn(3) {
		plan.BytesMax = 1 + int32(d.below(4000))
	}
	if p.fast {
		plan.WaitMax, plan.BytesMin, plan.BytesMax = 500*time.Millisecond, 1, 1<<20
	}
	return plan
}

// drawChurn has an administrator, in some worlds, make and delete a topic of one name again and again. Only a broker with
// a controller of its own can.
func (p *plan) drawChurn(random env.Random) {
	d := &drawer{random: random, stream: streamChurn}
	if p.brokers > 1 || p.fast || !d.oneIn(2) {
		return
	}
	plan := client.ChurnPlan{
		Topic: "again", Retention: p.retention, Life: d.between(500*time.Millisecond, 16*time.Second),
		Producer: p.drawProducer(d), Consumer: p.drawConsumer(d),
	}
	plan.Producer.Interval = min(plan.Producer.Interval, 100*time.Millisecond)
	plan.Consumer.WaitMax, plan.Consumer.BytesMin = min(plan.Consumer.WaitMax, time.Second), 1
	if d.oneIn(2) {
		ms := 500 << d.below(6)
		plan.Retention.Age = time.Duration(ms) * time.Millisecond
		plan.Settings = append(plan.Settings, client.Setting{Name: "retention.ms", Value: strconv.Itoa(ms)})
	}
	if d.oneIn(2) {
		bytes := 4096 << d.below(6)
		plan.Retention.Bytes = int64(bytes)
		plan.Settings = append(plan.Settings, client.Setting{Name: "retention.bytes", Value: strconv.Itoa(bytes)})
	}
	p.clients = append(p.clients, clientPlan{fetchVersion: 13, churns: []client.ChurnPlan{plan}})
}

// drawOldRecords has some consumers read old records again, and in some worlds an administrator delete them.
func (p *plan) drawOldRecords(random env.Random) {
	d := &drawer{random: random, stream: streamOld}
	if p.fast {
		return
	}
	for i := range p.clients {
		for k := range p.clients[i].consumers {
			if d.oneIn(3) {
				p.clients[i].consumers[k].Rereads = 1 + d.below(20)
			}
		}
	}
	if d.oneIn(3) {
		p.clients = append(p.clients, clientPlan{fetchVersion: 13, deletions: []client.DeletionPlan{{
			Partition: p.partitions[d.below(uint64(len(p.partitions)))], Interval: d.between(500*time.Millisecond, 16*time.Second),
		}}})
	}
}
