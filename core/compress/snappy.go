package compress

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/klauspost/compress/snappy"
)

// Snappy has a format of blocks and no stream. Java's library puts blocks into frames of its own, and Kafka's clients
// write either that or a single block:
//
//	0 magic    0x82 "SNAPPY" 0
//	8 version  int32 1
//	12 least compatible version int32 1
//	16 blocks: length int32, block
const (
	framedMagic       = "\x82SNAPPY\x00"
	framedHeaderBytes = 16
	framedBlockBytes  = 32 << 10 // what Java's library puts into one block
)

// ratioMax is how much larger than its compressed form a block can be: three bytes make at most 64.
const ratioMax = 22

// snappyReader gives out block after block.
type snappyReader struct {
	p      []byte // what is not opened yet
	framed bool
	most   int64
	block  []byte // an opened block
	given  int    // bytes of it that were read
}

func (s *snappyReader) reset(p []byte, most int64) {
	s.p, s.most, s.given, s.block = p, most, 0, s.block[:0]
	s.framed = len(p) >= framedHeaderBytes && string(p[:len(framedMagic)]) == framedMagic
}

func (s *snappyReader) close() {
	s.p, s.given, s.block = nil, 0, s.block[:0]
	if cap(s.block) > keptMax {
		s.block = nil
	}
}

// Read reads from the present block.
func (s *snappyReader) Read(p []byte) (int, error) {
	for s.given == len(s.block) {
		if len(s.p) == 0 {
			return 0, io.EOF
		}
		if err := s.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.block[s.given:])
	s.given += n
	return n, nil
}

// next opens the next block.
func (s *snappyReader) next() error {
	block := s.p
	if s.framed {
		if len(s.p) >= framedHeaderBytes && string(s.p[:len(framedMagic)]) == framedMagic { // streams may follow each other
			s.p = s.p[framedHeaderBytes:]
			s.block, s.given = s.block[:0], 0
			return nil
		}
		if len(s.p) < 4 {
			return io.ErrUnexpectedEOF
		}
		length := int64(int32(binary.BigEndian.Uint32(s.p)))
		if length < 0 || length > int64(len(s.p)-4) {
			return fmt.Errorf("a block of %d bytes with %d left", length, len(s.p)-4)
		}
		block, s.p = s.p[4:4+length], s.p[4+length:]
	} else {
		s.p = nil
	}
	return s.open(block)
}

func (s *snappyReader) open(block []byte) error {
	size, err := snappy.DecodedLen(block)
	if err != nil {
		return err
	}
	if int64(size) > ratioMax*int64(len(block)) {
		return fmt.Errorf("%d bytes that claim to hold %d", len(block), size)
	}
	if int64(size) > s.most {
		return ErrTooLarge
	}
	s.most -= int64(size)
	if cap(s.block) < size {
		s.block = make([]byte, size)
	}
	s.block, err = snappy.Decode(s.block[:cap(s.block)], block)
	s.given = 0
	return err
}

// appendSnappy appends p as Java's library would write it.
func (e *Encoder) appendSnappy(dst, p []byte) []byte {
	dst = append(dst, framedMagic...)
	dst = append(dst, 0, 0, 0, 1, 0, 0, 0, 1)
	for len(p) > 0 {
		block := p[:min(len(p), framedBlockBytes)]
		p = p[len(block):]
		if most := snappy.MaxEncodedLen(len(block)); cap(e.block) < most {
			e.block = make([]byte, most)
		}
		packed := snappy.Encode(e.block[:cap(e.block)], block)
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(packed)))
		dst = append(dst, packed...)
	}
	return dst
}
