package ledger

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// LogEnd is what a disk holds of one log, by the ledger's own reading of the journal.
type LogEnd struct {
	Topic     [16]byte
	Partition int32
	Name      string // of the log's folder: topic, dash, partition
	Start     int64
	End       int64
}

// Sizes and places of the journal's format, written down a second time on purpose (see the journal's documentation).
const (
	blockBytes       = 4096
	commitHeader     = 128
	segmentMagic     = "BARNJSEG"
	entryHeader      = 12
	entryFixed       = 28
	batchHeaderBytes = 61
	checkpointHeader = 108
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ReadJournal follows the chain of commits from the first segment on and returns the ends of the logs, by number. read
// gives a segment's bytes, or false. It knows nothing of the broker's code, and trusts nothing without its checksum.
func ReadJournal(read func(name string) ([]byte, bool)) (map[uint64]LogEnd, error) {
	r := &journalReader{logs: make(map[uint64]LogEnd)}
	r.readCheckpoints(read)
	for number := uint64(1); ; number++ {
		p, ok := read(fmt.Sprintf("journal-%010d.segment", number))
		if !ok || len(p) < blockBytes || string(p[:8]) != segmentMagic {
			return r.logs, nil
		}
		if crc32.Checksum(p[:64], castagnoli) != binary.BigEndian.Uint32(p[64:]) {
			return r.logs, nil
		}
		journal := [16]byte(p[24:40])
		before := r.sequence
		if err := r.segment(p, number, journal); err != nil {
			return r.logs, err
		}
		if r.sequence == before && number > 1 {
			return r.logs, nil
		}
	}
}

type journalReader struct {
	logs     map[uint64]LogEnd
	sequence uint64
	hash     uint64
	// From the newest checkpoint: commits beyond durable of an older generation were dropped by an earlier recovery.
	number, generation, durable uint64
}

// readCheckpoints takes what is needed from the newer of the two checkpoint files.
func (r *journalReader) readCheckpoints(read func(name string) ([]byte, bool)) {
	be := binary.BigEndian
	for which := range 2 {
		p, ok := read(fmt.Sprintf("journal-%d.checkpoint", which))
		if !ok || len(p) < checkpointHeader || string(p[:8]) != "BARNJCHK" {
			continue
		}
		end := checkpointHeader + int(be.Uint32(p[100:]))
		if end > len(p) {
			continue
		}
		sum := crc32.Update(crc32.Checksum(p[:104], castagnoli), castagnoli, p[checkpointHeader:end])
		if sum == be.Uint32(p[104:]) && be.Uint64(p[16:]) >= r.number {
			r.number, r.generation, r.durable = be.Uint64(p[16:]), be.Uint64(p[60:]), be.Uint64(p[68:])
		}
	}
}

// segment follows the chain within one segment.
func (r *journalReader) segment(p []byte, number uint64, journal [16]byte) error {
	be := binary.BigEndian
	for at := blockBytes; at+blockBytes <= len(p); {
		c := p[at:]
		if be.Uint32(c) != 0x4a434d54 || crc32.Checksum(c[:124], castagnoli) != be.Uint32(c[124:]) ||
			[16]byte(c[8:24]) != journal || be.Uint64(c[32:]) != r.sequence+1 || be.Uint64(c[72:]) != r.hash ||
			be.Uint64(c[40:]) != number || be.Uint64(c[48:]) != uint64(at) {
			return nil
		}
		if be.Uint64(c[32:]) > r.durable && be.Uint64(c[24:]) < r.generation {
			return nil
		}
		total, payload, table := int(be.Uint32(c[56:])), int(be.Uint32(c[60:])), int(be.Uint32(c[64:]))
		if total > len(c) || commitHeader+payload+table > total {
			return nil
		}
		bytes := c[commitHeader : commitHeader+payload]
		rows := c[commitHeader+payload : commitHeader+payload+table]
		if crc32.Checksum(bytes, castagnoli) != be.Uint32(c[88:]) || crc32.Checksum(rows, castagnoli) != be.Uint32(c[92:]) {
			return nil
		}
		if err := r.table(rows, c[:total]); err != nil {
			return fmt.Errorf("segment %d, commit %d: %w", number, r.sequence+1, err)
		}
		r.sequence, r.hash = be.Uint64(c[32:]), uint64(be.Uint32(c[124:]))<<32|uint64(be.Uint32(c[88:]))
		at += total
	}
	return nil
}

// table applies a commit's entries.
func (r *journalReader) table(p, commit []byte) error {
	be := binary.BigEndian
	for len(p) >= entryHeader+entryFixed {
		kind, body, log := p[0], int(be.Uint16(p[2:])), be.Uint64(p[4:])
		base, end := int64(be.Uint64(p[12:])), int64(be.Uint64(p[20:]))
		position, size := int(be.Uint32(p[32:])), int(be.Uint32(p[36:]))
		state := r.logs[log]
		switch kind {
		case 1:
			extra := p[entryHeader+entryFixed : entryHeader+body]
			state = LogEnd{Topic: [16]byte(extra[:16]), Partition: int32(be.Uint32(extra[16:])), Name: string(extra[20:])}
		case 2:
			if base != state.End {
				return fmt.Errorf("log %d ends at %d, append begins at %d", log, state.End, base)
			}
			got, err := checkBatches(commit[position:position+size], base)
			if err != nil || got != end {
				return fmt.Errorf("log %d: batches end at %d, want %d: %w", log, got, end, err)
			}
			state.End = end
		case 3:
			state.End = end
		case 4:
			state.Start, state.End = end, end
		case 5:
			state.Start = end
		}
		if kind == 7 {
			delete(r.logs, log)
		} else if log != 0 {
			r.logs[log] = state
		}
		p = p[entryHeader+body:]
	}
	return nil
}

// checkBatches checks the checksums and offsets of batches and returns where they end.
func checkBatches(p []byte, base int64) (int64, error) {
	for len(p) > 0 {
		if len(p) < batchHeaderBytes {
			return base, fmt.Errorf("%d bytes are no batch", len(p))
		}
		length := int(binary.BigEndian.Uint32(p[8:])) + 12
		if length < batchHeaderBytes || length > len(p) {
			return base, fmt.Errorf("batch of %d bytes in %d", length, len(p))
		}
		if got := int64(binary.BigEndian.Uint64(p)); got != base {
			return base, fmt.Errorf("batch at offset %d, want %d", got, base)
		}
		if crc32.Checksum(p[21:length], castagnoli) != binary.BigEndian.Uint32(p[17:]) {
			return base, fmt.Errorf("batch at offset %d fails its CRC", base)
		}
		base += int64(binary.BigEndian.Uint32(p[23:])) + 1
		p = p[length:]
	}
	return base, nil
}

// ReadBatches hands the records of fetched batches to visit. Batches are checked; the last may be cut off, as Kafka allows.
func ReadBatches(p []byte, visit func(offset int64, value []byte)) error {
	for len(p) >= batchHeaderBytes {
		length := int(binary.BigEndian.Uint32(p[8:])) + 12
		if length > len(p) {
			return nil
		}
		base := int64(binary.BigEndian.Uint64(p))
		if _, err := checkBatches(p[:length], base); err != nil {
			return err
		}
		if err := readRecords(p[batchHeaderBytes:length], base, visit); err != nil {
			return fmt.Errorf("batch at offset %d: %w", base, err)
		}
		p = p[length:]
	}
	return nil
}

func readRecords(p []byte, base int64, visit func(offset int64, value []byte)) error {
	for len(p) > 0 {
		length, n := binary.Varint(p)
		if n <= 0 || length <= 0 || int(length) > len(p)-n {
			return fmt.Errorf("record of %d bytes in %d", length, len(p))
		}
		body := p[n+1 : n+int(length)]
		p = p[n+int(length):]
		_, n = binary.Varint(body) // timestamp delta
		body = body[n:]
		delta, n := binary.Varint(body)
		body = body[n:]
		key, n := binary.Varint(body)
		body = body[n+int(max(key, 0)):]
		value, n := binary.Varint(body)
		body = body[n:]
		visit(base+delta, body[:max(value, 0)])
	}
	return nil
}
