package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"barnabas/core/env"
	"barnabas/core/record"
)

// window is a part of a file in memory, which moves along with who reads it.
type window struct {
	file   InspectedFile
	memory []byte
	base   int64 // position of memory[0]
	held   int   // bytes of memory that are the file's
}

const (
	windowBytes  = 1 << 20
	batchBytesIn = 128 << 20 // no batch that is looked at is larger: such a length is taken for damage
)

// at returns at least so many bytes from the position on, as far as the file has them.
func (w *window) at(position int64, need int) ([]byte, error) {
	if from := position - w.base; from >= 0 && from <= int64(w.held) && (int64(w.held)-from >= int64(need) || w.base+int64(w.held) == w.file.Size) {
		return w.memory[from:w.held], nil
	}
	if size := max(need, windowBytes); len(w.memory) < size {
		w.memory = make([]byte, size)
	}
	n, err := w.file.read(w.memory, position)
	w.base, w.held = position, n
	return w.memory[:n], err
}

// bytes returns memory that begins with the batch at the position, and holds all of it as far as its length can be believed.
func (w *window) bytes(position int64) ([]byte, error) {
	p, err := w.at(position, record.HeaderBytes)
	if err != nil || len(p) < record.HeaderBytes {
		return p, err
	}
	length := int64(int32(binary.BigEndian.Uint32(p[8:]))) + 12
	if length <= int64(len(p)) || length > min(w.file.Size-position, batchBytesIn) {
		return p, nil
	}
	return w.at(position, int(length))
}

// batch reads and checks the batch at the position. Errors: the reader's; what is wrong with it.
func (w *window) batch(position int64) (record.Header, error) {
	p, err := w.bytes(position)
	if err != nil {
		return record.Header{}, err
	}
	return record.Check(p)
}

// logSegment tells every batch of a segment's file that begins at the base offset. Where one is bad it goes on at the next good
// one.
func (in *inspection) logSegment(base record.Offset) error {
	w := &window{file: in.file}
	next, epoch := base, record.LeaderEpoch(-1)
	for at := int64(0); at < in.file.Size; {
		p, err := w.bytes(at)
		if err != nil {
			return err
		}
		h, why := record.Check(p)
		if why == nil {
			why = follows(&h, next, epoch)
		}
		if why == nil {
			if err := in.batch(&h, at, p[:h.Length], next); err != nil {
				return err
			}
			at, next, epoch = at+int64(h.Length), h.EndOffset(), h.LeaderEpoch
			continue
		}
		good, err := w.resync(at+1, next, base)
		if err != nil {
			return err
		}
		if padding, err := in.padding(at, good); err != nil || padding {
			return errors.Join(err, in.tell("zeros", "", Field{"position", at}, Field{"bytes", good - at}))
		}
		if err := in.tell("damage", why.Error(), Field{"position", at}, Field{"bytes", good - at}, Field{"expected", next}); err != nil {
			return err
		}
		at = good
	}
	return nil
}

// padding says whether nothing but zeros stands between the position and the end of the file: a segment that is written to is
// filled up to whole blocks, by Kafka to its greatest size. A few zeros elsewhere are what is left of a batch.
func (in *inspection) padding(at, good int64) (bool, error) {
	few := good-at < record.HeaderBytes && in.file.Size%env.BlockBytes != 0
	if good < in.file.Size || few {
		return false, nil
	}
	return in.onlyZeros(at)
}

// follows says what is wrong with a batch behind the offset and epoch before it. Offsets may be missing: another program may
// have compacted the log.
func follows(h *record.Header, next record.Offset, epoch record.LeaderEpoch) error {
	if h.BaseOffset < next {
		return fmt.Errorf("a batch says offset %d where %d belongs", h.BaseOffset, next)
	}
	if h.LeaderEpoch < epoch {
		return fmt.Errorf("the batch at offset %d says epoch %d, after epoch %d", h.BaseOffset, h.LeaderEpoch, epoch)
	}
	return nil
}

// resync searches byte by byte for the next good batch of the segment, and returns its position, or the file's size.
func (w *window) resync(at int64, next, base record.Offset) (int64, error) {
	for ; at+record.HeaderBytes <= w.file.Size; at++ {
		p, err := w.at(at, record.HeaderBytes)
		if err != nil {
			return 0, err
		}
		if len(p) < record.HeaderBytes {
			break
		}
		offset := record.Offset(binary.BigEndian.Uint64(p))
		if p[16] != 2 || offset < next || offset-base > math.MaxInt32 {
			continue
		}
		if p, err = w.bytes(at); err != nil {
			return 0, err
		}
		if _, err := record.Check(p); err == nil {
			return at, nil
		}
	}
	return w.file.Size, nil
}

// batch tells a batch that is good by its checksum, and its records if that is asked for. expected is the offset after the
// batch before it.
func (in *inspection) batch(h *record.Header, at int64, p []byte, expected record.Offset) error {
	wrong := ""
	if h.Attributes.Codec() == 0 {
		if err := record.Walk(p[record.HeaderBytes:], h.Count, nil); err != nil {
			wrong = err.Error()
		}
	}
	fields := []Field{
		{"base", h.BaseOffset},
		{"last", h.LastOffset()},
		{"position", at},
		{"bytes", h.Length},
		{"epoch", h.LeaderEpoch},
		{"records", h.Count},
		{"codec", codecText(h.Attributes)},
		{"crc", fmt.Sprintf("%08x", h.CRC)},
		{"valid", wrong == ""},
		{"base timestamp", h.BaseTimestamp},
		{"max timestamp", h.MaxTimestamp},
		{"producer", h.ProducerID},
		{"producer epoch", h.ProducerEpoch},
		{"sequence", h.BaseSequence},
		{"kind", batchKind(h.Attributes)},
	}
	if h.BaseOffset > expected {
		fields = append(fields, Field{"missing from", expected})
	}
	if err := in.tell("batch", wrong, fields...); err != nil || wrong != "" || h.Attributes.Codec() != 0 {
		return err
	}
	return in.records(h, p[record.HeaderBytes:])
}

func batchKind(a record.Attributes) string {
	switch {
	case a.IsControl() && a.IsTransactional():
		return "transaction control"
	case a.IsControl():
		return "control"
	case a.IsTransactional():
		return "transactional"
	}
	return "data"
}
