package storage

import (
	"fmt"

	"barnabas/core/record"
	"barnabas/core/storage/journal"
)

// journalSegment tells the header and every commit of a segment of the journal.
func (in *inspection) journalSegment() error {
	number := int64(-1)
	if n, ok := journal.SegmentNumber(in.file.Name); ok {
		number = int64(n)
	}
	facts, wrong, err := journal.InspectHeader(in.file.Bytes, number)
	if err != nil {
		if zeros, readErr := in.onlyZeros(0); readErr != nil || !zeros {
			return in.tell("header", err.Error())
		}
		return in.tell("unused", "", Field{"position", 0}, Field{"bytes", in.file.Size}, Field{"is", "zeros: a segment whose making was cut off"})
	}
	err = in.tell("header", wrong, Field{"format", facts.Format}, Field{"features", facts.Features}, Field{"number", facts.Number},
		Field{"bytes", facts.Bytes}, Field{"journal", uuidText.EncodeToString(facts.Journal[:])},
		Field{"directory", uuidText.EncodeToString(facts.Directory[:])})
	if err != nil || wrong != "" {
		return err
	}
	if facts.Bytes != uint64(in.file.Size) {
		wrong := fmt.Sprintf("the file has %d bytes, its header says %d", in.file.Size, facts.Bytes)
		if err := in.tell("size", wrong); err != nil {
			return err
		}
	}
	return journal.InspectSegment(in.file.Bytes, in.file.Size, facts, in.known(facts), in.finding)
}

// known is what the checkpoints and the next segment beside this one say of its journal.
func (in *inspection) known(facts journal.SegmentFacts) (k journal.Known) {
	for which := range uint64(2) {
		file, err := in.file.beside(journal.CheckpointName(which))
		if err != nil {
			continue
		}
		p, err := file.whole(largeFileBytes)
		if err != nil {
			continue
		}
		c, empty, err := journal.InspectCheckpoint(p)
		if err == nil && !empty && c.Journal == facts.Journal {
			k.Durable, k.Covered, k.Generation = max(k.Durable, c.Durable), max(k.Covered, c.Sequence), max(k.Generation, c.Generation)
		}
	}
	number := uint32(facts.Number) + 1
	if next, err := in.file.beside(journal.SegmentName(number)); err == nil && k.InspectNext(next.Bytes, facts, number) != nil {
		k.Doubtful = true
	}
	return k
}

// finding tells one finding of a segment.
func (in *inspection) finding(f journal.Finding) error {
	c := &f.Commit
	place := []Field{{"position", f.Position}, {"sequence", f.Sequence}}
	switch {
	case f.Kind == journal.Unused:
		zeros, err := in.onlyZeros(int64(f.Position))
		if err != nil {
			return err
		}
		is := "zeros"
		if !zeros {
			is = "left from earlier use"
		}
		return in.tell("unused", "", Field{"position", f.Position}, Field{"bytes", in.file.Size - int64(f.Position)}, Field{"is", is})
	case f.Kind == journal.Torn:
		is := "unfinished: nothing says that it was ever durable, so recovery drops it and all behind it"
		if f.Why != "" {
			is += " (" + f.Why + ")"
		}
		return in.tell("torn", "", append(place, Field{"is", is})...)
	case c.Total == 0:
		return in.tell("commit", f.Why, place...)
	}
	fields := append(place, Field{"generation", c.Generation}, Field{"bytes", c.Total}, Field{"payload", c.Payload}, Field{"table", c.Table},
		Field{"copied", c.PreviousTable}, Field{"durable", c.KnownDurable}, Field{"hash", fmt.Sprintf("%016x", c.Hash)},
		Field{"previous", fmt.Sprintf("%016x", c.PreviousHash)}, Field{"flags", closingText(c.Closing)})
	if f.Kind == journal.Whole {
		fields = append(fields, Field{"checksums", "good"})
	}
	if err := in.tell("commit", f.Why, fields...); err != nil || !in.options.Entries || f.Kind != journal.Whole {
		return err
	}
	return journal.EachEntry(c.Entries, in.entry)
}

