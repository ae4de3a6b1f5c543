package net

import (
	"fmt"
	stdnet "net"
	"time"

	"barnabas/net/host"
)

// Limits bound the connections that listeners take. Of each number: 0 is no bound, and less than that is none at all.
type Limits struct {
	// ConnectionsMax bounds those that are open; one more is closed at once.
	ConnectionsMax int
	// ConnectionsPerIPMax bounds those of one address; OverridesPerIP names addresses with bounds of their own.
	ConnectionsPerIPMax int
	OverridesPerIP      map[string]int
	// ConnectionsPerSecond bounds how many are taken in a second; one more waits, and all behind it.
	ConnectionsPerSecond int
}

// Counts are what listeners did since the start.
type Counts struct {
	Refused int64 // connections closed at once, because of a limit
	Delayed int64 // connections that had to wait
}

// SetLimits changes the limits from now on. Connections that stand are left alone.
func (n *Network) SetLimits(l Limits) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.limits = l
}

// Counts returns the counts so far.
func (n *Network) Counts() Counts {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.counts
}

func beyond(n, most int) bool { return most != 0 && n >= most }

// admit counts a connection from the address, or refuses it. On the goroutine of a listening socket.
func (n *Network) admit(ip string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	most, ofIP := n.limits.ConnectionsMax, n.mostOf(ip)
	switch {
	case beyond(n.taken, most):
		n.counts.Refused++
		n.refusals.say(n, fmt.Sprintf("refusing a connection: max.connections=%d are open", max(0, most)))
		return false
	case beyond(n.perIP[ip], ofIP):
		n.counts.Refused++
		n.refusals.say(n, fmt.Sprintf("refusing a connection: max.connections.per.ip=%d of %s are open", max(0, ofIP), ip))
		return false
	}
	n.taken++
	n.perIP[ip]++
	return true
}

func (n *Network) mostOf(ip string) int {
	if most, ok := n.limits.OverridesPerIP[ip]; ok {
		return most
	}
	return n.limits.ConnectionsPerIPMax
}

// pause returns how long a connection that was taken has to wait for its turn.
func (n *Network) pause(now time.Time) time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	wait := n.pace.take(now, n.limits.ConnectionsPerSecond)
	if wait > 0 {
		n.counts.Delayed++
		n.delays.say(n, fmt.Sprintf("delaying connections: max.connection.creation.rate=%d a second", n.limits.ConnectionsPerSecond))
	}
	return wait
}

// pace spaces events so that there are only so many a second, with as many at once after a quiet second: a token bucket,
// kept as the time at which it will be full.
type pace struct{ full time.Time }

// take takes a token, and returns how long it is until there is one.
func (p *pace) take(now time.Time, perSecond int) time.Duration {
	if perSecond <= 0 {
		return 0
	}
	if p.full.Before(now) {
		p.full = now
	}
	p.full = p.full.Add(time.Second / time.Duration(perSecond))
	return p.full.Sub(now) - time.Second
}

// giveBack ends what admit began.
func (n *Network) giveBack(ip string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.taken--
	if n.perIP[ip]--; n.perIP[ip] == 0 {
		delete(n.perIP, ip)
	}
}

// seldom keeps what is said of connections to a line in a while.
type seldom struct {
	quietUntil time.Time
	unsaid     int
}

const quiet = 10 * time.Second

// say tells the operator. Requires: n.mu is held.
func (r *seldom) say(n *Network, line string) {
	now := time.Now()
	if n.options.Say == nil || now.Before(r.quietUntil) {
		r.unsaid++
		return
	}
	if r.unsaid > 0 {
		line += fmt.Sprintf(" (and %d more since the last such line)", r.unsaid)
	}
	r.unsaid, r.quietUntil = 0, now.Add(quiet)
	n.host.Post(host.Call(func() { n.options.Say(line) }), false)
}

// ipOf returns the address without its port.
func ipOf(address stdnet.Addr) string {
	if tcp, ok := address.(*stdnet.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap().String()
	}
	return address.String()
}
