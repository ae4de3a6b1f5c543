package env

import (
	"errors"

	"barnabas/core/task"
)

// Network carries Kafka frames (a 4-byte big-endian length, then that many bytes) over byte streams.
//
// Cutting the stream into frames, and Inspect, happen before the loop: on the connection's goroutine in the real world,
// at the delivery of bytes in the simulated one. Both are pure. Sending happens after the loop: what a step sends leaves
// when the step has ended.
type Network interface {
	// Listen takes connections at address ("host:port", port 0 for a free one). accept runs as an input for each one and
	// returns who handles it. Errors: the address is taken, or impossible.
	Listen(address string, options ConnOptions, accept func(Conn) ConnHandler) *task.Pending[Listener]
	// Dial connects to address. The handler gets no frame before the outcome is there. Errors: refused, no answer.
	Dial(address string, options ConnOptions, handler ConnHandler) *task.Pending[Conn]
}

// ConnOptions bound what a peer may do to us.
type ConnOptions struct {
	FrameBytesMax  int     // a longer frame, or a negative length, closes the connection
	FramesHeldMax  int     // frames delivered and not yet released; the stream is not read further beyond that
	Inspect        Inspect // nil: no facts
	SilenceTimeout int64   // reserved: nanoseconds without a byte after which the connection closes; 0: never
}

// Inspect derives facts from one frame (rule T6). It reads no state, keeps nothing of the frame and never waits. An error
// is a fact like any other: the connection's handler decides what it means. last is what it found in the frame that had the
// memory before, or nil: nobody looks at that any more, so its memory is Inspect's to use again.
type Inspect func(frame []byte, last Facts) Facts

// Facts is what Inspect found; wire and api know the concrete type. They go with the frame: nobody looks at them after its
// Release. Facts that keep much memory of their own tell how much, so that the network counts it with the frame's, and does
// not keep it.
type Facts any

// Sized is Facts that say how many bytes they keep.
type Sized interface{ MemoryBytes() int64 }

// Listener is an address that takes connections.
type Listener interface {
	// Address returns the address listened on, with the port that was taken.
	Address() string
	// Close takes no more connections; those that stand are left alone.
	Close()
}

// Conn is one connection.
type Conn interface {
	// ID tells connections of one process apart; it is never reused.
	ID() uint64
	// LocalAddress and RemoteAddress return "host:port" of either end. The local one is what the peer dialled.
	LocalAddress() string
	RemoteAddress() string
	// Send queues bytes that leave, in order, after the step. The parts belong to the connection until sent is called, as
	// an input of a later step, once and also when the connection is closed before. sent may be nil.
	Send(parts [][]byte, sent func())
	// Close ends the connection after what was queued before has left, for which the peer has a few seconds. No frame is
	// delivered any more. The handler is told through OnClose, like of any other end.
	Close()
}

// ConnHandler is told what happens on a connection.
type ConnHandler interface {
	// OnFrame receives one frame, without its length. Whoever holds it calls Release once, then never looks at it again.
	OnFrame(f *Frame)
	// OnClose is called once, last. err is nil when we closed it.
	OnClose(err error)
}

// Frame is one received frame in pooled memory.
type Frame struct {
	Bytes []byte
	Facts Facts
	// Charge is the memory that the network counts for the frame; its own.
	Charge int64
	// Free gives the memory back; set by the network. Callers use Release.
	Free func(f *Frame)
}

// Release gives the frame's memory back. Nothing that points into Bytes may be used afterwards.
func (f *Frame) Release() {
	if f.Free != nil {
		free := f.Free
		f.Free = nil
		free(f)
	}
}

// Errors of a network, told apart with errors.Is.
var (
	ErrClosed       = errors.New("connection closed by the peer")
	ErrFrameLength  = errors.New("frame length out of bounds")
	ErrAddressInUse = errors.New("address already in use")
	ErrRefused      = errors.New("connection refused")
	ErrNoAnswer     = errors.New("no answer")
)
