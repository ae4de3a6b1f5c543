package linearizability

import (
	"math/rand/v2"
	"slices"
)

// world makes small histories of one partition: first a true one, with every operation's moment known, then maybe a lie.
type world struct {
	*rand.Rand
	h       *History
	log     []Run        // what is there, a record each, with its epoch
	numbers []uint32     // the next one of each client
	open    []*Operation // sends which may take effect later
	poll    []int        // each client's last poll
	at      []int64      // positions, -1 before the first poll
	ends    []int64      // of the log when each epoch ended
	now     int64
	start   int64
}

// randomHistory returns a history of 2 to 6 clients, legal unless lied about.
func randomHistory(r *rand.Rand) *History {
	w := &world{Rand: r, h: &History{}, now: 1000}
	w.h.AddPartition(Partition{Name: "p", Expires: r.IntN(4) == 0})
	clients := 2 + r.IntN(5)
	for i := range clients {
		c := Client{Class: Class(r.IntN(4)), Lossy: r.IntN(8) == 0}
		if i == 0 {
			c.Class = Consumer
		}
		w.h.AddClient(c)
	}
	w.numbers, w.poll, w.at = make([]uint32, clients), make([]int, clients), make([]int64, clients)
	for i := range clients {
		w.poll[i], w.at[i] = -1, -1
	}
	for range 4 + r.IntN(14) {
		w.now += 10
		w.step()
	}
	if r.IntN(4) > 0 {
		w.now += 100
		w.polls(0, true)
	}
	return w.h
}

func (w *world) step() {
	client := uint32(w.IntN(len(w.h.Clients)))
	switch n := w.IntN(20); {
	case n == 0 && len(w.ends) < 3:
		w.ends = append(w.ends, w.end())
	case n <= 3:
		w.latest(client)
	case n < 7 && len(w.open) > 0:
		w.lands()
	case w.h.Clients[client].Class == Consumer || n > 15:
		w.polls(client, false)
	default:
		w.sends(client)
	}
}

func (w *world) end() int64 { return w.start + int64(len(w.log)) }

func (w *world) epoch() int32 { return int32(len(w.ends)) }

// around gives an operation times around now.
func (w *world) around(o *Operation) {
	o.Call, o.Return = w.now-int64(w.IntN(26)), w.now+int64(w.IntN(26))
}

func (w *world) sends(client uint32) {
	count := int32(1 + w.IntN(3))
	o := Operation{Kind: Send, Client: client, Count: count, First: MakeValue(client, w.numbers[client]), Epoch: NoEpoch, Offset: -1}
	w.numbers[client] += uint32(count)
	w.around(&o)
	switch n := w.IntN(10); {
	case n < 6:
		o.Outcome, o.Offset = OK, w.append(&o)
		if w.IntN(3) > 0 {
			o.Epoch = w.epoch()
		}
	case n < 7:
		o.Outcome = Failed
	default:
		o.Outcome = Unknown
		if n == 9 {
			o.Return = Never
		}
		if later := w.h.Clients[client].Class != Idempotent && w.IntN(2) == 0; later {
			w.open = append(w.open, &o)
		} else if w.IntN(2) == 0 {
			w.append(&o)
		}
	}
	if c := w.h.Clients[client]; o.Outcome == OK && c.Lossy && w.IntN(3) == 0 {
		o.Offset += int64(w.IntN(3)) // such an answer means nothing
	}
	if w.h.Clients[client].Class == Retrying && o.Outcome != Failed && w.IntN(2) == 0 {
		w.open = append(w.open, &o)
	}
	w.h.Add(o)
}

// append has the batch take effect now.
func (w *world) append(o *Operation) (base int64) {
	base = w.end()
	for i := range o.Count {
		w.log = append(w.log, Run{Offset: base + int64(i), First: o.First + Value(i), Count: 1, Epoch: w.epoch()})
	}
	return base
}

