package storage

// Hash feeds the state of the directory's logs to add, in a fixed order: what the logs are, and where it stands.
func (d *Directory) Hash(add func(uint64)) {
	d.hashLogs(add)
	d.hashPlaces(add)
}

// hashLogs feeds what the logs are: ends, epochs, producers.
func (d *Directory) hashLogs(add func(uint64)) {
	add(uint64(d.last))
	add(d.journal.LastSequence())
	for _, l := range d.logs.All {
		add(uint64(l.Number))
		add(uint64(l.start))
		add(uint64(l.end))
		add(uint64(l.stable))
		for _, e := range l.epochs.starts {
			add(uint64(e.Epoch)<<40 ^ uint64(e.Start))
		}
		for id, p := range l.producers.byID.All {
			add(uint64(id))
			for _, b := range p.window {
				add(uint64(b.first)<<32 | uint64(uint32(b.last)))
				add(uint64(b.base))
			}
		}
	}
}

// hashPlaces feeds where the logs' batches stand.
func (d *Directory) hashPlaces(add func(uint64)) {
	for _, l := range d.logs.All {
		add(uint64(l.saved))
		for _, x := range l.segments {
			add(uint64(x.base)<<32 ^ uint64(x.size))
		}
		for i := range l.tail {
			b := &l.tail[i]
			add(uint64(b.base)<<20 ^ uint64(b.bytes))
			add(uint64(b.at.Segment)<<32 | uint64(b.at.Position))
		}
	}
}
