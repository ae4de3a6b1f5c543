package linearizability

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

// Windows says how JudgeWindows looks at a history.
type Windows struct {
	Size     int           // batches in a window; 0: 64
	Most     int           // windows of each partition, evenly spread; 0: all
	Patience time.Duration // for one window; 0: 10 seconds
}

const (
	defaultSize     = 64
	defaultPatience = 10 * time.Second
)

// JudgeWindows has Porcupine judge each partition window by window: the batches that stand in it, and what polls and
// leaders said of it. Where batches stand is taken from acknowledgements and polls, as Check does. The log before a window
// is its first state; that it was all sent before, and that what stands behind was not there yet, are one operation each.
//
// It finds NotLinearizable, and LinearizabilityUnknown when time runs out. Positions of clients are Check's alone.
func JudgeWindows(h *History, o Windows) (*Report, error) {
	o.Size, o.Patience = cmp.Or(o.Size, defaultSize), cmp.Or(o.Patience, defaultPatience)
	c := &checker{book: book{h: h}, senders: make([]sender, len(h.Clients))}
	starts, places := c.byPartition()
	for number := range h.Partitions {
		if err := c.place(number, places[starts[number]:starts[number+1]]); err != nil {
			return nil, err
		}
		all := (len(c.order) + o.Size - 1) / o.Size
		step := 1
		if o.Most > 0 {
			step = max(1, (all+o.Most-1)/o.Most)
		}
		w := newWindower(c)
		for n := 0; n < all; n += step {
			w.judge(n*o.Size, min((n+1)*o.Size, len(c.order)), o.Patience)
		}
	}
	return &c.report, nil
}

// place finds out where the batches of a partition stand.
func (c *checker) place(number int, places []int32) error {
	c.open(c.h.Partitions[number].Name, int32(number))
	c.gather(number, places)
	if err := c.observe(); err != nil {
		return err
	}
	c.sortInstances()
	return nil
}

// windower cuts windows out of one partition.
type windower struct {
	*checker
	ends    []int64 // before each batch by offset, where those before it end
	calls   []int64 // before each, the latest call of those before it
	returns []int64 // from each on, the earliest moment that shows one of them there
	polls   []span
}

// span is a poll, or an answer about the log's end, with the batches it touches.
type span struct {
	from, to int // batches by offset
	op       int32
}

func newWindower(c *checker) *windower {
	n := len(c.order)
	w := &windower{checker: c, ends: make([]int64, n+1), calls: make([]int64, n+1), returns: make([]int64, n+1)}
	w.calls[0], w.returns[n] = math.MinInt64, Never
	for _, at := range c.places {
		w.addSpan(at, &c.h.Operations[at])
	}
	slices.SortStableFunc(w.polls, func(a, b span) int { return compare(a.from, b.from) })
	for i := range n {
		w.ends[i+1] = max(w.ends[i], c.sorted(i).end())
		w.calls[i+1] = max(w.calls[i], c.sorted(i).call)
	}
	for i := n - 1; i >= 0; i-- {
		w.returns[i] = min(w.returns[i+1], c.sorted(i).ret)
	}
	return w
}

// addSpan notes which batches a poll or an answer about the log's end touches.
func (w *windower) addSpan(at int32, o *Operation) {
	switch {
	case o.Outcome != OK:
	case o.Kind == Latest:
		from := w.below(o.Offset)
		w.polls = append(w.polls, span{from, from + 1, at})
		w.reaches(o.Offset, at)
	case o.Kind == Poll && len(o.Runs) > 0:
		lowest, highest := o.Runs[0].Offset, int64(0)
		for _, r := range o.Runs {
			lowest, highest = min(lowest, r.Offset), max(highest, r.Offset+int64(r.Count))
		}
		w.polls = append(w.polls, span{max(w.below(lowest+1)-1, 0), w.below(highest), at})
		w.reaches(highest, at)
	case o.Kind == Poll && o.Final:
		w.reaches(o.Offset, at)
	}
}

// window is what Porcupine is given.
type window struct {
	start      *logState
	operations []porcupine.Operation
	clients    map[uint32]int
	begin, end int64 // offsets
}

// judge judges the batches [from, to) by offset.
func (w *windower) judge(from, to int, patience time.Duration) {
	cut := w.cut(from, to)
	v := verdictOf(porcupine.CheckOperationsTimeout(logModel(cut.start), cut.operations, patience))
	switch v {
	case Illegal:
		w.find(NotLinearizable, cut.begin, cut.sends(), "no order of operations explains offsets %d to %d", cut.begin, cut.end)
	case Undecided:
		w.find(LinearizabilityUnknown, cut.begin, nil, "Porcupine could not decide about offsets %d to %d in %v", cut.begin, cut.end, patience)
	}
}

// find hides that of checker, which looks for values.
func (w *windower) find(a Anomaly, offset int64, proof []int32, format string, arguments ...any) {
	w.book.find(a, offset, proof, format, arguments...)
}

// proofMax bounds how many sends of a window are named: what is wrong with it is in the picture.
const proofMax = 8

