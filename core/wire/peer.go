package wire

import (
	"errors"
	"fmt"
	"time"

	"barnabas/core/env"
	"barnabas/core/protocol"
	"barnabas/core/task"
)

// ErrPeerSilent is the error of a request that was not answered in time. Its effect is unknown.
var ErrPeerSilent = errors.New("the broker did not answer in time")

// Reply is the answer of another broker, or why there is none.
type Reply struct {
	Message protocol.Message // its bytes point into the frame
	frame   *env.Frame
}

// Release gives the answer's memory back; nothing of Message's bytes may be used afterwards.
func (r *Reply) Release() {
	if r.frame != nil {
		r.frame.Release()
		r.frame = nil
	}
}

// Peer is a connection to another broker, made when needed and again after it broke. Answers come in the order of the
// requests.
type Peer struct {
	env     env.Env
	address string
	name    string // our client id
	options env.ConnOptions

	conn        env.Conn
	dialling    bool
	correlation int32
	unsent      [][][]byte // encoded while dialling
	asked       []*question
}

type question struct {
	key, version int16
	correlation  int32
	pending      *task.Pending[*Reply]
	timer        *task.Timer
}

// NewPeer returns a peer that is not connected yet.
func NewPeer(e env.Env, address, clientID string, frameBytesMax int) *Peer {
	return &Peer{
		env: e, address: address, name: clientID,
		options: env.ConnOptions{FrameBytesMax: frameBytesMax, FramesHeldMax: 16},
	}
}

// Ask sends a request and returns its answer, in time or not at all. After an error the connection is given up.
func (p *Peer) Ask(m protocol.Message, version int16, timeout time.Duration) *task.Pending[*Reply] {
	q := &question{key: m.APIKey(), version: version, pending: task.NewPending[*Reply](p.env.Loop)}
	p.correlation++
	q.correlation = p.correlation
	w := protocol.NewWriter(make([]byte, 0, messageBytes))
	header := protocol.RequestHeader{
		RequestApiVersion: version, CorrelationId: q.correlation, ClientId: protocol.String(p.name),
	}
	if err := protocol.EncodeRequest(w, header, m); err != nil {
		q.pending.Complete(nil, err)
		return q.pending
	}
	p.asked = append(p.asked, q)
	q.timer = p.env.Loop.At(p.env.Loop.Now().Add(timeout), func() { p.fail(ErrPeerSilent) })
	if p.conn == nil {
		p.unsent = append(p.unsent, w.Pieces(nil))
		p.dial()
	} else {
		p.conn.Send(w.Pieces(nil), nil)
	}
	return q.pending
}

func (p *Peer) dial() {
	if p.dialling {
		return
	}
	p.dialling = true
	h := &peerHandler{peer: p}
	p.env.Network.Dial(p.address, p.options, h).Then(func(c env.Conn, err error) {
		p.dialling = false
		if err != nil {
			p.fail(fmt.Errorf("broker at %s: %w", p.address, err))
			return
		}
		h.conn = c
		p.conn = c
		for _, parts := range p.unsent {
			c.Send(parts, nil)
		}
		p.unsent = nil
		if len(p.asked) == 0 { // everything timed out meanwhile
			p.Close()
		}
	})
}

// Close gives the connection up; what was asked fails.
func (p *Peer) Close() { p.fail(env.ErrClosed) }

func (p *Peer) fail(err error) {
	if p.conn != nil {
		p.conn.Close()
		p.conn = nil
	}
	asked := p.asked
	p.asked, p.unsent = nil, nil
	for _, q := range asked {
		q.timer.Stop()
		q.pending.Complete(nil, err)
	}
}

// peerHandler belongs to one connection, so that what comes late from an old one is known as such.
type peerHandler struct {
	peer *Peer
	conn env.Conn
}

func (h *peerHandler) current() bool { return h.peer.conn != nil && h.peer.conn == h.conn }

// OnFrame matches an answer with the oldest question.
func (h *peerHandler) OnFrame(f *env.Frame) {
	p := h.peer
	if !h.current() || len(p.asked) == 0 {
		f.Release()
		return
	}
	q := p.asked[0]
	var r protocol.Reader
	r.Reset(f.Bytes, budget(f.Bytes))
	correlation, m, err := protocol.DecodeResponse(&r, q.key, q.version)
	if err == nil && correlation != q.correlation {
		err = fmt.Errorf("broker at %s answered request %d, expected %d", p.address, correlation, q.correlation)
	}
	if err != nil {
		f.Release()
		p.fail(err)
		return
	}
	p.asked = p.asked[1:]
	q.timer.Stop()
	q.pending.Complete(&Reply{Message: m, frame: f}, nil)
}

// OnClose is told that the connection ended.
func (h *peerHandler) OnClose(err error) {
	if h.current() {
		if err == nil {
			err = env.ErrClosed
		}
		h.peer.conn = nil
		h.peer.fail(err)
	}
}
