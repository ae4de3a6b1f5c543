package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"barnabas/core/env"
	"barnabas/core/record"
	"barnabas/core/task"
)

// Checkpoint files (rule J9) are written whole, alternately:
//
//	 0 magic "BARNJCHK"     28 journal id   16 bytes   76 sequence of the last commit it covers  uint64
//	 8 format   uint16 = 1  44 directory id 16 bytes   84 hash of that commit                    uint64
//	10 reserved uint16      60 generation   uint64     92 place of the next commit: segment uint32, position uint32
//	12 features uint32      68 known durable uint64   100 state bytes uint32
//	16 number   uint64                                104 crc uint32 of bytes 0–103 and the state
//	24 oldest   uint32                                108 state: storage's own
//
// A number is higher than any before it. The state is as of the sequence, and redo goes on at the place. Segments from the
// oldest on are in use; files of older ones are spares. A file has room for twice what it holds, so that a later checkpoint
// fits when the disk is full; what follows the state means nothing.
const (
	checkpointMagic       = "BARNJCHK"
	checkpointHeaderBytes = 108
	checkpointBytesMax    = 256 << 20
)

func checkpointName(which uint64) string { return fmt.Sprintf("journal-%d.checkpoint", which%2) }

// checkpoint is what a checkpoint file says.
type checkpoint struct {
	number     uint64
	id         identity
	generation uint64
	durable    uint64 // highest sequence known durable when it was written
	sequence   uint64
	hash       uint64
	next       Location
	oldest     uint32
	state      [][]byte // in pieces, so that no step has to handle all of it
}

// whole returns the state in one piece.
func (c *checkpoint) whole() []byte {
	if len(c.state) == 1 {
		return c.state[0]
	}
	return bytes.Join(c.state, nil)
}

// stateShare is how much of a state one step takes checksums of, at most, or a piece of it (rule T2).
const stateShare = 1 << 20

// encode returns the file in pieces; the first has the header.
func (c *checkpoint) encode(t *task.Task) [][]byte {
	size := 0
	for _, s := range c.state {
		size += len(s)
	}
	first := 0
	if len(c.state) > 0 {
		first = len(c.state[0])
	}
	p := make([]byte, checkpointHeaderBytes, checkpointHeaderBytes+first)
	be := binary.BigEndian
	copy(p, checkpointMagic)
	be.PutUint16(p[8:], format)
	be.PutUint64(p[16:], c.number)
	be.PutUint32(p[24:], c.oldest)
	copy(p[28:], c.id.journal[:])
	copy(p[44:], c.id.directory[:])
	be.PutUint64(p[60:], c.generation)
	be.PutUint64(p[68:], c.durable)
	be.PutUint64(p[76:], c.sequence)
	be.PutUint64(p[84:], c.hash)
	be.PutUint32(p[92:], c.next.Segment)
	be.PutUint32(p[96:], c.next.Position)
	be.PutUint32(p[100:], uint32(size))
	sum, share := record.Checksum(p[:104]), 0
	for _, s := range c.state {
		if share += len(s); share > stateShare {
			t.Yield()
			share = len(s)
		}
		sum = record.UpdateChecksum(sum, s)
	}
	be.PutUint32(p[104:], sum)
	if len(c.state) == 0 {
		return [][]byte{p}
	}
	return append([][]byte{append(p, c.state[0]...)}, c.state[1:]...)
}

// parseCheckpoint reads a checkpoint file. ok is false when it is not a whole one; an error means that this version must
// not touch the journal.
func parseCheckpoint(p []byte) (c checkpoint, ok bool, err error) {
	be := binary.BigEndian
	if len(p) < checkpointHeaderBytes || string(p[:8]) != checkpointMagic {
		return c, false, nil
	}
	state := be.Uint32(p[100:])
	if uint64(state) > uint64(len(p)-checkpointHeaderBytes) {
		return c, false, nil
	}
	c.state = [][]byte{p[checkpointHeaderBytes : checkpointHeaderBytes+state]}
	if be.Uint32(p[104:]) != record.ChecksumOf(p[:104], c.state[0]) {
		return c, false, nil
	}
	if v, f := be.Uint16(p[8:]), be.Uint32(p[12:]); v > format || f&^featuresKnown != 0 {
		return c, false, fmt.Errorf("the journal's checkpoint has format %d and features %#x, this version reads format %d: start a newer version on this folder", v, f, format)
	}
	c.number, c.oldest = be.Uint64(p[16:]), be.Uint32(p[24:])
	c.id = identity{[16]byte(p[28:44]), [16]byte(p[44:60])}
	c.generation, c.durable = be.Uint64(p[60:]), be.Uint64(p[68:])
	c.sequence, c.hash = be.Uint64(p[76:]), be.Uint64(p[84:])
	c.next = Location{be.Uint32(p[92:]), be.Uint32(p[96:])}
	return c, true, nil
}

// checkpoints is what the checkpoint files hold.
type checkpoints struct {
	newest checkpoint
	name   string // of the newest one's file
	whole  int    // how many of the two are
	bad    string // the file that is not, and holds something else than nothing: which, and why
	lost   string // the file that can't be read
}

