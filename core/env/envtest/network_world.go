package envtest

import (
	"bytes"
	"encoding/binary"
	"testing"

	"barnabas/core/env"
	"barnabas/core/task"
)

// NetworkWorld is two ends of a network, of the real world or of the simulated one.
type NetworkWorld struct {
	// Host is where the server listens and the client dials: the part of an address before the port.
	Host           string
	Server, Client NetworkSide
	// Until lets the world go on until cond holds, which it asks on the loops' thread after steps, and fails the test
	// when it never does. what says what was waited for.
	Until func(t *testing.T, what string, cond func() bool)
}

// NetworkSide is one process: a loop and its network. Both sides may be the same.
type NetworkSide struct {
	Loop    *task.Loop
	Network env.Network
	// Do has f run as an input of the loop, and returns when the step is over.
	Do func(f func())
}

// bound is what the suite's connections allow, unless a test says otherwise.
func bound() env.ConnOptions { return env.ConnOptions{FrameBytesMax: 8 << 20, FramesHeldMax: 64} }

// peer is one end of a connection that keeps what happened to it. Everything of it belongs to the loops' thread.
type peer struct {
	conn   env.Conn
	got    [][]byte // copies of the frames, in order
	facts  []env.Facts
	held   []*env.Frame
	hold   bool // keep frames instead of releasing them
	closed int
	err    error
	late   int // frames after OnClose
	// onFrame, if set, is called with each frame before it is released.
	onFrame func(f *env.Frame)
	// onClose, if set, is called at the end.
	onClose func()
}

func (p *peer) OnFrame(f *env.Frame) {
	if p.closed > 0 {
		p.late++
	}
	p.got = append(p.got, bytes.Clone(f.Bytes))
	p.facts = append(p.facts, f.Facts)
	if p.onFrame != nil {
		p.onFrame(f)
	}
	if p.hold {
		p.held = append(p.held, f)
		return
	}
	f.Release()
}

func (p *peer) OnClose(err error) {
	p.closed++
	p.err = err
	if p.onClose != nil {
		p.onClose()
	}
}

// releaseOne lets the oldest held frame go.
func (p *peer) releaseOne() {
	p.held[0].Release()
	p.held = p.held[1:]
}

// frame is a payload with its length before it.
func frame(payload []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(payload))), payload...)
}

// send sends one frame in two parts.
func (p *peer) send(payload []byte) {
	f := frame(payload)
	p.conn.Send([][]byte{f[:4], f[4:]}, nil)
}

// pattern is size bytes that depend on number and place.
func pattern(number, size int) []byte {
	p := make([]byte, size)
	for i := range p {
		p[i] = byte(number*31 + i*7 + i>>8)
	}
	return p
}

// pair listens at a free port and dials it: the server's end, the client's end, and the listener.
func (w *NetworkWorld) pair(t *testing.T, serverOptions, clientOptions env.ConnOptions) (
	server, client *peer, listener env.Listener,
) {
	t.Helper()
	server, client = &peer{}, &peer{}
	listener = w.listen(t, "0", serverOptions, func(c env.Conn) env.ConnHandler {
		if server.conn != nil {
			return &peer{conn: c} // a later connection is not ours
		}
		server.conn = c
		return server
	})
	w.dial(t, listener.Address(), clientOptions, client)
	w.Until(t, "the server taking the connection", func() bool { return server.conn != nil })
	return server, client, listener
}

func (w *NetworkWorld) listen(
	t *testing.T, port string, options env.ConnOptions, accept func(env.Conn) env.ConnHandler,
) env.Listener {
	t.Helper()
	listener, err := w.tryListen(t, w.Host+":"+port, options, accept)
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	return listener
}

func (w *NetworkWorld) tryListen(
	t *testing.T, address string, options env.ConnOptions, accept func(env.Conn) env.ConnHandler,
) (listener env.Listener, err error) {
	t.Helper()
	var pending *task.Pending[env.Listener]
	w.Server.Do(func() {
		pending = w.Server.Network.Listen(address, options, accept)
		pending.Then(func(l env.Listener, e error) { listener, err = l, e })
	})
	w.Until(t, "an answer to listening", func() bool { return listener != nil || err != nil })
	return listener, err
}

func (w *NetworkWorld) dial(t *testing.T, address string, options env.ConnOptions, p *peer) {
	t.Helper()
	if err := w.tryDial(t, address, options, p); err != nil {
		t.Fatalf("dial %s: %v", address, err)
	}
}

func (w *NetworkWorld) tryDial(t *testing.T, address string, options env.ConnOptions, p *peer) (err error) {
	t.Helper()
	done := false
	w.Client.Do(func() {
		w.Client.Network.Dial(address, options, p).Then(func(c env.Conn, e error) {
			p.conn, err, done = c, e, true
		})
	})
	w.Until(t, "an answer to dialling", func() bool { return done })
	return err
}

// settle lets some traffic pass on a connection of its own, so that what was going to happen has had its time.
func (w *NetworkWorld) settle(t *testing.T, listener env.Listener) {
	t.Helper()
	other := &peer{}
	w.dial(t, listener.Address(), bound(), other)
	for i := range 5 {
		w.Client.Do(func() { other.send([]byte{byte(i)}) })
		w.Until(t, "an echo beside", func() bool { return len(other.got) == i+1 })
	}
	w.Client.Do(func() { other.conn.Close() })
	w.Until(t, "the end of the connection beside", func() bool { return other.closed == 1 })
}

// check runs f on the server's loop; both sides' state may be looked at, since nothing else runs meanwhile.
func (w *NetworkWorld) check(f func()) { w.Server.Do(f) }
