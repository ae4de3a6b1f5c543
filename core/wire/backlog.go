package wire

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"barnabas/core/env"
	"barnabas/core/mutant"
	"barnabas/core/ordered"
	"barnabas/core/protocol"
	"barnabas/core/task"
)

// backlog bounds the answers that have not left, of all connections together: they hold memory for as long as their clients
// don't read. Once there are as many, requests wait: all of a client that has something to read, and of the others all but
// produce, whose answers are small. So what there is at most is the bound, and one answer more. A client that takes nothing
// for slowPatience while others wait is closed, those first that have waited longest.
type backlog struct {
	server  *Server
	max     int64 // 0: no bound
	bytes   int64
	owing   []*Connection // whose clients have something to read
	waiting ordered.Queue[func()]
	timer   *task.Timer
}

// slowPatience is how long a client may take nothing of its answers when they take what others need, and slowAgain how
// often it is looked at.
const (
	slowPatience = 5 * time.Second
	slowAgain    = time.Second
)

func (b *backlog) isFull() bool { return b.max > 0 && b.bytes >= b.max }

// add counts an answer that is to leave.
func (b *backlog) add(c *Connection, bytes int) {
	if c.unsent == 0 {
		c.owesSince, c.owes = b.server.loop.Now(), len(b.owing)
		b.owing = append(b.owing, c)
	}
	wasFull := b.isFull()
	c.unsent += bytes
	b.bytes += int64(bytes)
	if !wasFull && b.isFull() {
		b.server.traffic.Crowded++
		b.server.probe.Sometimes(env.MarkAnswersCrowded)
		b.timer = b.server.loop.At(b.server.loop.Now().Add(slowAgain), b.closeSlowest)
	}
}

// leave counts what has left, or never will.
func (b *backlog) leave(c *Connection, bytes int) {
	wasFull := b.isFull()
	c.unsent -= bytes
	b.bytes -= int64(bytes)
	c.owesSince = b.server.loop.Now()
	if c.unsent == 0 {
		last := len(b.owing) - 1
		b.owing[c.owes] = b.owing[last]
		b.owing[c.owes].owes = c.owes
		b.owing[last] = nil
		b.owing = b.owing[:last]
	}
	if wasFull && !b.isFull() {
		b.timer.Stop()
		for b.waiting.Len() > 0 && !b.isFull() && !mutant.On(mutant.CrowdedForgotten) {
			b.waiting.Pop()()
		}
	}
}

// holds says whether the request has to wait, and then has the connection look at it again.
func (b *backlog) holds(c *Connection, isProduce bool) bool {
	if !b.isFull() || isProduce && c.unsent == 0 {
		return false
	}
	if !c.crowded {
		c.crowded = true
		b.waiting.Push(func() {
			c.crowded = false
			c.start()
		})
	}
	return true
}

// closeSlowest closes as many of the clients that take nothing as would make room.
func (b *backlog) closeSlowest() {
	now := b.server.loop.Now()
	var left int64 // of the others
	var slow []*Connection
	for _, c := range b.owing {
		if !c.closed {
			left += int64(c.unsent)
			slow = append(slow, c)
		}
	}
	slices.SortFunc(slow, func(x, y *Connection) int {
		return cmp.Or(cmp.Compare(x.owesSince, y.owesSince), cmp.Compare(x.ID(), y.ID()))
	})
	for _, c := range slow {
		unread := now.Sub(c.owesSince)
		if left < b.max || unread < slowPatience {
			break
		}
		left -= int64(c.unsent)
		c.close(&b.server.traffic.Unread, fmt.Sprintf("%s has not read %d bytes of answers for %v, and those of all clients "+
			"together are as many as may be (queued.max.response.bytes=%d)", c.conn.RemoteAddress(), c.unsent, unread.Round(time.Second), b.max))
	}
	b.timer = b.server.loop.At(now.Add(slowAgain), b.closeSlowest)
}

// Crowded says whether an answer that may be large has to wait, since too much is on its way to clients that don't read; then
// again is called when there may be room.
func (r *Request) Crowded(again func()) bool {
	b := &r.connection.server.backlog
	if !b.isFull() {
		return false
	}
	b.waiting.Push(again)
	return true
}

// isProduce says whether a frame is a produce request.
func isProduce(f *env.Frame) bool { return apiKey(f.Bytes) == protocol.KeyProduce }
