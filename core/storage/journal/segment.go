package journal

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"barnabas/core/env"
	"barnabas/core/record"
	"barnabas/core/task"
)

// format is the version of everything this package writes; features are the required-feature bits it knows: none yet.
const (
	format        = 1
	featuresKnown = 0
)

const segmentMagic = "BARNJSEG"

// segmentHeaderBytes is where the first commit of a segment stands.
const segmentHeaderBytes = env.BlockBytes

// segment is one file of the journal.
type segment struct {
	number uint32
	bytes  uint32
	file   env.File
}

func segmentName(number uint32) string { return fmt.Sprintf("journal-%010d.segment", number) }

// segmentNumber returns the number in a segment's file name.
func segmentNumber(name string) (uint32, bool) {
	digits, isJournal := strings.CutPrefix(name, "journal-")
	digits, isSegment := strings.CutSuffix(digits, ".segment")
	if !isJournal || !isSegment || len(digits) != 10 {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	return uint32(n), err == nil
}

// identity is what ties segments and checkpoints to one journal in one directory.
type identity struct {
	journal   [16]byte
	directory [16]byte
}

func (s *segment) header(p []byte, id identity) {
	clear(p[:segmentHeaderBytes])
	copy(p, segmentMagic)
	binary.BigEndian.PutUint16(p[8:], format)
	binary.BigEndian.PutUint64(p[16:], uint64(s.number))
	copy(p[24:], id.journal[:])
	copy(p[40:], id.directory[:])
	binary.BigEndian.PutUint64(p[56:], uint64(s.bytes))
	binary.BigEndian.PutUint32(p[64:], record.Checksum(p[:64]))
}

// parseSegmentHeader reads a segment's header. ok is false when it is not a whole one (a segment that was being made when
// the power went); an error means that this version must not touch the journal.
func parseSegmentHeader(p []byte, number uint32) (id identity, bytes uint32, ok bool, err error) {
	if len(p) < 68 || string(p[:8]) != segmentMagic || binary.BigEndian.Uint32(p[64:]) != record.Checksum(p[:64]) {
		return id, 0, false, nil
	}
	if v := binary.BigEndian.Uint16(p[8:]); v > format {
		return id, 0, false, fmt.Errorf("%s has format %d, this version reads up to %d: start a newer version on this folder",
			segmentName(number), v, format)
	}
	if f := binary.BigEndian.Uint32(p[12:]); f&^featuresKnown != 0 {
		return id, 0, false, fmt.Errorf("%s requires features %#x that this version does not know: start a newer version on this folder",
			segmentName(number), f)
	}
	if n := binary.BigEndian.Uint64(p[16:]); n != uint64(number) {
		return id, 0, false, fmt.Errorf("%s says it is segment %d: it was renamed or copied", segmentName(number), n)
	}
	id = identity{[16]byte(p[24:40]), [16]byte(p[40:56])}
	return id, uint32(binary.BigEndian.Uint64(p[56:])), true, nil
}

// prewriteBytes is the size of the pieces a new segment is written in.
const prewriteBytes = 1 << 20

// makeSegment makes a segment's file, writes it full of zeros and then its header, and makes all of it durable. Written
// space is three times faster to commit to than allocated space, and can't fail for want of room later.
func makeSegment(t *task.Task, disk env.Disk, folder string, s *segment, id identity) (err error) {
	file, err := disk.Open(folder+"/"+segmentName(s.number), env.OpenCreate).Wait(t)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			file.Close() // who tries again opens it again
		}
	}()
	s.file = file
	piece := disk.Buffer(min(prewriteBytes, int(s.bytes)))
	defer disk.FreeBuffer(piece)
	clear(piece)
	for at := 0; at < int(s.bytes); at += len(piece) {
		p := piece[:min(len(piece), int(s.bytes)-at)]
		if _, err := file.WriteSync(p, int64(at)).Wait(t); err != nil {
			return err
		}
	}
	s.header(piece, id)
	if _, err := file.WriteSync(piece[:segmentHeaderBytes], 0).Wait(t); err != nil {
		return err
	}
	_, err = disk.SyncDir(folder).Wait(t)
	return err
}