// quarantined tells a damaged commit that a recovery has put aside.
func (in *inspection) quarantined() error {
	p, err := in.file.whole(largeFileBytes)
	if err != nil {
		return err
	}
	return in.finding(journal.InspectCommit(p))
}

func closingText(closing bool) string {
	if closing {
		return "closing"
	}
	return "none"
}

var entryNames = [...]string{
	journal.Create: "create", journal.Append: "append", journal.Truncate: "truncate", journal.Reset: "reset",
	journal.StartMoved: "start-moved", journal.EpochStart: "epoch-start", journal.Drop: "drop", journal.Doubt: "doubt",
	journal.Vote: "vote", journal.BrokerEpoch: "broker-epoch", journal.Setting: "setting",
	journal.Carried: "carried",
}

// entry tells one entry of a commit, with what its kind has.
func (in *inspection) entry(e journal.Entry) error {
	fields := []Field{{"kind", entryNames[e.Kind]}}
	if e.Log != 0 {
		fields = append(fields, Field{"log", e.Log})
	}
	switch e.Kind {
	case journal.Create:
		if len(e.Body) < 20 {
			return in.within("entry", "an entry that makes a log is too short", fields...)
		}
		fields = append(fields, Field{"name", string(e.Body[20:])}, Field{"topic", uuidText.EncodeToString(e.Body[:16])})
	case journal.Append, journal.Carried:
		fields = append(fields, Field{"base", e.Base}, Field{"last", e.End - 1}, Field{"epoch", e.Epoch}, Field{"at", e.Position},
			Field{"bytes", e.Bytes})
		if e.Kind == journal.Append {
			fields = append(fields, Field{"begins segment", e.Flags&journal.FlagStartsSegment != 0})
		}
		if b := (batch{producerID: record.NoProducer}); e.Kind == journal.Append {
			if b.readProducer(e.Body); b.producerID != record.NoProducer {
				fields = append(fields, Field{"producer", b.producerID}, Field{"producer epoch", b.producerEpoch},
					Field{"first sequence", b.sequence}, Field{"max timestamp", b.maxTimestamp})
			}
		}
	case journal.Truncate, journal.Reset, journal.StartMoved:
		fields = append(fields, Field{"to", e.End})
	case journal.EpochStart:
		fields = append(fields, Field{"epoch", e.Epoch}, Field{"start", e.End})
	case journal.Doubt:
		fields = append(fields, Field{"base", e.Base}, Field{"last", e.End - 1})
	case journal.Vote:
		fields = append(fields, Field{"bytes", len(e.Body)})
	case journal.BrokerEpoch:
		fields = append(fields, Field{"epoch", e.Base})
	case journal.Setting:
		fields = append(fields, Field{"durability", durabilityText(e.Base)})
	case journal.Drop:
	}
	return in.within("entry", "", fields...)
}

func durabilityText(number int64) string {
	if number == int64(Fsync) || number == int64(Replicated) {
		return Durability(number).String()
	}
	return fmt.Sprintf("unknown (%d)", number)
}

// onlyZeros says whether there is nothing but zeros from the position on.
func (in *inspection) onlyZeros(at int64) (bool, error) {
	p := make([]byte, 256<<10)
	for at < in.file.Size {
		n, err := in.file.read(p, at)
		if err != nil {
			return false, err
		}
		for _, b := range p[:n] {
			if b != 0 {
				return false, nil
			}
		}
		if at += int64(n); n == 0 {
			break
		}
	}
	return true, nil
}

// journalCheckpoint tells a checkpoint and the state in it.
func (in *inspection) journalCheckpoint() error {
	p, err := in.file.whole(largeFileBytes)
	if err != nil {
		return err
	}
	c, empty, err := journal.InspectCheckpoint(p)
	if err != nil {
		return in.tell("header", err.Error())
	}
	if empty {
		return in.tell("unused", "", Field{"bytes", in.file.Size}, Field{"is", "room for a checkpoint; none was written yet"})
	}
	err = in.tell("header", "", Field{"number", c.Number}, Field{"generation", c.Generation}, Field{"sequence", c.Sequence},
		Field{"hash", fmt.Sprintf("%016x", c.Hash)}, Field{"durable", c.Durable},
		Field{"redo from", fmt.Sprintf("segment %d, position %d", c.Next.Segment, c.Next.Position)}, Field{"oldest", c.Oldest},
		Field{"journal", uuidText.EncodeToString(c.Journal[:])}, Field{"directory", uuidText.EncodeToString(c.Directory[:])},
		Field{"state", len(c.State)})
	if err != nil {
		return err
	}
	d := &Directory{epoch: -1}
	if err := d.decode(c.State); err != nil {
		return in.tell("state", err.Error())
	}
	return in.state(d)
}