// lands has a send take effect whose client knows nothing of it.
func (w *world) lands() {
	n := w.IntN(len(w.open))
	w.append(w.open[n])
	w.open = slices.Delete(w.open, n, n+1)
}

func (w *world) latest(client uint32) {
	o := Operation{Kind: Latest, Client: client, Offset: w.end(), Epoch: w.epoch()}
	if w.IntN(3) == 0 {
		o.Final = true
		if w.IntN(2) == 0 {
			o.Epoch = NoEpoch
		}
	} else if len(w.ends) > 0 && w.IntN(2) == 0 { // a leader of before, who does not know yet
		o.Epoch = int32(w.IntN(len(w.ends)))
		o.Offset = w.ends[o.Epoch]
	}
	if w.IntN(6) == 0 {
		o.Kind, o.Offset, o.Epoch, o.Final = Earliest, w.start, NoEpoch, false
	}
	w.around(&o)
	w.h.Add(o)
}

// polls reads some of what is there, or all of it.
func (w *world) polls(client uint32, final bool) {
	o := Operation{Kind: Poll, Client: client, Offset: -1, Final: final, Epoch: NoEpoch}
	if w.h.Partitions[0].Expires && w.IntN(6) == 0 && len(w.log) > 0 {
		w.log, w.start = w.log[1:], w.start+1
	}
	at := w.at[client]
	if at < w.start || w.IntN(8) == 0 || final {
		at = w.start
		if !final {
			at += int64(w.IntN(len(w.log) + 1))
		}
		o.Offset = at
	}
	rest := w.log[min(at-w.start, int64(len(w.log))):]
	if !final {
		rest = rest[:w.IntN(len(rest)+1)]
	}
	for _, r := range rest {
		at = r.Offset + 1
		if w.IntN(30) == 0 {
			r.First = Refused
		}
		if w.IntN(2) == 0 {
			r.Epoch = NoEpoch
		}
		o.Runs = append(o.Runs, r)
	}
	w.at[client] = at
	w.around(&o)
	if before := w.poll[client]; before >= 0 { // a client polls once at a time
		p := &w.h.Operations[before]
		p.Return = min(p.Return, w.now-1)
		o.Call = max(o.Call, p.Return+1)
	}
	w.poll[client] = w.h.Add(o)
}

