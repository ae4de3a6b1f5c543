package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// state takes over the logs that the checkpoint describes, in the layout that the documentation of the log directory's
// state gives. Of the batches that were not synced into a log's files then, it says where in the journal they are.
// Errors: a state of another version; a row where there is no such batch.
func (r *journalReader) state() error {
	if len(r.from.state) == 0 {
		return nil
	}
	s := &stateReader{rest: r.from.state}
	if version := s.number(2); version != stateVersion {
		return fmt.Errorf("its state has version %d, which the ledger does not read", version)
	}
	s.take(8 + 8 + 1)        // last log number, broker epoch, durability
	s.take(int(s.number(4))) // quorum state
	for range s.number(4) {
		if err := r.stateLog(s); err != nil {
			return err
		}
	}
	for range s.number(4) { // wastes
		s.take(8)
		s.take(int(s.number(2)))
		s.take(int(s.number(2)))
		s.take(1)
		if s.err != nil {
			return s.err
		}
	}
	var gone []uint64
	for range s.number(4) {
		if gone = append(gone, s.number(8)); s.err != nil {
			return s.err
		}
	}
	until := s.moment()
	for _, number := range gone {
		r.taken[number] = until
	}
	return s.err
}

const stateVersion = 2

// moment is a place among entries: behind a commit, and so many entries of the next one.
type moment struct{ sequence, entries uint64 }

func (m moment) covers(o moment) bool {
	return o.sequence < m.sequence || o.sequence == m.sequence && o.entries <= m.entries
}

func (s *stateReader) moment() moment { return moment{s.number(8), s.number(4)} }

// The sizes of what the ledger passes over, and of a row.
const (
	stateEpoch   = 12
	stateDoubt   = 16
	stateBatch   = 32
	stateSegment = 77
	stateRow     = 61
	rowSegment   = 32
	rowPosition  = 36
	rowBytes     = 44
	rowFlags     = 60
	rowGap       = 1
)

func (r *journalReader) stateLog(s *stateReader) error {
	number := s.number(8)
	r.taken[number] = s.moment()
	log := &Log{Topic: s.id(), Partition: int32(s.number(4)), Name: string(s.take(int(s.number(2))))}
	s.take(1) // flags
	log.Start, log.End = int64(s.number(8)), int64(s.number(8))
	s.take(8)                             // the saved end
	s.take(int(s.number(2)))              // what a file has after its last whole block
	s.take(int(s.number(4)) * stateEpoch) // leader epochs
	s.take(int(s.number(4)) * stateDoubt)
	for range s.number(4) { // producers
		s.take(8 + 2)
		s.take(int(s.number(1)) * stateBatch)
		if s.err != nil {
			return s.err
		}
	}
	s.take(int(s.number(4)) * stateSegment)
	r.logs[number] = log
	for range s.number(4) {
		if err := r.stateRow(log, s.take(stateRow)); err != nil {
			return fmt.Errorf("log %d (%s): %w", number, log.Name, err)
		}
		if s.err != nil {
			return s.err
		}
	}
	return s.err
}

// stateRow reads a batch where the checkpoint says it is. One that is damaged is not there.
func (r *journalReader) stateRow(log *Log, row []byte) error {
	be := binary.BigEndian
	if len(row) < stateRow || row[rowFlags]&rowGap != 0 {
		return nil
	}
	segment, position, size := be.Uint32(row[rowSegment:]), int(be.Uint32(row[rowPosition:])), int(be.Uint32(row[rowBytes:]))
	p, ok := r.segment(segment)
	if !ok || position+size > len(p) {
		return nil
	}
	batch := p[position : position+size]
	if end, err := checkBatches(batch, int64(be.Uint64(row))); err != nil || end != int64(be.Uint64(row[8:])) {
		return nil
	}
	var err error
	log.Runs, err = appendRuns(log.Runs, batch)
	return err
}

// stateReader reads numbers. The first error stays, and everything after it is zero.
type stateReader struct {
	rest []byte
	err  error
}

var errState = errors.New("its state is too short")

func (s *stateReader) take(n int) []byte {
	if n < 0 || n > len(s.rest) {
		s.rest, s.err = nil, errState
		return nil
	}
	p := s.rest[:n]
	s.rest = s.rest[n:]
	return p
}

// number reads a number of so many bytes.
func (s *stateReader) number(bytes int) (n uint64) {
	for _, b := range s.take(bytes) {
		n = n<<8 | uint64(b)
	}
	return n
}

func (s *stateReader) id() (id [16]byte) {
	copy(id[:], s.take(16))
	return id
}
