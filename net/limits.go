package net

import (
	"fmt"
	stdnet "net"
	"time"

	"barnabas/net/host"
)

// admit counts a connection from the address, or refuses it. On the goroutine of a listening socket.
func (n *Network) admit(ip string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	most, ofIP := n.options.ConnectionsMax, n.mostOf(ip)
	switch {
	case most > 0 && n.taken >= most:
		n.refusedLocked(fmt.Sprintf("max.connections=%d are open", most))
		return false
	case ofIP > 0 && n.perIP[ip] >= ofIP:
		n.refusedLocked(fmt.Sprintf("max.connections.per.ip=%d of %s are open", ofIP, ip))
		return false
	}
	n.taken++
	n.perIP[ip]++
	return true
}

func (n *Network) mostOf(ip string) int {
	if most, ok := n.options.OverridesPerIP[ip]; ok {
		return most
	}
	return n.options.ConnectionsPerIPMax
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

// refusals keeps what is said of refused connections to a line in a while.
type refusals struct {
	quietUntil time.Time
	unsaid     int
}

const quiet = 10 * time.Second

// refusedLocked tells the operator. Requires: n.mu is held.
func (n *Network) refusedLocked(why string) {
	r := &n.refusals
	now := time.Now()
	if n.options.Say == nil || now.Before(r.quietUntil) {
		r.unsaid++
		return
	}
	line := "refusing a connection: " + why
	if r.unsaid > 0 {
		line += fmt.Sprintf(" (%d more were refused since the last such line)", r.unsaid)
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
