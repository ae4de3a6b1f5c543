package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Look is what is looked at of a record whose key, value and headers are passed over.
type Look struct {
	OffsetDelta    int32
	TimestampDelta int64
	Keyless        bool
}

// windowBytes is how much of a stream is held at once. It has room for every field but keys, values and header keys, which
// are passed over piece by piece.
const windowBytes = 32 << 10

// Scanner looks at records one after another and keeps none of them: of a batch as it stands, or of a stream. It takes no
// memory but one window, for streams. The zero value is ready.
type Scanner struct {
	p      []byte    // at hand
	from   io.Reader // of more; nil: there is no more
	window []byte    // where p of a stream lies
	err    error     // why there is no more
	left   int64     // bytes of the present record that are not read yet
	bad    bool      // the present record contradicts itself
}

// Scan calls visit for each of count records, which must be all there are. visit may be nil. Errors: ErrInvalid; the
// stream's; visit's. p is not changed.
func (s *Scanner) Scan(p []byte, count int32, visit func(i int32, r Look) error) error {
	s.p, s.from, s.err = p, nil, nil
	return s.scan(count, visit)
}

// ScanStream does the same with what a stream gives.
func (s *Scanner) ScanStream(from io.Reader, count int32, visit func(i int32, r Look) error) error {
	if s.window == nil {
		s.window = make([]byte, windowBytes)
	}
	s.p, s.from, s.err = nil, from, nil
	err := s.scan(count, visit)
	s.from = nil
	return err
}

func (s *Scanner) scan(count int32, visit func(i int32, r Look) error) error {
	var r Look
	for i := range count {
		if err := s.next(&r); err != nil {
			return fmt.Errorf("record %d of %d: %w", i, count, err)
		}
		if visit != nil {
			if err := visit(i, r); err != nil {
				return err
			}
		}
	}
	if s.fill(1); s.err != nil && !errors.Is(s.err, io.EOF) {
		return s.err
	}
	if len(s.p) > 0 {
		return fmt.Errorf("%w: bytes follow the last of %d records", ErrInvalid, count)
	}
	return nil
}

// next looks at one record.
func (s *Scanner) next(r *Look) error {
	s.bad, s.left = false, binary.MaxVarintLen64
	length := s.varint()
	if s.bad || length < recordBytesMin-1 {
		return s.invalid("record length %d", length)
	}
	s.left = length
	s.skip(1) // the attributes, which nothing uses
	r.TimestampDelta = s.varint()
	delta := s.varint()
	r.OffsetDelta = int32(delta)
	s.bad = s.bad || delta != int64(r.OffsetDelta) // 32 bits, as every client reads it
	r.Keyless = s.bytes() < 0
	s.bytes()
	headers := s.varint()
	if s.bad || headers < 0 || headers > s.left/2 {
		return s.invalid("%d record headers in %d bytes", headers, s.left)
	}
	for range headers {
		if s.bytes() < 0 { // only a value may be null
			s.bad = true
		}
		s.bytes()
		if s.bad {
			break
		}
	}
	if s.bad || s.left != 0 {
		return s.invalid("record fields do not fill its %d bytes", length)
	}
	return nil
}

// invalid says what is wrong with a record, or with the stream it should have come from.
func (s *Scanner) invalid(format string, args ...any) error {
	if s.err != nil && !errors.Is(s.err, io.EOF) {
		return s.err
	}
	if len(s.p) == 0 {
		return fmt.Errorf("%w: the records end early", ErrInvalid)
	}
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

// varint reads a number within the record.
func (s *Scanner) varint() int64 {
	if len(s.p) < binary.MaxVarintLen64 {
		s.fill(binary.MaxVarintLen64)
	}
	v, n := binary.Varint(s.p)
	if n <= 0 || int64(n) > s.left || s.bad {
		s.bad = true
		return 0
	}
	s.p, s.left = s.p[n:], s.left-int64(n)
	return v
}

// bytes passes over a field with a length and returns the length, -1 for null.
func (s *Scanner) bytes() int64 {
	length := s.varint()
	if length < -1 {
		s.bad = true
	}
	s.skip(max(length, 0))
	return length
}

// skip passes over n bytes of the record.
func (s *Scanner) skip(n int64) {
	if n > s.left || s.bad {
		s.bad = true
		return
	}
	s.left -= n
	for n > int64(len(s.p)) {
		n -= int64(len(s.p))
		s.p = nil
		if s.fill(1); len(s.p) == 0 {
			s.bad = true
			return
		}
	}
	s.p = s.p[n:]
}

// fill has at least n bytes at hand, if the stream has so many.
func (s *Scanner) fill(n int) {
	if s.from == nil || s.err != nil || len(s.p) >= n {
		return
	}
	held := copy(s.window, s.p)
	idle := 0
	for held < n && s.err == nil {
		var got int
		got, s.err = s.from.Read(s.window[held:])
		held += got
		if idle++; got > 0 {
			idle = 0
		}
		if idle > readsIdleMax && s.err == nil {
			s.err = io.ErrNoProgress
		}
	}
	s.p = s.window[:held]
}

// readsIdleMax bounds how often a reader may give nothing.
const readsIdleMax = 100
