package env

import (
	"bytes"
	"testing"
)

// heap is frame memory without a bound.
type heap struct{ held int }

func (h *heap) Take(n int) *Frame { h.held++; return &Frame{Bytes: make([]byte, n)} }
func (h *heap) Give(*Frame)       { h.held-- }

// FuzzSplitter cuts a stream into frames, once as a whole and once in pieces: the frames are the same, and so is the error.
// Whatever a length claims, no more memory is taken than was sent, but for the first piece and growth.
func FuzzSplitter(f *testing.F) {
	f.Add([]byte{0, 0, 0, 2, 1, 2, 0, 0, 0, 0, 0, 0, 0, 1, 9}, uint8(1))
	f.Add([]byte{0x7f, 0xff, 0xff, 0xff, 1}, uint8(3))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff}, uint8(2))
	split := func(stream []byte, piece int) (frames [][]byte, failed bool) {
		memory := &heap{}
		s := NewSplitter(1<<16, memory)
		for len(stream) > 0 {
			p := stream[:min(piece, len(stream))]
			stream = stream[len(p):]
			for {
				frame, rest, err := s.Next(p)
				if err != nil {
					return frames, true
				}
				if frame == nil {
					break
				}
				frames = append(frames, frame.Bytes)
				p = rest
			}
		}
		s.Drop()
		return frames, false
	}
	f.Fuzz(func(t *testing.T, stream []byte, piece uint8) {
		whole, failed := split(stream, len(stream)+1)
		pieces, failedToo := split(stream, 1+int(piece))
		if failed != failedToo || len(whole) != len(pieces) {
			t.Fatalf("%d frames, failed %t; in pieces %d, %t", len(whole), failed, len(pieces), failedToo)
		}
		for i := range whole {
			if !bytes.Equal(whole[i], pieces[i]) {
				t.Fatalf("frame %d differs", i)
			}
		}
	})
}
