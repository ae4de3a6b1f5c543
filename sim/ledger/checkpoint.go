package ledger

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// checkpointHeader is the size of a checkpoint's header.
const checkpointHeader = 108

// checkpoint is what a checkpoint file says.
type checkpoint struct {
	number     uint64
	journal    [16]byte
	generation uint64
	durable    uint64 // the highest sequence known durable when it was written
	// The chain goes on after this commit, at this place.
	sequence, hash    uint64
	segment, position uint32
	state             []byte
}

// newestCheckpoint returns the newer of the two checkpoints.
func newestCheckpoint(image Image) (newest checkpoint, found bool) {
	for which := range 2 {
		p, ok := image.Read(fmt.Sprintf("journal-%d.checkpoint", which))
		if !ok {
			continue
		}
		if c, ok := parseCheckpoint(p); ok && (!found || c.number > newest.number) {
			newest, found = c, true
		}
	}
	return newest, found
}

func parseCheckpoint(p []byte) (c checkpoint, ok bool) {
	be := binary.BigEndian
	if len(p) < checkpointHeader || string(p[:8]) != "BARNJCHK" {
		return c, false
	}
	end := checkpointHeader + int(be.Uint32(p[100:]))
	if end > len(p) || crc32.Update(checksum(p[:104]), castagnoli, p[checkpointHeader:end]) != be.Uint32(p[104:]) {
		return c, false
	}
	return checkpoint{
		number: be.Uint64(p[16:]), journal: [16]byte(p[28:44]), generation: be.Uint64(p[60:]), durable: be.Uint64(p[68:]),
		sequence: be.Uint64(p[76:]), hash: be.Uint64(p[84:]), segment: be.Uint32(p[92:]), position: be.Uint32(p[96:]),
		state: p[checkpointHeader:end],
	}, true
}
