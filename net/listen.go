package net

import (
	"errors"
	"fmt"
	stdnet "net"
	"strconv"
	"sync"
	"syscall"
	"time"

	"barnabas/core/env"
)

// listener is one address that takes connections: one socket, or two for "localhost".
type listener struct {
	network *Network
	options env.ConnOptions
	accept  func(env.Conn) env.ConnHandler
	address string
	closed  bool // the loop's alone

	gone     chan struct{}
	goneOnce sync.Once
	sockets  []*stdnet.TCPListener
}

// Address returns the address listened on.
func (l *listener) Address() string { return l.address }

// Close takes no more connections.
func (l *listener) Close() {
	l.closed = true
	l.closeSockets()
	n := l.network
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.listeners, l)
}

func (l *listener) closeSockets() {
	l.goneOnce.Do(func() { close(l.gone) })
	for _, s := range l.sockets {
		_ = s.Close()
	}
}

// portTries is how often a free port is looked for that both IP versions have.
const portTries = 16

// open binds the sockets. It may look a name up, so it does not run on the loop.
func (l *listener) open(address string) error {
	l.gone = make(chan struct{})
	hostname, port, err := stdnet.SplitHostPort(address)
	if err != nil {
		return err
	}
	if hostname == "localhost" {
		err = l.openLocalhost(port)
	} else {
		err = l.bind(address)
	}
	if err != nil {
		l.closeSockets()
		return listenError(address, err)
	}
	_, port, _ = stdnet.SplitHostPort(l.sockets[0].Addr().String())
	l.address = stdnet.JoinHostPort(hostname, port)
	return l.enter()
}

func (l *listener) enter() error {
	n := l.network
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.stopped {
		l.closeSockets()
		return stdnet.ErrClosed
	}
	n.listeners[l] = struct{}{}
	return nil
}

// openLocalhost binds the loopback addresses of both IP versions to one port, since either may be what a client's
// resolver gives for the name. A machine may lack one of them.
func (l *listener) openLocalhost(port string) error {
	for try := 0; ; try++ {
		err := l.bind("127.0.0.1:" + port)
		if err != nil && !isUnavailable(err) {
			return err
		}
		second := port
		if err == nil {
			second = strconv.Itoa(l.sockets[0].Addr().(*stdnet.TCPAddr).Port)
		}
		err6 := l.bind("[::1]:" + second)
		switch {
		case err6 == nil || isUnavailable(err6) && len(l.sockets) > 0:
			return nil
		case port == "0" && errors.Is(err6, syscall.EADDRINUSE) && try < portTries:
			_ = l.sockets[0].Close()
			l.sockets = nil
		default:
			return errors.Join(err, err6)
		}
	}
}

func (l *listener) bind(address string) error {
	config := stdnet.ListenConfig{Control: l.network.control}
	config.SetMultipathTCP(false) // Go's default, which costs speed and takes no congestion control
	socket, err := config.Listen(l.network.context, "tcp", address)
	if err != nil {
		return err
	}
	l.sockets = append(l.sockets, socket.(*stdnet.TCPListener))
	return nil
}

// start begins to take connections. On the loop.
func (l *listener) start() {
	for _, s := range l.sockets {
		l.network.group.Go(func() { l.take(s) })
	}
}

const (
	pauseMin = 5 * time.Millisecond
	pauseMax = time.Second
)

// take is the goroutine of one listening socket. An error that is not our own closing (no file descriptor left, a peer
// that is gone already) passes: it tries again after a pause.
func (l *listener) take(socket *stdnet.TCPListener) {
	pause := pauseMin
	for {
		taken, err := socket.AcceptTCP()
		if err == nil {
			pause = pauseMin
			if !l.wait(l.network.pause(time.Now())) {
				_ = taken.Close()
				return
			}
			l.taken(taken)
			continue
		}
		if !l.wait(pause) {
			return
		}
		pause = min(2*pause, pauseMax)
	}
}

// wait waits, and says whether the listener still stands. Those that come meanwhile wait in the kernel.
func (l *listener) wait(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-l.gone:
		return false
	case <-timer.C:
		return true
	}
}

func (l *listener) taken(socket *stdnet.TCPConn) {
	n := l.network
	ip := ipOf(socket.RemoteAddr())
	if !n.admit(ip) {
		_ = socket.Close()
		return
	}
	c, err := n.adopt(socket, l.options, l)
	if err != nil {
		n.giveBack(ip)
		return
	}
	n.host.Post(&accepted{l, c}, false)
}

// accepted is a connection that was taken, as an input.
type accepted struct {
	listener *listener
	conn     *conn
}

func (a *accepted) Happen() {
	if a.listener.closed {
		a.conn.refuse()
		return
	}
	handler := a.listener.accept(a.conn)
	if handler == nil {
		a.conn.refuse()
		return
	}
	a.conn.start(handler)
}

// refuse gives up a connection that has no handler.
func (c *conn) refuse() {
	c.closing, c.dead = true, true
	c.abandon()
	c.network.giveBack(c.ip)
	c.network.leave(c)
}

// isUnavailable says that the machine has no such IP version or loopback address.
func isUnavailable(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) ||
		errors.Is(err, syscall.EPROTONOSUPPORT)
}

func listenError(address string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w: %s", env.ErrAddressInUse, address)
	}
	return fmt.Errorf("listen on %s: %w", address, err)
}

func dialError(address string, err error) error {
	var timeout stdnet.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w: %s", env.ErrRefused, address)
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%w: %s", env.ErrNoAnswer, address)
	default:
		return fmt.Errorf("dial %s: %w", address, err)
	}
}
