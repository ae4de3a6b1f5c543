package journal

import (
	"encoding/binary"
	"fmt"

	"barnabas/core/env"
	"barnabas/core/record"
)

// HeaderBytes is the size of a commit's header.
const HeaderBytes = 128

const (
	commitMagic = 0x4a434d54 // "JCMT"
	flagClosing = 1          // the last commit of a clean stop (rule J4)
)

// Location is a place in the journal.
type Location struct {
	Segment  uint32
	Position uint32
}

// Before says whether the place comes before another one.
func (l Location) Before(other Location) bool {
	return l.Segment < other.Segment || l.Segment == other.Segment && l.Position < other.Position
}

// header is a commit's header (rule J2).
type header struct {
	journalID     [16]byte
	flags         uint16
	generation    uint64
	sequence      uint64
	at            Location
	total         uint32
	payload       uint32
	table         uint32
	previousTable uint32
	previousHash  uint64
	knownDurable  uint64
	payloadSum    uint32
	tableSum      uint32
	previousSum   uint32
}

// put writes the header to p and returns the commit's hash.
func (h *header) put(p []byte) (hash uint64) {
	clear(p[:HeaderBytes])
	be := binary.BigEndian
	be.PutUint32(p, commitMagic)
	be.PutUint16(p[4:], HeaderBytes)
	be.PutUint16(p[6:], h.flags)
	copy(p[8:], h.journalID[:])
	be.PutUint64(p[24:], h.generation)
	be.PutUint64(p[32:], h.sequence)
	be.PutUint64(p[40:], uint64(h.at.Segment))
	be.PutUint64(p[48:], uint64(h.at.Position))
	be.PutUint32(p[56:], h.total)
	be.PutUint32(p[60:], h.payload)
	be.PutUint32(p[64:], h.table)
	be.PutUint32(p[68:], h.previousTable)
	be.PutUint64(p[72:], h.previousHash)
	be.PutUint64(p[80:], h.knownDurable)
	be.PutUint32(p[88:], h.payloadSum)
	be.PutUint32(p[92:], h.tableSum)
	be.PutUint32(p[96:], h.previousSum)
	sum := record.Checksum(p[:HeaderBytes-4])
	be.PutUint32(p[HeaderBytes-4:], sum)
	return uint64(sum)<<32 | uint64(h.payloadSum)
}

// parseHeader reads a header of this journal. ok is false for anything that is not a whole one.
func parseHeader(p []byte, journalID [16]byte) (h header, hash uint64, ok bool) {
	be := binary.BigEndian
	if len(p) < HeaderBytes || be.Uint32(p) != commitMagic || be.Uint16(p[4:]) != HeaderBytes {
		return h, 0, false
	}
	sum := record.Checksum(p[:HeaderBytes-4])
	if sum != be.Uint32(p[HeaderBytes-4:]) || [16]byte(p[8:24]) != journalID {
		return h, 0, false
	}
	h = header{
		journalID: journalID, flags: be.Uint16(p[6:]),
		generation: be.Uint64(p[24:]), sequence: be.Uint64(p[32:]),
		at:    Location{uint32(be.Uint64(p[40:])), uint32(be.Uint64(p[48:]))},
		total: be.Uint32(p[56:]), payload: be.Uint32(p[60:]), table: be.Uint32(p[64:]), previousTable: be.Uint32(p[68:]),
		previousHash: be.Uint64(p[72:]), knownDurable: be.Uint64(p[80:]),
		payloadSum: be.Uint32(p[88:]), tableSum: be.Uint32(p[92:]), previousSum: be.Uint32(p[96:]),
	}
	used := HeaderBytes + uint64(h.payload) + uint64(h.table) + uint64(h.previousTable)
	if used > uint64(h.total) || h.total%env.BlockBytes != 0 {
		return h, 0, false
	}
	return h, uint64(sum)<<32 | uint64(h.payloadSum), true
}

// body checks the rest of a commit against its header. p is the whole commit.
func (h *header) body(p []byte, skipPayload bool) (payload, table []byte, err error) {
	payload = p[HeaderBytes : HeaderBytes+h.payload]
	table = p[HeaderBytes+h.payload : HeaderBytes+h.payload+h.table]
	if !skipPayload && record.Checksum(payload) != h.payloadSum {
		return nil, nil, fmt.Errorf("payload of commit %d fails its checksum", h.sequence)
	}
	if record.Checksum(table) != h.tableSum {
		return nil, nil, fmt.Errorf("table of commit %d fails its checksum", h.sequence)
	}
	return payload, table, nil
}

// roundUp returns n rounded up to whole blocks.
func roundUp(n int) int { return (n + env.BlockBytes - 1) &^ (env.BlockBytes - 1) }

// span is a part of a commit's payload.
type span struct{ from, to int }

// summedBytesMin is how long a batch is whose checksum is worth more than another look at its bytes.
const summedBytesMin = 16 << 10

// payloadSum returns the checksum of the payload. A large batch has brought its own, which was checked before it came here, and
// its bytes are not read once more; should they have changed since, the commit is as damaged as the batch is.
func (c *commit) payloadSum(payload []byte) uint32 {
	sum, at := uint32(0), 0
	for _, s := range c.summed {
		stored, from := record.StoredChecksum(payload[s.from:s.to])
		sum = record.UpdateChecksum(sum, payload[at:s.from+from])
		sum = record.CombineChecksums(sum, stored, s.to-s.from-from)
		at = s.to
	}
	return record.UpdateChecksum(sum, payload[at:])
}
