package sim

import (
	"slices"
	"time"

	"barnabas/core/env"
	"barnabas/sim/plan"
	"barnabas/sim/simdisk"
)

// Some bugs need several things at once: commits of many blocks and a power loss within one; a journal that goes round while a
// checkpoint is on its way, and a crash there; a sync of a partition's file that fails, and then the power. A seed that draws
// each by itself seldom has them together, so one seed in four is aimed at one such situation, besides everything else it is.
type focus uint8

const (
	unfocused focus = iota
	// tornCommits: batches of several blocks, a device that takes its time, and power that goes within commits.
	tornCommits
	// roundJournal: a small journal that goes round fast, and crashes where checkpoints are written, one after another.
	roundJournal
	// failedSyncs: partition files whose syncs fail, and power that goes after that.
	failedSyncs
	// oldReaders: readers that begin anywhere, of records that are no longer in memory.
	oldReaders
	focuses
)

// focusOf draws what the seed is aimed at. It changes no other draw: what it adds has streams of its own.
func (s *swarm) focusOf(calm bool) focus {
	d := &drawer{random: s.random, stream: streamFocus}
	f := focus(1 + d.below(uint64(focuses)-1))
	switch {
	case !d.oneIn(4), s.profile.fast, s.profile.full, calm && f != oldReaders, s.profile.sound && f == failedSyncs:
		return unfocused
	}
	return f
}

// focusSettings sets what the situation needs.
func (s *swarm) focusSettings() {
	switch s.focus {
	case unfocused:
	case tornCommits:
		s.Set("durability", "fsync")
		s.Set("journal.commit.max.bytes", "1048576")
	case roundJournal, failedSyncs:
		s.Set("durability", "fsync")
		s.Set("journal.max.bytes", "1048576")
		s.Set("journal.segment.bytes", "65536")
		s.Set("journal.checkpoint.bytes", "65536")
	case oldReaders:
		s.Set("arena.max.bytes", "1048576")
		s.Set("journal.max.bytes", "1048576")
	}
}

// focusDisks has devices take long enough to be met at work.
func (s *swarm) focusDisks() {
	if s.focus != tornCommits && s.focus != roundJournal {
		return
	}
	for i := range s.Disks {
		s.Disks[i].Sync = max(s.Disks[i].Sync, 2*time.Millisecond)
		if s.focus == tornCommits && s.Disks[i].Strictness == simdisk.Ordered && i%2 == 0 {
			s.Disks[i].Strictness = simdisk.PosixMin
		}
	}
}

// focusChances turns the rare paths on that belong to the situation.
func (s *swarm) focusChances() {
	var sites []env.Site
	switch s.focus {
	case roundJournal:
		sites = []env.Site{env.SiteCheckpoint, env.SiteShareEnd}
	case oldReaders:
		sites = []env.Site{env.SiteArenaDrop, env.SiteColdDrop}
	case unfocused, tornCommits, failedSyncs:
	}
	for _, site := range sites {
		if name := site.String(); !slices.Contains(s.Chances, name) {
			s.Chances = append(s.Chances, name)
		}
	}
}

// focusFaults adds the faults of the situation.
func (s *swarm) focusFaults() {
	d := &drawer{random: s.random, stream: streamFocusFault}
	often := d.between(700*time.Millisecond, 3*time.Second)
	for i := range s.Brokers() {
		id := int32(i + 1)
		if i > 0 && s.focus != failedSyncs {
			often *= 2
		}
		switch s.focus {
		case unfocused, oldReaders:
		case tornCommits:
			s.happenHere(often, plan.Aim, id, func(d *drawer, f plan.Fault) {
				f.How, f.Number = "commit", 2+3*d.below(3) // while the first, second or third of them is written
				f.For, f.Down, f.Flag = aimPatience, d.upTo(downMax/4), !d.oneIn(5)
				s.add(f)
			})
		case roundJournal:
			s.happenHere(often, plan.Aim, id, func(d *drawer, f plan.Fault) {
				f.How = []string{"checkpoint-sync", "checkpoint-write", "segment-name"}[d.below(3)]
				f.Number, f.Flag = 1+d.below(3), !d.oneIn(3)
				if !f.Flag || d.oneIn(3) { // what the process leaves in memory, and then the power at the next start
					f.Number, f.Flag = f.Number+9, false
				}
				f.For, f.Down = aimPatience, d.upTo(downMax/4)
				s.add(f)
			})
		case failedSyncs:
			s.happenHere(often, plan.FailSync, id, func(_ *drawer, f plan.Fault) {
				f.Files = "*.log"
				s.add(f)
			})
			s.happenHere(3*often, plan.Power, id, func(d *drawer, f plan.Fault) {
				f.Down = d.upTo(downMax / 4)
				s.add(f)
			})
		}
	}
	s.number()
}

// happenHere is happen with keys of the focus's own.
func (s *swarm) happenHere(every time.Duration, kind plan.Kind, broker int32, draw func(d *drawer, f plan.Fault)) {
	d := &drawer{random: s.random, stream: streamFocusFault, key: uint64(kind+1)<<48 | uint64(broker)<<32}
	for at := d.upTo(2 * every); at < s.Virtual; at += time.Microsecond + d.upTo(2*every) {
		draw(d, plan.Fault{At: at, Kind: kind, Broker: broker})
	}
}

// focusClients adds the work of the situation.
func (s *swarm) focusClients() {
	d := &drawer{random: s.random, stream: streamFocusClient}
	c := plan.Client{ID: uint64(len(s.Clients)), FetchVersion: 13}
	switch s.focus {
	case unfocused:
		return
	case oldReaders:
		for i := range s.Clients {
			for k := range s.Clients[i].Consumers {
				s.Clients[i].Consumers[k].Wanders = 1 + d.below(3)
			}
		}
		reader := s.drawConsumer(d)
		reader.Wanders, reader.WaitMax, reader.BytesMin = 1+d.below(2), 200*time.Millisecond, 1
		c.Consumers = append(c.Consumers, reader)
	case tornCommits, roundJournal, failedSyncs:
		p := s.drawProducer(d, 1, 0)
		w := work{interval: d.between(30*time.Millisecond, 120*time.Millisecond), records: 1 + d.below(3)}
		w.bytes = (6_000 + d.below(7_000)) / w.records
		p.Idempotent, p.Acks = true, -1
		s.drawSends(d, &p, w, s.Virtual)
		c.Producers = append(c.Producers, p)
	}
	s.Clients = append(s.Clients, c)
}
