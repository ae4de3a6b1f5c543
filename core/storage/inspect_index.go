package storage

import (
	"fmt"

	"barnabas/core/record"
	"barnabas/core/storage/segment"
)

// indexInterval is only there for ParseIndex to have one: nothing is appended to what is parsed here.
const indexInterval = 4096

// batchesBeside opens the .log that an index belongs to. ok is false when it is not there.
func (in *inspection) batchesBeside(base record.Offset) (w *window, ok bool) {
	name, _ := segment.ParseFileName(in.file.Name)
	name.Kind, name.Offset = segment.Log, base
	file, err := in.file.beside(name.String())
	return &window{file: file}, err == nil
}

// notVerified tells that there is nothing to compare an index with.
func (in *inspection) notVerified(entries int) error {
	return in.tell("verified", "", Field{"entries", entries}, Field{"is", "not compared: its .log is not beside it"})
}

// offsetIndex tells an offset index, and compares each entry with the batch that stands at its position.
func (in *inspection) offsetIndex(base record.Offset) error {
	p, err := in.file.whole(largeFileBytes)
	if err != nil {
		return err
	}
	x, err := segment.ParseKafkaIndex(base, indexInterval, p, nil)
	if err != nil {
		return in.tell("index", err.Error(), Field{"base", base})
	}
	w, beside := in.batchesBeside(base)
	entries, _ := x.Len()
	for i := range entries {
		e, wrong := x.Entry(i), ""
		if beside {
			h, err := w.batch(int64(e.Position))
			if err == nil {
				err = e.Verify(&h)
			}
			if err != nil {
				wrong = fmt.Sprintf("at position %d of its .log: %v", e.Position, err)
			}
		}
		if err := in.tell("entry", wrong, Field{"last", e.Last}, Field{"position", e.Position}); err != nil {
			return err
		}
	}
	if !beside {
		return in.notVerified(entries)
	}
	return nil
}

// timeIndex tells a time index, and compares each entry with the batch that holds its offset.
func (in *inspection) timeIndex(base record.Offset) error {
	p, err := in.file.whole(largeFileBytes)
	if err != nil {
		return err
	}
	x, err := segment.ParseKafkaIndex(base, indexInterval, nil, p)
	if err != nil {
		return in.tell("index", err.Error(), Field{"base", base})
	}
	w, beside := in.batchesBeside(base)
	_, entries := x.Len()
	position, next := int64(0), base
	for i := range entries {
		e, wrong := x.TimeEntry(i), ""
		if beside {
			var h record.Header
			var found bool
			if h, position, next, found, err = w.find(e.Last, position, next, base); err != nil {
				return err
			}
			switch {
			case !found:
				wrong = fmt.Sprintf("its .log has no batch with offset %d", e.Last)
			default:
				if err := e.Verify(&h); err != nil {
					wrong = err.Error()
				}
			}
		}
		if err := in.tell("entry", wrong, Field{"timestamp", e.Timestamp}, Field{"last", e.Last}); err != nil {
			return err
		}
	}
	if !beside {
		return in.notVerified(entries)
	}
	return nil
}

// find walks on from a position to the good batch that holds the offset, and returns where it stopped: at that batch, or at the
// first beyond it.
func (w *window) find(offset record.Offset, at int64, next, base record.Offset) (record.Header, int64, record.Offset, bool, error) {
	for at < w.file.Size {
		p, err := w.bytes(at)
		if err != nil {
			return record.Header{}, at, next, false, err
		}
		h, wrong := record.Check(p)
		if wrong != nil {
			if at, err = w.resync(at+1, next, base); err != nil {
				return h, at, next, false, err
			}
			continue
		}
		if h.LastOffset() >= offset {
			return h, at, next, h.BaseOffset <= offset, nil
		}
		at, next = at+int64(h.Length), h.EndOffset()
	}
	return record.Header{}, at, next, false, nil
}