func (w *window) sends() (ops []int32) {
	for i := range w.operations {
		if b, ok := w.operations[i].Input.(*batch); ok && b.send >= 0 && len(ops) < proofMax {
			ops = append(ops, b.send)
		}
	}
	return ops
}

func (w *windower) cut(from, to int) *window {
	cut := &window{clients: make(map[uint32]int), begin: w.ends[from]}
	if from < to {
		cut.begin, cut.end = w.sorted(from).base, w.ends[to]
	}
	for i := from; i < to; i++ {
		w.addBatch(cut, from, i)
	}
	cut.start = emptyLog(len(cut.clients))
	cut.start.end = -1 // nothing comes before the log up to here
	for i := range from {
		at := w.sorted(i)
		if local, ok := cut.clients[at.first.Client()]; ok && at.op >= 0 {
			cut.start.newest[local] = max(cut.start.newest[local], at.first+1)
		}
	}
	head := &batch{send: -1, base: w.ends[from], epoch: NoEpoch, next: true, after: -1}
	cut.operations = append(cut.operations, porcupine.Operation{Input: head, Call: w.calls[from], Return: Never})
	if to < len(w.order) {
		tail := &batch{send: -1, base: w.sorted(to).base, count: 1, epoch: NoEpoch, class: Retrying, next: true, after: w.ends[to]}
		cut.operations = append(cut.operations, porcupine.Operation{Input: tail, Call: math.MinInt64, Return: w.returns[to]})
	}
	w.addLooks(cut, from, to)
	return cut
}

func (w *windower) addBatch(cut *window, from, n int) {
	i := w.sorted(n)
	if i.op < 0 || w.h.Operations[i.op].Outcome == Failed {
		return // nothing explains it, and so nothing explains who read it
	}
	o := &w.h.Operations[i.op]
	local, ok := cut.clients[o.Client]
	if !ok {
		local = len(cut.clients)
		cut.clients[o.Client] = local
	}
	b := &batch{
		send: i.op, owner: local, first: i.first, count: i.count, base: i.base, epoch: i.epoch, class: w.h.Clients[o.Client].Class,
		next: true, after: w.ends[n],
	}
	cut.operations = append(cut.operations, porcupine.Operation{ClientId: int(o.Client), Input: b, Call: i.call, Return: i.ret})
}

// addLooks adds what polls and leaders said of the window.
func (w *windower) addLooks(cut *window, from, to int) {
	seen := make(map[int64][]int) // polls by where they end, as places among operations
	for _, s := range w.polls {
		if s.from >= to {
			break
		}
		if s.to <= from {
			continue
		}
		o := &w.h.Operations[s.op]
		if o.Kind == Latest {
			w.addLatest(cut, from, to, o)
		} else if records := between(o.Runs, w.ends[from], w.ends[to]); len(records) > 0 {
			w.addPoll(cut, seen, records, o)
		}
	}
}

// addPoll adds a poll, unless there is one that says the same: then the sooner return of the two counts, and what the
// longer one read. A log is read again and again, and Porcupine pays for each that overlaps others.
func (w *windower) addPoll(cut *window, seen map[int64][]int, records []Run, o *Operation) {
	end := records[len(records)-1].Offset
	for _, at := range seen[end] {
		known := &cut.operations[at]
		l := known.Input.(*look)
		if !agree(l.records, records) {
			continue
		}
		if len(records) > len(l.records) {
			l.records, l.from = records, records[0].Offset
		}
		if o.Return < known.Return {
			known.Call, known.Return, known.ClientId = o.Call, o.Return, int(o.Client)
		}
		return
	}
	seen[end] = append(seen[end], len(cut.operations))
	l := &look{kind: Poll, client: -1, from: records[0].Offset, epoch: NoEpoch, records: records}
	cut.operations = append(cut.operations, porcupine.Operation{ClientId: int(o.Client), Input: l, Call: o.Call, Return: o.Return})
}

// agree says whether the shorter row of records is the end of the longer one.
func agree(a, b []Run) bool {
	n := min(len(a), len(b))
	a, b = a[len(a)-n:], b[len(b)-n:]
	for i := range a {
		if a[i].Offset != b[i].Offset || a[i].First != b[i].First {
			return false
		}
	}
	return true
}

func (w *windower) addLatest(cut *window, from, to int, o *Operation) {
	l := &look{kind: Latest, client: -1, end: o.Offset, epoch: o.Epoch, final: o.Final}
	if w.ends[from] < o.Offset {
		l.known = 1 // what is before the window
	}
	for n := from; n < to; n++ {
		if i := w.sorted(n); i.base < o.Offset {
			l.known++
		}
	}
	cut.operations = append(cut.operations, porcupine.Operation{ClientId: int(o.Client), Input: l, Call: o.Call, Return: o.Return})
}

// between returns the records of the runs within [from, to), each apart.
func between(runs []Run, from, to int64) (records []Run) {
	for _, r := range runs {
		skip := max(0, from-r.Offset)
		for i := skip; i < min(int64(r.Count), to-r.Offset); i++ {
			one := Run{Offset: r.Offset + i, First: r.First, Count: 1, Epoch: r.Epoch}
			if r.First != Refused {
				one.First += Value(i)
			}
			records = append(records, one)
		}
	}
	return records
}
