package api

import (
	"barnabas/core/env"
	"barnabas/core/protocol"
	"barnabas/core/replica"
)

// produces are produce requests that are over, to be used again: one takes a dozen pieces of memory, and there are hundreds
// of thousands a second.
type produces struct{ list []*produce }

// keptMax is how many topics, and how many partitions, a request may have had for its memory to be used again; producesMax
// how many are kept.
const (
	keptMax     = 64
	producesMax = 4096
)

func (s *produces) take(h *Handlers) *produce {
	last := len(s.list) - 1
	if last < 0 {
		p := &produce{handlers: h}
		p.expired, p.free = p.expire, p.over
		return p
	}
	p := s.list[last]
	s.list = s.list[:last]
	return p
}

// over makes the request ready to be used again. Nothing refers to it: it was answered, nothing waits for it, and it was
// never held.
func (p *produce) over() {
	h := p.handlers
	if len(p.waits) > keptMax || len(p.response.Responses) > keptMax || len(h.produces.list) >= producesMax {
		return
	}
	*p = produce{
		handlers: h, response: p.response, waits: p.waits, timer: p.timer, expired: p.expired, free: p.free,
	}
	h.produces.list = append(h.produces.list, p)
}

// rowWait is the wait of one row.
type rowWait struct {
	produce *produce
	row     *protocol.PartitionProduceResponse // nil: it is over
	part    *replica.Partition
	wait    *replica.Wait
}

// wait returns the wait of one more row.
func (p *produce) wait(row *protocol.PartitionProduceResponse, part *replica.Partition) *replica.Wait {
	if p.used == len(p.waits) {
		w := &rowWait{produce: p}
		w.wait = replica.NewWait(w.over)
		p.waits = append(p.waits, w)
	}
	w := p.waits[p.used]
	w.row, w.part = row, part
	p.used++
	p.left++
	return w.wait
}

// over is told that the row can be answered.
func (w *rowWait) over(err error) {
	p, row := w.produce, w.row
	w.row = nil
	p.left--
	if err != nil {
		p.fail(row, err, w.part)
	} else if p.appended && p.acks == replica.AcksAll {
		p.handlers.env.Probe.Sometimes(env.MarkProduceAnsweredAtHW)
	}
	if p.left == 0 && p.appended {
		p.finish()
	}
}

// again returns an array of n elements of any content, in the memory of s if it has room.
func again[T any](s []T, n int) []T {
	if n <= cap(s) {
		return s[:n]
	}
	return make([]T, n)
}
