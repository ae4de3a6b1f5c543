package api

import (
	"errors"

	"barnabas/core/protocol"
	"barnabas/core/record"
	"barnabas/core/replica"
	"barnabas/core/storage"
	"barnabas/core/task"
)

// search looks for a record within one batch: the first at or after a timestamp, or the first with the greatest.
type search struct {
	start     record.Offset // nothing below it is there any more
	timestamp int64
	missed    func() // called when there is none
	// What was found.
	found   bool
	offset  record.Offset
	foundAt int64
	err     error
}

// byTime looks for the first record at or after the timestamp, in the batches that have offsets in [from, limit).
func (l *listOffsets) byTime(p *replica.Partition, timestamp int64, from, limit record.Offset,
	row *protocol.ListOffsetsPartitionResponse,
) {
	l.left++
	p.Log.FindTimestamp(timestamp, from, limit).Then(func(at storage.Located, err error) {
		switch {
		case err != nil:
			row.ErrorCode = protocol.ErrKafkaStorageError
		case at.Found && at.End > p.VisibleEnd():
			l.notAvailable(row) // consumers may have seen it while another broker led
		case at.Found:
			// The record that the batch promises may lie below the log's start: then it is a later batch's.
			missed := func() { l.byTime(p, timestamp, at.End, limit, row) }
			l.locate(p, at, row, &search{timestamp: timestamp, missed: missed})
		}
		l.finish()
	})
}

// greatest looks for the first record with the greatest timestamp of a batch.
func (l *listOffsets) greatest(p *replica.Partition, at storage.Located, row *protocol.ListOffsetsPartitionResponse) {
	if at.Found {
		l.locate(p, at, row, &search{timestamp: at.MaxTimestamp, missed: func() {}})
	}
}

// locate searches a batch, which may have to be loaded first, and opened.
func (l *listOffsets) locate(p *replica.Partition, at storage.Located, row *protocol.ListOffsetsPartitionResponse, s *search) {
	slice := &storage.Slice{}
	s.start = p.Log.Start()
	err := p.Log.Read(slice, max(at.Base, s.start), at.End, 0, true)
	if errors.Is(err, storage.ErrNotInMemory) {
		l.left++
		p.Log.Load(max(at.Base, s.start)).Then(func(_ task.Done, err error) {
			if err != nil {
				row.ErrorCode = protocol.ErrKafkaStorageError
			} else {
				l.locate(p, at, row, s)
			}
			l.finish()
		})
		return
	}
	if err == nil && len(slice.Parts) == 0 {
		err = protocol.ErrOffsetNotAvailable // the log was cut meanwhile
	}
	if err != nil {
		row.ErrorCode, _ = codeOf(err)
		return
	}
	l.searchIn(slice, s, int32(at.Epoch), row)
}

// searchIn searches the batch of the slice, which it gives up: at once, or apart from the loop when it must be opened.
func (l *listOffsets) searchIn(slice *storage.Slice, s *search, epoch int32, row *protocol.ListOffsetsPartitionResponse) {
	batch := slice.Parts[0]
	answer := func() {
		slice.Release()
		switch {
		case s.err != nil:
			row.ErrorCode = protocol.ErrKafkaStorageError
		case s.found:
			row.Offset, row.Timestamp, row.LeaderEpoch = int64(s.offset), s.foundAt, epoch
		default:
			s.missed()
		}
	}
	h, err := record.ParseHeader(batch)
	if err != nil {
		s.err = err
		answer()
		return
	}
	if h.Attributes.Codec() == 0 || h.Attributes.IsLogAppendTime() {
		var w workplace
		s.in(&w, batch, &h, 0)
		answer()
		return
	}
	l.left++
	handlers := l.handlers
	handlers.env.Work.Do(func(place int) {
		s.in(&handlers.workplaces[place], batch, &h, handlers.options.OpenedBytesMax)
	}).Then(func(task.Done, error) {
		answer()
		l.finish()
	})
}

// errFound ends a search.
var errFound = errors.New("found")

// in searches one batch. It reads no state, so it may run apart from the loop.
func (s *search) in(w *workplace, batch []byte, h *record.Header, openedMax int64) {
	if h.Attributes.IsLogAppendTime() { // all its records have the one timestamp
		s.found, s.offset, s.foundAt = true, max(h.BaseOffset, s.start), h.MaxTimestamp
		return
	}
	visit := func(_ int32, r record.Look) error {
		offset, at := h.BaseOffset+record.Offset(r.OffsetDelta), h.BaseTimestamp+r.TimestampDelta
		if at < s.timestamp || offset < s.start {
			return nil
		}
		s.found, s.offset, s.foundAt = true, offset, at
		return errFound
	}
	records := batch[record.HeaderBytes:h.Length]
	var err error
	if h.Attributes.Codec() == 0 {
		err = w.scanner.Scan(records, h.Count, visit)
	} else {
		stream, opened := w.decoder.Open(h.Attributes.Codec(), records, openedMax)
		if err = opened; err == nil {
			err = w.scanner.ScanStream(stream, h.Count, visit)
		}
		w.decoder.Close()
	}
	if !errors.Is(err, errFound) {
		s.err = err
	}
}
