package env_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"barnabas/core/env"
)

// plainMemory counts what is out.
type plainMemory struct{ out, largest int }

func (m *plainMemory) Take(size int) *env.Frame {
	m.out++
	m.largest = max(m.largest, size)
	return &env.Frame{Bytes: make([]byte, size)}
}

func (m *plainMemory) Give(*env.Frame) { m.out-- }

func frameOf(payload []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(payload))), payload...)
}

// payloadOf is size bytes that differ from place to place.
func payloadOf(size int) []byte {
	p := make([]byte, size)
	for i := range p {
		p[i] = byte(i*7 + i>>8)
	}
	return p
}

func cut(t *testing.T, s *env.Splitter, chunk []byte) (frames [][]byte) {
	t.Helper()
	for len(chunk) > 0 {
		f, rest, err := s.Next(chunk)
		if err != nil {
			t.Fatal(err)
		}
		if f == nil && len(rest) > 0 {
			t.Fatalf("no frame, yet %d bytes were left", len(rest))
		}
		if f != nil {
			frames = append(frames, f.Bytes)
		}
		chunk = rest
	}
	return frames
}

func TestSplitterCutsTheSameFramesWhateverTheChunks(t *testing.T) {
	sizes := []int{0, 1, 3, 4, 5, 0, 0, 100, 1000, 70_000, 0, 2}
	var stream []byte
	for _, size := range sizes {
		stream = append(stream, frameOf(payloadOf(size))...)
	}
	for _, chunk := range []int{1, 2, 3, 4, 5, 7, 64, 1000, 65_536, len(stream)} {
		memory := &plainMemory{}
		s := env.NewSplitter(100_000, memory)
		var got [][]byte
		for rest := stream; len(rest) > 0; {
			n := min(chunk, len(rest))
			got = append(got, cut(t, &s, rest[:n])...)
			rest = rest[n:]
		}
		if len(got) != len(sizes) {
			t.Fatalf("chunks of %d: %d frames, want %d", chunk, len(got), len(sizes))
		}
		for i, size := range sizes {
			if !bytes.Equal(got[i], payloadOf(size)) {
				t.Errorf("chunks of %d: frame %d differs", chunk, i)
			}
		}
		if s.Partial() {
			t.Errorf("chunks of %d: something is left", chunk)
		}
	}
}

func TestSplitterRefusesLengthsOutOfBounds(t *testing.T) {
	for _, length := range []uint32{101, 1 << 31, 0xFFFFFFFF} {
		s := env.NewSplitter(100, &plainMemory{})
		_, _, err := s.Next(binary.BigEndian.AppendUint32(nil, length))
		if !errors.Is(err, env.ErrFrameLength) {
			t.Errorf("length %d: %v, want %v", int32(length), err, env.ErrFrameLength)
		}
	}
	s := env.NewSplitter(100, &plainMemory{})
	if got := cut(t, &s, frameOf(payloadOf(100))); len(got) != 1 {
		t.Error("a frame of just the bound is refused")
	}
}

// A peer that claims much and sends little must not make us take memory for the claim.
func TestSplitterTakesMemoryAsBytesArrive(t *testing.T) {
	memory := &plainMemory{}
	s := env.NewSplitter(100<<20, memory)
	want := payloadOf(20 << 20)
	stream := frameOf(want)
	cut(t, &s, stream[:100])
	if memory.largest > 1<<20 {
		t.Errorf("took %d bytes for 96 that were sent", memory.largest)
	}
	var got [][]byte
	for rest := stream[100:]; len(rest) > 0; {
		n := min(60_000, len(rest))
		got = append(got, cut(t, &s, rest[:n])...)
		rest = rest[n:]
	}
	if len(got) != 1 || !bytes.Equal(got[0], want) {
		t.Error("the frame differs after its memory grew")
	}
	if memory.out != 1 {
		t.Errorf("%d pieces of memory are out, want the frame alone", memory.out)
	}
}

func TestSplitterFillsTheGapInPlace(t *testing.T) {
	memory := &plainMemory{}
	s := env.NewSplitter(100<<20, memory)
	want := payloadOf(3 << 20)
	stream := frameOf(want)
	cut(t, &s, stream[:10])
	rest := stream[10:]
	var frame *env.Frame
	for frame == nil {
		n := copy(s.Gap(), rest)
		rest = rest[n:]
		frame = s.Filled(n)
	}
	if !bytes.Equal(frame.Bytes, want) || len(rest) != 0 {
		t.Error("the frame differs")
	}
	if s.Gap() != nil {
		t.Error("there is a gap between frames")
	}
}

func TestSplitterGivesUnfinishedMemoryBack(t *testing.T) {
	memory := &plainMemory{}
	s := env.NewSplitter(100, memory)
	cut(t, &s, frameOf(payloadOf(50))[:20])
	s.Drop()
	if memory.out != 0 || s.Partial() {
		t.Errorf("%d pieces of memory are out after the end", memory.out)
	}
}

func BenchmarkSplitter(b *testing.B) {
	memory := &reusingMemory{}
	s := env.NewSplitter(1<<20, memory)
	var stream []byte
	for range 50 {
		stream = append(stream, frameOf(payloadOf(1000))...)
	}
	b.SetBytes(int64(len(stream)))
	b.ReportAllocs()
	for b.Loop() {
		for p := stream; len(p) > 0; {
			_, p, _ = s.Next(p)
		}
	}
}

// reusingMemory has room for one frame.
type reusingMemory struct {
	frame env.Frame
	room  [1 << 16]byte
}

func (m *reusingMemory) Take(size int) *env.Frame {
	m.frame.Bytes = m.room[:size]
	return &m.frame
}

func (m *reusingMemory) Give(*env.Frame) {}

func TestAStrangersProtocolIsNamed(t *testing.T) {
	for first, want := range map[string]string{
		"GET / HTTP/1.1\r\n": "HTTP", "POST /": "HTTP", "\x16\x03\x01\x02\x00\x01": "a TLS handshake", "SSH-2.0-x": "SSH", "PRI * HTTP/2": "HTTP/2",
		"\xff\xff\xff\xff": "", "hello": "",
	} {
		s := env.NewSplitter(100<<20, &plainMemory{})
		_, _, err := s.Next([]byte(first))
		var length *env.LengthError
		if !errors.As(err, &length) || !errors.Is(err, env.ErrFrameLength) || length.Speaks() != want || (want != "") != strings.Contains(err.Error(), "first bytes of "+want) {
			t.Errorf("%q: %v", first, err)
		}
	}
	s := env.NewSplitter(100, &plainMemory{})
	if _, _, err := s.Next([]byte("\x00\x00\x00\x01a")); err != nil {
		t.Fatal(err)
	}
	_, _, err := s.Next([]byte("GET "))
	if err == nil || strings.Contains(err.Error(), "HTTP") {
		t.Errorf("within a stream: %v", err)
	}
}
