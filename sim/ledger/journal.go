package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Sizes and places of the journal's format, written down a second time on purpose (see the journal's documentation).
const (
	blockBytes   = 4096
	commitHeader = 128
	commitMagic  = 0x4a434d54
	segmentMagic = "BARNJSEG"
	flagClosing  = 1
	entryHeader  = 12
	entryFixed   = 28
)

// journalReader follows the chain of commits.
type journalReader struct {
	image    Image
	segments map[uint32][]byte // read so far; nil: not of this journal
	logs     map[uint64]*Log
	taken    map[uint64]moment // up to when the checkpoint has what happened to a log
	from     checkpoint
	sequence uint64
	hash     uint64
	closed   bool
}

// read takes the state of the newest checkpoint and applies the chain that begins there. Without a checkpoint there is no
// journal yet.
func (r *journalReader) read() error {
	var found bool
	if r.from, found = newestCheckpoint(r.image); !found {
		return nil
	}
	r.sequence, r.hash = r.from.sequence, r.from.hash
	if err := r.state(); err != nil {
		return fmt.Errorf("checkpoint %d: %w", r.from.number, err)
	}
	at := r.from.position
	for number := r.from.segment; ; number, at = number+1, blockBytes {
		p, ok := r.segment(number)
		if !ok {
			return nil
		}
		before := r.sequence
		if err := r.follow(p, number, int(at)); err != nil {
			return fmt.Errorf("segment %d, commit %d: %w", number, r.sequence+1, err)
		}
		if r.sequence == before && number > r.from.segment {
			return nil
		}
	}
}

// segment returns the bytes of a segment of this journal. A file whose header says another number than its name is a spare
// one.
func (r *journalReader) segment(number uint32) ([]byte, bool) {
	p, known := r.segments[number]
	if !known {
		p = r.load(number)
		r.segments[number] = p
	}
	return p, p != nil
}

func (r *journalReader) load(number uint32) []byte {
	p, ok := r.image.Read(fmt.Sprintf("journal-%010d.segment", number))
	if !ok || len(p) < blockBytes || string(p[:8]) != segmentMagic || checksum(p[:64]) != binary.BigEndian.Uint32(p[64:]) ||
		binary.BigEndian.Uint64(p[16:]) != uint64(number) || [16]byte(p[24:40]) != r.from.journal {
		return nil
	}
	return p
}

// follow applies the chain's commits within one segment.
func (r *journalReader) follow(p []byte, number uint32, at int) error {
	be := binary.BigEndian
	for at+blockBytes <= len(p) {
		c := p[at:]
		if be.Uint32(c) != commitMagic || checksum(c[:124]) != be.Uint32(c[124:]) ||
			[16]byte(c[8:24]) != r.from.journal || be.Uint64(c[32:]) != r.sequence+1 || be.Uint64(c[72:]) != r.hash ||
			be.Uint64(c[40:]) != uint64(number) || be.Uint64(c[48:]) != uint64(at) {
			return nil
		}
		// Beyond what the checkpoint says was durable, commits of an older generation were dropped by an earlier recovery.
		if be.Uint64(c[32:]) > r.from.durable && be.Uint64(c[24:]) < r.from.generation {
			return nil
		}
		total, payload, table := int(be.Uint32(c[56:])), int(be.Uint32(c[60:])), int(be.Uint32(c[64:]))
		if total > len(c) || commitHeader+payload+table > total {
			return nil
		}
		rows := c[commitHeader+payload : commitHeader+payload+table]
		if checksum(c[commitHeader:commitHeader+payload]) != be.Uint32(c[88:]) || checksum(rows) != be.Uint32(c[92:]) {
			return nil
		}
		if err := r.table(rows, c[:total]); err != nil {
			return err
		}
		r.sequence, r.hash = be.Uint64(c[32:]), uint64(be.Uint32(c[124:]))<<32|uint64(be.Uint32(c[88:]))
		r.closed = be.Uint16(c[6:])&flagClosing != 0
		at += total
	}
	return nil
}

// The kinds of entries that the ledger understands.
const (
	entryCreate   = 1
	entryAppend   = 2
	entryTruncate = 3
	entryReset    = 4
	entryStart    = 5
	entryDrop     = 7
)

// table applies a commit's entries.
func (r *journalReader) table(p, commit []byte) error {
	now := moment{sequence: r.sequence}
	for len(p) >= entryHeader+entryFixed {
		body := int(binary.BigEndian.Uint16(p[2:]))
		if body < entryFixed || body > len(p)-entryHeader {
			return fmt.Errorf("entry of %d bytes with %d left", body, len(p)-entryHeader)
		}
		now.entries++
		if number := binary.BigEndian.Uint64(p[4:]); !r.taken[number].covers(now) {
			if err := r.entry(p[:entryHeader+body], commit); err != nil {
				return fmt.Errorf("log %d: %w", number, err)
			}
		}
		p = p[entryHeader+body:]
	}
	return nil
}

var errUnknownLog = errors.New("an entry of a log that was not created")

// entry applies one entry.
func (r *journalReader) entry(p, commit []byte) error {
	be := binary.BigEndian
	kind, number := p[0], be.Uint64(p[4:])
	base, end := int64(be.Uint64(p[12:])), int64(be.Uint64(p[20:]))
	if number == 0 {
		return nil
	}
	if kind == entryCreate {
		extra := p[entryHeader+entryFixed:]
		r.logs[number] = &Log{Topic: [16]byte(extra), Partition: int32(be.Uint32(extra[16:])), Name: string(extra[20:])}
		return nil
	}
	log := r.logs[number]
	if log == nil {
		return errUnknownLog
	}
	switch kind {
	case entryAppend:
		position, size := int(be.Uint32(p[32:])), int(be.Uint32(p[36:]))
		return log.append(commit[position:position+size], base, end)
	case entryTruncate:
		log.End = end
	case entryReset:
		log.Start, log.End = end, end
	case entryStart:
		log.Start = end
	case entryDrop:
		delete(r.logs, number)
	}
	return nil
}

// append applies an append: batches that begin where the log ends, or the first of an empty log that holds its start, because
// records were deleted up to the middle of it.
func (l *Log) append(p []byte, base, end int64) error {
	if holds := l.Start == l.End && base < l.End && l.End < end; base != l.End && !holds {
		return fmt.Errorf("it ends at %d, append begins at %d", l.End, base)
	}
	if got, err := checkBatches(p, base); err != nil || got != end {
		return fmt.Errorf("batches end at %d, want %d: %w", got, end, err)
	}
	l.End = end
	for len(p) > 0 {
		length := int(binary.BigEndian.Uint32(p[8:])) + 12
		var err error
		if l.Runs, err = appendRuns(l.Runs, p[:length]); err != nil {
			return err
		}
		p = p[length:]
	}
	return nil
}