// readCheckpoints reads both checkpoint files. One that can't be read is as one that is damaged: what the other one needs is kept
// (rule J9). Errors: a newer format; the disk's.
func readCheckpoints(t *task.Task, disk env.Disk, folder string) (found checkpoints, err error) {
	for which := range uint64(2) {
		name := checkpointName(which)
		p, err := readPatiently(t, disk, folder+"/"+name)
		switch {
		case errors.Is(err, env.ErrNotExist):
			found.bad = name + " is not there"
			continue
		case errors.Is(err, env.ErrIO):
			found.lost, found.bad = name, fmt.Sprintf("%s can't be read: %v", name, err)
			continue
		case err != nil:
			return found, err
		}
		c, ok, err := parseCheckpoint(p)
		if err != nil {
			return found, err
		}
		if !ok {
			if !isZero(p) {
				found.bad = name + " is not whole: a crash cut its writing off, or it was damaged"
			}
			continue
		}
		if found.whole == 0 || c.number > found.newest.number {
			found.newest, found.name = c, name
		}
		found.whole++
	}
	if found.whole == 0 && found.lost != "" {
		return found, fmt.Errorf("%w: %s, and the other checkpoint is not whole. Nothing was changed; mend the disk, or restore the folder from a copy",
			env.ErrIO, found.bad)
	}
	return found, nil
}

// fallback says which file had to be passed over and what is taken instead, or "".
func (c *checkpoints) fallback() string {
	if c.whole != 1 || c.bad == "" {
		return ""
	}
	return fmt.Sprintf("%s; recovery goes on from %s, number %d, and the journal behind it, which was kept for that", c.bad, c.name, c.newest.number)
}

// explain says of a failed start that it could not begin where the last one left off.
func (c *checkpoints) explain(err error) error {
	if c.fallback() == "" {
		return err
	}
	return fmt.Errorf("%w (%s; put the first of these files back if there is a copy)", err, c.fallback())
}

// readPatiently reads a whole file, and again for three seconds if that fails: an error may pass.
func readPatiently(t *task.Task, disk env.Disk, name string) ([]byte, error) {
	for try := 0; ; try++ {
		p, err := readFile(t, disk, name)
		if !errors.Is(err, env.ErrIO) || try == readTries {
			return p, err
		}
		t.Sleep(t.Loop().Now().Add(retryDelay << try))
	}
}

// readTries is how often a read that fails is tried again, each time after twice as long.
const readTries = 5

func isZero(p []byte) bool {
	for _, b := range p {
		if b != 0 {
			return false
		}
	}
	return true
}

// readFile reads a whole file into memory of the heap.
func readFile(t *task.Task, disk env.Disk, name string) ([]byte, error) {
	file, err := disk.Open(name, env.OpenExisting).Wait(t)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	size, err := file.Size().Wait(t)
	if err != nil {
		return nil, err
	}
	if size > checkpointBytesMax {
		return nil, fmt.Errorf("%s has %d bytes, more than a checkpoint can have", name, size)
	}
	p := make([]byte, size)
	n, err := file.ReadAt(p, 0).Wait(t)
	return p[:n], err
}

// checkpointSlack is the unit in which checkpoint files grow.
const checkpointSlack = 64 << 10

// writeCheckpoint writes the checkpoint to the older of the two files and makes it durable. Both files get room for twice as
// much first, so that the next fits on a full disk.
func writeCheckpoint(t *task.Task, disk env.Disk, folder string, c checkpoint) error {
	p := c.encode(t)
	for which := range uint64(2) {
		if err := writeSlot(t, disk, folder, c.number+1+which, p, which == 1); err != nil {
			return err
		}
	}
	_, err := disk.SyncDir(folder).Wait(t)
	return err
}

// writeSlot gives the file of a number room, and writes the pieces to it if it is the one.
func writeSlot(t *task.Task, disk env.Disk, folder string, number uint64, pieces [][]byte, write bool) error {
	file, err := disk.Open(folder+"/"+checkpointName(number), env.OpenCreate).Wait(t)
	if err != nil {
		return err
	}
	defer file.Close()
	size, err := file.Size().Wait(t)
	if err != nil {
		return err
	}
	need := int64(0)
	for _, p := range pieces {
		need += int64(len(p))
	}
	if size < need {
		err := giveRoom(t, file, size, (2*need+checkpointSlack-1)/checkpointSlack*checkpointSlack)
		if err != nil && !(write && errors.Is(err, env.ErrNoSpace)) {
			return err
		}
	} else if !write {
		return nil
	}
	if write {
		at := int64(0)
		for _, p := range pieces {
			if _, err := file.WriteAt(p, at).Wait(t); err != nil {
				return err
			}
			at += int64(len(p))
		}
	}
	_, err = file.Sync().Wait(t)
	return err
}

// giveRoom writes zeros to the file from its end to a size.
func giveRoom(t *task.Task, file env.File, size, room int64) error {
	zeros := make([]byte, min(room-size, stateShare))
	for size < room {
		p := zeros[:min(room-size, stateShare)]
		if _, err := file.WriteAt(p, size).Wait(t); err != nil {
			return err
		}
		size += int64(len(p))
	}
	return nil
}
