package simnet

import (
	"fmt"
	"hash/crc32"
	"time"

	"barnabas/core/task"
	"barnabas/sim/kernel"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// chunk is bytes of a stream on their way: what one read of the receiver gives.
type chunk struct {
	from, to *end
	bytes    []byte
	at       int // bytes already taken by the splitter
	start    int64
	arrival  task.Instant
	last     bool // nothing comes after it
}

// piecesMax is how many pieces are cut off one write; what is left then goes as a whole.
const piecesMax = 4

// key tells a direction of a connection apart in draws.
func (e *end) key() uint64 { return e.number }

// pump lets leave what the window has room for.
func (e *end) pump() {
	if e.over || e.endpoint.dead {
		return
	}
	done := 0
	for pieces := 0; e.outBytes > 0 && !e.waitsToPump; pieces++ {
		size := min(e.outBytes, windowBytes-e.inFlight)
		if size == 0 {
			break
		}
		if pieces < piecesMax {
			size = e.piece(size)
		}
		done += e.write(size)
	}
	if e.outBytes == 0 {
		done += e.take(nil, 0) // sends of nothing are done too
	}
	if done > 0 {
		e.deliverSents(done)
	}
	if e.closing && !e.ended {
		e.pumpClose()
	}
}

// pumpClose tells the peer of the end when all has left, and gives up on a peer that does not read.
func (e *end) pumpClose() {
	n := e.place.network
	if e.outBytes == 0 {
		e.hangUp()
		e.tell(n.now().Add(localDelay), nil)
		return
	}
	if !e.hurried {
		e.hurried = true
		n.kernel.At(n.now().Add(lingerTimeout), func() {
			if !e.ended && !e.over && !e.endpoint.dead {
				e.reset()
			}
		})
	}
}

// piece draws how much of size leaves as one chunk (N8).
func (e *end) piece(size int) int {
	n := e.place.network
	if n.faults.ChunkPercent == 0 {
		return size
	}
	draw := n.kernel.Random.Uint64(streamPieces, e.key(), e.chunks)
	if !percent(draw, n.faults.ChunkPercent) {
		return size
	}
	n.count("N8")
	draw >>= 8
	if draw&7 == 0 { // the rest leaves a little later
		e.waitsToPump = true
		n.kernel.At(n.now().Add(time.Duration(draw>>8&0xFFFFF)), func() {
			e.waitsToPump = false
			e.pump()
		})
	}
	most := uint64(min(size, 1<<(draw>>3&15)+1)) // 2 bytes to 32 KiB
	return int(1 + (draw>>24)%most)
}

// write sends size bytes as one chunk and returns how many sends with a callback are done with them.
func (e *end) write(size int) int {
	n := e.place.network
	if t := e.tail; t != nil && e.mergeable(t, size) {
		n.count("N8")
		before := len(t.bytes)
		done := e.take(t, size)
		n.kernel.Note(uint64(crc32.Checksum(t.bytes[before:], castagnoli)))
		return done
	}
	c := n.chunks.take(size)
	c.start = e.sent
	done := e.take(c, size)
	e.launch(c)
	return done
}

// mergeable says whether bytes that leave now may arrive with the chunk before.
func (e *end) mergeable(t *chunk, size int) bool {
	n := e.place.network
	l := n.link(e.place, e.peer.place)
	if n.faults.ChunkPercent == 0 || len(t.bytes)+size > cap(t.bytes) ||
		e.peer.endpoint.dead || l.blocked > 0 || len(e.stalled) > 0 {
		return false
	}
	return t.arrival > n.now().Add(l.min) && percent(n.kernel.Random.Uint64(streamPieces, e.key(), e.chunks, uint64(e.sent)),
		n.faults.ChunkPercent/2)
}

// take copies size bytes of out into the chunk. Only now are they sent, so a change before shows.
func (e *end) take(c *chunk, size int) (done int) {
	e.outBytes -= size
	e.inFlight += size
	e.sent += int64(size)
	used := 0
	for used < len(e.out) {
		o := &e.out[used]
		left := o.bytes - e.skip
		if left > size {
			if size > 0 {
				c.copy(o.parts, e.skip, size)
				e.skip += size
			}
			break
		}
		if left > 0 {
			c.copy(o.parts, e.skip, left)
			size -= left
		}
		e.skip = 0
		if o.sent != nil {
			e.sents = append(e.sents, o.sent)
			done++
		}
		*o = outgoing{}
		used++
	}
	if used == len(e.out) {
		e.out = e.out[:0]
	} else {
		e.out = e.out[used:]
	}
	return done
}

// copy adds size bytes of parts, from skip on.
func (c *chunk) copy(parts [][]byte, skip, size int) {
	for _, p := range parts {
		if skip >= len(p) {
			skip -= len(p)
			continue
		}
		p = p[skip:min(len(p), skip+size)]
		skip = 0
		c.bytes = append(c.bytes, p...)
		if size -= len(p); size == 0 {
			return
		}
	}
}

// launch sends a chunk on its way, unless the way is blocked or it gets lost.
func (e *end) launch(c *chunk) {
	n := e.place.network
	c.from, c.to = e, e.peer
	e.chunks++
	l := n.link(e.place, e.peer.place)
	if l.blocked > 0 || len(e.stalled) > 0 {
		if len(e.stalled) == 0 {
			l.waiting = append(l.waiting, e)
		}
		e.stalled = append(e.stalled, c)
		return
	}
	when := n.now().Add(n.delay(l, n.kernel.Random.Uint64(streamDelay, e.key(), e.chunks)))
	if n.faults.LossIn > 0 {
		lost, stall := e.lose()
		if lost {
			return
		}
		when = when.Add(stall)
	}
	e.fly(c, when)
}

// lose draws whether the chunk is lost (N2). One that is sent again arrives late; else the connection is reset.
func (e *end) lose() (lost bool, stall time.Duration) {
	n := e.place.network
	draw := n.kernel.Random.Uint64(streamLoss, e.key(), e.chunks)
	if draw%n.faults.LossIn != 0 {
		return false, 0
	}
	n.count("N2")
	draw = n.kernel.Random.Uint64(streamLoss, e.key(), e.chunks, 1)
	if draw&1 == 0 {
		e.reset()
		return true, 0
	}
	return false, stallMin + nanoseconds(draw>>1, stallSpread)
}

// fly delivers the chunk to the peer's process, after everything sent before it.
func (e *end) fly(c *chunk, when task.Instant) {
	if e.peer.endpoint.dead {
		e.learn()
		return
	}
	if e.peer.slow > 0 && len(c.bytes) > 0 {
		e.place.network.count("N8")
		when = max(when, e.lastArrival).Add(time.Duration(uint64(len(c.bytes)) * e.peer.slow))
	}
	when = max(when, e.lastArrival+1)
	e.lastArrival, c.arrival = when, when
	e.tail = c
	kind, payload := kernel.KindBytes, e.number<<32|uint64(crc32.Checksum(c.bytes, castagnoli))
	if c.last {
		kind = kernel.KindConnection
		e.tail = nil
	}
	e.peer.place.node.Deliver(when, kind, false, payload, c)
}

// relaunch sends what a block had held back. The process may have closed its end, or died, meanwhile.
func (e *end) relaunch() {
	n := e.place.network
	stalled := e.stalled
	e.stalled = nil
	l := n.link(e.place, e.peer.place)
	for i, c := range stalled {
		draw := n.kernel.Random.Uint64(streamLoss, e.key(), e.chunks, 2)
		wait := n.delay(l, draw)
		if i == 0 {
			wait += nanoseconds(draw, time.Second) // until the sender tries again
		}
		e.fly(c, n.now().Add(wait))
	}
}

// nanoseconds draws a time below d.
func nanoseconds(draw uint64, d time.Duration) time.Duration { return time.Duration(draw % uint64(d)) }

// sentDone is the input that says that the oldest count sends are done.
type sentDone struct {
	end   *end
	count int
}

func (e *end) deliverSents(count int) {
	n := e.place.network
	var in *sentDone
	if last := len(n.dones) - 1; last >= 0 {
		in = n.dones[last]
		n.dones = n.dones[:last]
	} else {
		in = new(sentDone)
	}
	*in = sentDone{e, count}
	wait := time.Duration(n.kernel.Random.Below(20_000, streamSent, e.key(), e.chunks))
	e.place.node.Deliver(n.now().Add(wait), kernel.KindBytes, true, e.number, in)
}

// What describes how many sends are done.
func (in *sentDone) What() string { return fmt.Sprintf("%d sent", in.count) }

func (in *sentDone) Happen() {
	e, count := in.end, min(in.count, len(in.end.sents))
	in.end = nil
	e.place.network.dones = append(e.place.network.dones, in)
	for range count {
		sent := e.sents[0]
		e.sents[0] = nil
		e.sents = e.sents[1:]
		sent()
	}
}
