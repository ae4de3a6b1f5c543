package storage

import (
	"encoding/binary"
	"errors"
	"fmt"

	"barnabas/core/env"
	"barnabas/core/mutant"
	"barnabas/core/record"
	"barnabas/core/task"
)

// scanner walks the batches of one segment's file and checks each: checksum, offsets, epoch. Where one is damaged it puts the
// offsets up to the next good batch in doubt and goes on there (rule S12).
type scanner struct {
	log     *Log
	segment *logSegment
	cuts    uint64        // of the log, when the scan was begun
	at      uint32        // where the next batch stands
	next    record.Offset // what it begins with
	want    int           // bytes to read at once

	memory []byte
	base   uint32 // position of memory[0]
	held   int    // bytes of memory that hold the file's
	kept   bool   // memory is somebody else's
}

// seek has the scan begin at the index's last entry before the offset, or at the segment's start.
func (sc *scanner) seek(offset record.Offset) {
	sc.at, sc.next = 0, sc.segment.base
	if sc.segment.index == nil {
		return
	}
	if position, last, ok := sc.segment.index.Lookup(offset); ok && position < sc.log.filledIn(sc.segment) {
		// The entry names the batch's last offset; its first is known when it was read.
		sc.at, sc.next = position, -1-last
	}
}

// endAtBatch has the first read end where a batch does, as far as the index knows: what is read beyond would be read again.
func (sc *scanner) endAtBatch() {
	if sc.segment.index == nil {
		return
	}
	if position := sc.segment.index.LookupPosition(sc.at + uint32(sc.want)); position > sc.at {
		sc.want = int(position - sc.at&^(env.BlockBytes-1))
	}
}

// keep leaves the memory to the caller, who frees it. The scan must not read again.
func (sc *scanner) keep() []byte {
	sc.kept = true
	return sc.memory
}

// walk calls visit for each good batch from the place on, until it returns false, until it has enough (asked before every
// further read and at damage, when it is given), or the file ends. The bytes are valid during the call.
// Errors: the disk's; errChanged.
func (sc *scanner) walk(t *task.Task, visit func(h *record.Header, p []byte) bool, enough func() bool) error {
	defer sc.free()
	for sc.at < sc.limit() {
		p, err := sc.batch(t, enough)
		if err != nil || p == nil {
			return err
		}
		h, why := sc.check(p)
		if why != nil {
			if enough != nil && enough() {
				return nil // it is found when somebody goes on here
			}
			if err := sc.skipDamage(t, why); err != nil {
				return err
			}
			continue
		}
		if !visit(&h, p[:h.Length]) {
			return nil
		}
		sc.at += uint32(h.Length)
		sc.next = h.EndOffset()
	}
	return nil
}

// free gives the scanner's memory back.
func (sc *scanner) free() {
	if sc.memory != nil && !sc.kept {
		sc.log.directory.env.Disk.FreeBuffer(sc.memory)
	}
	sc.memory, sc.held = nil, 0
}

// limit is the end of what the file has.
func (sc *scanner) limit() uint32 { return sc.log.filledIn(sc.segment) }

// batch returns memory that begins with the batch at the place and holds all of it, as far as its length can be believed. nil
// means that there is enough.
func (sc *scanner) batch(t *task.Task, enough func() bool) ([]byte, error) {
	need := record.HeaderBytes
	for range 2 {
		if p := sc.bytes(); len(p) >= need || len(p) == int(sc.limit()-sc.at) {
			if len(p) < record.HeaderBytes {
				return p, nil
			}
			length := int64(int32(binary.BigEndian.Uint32(p[8:]))) + 12
			if length < record.HeaderBytes || length > int64(sc.limit()-sc.at) || int64(len(p)) >= length {
				return p, nil
			}
			need = int(length)
		}
		if sc.memory != nil && enough != nil && enough() {
			return nil, nil
		}
		if err := sc.read(t, need); err != nil {
			return nil, err
		}
	}
	return sc.bytes(), nil
}

// bytes returns what memory holds from the place on.
func (sc *scanner) bytes() []byte {
	from := int(sc.at) - int(sc.base)
	if sc.memory == nil || from < 0 || from > sc.held {
		return nil
	}
	return sc.memory[from:sc.held]
}

// read brings at least so many bytes from the place on into memory.
func (sc *scanner) read(t *task.Task, need int) error {
	l, d := sc.log, sc.log.directory
	base := sc.at &^ (env.BlockBytes - 1)
	size := min(roundUp(max(need+int(sc.at-base), sc.want)), roundUp(int(sc.limit()-base)))
	if len(sc.memory) < size {
		sc.free()
		sc.memory = d.env.Disk.Buffer(size)
	}
	known := sc.limit() // what is filled while the file is read may not be in what was read
	n, err := sc.fetch(t, base, sc.memory[:size])
	if err != nil {
		return err
	}
	if l.cuts != sc.cuts || d.logs.At(l.Number) != l {
		return errChanged
	}
	clear(sc.memory[n:])
	sc.base, sc.held = base, min(size, int(min(known, sc.limit())-base))
	sc.overlay()
	return nil
}

