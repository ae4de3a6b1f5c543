package env

import (
	"encoding/binary"
	"fmt"
)

// FrameMemory is where a Splitter puts what it cuts. It belongs to the network, which decides about pooling.
type FrameMemory interface {
	// Take returns a frame whose Bytes are size long, with any content.
	Take(size int) *Frame
	// Give takes back a frame that was never delivered.
	Give(f *Frame)
}

// Splitter cuts a byte stream into frames. Both worlds use it, so a stream means the same in both. It reads no state
// but its own, and after an error the stream can't be understood any more.
type Splitter struct {
	frameBytesMax int
	memory        FrameMemory
	length        [frameLengthBytes]byte
	lengthGot     int
	frame         *Frame // the one being filled, or nil
	size, filled  int    // how long it will be, and how much of it is there
	trusted       int    // the longest so far
}

const frameLengthBytes = 4

// A length is only a claim. Memory for it is taken in growing pieces, so a peer can't make us hold much more than
// growFactor times what it really sent. A stream that had large frames before is given more at once, which saves copies.
const (
	firstPieceBytes   = 64 << 10
	trustedPieceBytes = 1 << 20
	growFactor        = 16
)

// NewSplitter returns a splitter at the start of a stream. A frame of more than frameBytesMax bytes is an error.
func NewSplitter(frameBytesMax int, memory FrameMemory) Splitter {
	return Splitter{frameBytesMax: frameBytesMax, memory: memory}
}

// Next takes bytes of the stream until one frame is whole, and returns it with the bytes not taken. A nil frame without
// an error means that p is used up. Errors: ErrFrameLength.
func (s *Splitter) Next(p []byte) (f *Frame, rest []byte, err error) {
	if s.frame == nil {
		n := copy(s.length[s.lengthGot:], p)
		s.lengthGot += n
		p = p[n:]
		if s.lengthGot < frameLengthBytes {
			return nil, nil, nil
		}
		if err := s.begin(); err != nil {
			return nil, nil, err
		}
	}
	for s.filled < s.size && len(p) > 0 {
		n := copy(s.Gap(), p)
		p = p[n:]
		s.filled += n
	}
	return s.finish(), p, nil
}

// begin starts the frame whose length is there.
func (s *Splitter) begin() error {
	size := int64(int32(binary.BigEndian.Uint32(s.length[:])))
	if size < 0 || size > int64(s.frameBytesMax) {
		return &LengthError{size, s.frameBytesMax, s.length, s.trusted == 0}
	}
	s.lengthGot, s.filled, s.size = 0, 0, int(size)
	s.frame = s.memory.Take(min(s.size, max(firstPieceBytes, min(s.trusted, trustedPieceBytes))))
	return nil
}

// LengthError is an ErrFrameLength: the length, which is what a peer that speaks another protocol begins with.
type LengthError struct {
	Length  int64
	Most    int
	bytes   [frameLengthBytes]byte
	isFirst bool // no frame came before
}

// Is says that it is an ErrFrameLength.
func (e *LengthError) Is(target error) bool { return target == ErrFrameLength }

func (e *LengthError) Error() string {
	if speaks := e.Speaks(); speaks != "" {
		return fmt.Sprintf("%v: these are the first bytes of %s (%q); this listener speaks Kafka's protocol without TLS",
			ErrFrameLength, speaks, e.bytes[:])
	}
	return fmt.Sprintf("%v: %d, at most %d are allowed (socket.request.max.bytes)", ErrFrameLength, e.Length, e.Most)
}

// Speaks guesses the protocol of a peer whose first bytes are no frame, or returns "".
func (e *LengthError) Speaks() string {
	b := e.bytes
	switch {
	case !e.isFirst:
		return ""
	case b[0] == 0x16 && b[1] == 3:
		return "a TLS handshake"
	case string(b[:]) == "SSH-":
		return "SSH"
	case string(b[:]) == "PRI ":
		return "HTTP/2"
	}
	for _, verb := range [...]string{"GET ", "HEAD", "POST", "PUT ", "DELE", "OPTI", "CONN", "TRAC", "PATC"} {
		if string(b[:]) == verb {
			return HTTP
		}
	}
	return ""
}

// HTTP is what a LengthError says of a peer that speaks it.
const HTTP = "HTTP"

// Gap returns memory for the next bytes of the present frame, or nothing between frames. A host may read the stream
// straight into it and then call Filled, which saves large frames a copy.
func (s *Splitter) Gap() []byte {
	if s.frame == nil {
		return nil
	}
	if held := len(s.frame.Bytes); s.filled == held && held < s.size {
		larger := s.memory.Take(min(s.size, held*growFactor))
		copy(larger.Bytes, s.frame.Bytes)
		s.memory.Give(s.frame)
		s.frame = larger
	}
	return s.frame.Bytes[s.filled:]
}

// Filled says that the next n bytes of the stream are in the memory of Gap. It returns the frame if it is whole.
func (s *Splitter) Filled(n int) *Frame {
	s.filled += n
	return s.finish()
}

func (s *Splitter) finish() *Frame {
	if s.frame == nil || s.filled < s.size {
		return nil
	}
	f := s.frame
	s.frame, s.trusted = nil, max(s.trusted, s.size)
	return f
}

// Partial says whether the stream stands inside a frame: an end here cuts it.
func (s *Splitter) Partial() bool { return s.frame != nil || s.lengthGot > 0 }

// Drop gives the memory of an unfinished frame back. The stream is over.
func (s *Splitter) Drop() {
	if s.frame != nil {
		s.memory.Give(s.frame)
		s.frame = nil
	}
	s.lengthGot = 0
}