// state tells what a checkpoint knows of the directory.
func (in *inspection) state(d *Directory) error {
	under := "unknown"
	if n := len(d.ranUnder); n > 0 {
		under = durabilityText(int64(d.ranUnder[n-1]))
	}
	err := in.tell("state", "", Field{"last log", uint64(d.last)}, Field{"broker epoch", d.epoch}, Field{"durability", under},
		Field{"quorum state", len(d.votes)}, Field{"logs", d.logs.Len()}, Field{"wastes", len(d.trash.wastes)})
	if err != nil {
		return err
	}
	for _, l := range d.logs.All {
		if err := in.logState(l); err != nil {
			return err
		}
	}
	for _, w := range d.trash.wastes {
		err := in.tell("waste", "", Field{"log", uint64(w.log)}, Field{"from", w.from}, Field{"to", w.to}, Field{"folder", w.folder},
			Field{"renamed", w.renamed})
		if err != nil {
			return err
		}
	}
	return nil
}

// logState tells a log of a checkpoint, with all that belongs to it.
func (in *inspection) logState(l *Log) error {
	err := in.tell("log", "", Field{"number", uint64(l.Number)}, Field{"name", l.Name}, Field{"topic", uuidText.EncodeToString(l.TopicID[:])},
		Field{"start", l.start}, Field{"end", l.end}, Field{"saved", l.saved}, Field{"folder durable", l.folder}, Field{"gaps", l.gaps},
		Field{"safe bytes", len(l.safe)})
	for _, e := range l.epochs.starts {
		if err == nil {
			err = in.within("epoch", "", Field{"epoch", e.Epoch}, Field{"start", e.Start})
		}
	}
	for _, x := range l.doubts {
		if err == nil {
			err = in.within("doubt", "", Field{"base", x.base}, Field{"last", x.end - 1})
		}
	}
	for id, known := range l.base.byID.All {
		for _, b := range known.window {
			if err == nil {
				err = in.within("producer", "", Field{"id", id}, Field{"epoch", known.epoch}, Field{"first sequence", b.first},
					Field{"last sequence", b.last}, Field{"base", b.base}, Field{"last", b.end - 1}, Field{"timestamp", b.timestamp})
			}
		}
	}
	for _, s := range l.segments {
		if err == nil {
			err = in.within("segment", "", Field{"base", s.base}, Field{"end", s.end}, Field{"bytes", s.size}, Field{"sealed", s.sealed},
				Field{"file", s.made}, Field{"max timestamp", s.maxTimestamp}, Field{"offset entries", s.indexes.offsetEntries},
				Field{"time entries", s.indexes.timeEntries})
		}
	}
	for i := range l.tail {
		if err == nil {
			err = in.row(&l.tail[i])
		}
	}
	return err
}

func (in *inspection) row(b *batch) error {
	return in.within("row", "", Field{"base", b.base}, Field{"last", b.end - 1}, Field{"epoch", b.epoch}, Field{"bytes", b.bytes},
		Field{"journal", fmt.Sprintf("%d:%d", b.at.Segment, b.at.Position)}, Field{"position", b.position},
		Field{"producer", b.producerID}, Field{"producer epoch", b.producerEpoch}, Field{"sequence", b.sequence},
		Field{"codec", codecText(b.attributes)}, Field{"gap", b.gap})
}

var codecNames = [...]string{"none", "gzip", "snappy", "lz4", "zstd"}

func codecText(a record.Attributes) string {
	if c := a.Codec(); c < len(codecNames) {
		return codecNames[c]
	}
	return fmt.Sprintf("unknown (%d)", a.Codec())
}