// fetch reads the file into p, and says how much of it there is. A file that is gone, and blocks that can't be read, count as
// zeros: what they should hold is damaged. It has patience with the first block that can't be read.
func (sc *scanner) fetch(t *task.Task, base uint32, p []byte) (int, error) {
	d := sc.log.directory
	files := &d.files
	file, err := files.take(t, sc.log.path(sc.segment), env.OpenExisting)
	if errors.Is(err, env.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer files.release(file)
	n, err := file.ReadAt(p, int64(base)).Wait(t)
	if !errors.Is(err, env.ErrIO) {
		return n, err
	}
	patient := true
	for at := 0; at < len(p); at += env.BlockBytes {
		block := p[at : at+env.BlockBytes]
		n, err := file.ReadAt(block, int64(base)+int64(at)).Wait(t)
		if errors.Is(err, env.ErrIO) && patient {
			n, err = d.readPatiently(t, file, block, int64(base)+int64(at))
			patient = err == nil
		}
		if err != nil && !errors.Is(err, env.ErrIO) {
			return 0, err
		}
		if err != nil {
			n = 0
		}
		clear(block[n:])
	}
	return len(p), nil
}

// overlay puts the block that is known into what was read: a crash may have torn it while it was written anew, and what it
// held is in memory since the start.
func (sc *scanner) overlay() {
	l := sc.log
	if len(l.block) == 0 || sc.segment.base > l.filled || sc.segment.end < l.filled {
		return
	}
	from := int64(sc.limit()) - int64(len(l.block)) - int64(sc.base)
	if from >= 0 && from+int64(len(l.block)) <= int64(sc.held) {
		copy(sc.memory[from:], l.block)
	}
}

// check says what is wrong with the batch that p begins with.
func (sc *scanner) check(p []byte) (record.Header, error) {
	h, err := record.Check(p)
	if err != nil {
		return h, err
	}
	want := sc.expected(&h)
	if h.BaseOffset != want && !(sc.log.gaps && h.BaseOffset > want) {
		return h, fmt.Errorf("a batch says offset %d where %d belongs", h.BaseOffset, want)
	}
	if e := sc.log.epochs.At(max(h.BaseOffset, sc.log.start)); e >= 0 && e != h.LeaderEpoch && h.BaseOffset >= sc.log.start {
		return h, fmt.Errorf("the batch at offset %d says epoch %d where %d belongs", h.BaseOffset, h.LeaderEpoch, e)
	}
	return h, nil
}

// expected returns the offset that the batch must begin with: behind the last one, or behind a range that was lost before it
// reached the file.
func (sc *scanner) expected(h *record.Header) record.Offset {
	want := sc.next
	if want < 0 {
		if mutant.On(mutant.IndexOffByOne) {
			return h.BaseOffset // the bug needs a reader that trusts the index
		}
		if last := -1 - want; h.EndOffset()-1 == last {
			return h.BaseOffset
		}
		return -1 - want
	}
	for d := sc.log.doubtAt(want); d != nil && h.BaseOffset >= d.end; d = sc.log.doubtAt(want) {
		want = d.end
	}
	return want
}

// skipDamage finds the next good batch, puts what lies before it in doubt, and moves there.
func (sc *scanner) skipDamage(t *task.Task, why error) error {
	l := sc.log
	from, begin := sc.at, sc.next
	if begin < 0 {
		// An index entry led here. Walk the segment from its start instead, so that the damage gets its right bounds.
		sc.at, sc.next = 0, sc.segment.base
		sc.segment.index = nil
		return nil
	}
	good, base, err := sc.resync(t)
	if err != nil {
		return err
	}
	if base <= begin {
		base = l.endIn(sc.segment)
	}
	l.doubted(begin, base, fmt.Sprintf("%s, position %d: %s", l.path(sc.segment), from, why))
	sc.at, sc.next = good, base
	return nil
}

// resync searches byte by byte for the next good batch, and returns its place and base, or the end of the file's.
func (sc *scanner) resync(t *task.Task) (uint32, record.Offset, error) {
	end := sc.log.endIn(sc.segment)
	for from := sc.next; sc.at+1 < sc.limit(); {
		sc.at++
		if len(sc.bytes()) < record.HeaderBytes {
			if err := sc.read(t, record.HeaderBytes); err != nil {
				return 0, 0, err
			}
		}
		p := sc.bytes()
		if len(p) < record.HeaderBytes {
			break
		}
		base := record.Offset(binary.BigEndian.Uint64(p))
		if p[16] != 2 || base <= from || base >= end {
			continue
		}
		whole, err := sc.batch(t, nil)
		if err != nil {
			return 0, 0, err
		}
		if h, err := record.Check(whole); err == nil && h.EndOffset() <= end {
			return sc.at, base, nil
		}
	}
	return sc.limit(), end, nil
}

// endIn returns the offset that the file of the segment ends at.
func (l *Log) endIn(s *logSegment) record.Offset { return min(s.end, l.filled) }

func roundUp(n int) int { return (n + env.BlockBytes - 1) &^ (env.BlockBytes - 1) }
