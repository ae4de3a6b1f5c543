package wire_test

import (
	"testing"
	"time"

	"barnabas/core/env"
	"barnabas/core/protocol"
	"barnabas/core/wire"
	"barnabas/sim/kernel"
	"barnabas/sim/simnet"
)

// world is two nodes: one that serves and one that asks.
type world struct {
	t      *testing.T
	kernel *kernel.Kernel
	there  *kernel.Node // serves
	here   *kernel.Node // asks
	net    *simnet.Network
	begun  []*wire.Request // handed to the handler, in order
	said   []string
	// unsentMax bounds the answers of all; 0: nothing does.
	unsentMax int64
}

func newWorld(t *testing.T) *world {
	k := kernel.New(env.NewRandom(3, 4))
	w := &world{t: t, kernel: k, net: simnet.New(k)}
	for _, n := range []**kernel.Node{&w.there, &w.here} {
		node := k.Add()
		node.EndOfStep = func() { w.net.Flush(node) }
		node.Start()
		*n = node
	}
	w.net.DialTimeout = 100 * time.Millisecond
	return w
}

func (w *world) env(n *kernel.Node) env.Env {
	return env.Env{Loop: n.Loop(), Network: w.net.Endpoint(n), Probe: env.NoProbe{}, Talk: talk{w}}
}

type talk struct{ w *world }

func (t talk) Say(line string)   { t.w.said = append(t.w.said, line) }
func (t talk) Fail(reason error) { t.w.t.Error(reason) }

type call func()

func (c call) Happen() { c() }

// on has f run in one step of the node, and lets what follows happen.
func (w *world) on(n *kernel.Node, f func()) {
	w.t.Helper()
	done := false
	n.Deliver(w.kernel.Now(), kernel.KindControl, false, 0, call(func() { f(); done = true }))
	w.pass(5 * time.Millisecond)
	if !done {
		w.t.Fatal("the node does not step")
	}
}

func (w *world) pass(d time.Duration) { w.kernel.Run(w.kernel.Now().Add(d)) }

const address = "n0:9092"

func connOptions() env.ConnOptions {
	return env.ConnOptions{FrameBytesMax: 1 << 20, FramesHeldMax: 64, Inspect: wire.NewInspect(env.Inline{}, 1<<20)}
}

// serve makes a server that hands requests to w.begun, and begins to serve if at once.
func (w *world) serve(idleMax time.Duration, atOnce bool) *wire.Server {
	e := w.env(w.there)
	s := wire.NewServer(e, wire.Limits{IdleMax: idleMax, UnsentBytesMax: w.unsentMax}, func(r *wire.Request) { w.begun = append(w.begun, r) })
	w.on(w.there, func() {
		e.Network.Listen(address, connOptions(), s.Accept)
		if atOnce {
			s.Serve()
		}
	})
	return s
}

// keys are the requests that are in progress, a letter each, in the order they began.
func (w *world) keys() string {
	text := ""
	for _, r := range w.begun {
		text += letter(r.Header.RequestApiKey)
	}
	return text
}

func letter(key int16) string {
	for l, m := range messages() {
		if m.APIKey() == key {
			return string(l)
		}
	}
	return "?"
}

// messages are a request of some kinds, by a letter.
func messages() map[rune]protocol.Message {
	return map[rune]protocol.Message{
		'P': protocol.NewProduceRequest(), 'F': protocol.NewFetchRequest(), 'M': protocol.NewMetadataRequest(),
		'V': protocol.NewApiVersionsRequest(), 'I': protocol.NewInitProducerIdRequest(),
	}
}

// answer answers a request in progress.
func (w *world) answer(r *wire.Request) { r.Answer(protocol.NewResponse(r.Header.RequestApiKey), nil) }

// conn is the asking end of a connection, on which bytes are sent as they are.
type conn struct {
	w       *world
	conn    env.Conn
	got     []int32 // correlation ids, in the order they came
	frames  [][]byte
	closed  bool
	counter int32
	holds   bool // it keeps the frames, so that the network reads no more than FramesHeldMax of them
	held    []*env.Frame
}

func (w *world) dial() *conn { return w.dialHolding(64) }

// dialHolding does, and reads so many answers ahead of their release.
func (w *world) dialHolding(framesHeldMax int) *conn {
	w.t.Helper()
	c := &conn{w: w}
	e := w.env(w.here)
	w.on(w.here, func() {
		e.Network.Dial(address, env.ConnOptions{FrameBytesMax: 1 << 20, FramesHeldMax: framesHeldMax}, c).Then(func(x env.Conn, err error) {
			if err != nil {
				w.t.Error(err)
			}
			c.conn = x
		})
	})
	return c
}

// OnFrame notes an answer.
func (c *conn) OnFrame(f *env.Frame) {
	c.got = append(c.got, int32(f.Bytes[0])<<24|int32(f.Bytes[1])<<16|int32(f.Bytes[2])<<8|int32(f.Bytes[3]))
	c.frames = append(c.frames, append([]byte(nil), f.Bytes...))
	if c.holds {
		c.held = append(c.held, f)
		return
	}
	f.Release()
}

// OnClose notes the end.
func (c *conn) OnClose(error) { c.closed = true }

// send sends bytes as they are.
func (c *conn) send(p []byte) {
	c.w.t.Helper()
	c.w.on(c.w.here, func() { c.conn.Send([][]byte{p}, nil) })
}

// ask sends requests, a letter each, with correlation ids from 1 on.
func (c *conn) ask(letters string) {
	c.w.t.Helper()
	var all []byte
	for _, l := range letters {
		c.counter++
		all = append(all, request(messages()[l], c.counter)...)
	}
	c.send(all)
}

// request encodes a request at the newest version.
func request(m protocol.Message, correlation int32) []byte {
	api, _ := protocol.APIByKey(m.APIKey())
	return requestAt(m, api.Max, correlation)
}

func requestAt(m protocol.Message, version int16, correlation int32) []byte {
	w := protocol.NewWriter(nil)
	h := protocol.RequestHeader{RequestApiVersion: version, CorrelationId: correlation, ClientId: protocol.String("test")}
	if err := protocol.EncodeRequest(w, h, m); err != nil {
		panic(err)
	}
	var all []byte
	for _, p := range w.Pieces(nil) {
		all = append(all, p...)
	}
	return all
}

// slowNetwork takes a third of a second each way.
func slowNetwork() simnet.Faults {
	return simnet.Faults{DelayMin: 300 * time.Millisecond, DelayMean: time.Millisecond}
}
