package wire

import (
	"barnabas/core/assert"
	"barnabas/core/env"
	"barnabas/core/protocol"
	"barnabas/core/task"
)

// Request is one request from its arrival until it is answered.
type Request struct {
	Header  protocol.RequestHeader
	Message protocol.Message
	Facts   *Facts
	Arrived task.Instant

	connection *Connection
	frame      *env.Frame
	answer     protocol.Message
	release    func()
	encoded    func()
	answered   bool
	silent     bool
}

// Connection returns where the request came from.
func (r *Request) Connection() *Connection { return r.connection }

// Closed says whether the client is gone, so that an answer has no reader.
func (r *Request) Closed() bool { return r.connection.closed }

// Answered says whether the request was answered.
func (r *Request) Answered() bool { return r.answered }

// Answer gives the answer; release, if not nil, runs when its memory is no longer needed. The answer leaves when all
// earlier requests of the connection have theirs.
func (r *Request) Answer(m protocol.Message, release func()) {
	assert.That(!r.answered, "a request is answered once")
	r.answered, r.answer, r.release = true, m, release
	r.next()
}

// WhenEncoded has f called at the end of the step in which the answer, or that there is none, was taken over. Nobody may look
// at the request from then on: it is used again. f is not called when the connection ends before.
func (r *Request) WhenEncoded(f func()) { r.encoded = f }

// AnswerNothing ends a request that has no answer (Produce with acks=0).
func (r *Request) AnswerNothing() {
	assert.That(!r.answered, "a request is answered once")
	r.answered, r.silent = true, true
	r.next()
}

// Hold has the connection's later requests wait, also where they would overlap, until Proceed.
func (r *Request) Hold() { r.connection.held = true }

// Proceed ends Hold. Call it once what later requests must not overtake has happened.
func (r *Request) Proceed() {
	r.connection.held = false
	r.connection.start()
}

func (r *Request) next() {
	if r.connection.closed {
		r.finish()
		return
	}
	r.connection.advance()
}

// Refuse closes the connection: the request can't be answered in a way the client would understand.
func (r *Request) Refuse(reason error) {
	r.answered, r.silent = true, true
	r.connection.refuse(reason)
}

// finish gives up what a request holds when nobody reads its answer.
func (r *Request) finish() {
	if r.release != nil {
		r.release()
	}
	if r.frame != nil {
		r.frame.Release()
		r.frame = nil
	}
}