// lie changes the history in some way, and may leave it legal all the same.
func lie(r *rand.Rand, h *History) {
	pick := func(fits func(o *Operation) bool) *Operation {
		var all []*Operation
		for i := range h.Operations {
			if o := &h.Operations[i]; fits(o) {
				all = append(all, o)
			}
		}
		if len(all) == 0 {
			return nil
		}
		return all[r.IntN(len(all))]
	}
	of := func(k Kind) func(o *Operation) bool {
		return func(o *Operation) bool { return o.Kind == k && o.Outcome == OK }
	}
	reading := func(o *Operation) bool { return o.Kind == Poll && len(o.Runs) > 0 }
	final := func(o *Operation) bool { return o.Final && len(o.Runs) > 0 }
	lies := []func(){
		func() { // a poll leaves out a record
			if o := pick(reading); o != nil {
				n := r.IntN(len(o.Runs))
				o.Runs = slices.Delete(slices.Clone(o.Runs), n, n+1)
			}
		},
		func() { // a poll changes the place of two records
			if o := pick(reading); o != nil {
				o.Runs = slices.Clone(o.Runs)
				a, b := r.IntN(len(o.Runs)), r.IntN(len(o.Runs))
				if r.IntN(2) == 0 {
					o.Runs[a], o.Runs[b] = o.Runs[b], o.Runs[a]
				} else {
					o.Runs[a].First, o.Runs[b].First = o.Runs[b].First, o.Runs[a].First
				}
			}
		},
		func() { // a poll returns another value
			if o := pick(reading); o != nil {
				o.Runs = slices.Clone(o.Runs)
				client := uint32(r.IntN(len(h.Clients)))
				o.Runs[r.IntN(len(o.Runs))].First = MakeValue(client, uint32(r.IntN(8)))
			}
		},
		func() { // a poll returns a record from elsewhere
			if o := pick(reading); o != nil {
				o.Runs = slices.Clone(o.Runs)
				n := r.IntN(len(o.Runs))
				o.Runs[n].Offset = max(0, o.Runs[n].Offset+int64(r.IntN(5))-2)
			}
		},
		func() { // records from somewhere on stand further behind, for everybody
			from, by := int64(r.IntN(12)), int64(1+r.IntN(2))
			for i := range h.Operations {
				o := &h.Operations[i]
				o.Runs = slices.Clone(o.Runs)
				for n := range o.Runs {
					if o.Runs[n].Offset >= from {
						o.Runs[n].Offset += by
					}
				}
				if o.Kind == Send && o.Outcome == OK && o.Offset >= from {
					o.Offset += by
				}
			}
		},
		func() { // a poll begins elsewhere
			if o := pick(of(Poll)); o != nil {
				o.Offset = max(-1, o.Offset+int64(r.IntN(5))-2)
			}
		},
		func() { // the last reading ends too soon
			if o := pick(final); o != nil {
				o.Runs = o.Runs[:r.IntN(len(o.Runs))]
			}
		},
		func() { // the last reading begins too late
			if o := pick(final); o != nil {
				n := r.IntN(len(o.Runs))
				o.Offset, o.Runs = o.Runs[n].Offset, o.Runs[n:]
			}
		},
		func() { // an acknowledgement names another offset
			if o := pick(of(Send)); o != nil {
				o.Offset = max(0, o.Offset+int64(r.IntN(7))-3)
			}
		},
		func() { // two acknowledgements are given to each other
			if a, b := pick(of(Send)), pick(of(Send)); a != nil {
				a.Offset, b.Offset = b.Offset, a.Offset
			}
		},
		func() { // an open send has failed
			if o := pick(func(o *Operation) bool { return o.Kind == Send && o.Outcome != Failed }); o != nil {
				o.Outcome, o.Offset, o.Epoch = Failed, -1, NoEpoch
			}
		},
		func() { // an operation happened some time sooner or later
			if o := pick(func(o *Operation) bool { return o.Kind != Poll }); o != nil {
				by := int64(r.IntN(201)) - 100
				o.Call += by
				if o.Return != Never {
					o.Return += by
				}
			}
		},
		func() { // a record was sent much later
			if o := pick(of(Send)); o != nil {
				by := int64(r.IntN(300))
				o.Call += by
				o.Return += by
			}
		},
		func() { // two records are told in each other's place, by everybody
			var values []Value
			for i := range h.Operations {
				for _, run := range h.Operations[i].Runs {
					values = append(values, run.First)
				}
			}
			if len(values) > 0 {
				a, b := values[r.IntN(len(values))], values[r.IntN(len(values))]
				for i := range h.Operations {
					o := &h.Operations[i]
					o.Runs = slices.Clone(o.Runs)
					for n := range o.Runs {
						switch o.Runs[n].First {
						case a:
							o.Runs[n].First = b
						case b:
							o.Runs[n].First = a
						}
					}
				}
			}
		},
		func() { // a leader gives another end, or another start
			if o := pick(func(o *Operation) bool { return o.Kind == Latest || o.Kind == Earliest }); o != nil {
				o.Offset = max(0, o.Offset+int64(r.IntN(9))-4)
			}
		},
		func() { // a leader knows less
			if o := pick(func(o *Operation) bool { return o.Kind == Latest && !o.Final }); o != nil {
				o.Offset = max(0, o.Offset-1-int64(r.IntN(4)))
			}
		},
		func() { // a client promises more
			c := &h.Clients[r.IntN(len(h.Clients))]
			if c.Class != Consumer {
				*c = Client{Class: []Class{Plain, Idempotent}[r.IntN(2)]}
			}
		},
		func() { // nothing expires
			h.Partitions[0].Expires = false
		},
	}
	lies[r.IntN(len(lies))]()
}
