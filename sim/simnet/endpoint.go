package simnet

import (
	"fmt"
	"strconv"
	"strings"

	"barnabas/core/assert"
	"barnabas/core/env"
	"barnabas/core/task"
	"barnabas/sim/kernel"
)

// endpoint is the network as one process sees it.
type endpoint struct {
	place *place
	loop  *task.Loop
	dead  bool
}

// listener is one port of a process that takes connections.
type listener struct {
	endpoint *endpoint
	port     int
	options  env.ConnOptions
	accept   func(env.Conn) env.ConnHandler
	open     bool
}

// call is an input that calls a function; for what is rare.
type call func()

func (c call) Happen() { c() }

// complete has f called in the process soon, as the completion of what it asked for.
func (p *endpoint) complete(when task.Instant, payload uint64, f func()) {
	p.place.node.Deliver(when, kernel.KindConnection, true, payload, call(f))
}

// Listen takes connections at the port of address, whatever its host.
func (p *endpoint) Listen(
	address string, options env.ConnOptions, accept func(env.Conn) env.ConnHandler,
) *task.Pending[env.Listener] {
	checkOptions(options)
	pending := task.NewPending[env.Listener](p.loop)
	if p.dead {
		return pending
	}
	l := &listener{endpoint: p, options: options, accept: accept}
	err := l.register(address)
	p.complete(p.place.network.now().Add(localDelay), uint64(l.port), func() {
		if err != nil {
			pending.Complete(nil, err)
			return
		}
		l.open = true
		pending.Complete(l, nil)
	})
	return pending
}

func checkOptions(options env.ConnOptions) {
	assert.That(options.FrameBytesMax > 0 && options.FramesHeldMax > 0, "a connection's frames are bounded")
}

func (l *listener) register(address string) error {
	_, port, err := splitAddress(address)
	if err != nil {
		return err
	}
	p := l.endpoint.place
	if port == 0 {
		port = p.freePort()
	}
	if p.listenerAt(port) != nil {
		return fmt.Errorf("%w: %s", env.ErrAddressInUse, address)
	}
	l.port = port
	p.listeners = append(p.listeners, l)
	return nil
}

// Address returns the address by which every node can dial the listener.
func (l *listener) Address() string { return l.endpoint.place.address(l.port) }

// Close takes no more connections.
func (l *listener) Close() {
	if l.endpoint.dead {
		return
	}
	p := l.endpoint.place
	for i, other := range p.listeners {
		if other == l {
			p.listeners = append(p.listeners[:i], p.listeners[i+1:]...)
			break
		}
	}
	l.open = false
}

func (p *place) listenerAt(port int) *listener {
	for _, l := range p.listeners {
		if l.port == port {
			return l
		}
	}
	return nil
}

func (p *place) freePort() int {
	p.lastPort++
	for p.listenerAt(p.lastPort) != nil {
		p.lastPort++
	}
	return p.lastPort
}

func (p *place) address(port int) string { return p.name + ":" + strconv.Itoa(port) }

func splitAddress(address string) (host string, port int, err error) {
	at := strings.LastIndexByte(address, ':')
	if at < 0 {
		return "", 0, fmt.Errorf("address %s: no port", address)
	}
	port, err = strconv.Atoi(address[at+1:])
	if err != nil || port < 0 || port > 65535 {
		return "", 0, fmt.Errorf("address %s: no such port", address)
	}
	return strings.Trim(address[:at], "[]"), port, nil
}

// dial is one attempt to connect.
type dial struct {
	endpoint *endpoint
	number   uint64
	address  string
	host     string
	port     int
	options  env.ConnOptions
	handler  env.ConnHandler
	pending  *task.Pending[env.Conn]
}

// Dial connects to a port of the node that has the host name.
func (p *endpoint) Dial(address string, options env.ConnOptions, handler env.ConnHandler) *task.Pending[env.Conn] {
	checkOptions(options)
	d := &dial{
		endpoint: p, address: address, options: options, handler: handler,
		pending: task.NewPending[env.Conn](p.loop),
	}
	if p.dead {
		return d.pending
	}
	n := p.place.network
	p.place.dials++
	d.number = p.place.node.Key<<20 | p.place.dials
	var err error
	if d.host, d.port, err = splitAddress(address); err != nil {
		d.fail(n.now().Add(localDelay), err)
		return d.pending
	}
	to := p.place.resolve(d.host)
	if to == nil {
		d.fail(n.now().Add(calmDelayMin), fmt.Errorf("dial %s: no such host", address))
		return d.pending
	}
	d.ask(to)
	return d.pending
}

func (p *place) resolve(host string) *place {
	switch host {
	case "localhost", "127.0.0.1", "::1":
		return p
	}
	return p.network.names[host]
}

func (d *dial) fail(when task.Instant, err error) {
	d.endpoint.complete(when, d.number, func() { d.pending.Complete(nil, err) })
}

// ask sends the request to connect.
func (d *dial) ask(to *place) {
	from := d.endpoint.place
	n := from.network
	began := n.now()
	l := n.link(from, to)
	arrival := began.Add(n.delay(l, n.kernel.Random.Uint64(streamDial, d.number, 0)))
	n.kernel.At(arrival, func() {
		if d.endpoint.dead {
			return
		}
		if n.link(from, to).blocked > 0 || n.link(to, from).blocked > 0 {
			d.fail(began.Add(n.DialTimeout), fmt.Errorf("%w: %s", env.ErrNoAnswer, d.address))
			return
		}
		back := n.now().Add(n.delay(n.link(to, from), n.kernel.Random.Uint64(streamDial, d.number, 1)))
		listener := to.listenerAt(d.port)
		if listener == nil || !listener.open {
			d.fail(back, fmt.Errorf("%w: %s", env.ErrRefused, d.address))
			return
		}
		d.connect(listener, back)
	})
}

// connect makes the two ends. The taking side knows at once, the dialling one when the answer is there.
func (d *dial) connect(l *listener, back task.Instant) {
	to := l.endpoint.place
	n := to.network
	dialled := newEnd(d.endpoint, d.number<<1, d.options)
	taken := newEnd(l.endpoint, d.number<<1|1, l.options)
	dialled.peer, taken.peer = taken, dialled
	dialled.local, dialled.remote = d.endpoint.place.address(d.endpoint.place.freePort()), to.address(d.port)
	taken.local, taken.remote = dialled.remote, dialled.local
	dialled.openAt, taken.openAt = back, n.now()
	dialled.lastArrival, taken.lastArrival = n.now(), back
	to.node.Deliver(n.now(), kernel.KindConnection, false, taken.number, call(func() { taken.accept(l) }))
	d.endpoint.complete(back, dialled.number, func() {
		dialled.handler = d.handler
		d.pending.Complete(dialled, nil)
	})
}

func (e *end) accept(l *listener) {
	if l.open {
		e.handler = l.accept(e)
	}
	if e.handler == nil {
		e.finish()
	}
}
