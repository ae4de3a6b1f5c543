package segment

import (
	"fmt"
	"strconv"
	"strings"

	"barnabas/core/record"
)

// EpochStart is a line of leader-epoch-checkpoint: where a leader epoch begins.
type EpochStart struct {
	Epoch record.LeaderEpoch
	Start record.Offset
}

// PartitionOffset is a line of a file that has an offset for each partition.
type PartitionOffset struct {
	Topic     string
	Partition int32
	Offset    record.Offset
}

// EncodeEpochs returns the content of leader-epoch-checkpoint. Requires: they ascend.
func EncodeEpochs(epochs []EpochStart) []byte {
	p := appendHead(nil, len(epochs))
	for _, e := range epochs {
		p = strconv.AppendInt(p, int64(e.Epoch), 10)
		p = append(p, ' ')
		p = strconv.AppendInt(p, int64(e.Start), 10)
		p = append(p, '\n')
	}
	return p
}

// DecodeEpochs reads leader-epoch-checkpoint. Epochs and offsets must ascend. Errors: ErrInvalid, ErrVersion.
func DecodeEpochs(p []byte) ([]EpochStart, error) {
	var epochs []EpochStart
	before := EpochStart{-1, -1}
	err := eachLine(LeaderEpochFile, p, 2, func(fields []string) string {
		epoch, err := strconv.ParseInt(fields[0], 10, 32)
		if err != nil {
			return "its epoch is no number"
		}
		start, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			return "its offset is no number"
		}
		e := EpochStart{record.LeaderEpoch(epoch), record.Offset(start)}
		if e.Epoch <= before.Epoch || e.Start <= before.Start {
			return fmt.Sprintf("epochs and offsets do not ascend from %d %d", before.Epoch, before.Start)
		}
		before = e
		epochs = append(epochs, e)
		return ""
	})
	if err != nil {
		return nil, err
	}
	return epochs, nil
}

// EncodeOffsets returns the content of one of the files with an offset for each partition.
func EncodeOffsets(offsets []PartitionOffset) []byte {
	p := appendHead(nil, len(offsets))
	for _, o := range offsets {
		p = append(p, o.Topic...)
		p = append(p, ' ')
		p = strconv.AppendInt(p, int64(o.Partition), 10)
		p = append(p, ' ')
		p = strconv.AppendInt(p, int64(o.Offset), 10)
		p = append(p, '\n')
	}
	return p
}

// DecodeOffsets reads the file of the name, which has an offset for each partition. The order is the file's, and no
// partition comes twice. Errors: ErrInvalid, ErrVersion.
func DecodeOffsets(name string, p []byte) ([]PartitionOffset, error) {
	type partition struct {
		topic  string
		number int32
	}
	var offsets []PartitionOffset
	seen := make(map[partition]bool)
	err := eachLine(name, p, 3, func(fields []string) string {
		number, err := strconv.ParseInt(fields[1], 10, 32)
		if err != nil || number < 0 {
			return "its partition is no number"
		}
		offset, err := strconv.ParseInt(fields[2], 10, 64)
		if err != nil || offset < 0 {
			return "its offset is no number"
		}
		if !topicName(fields[0]) {
			return "its topic has no name a topic can have"
		}
		o := PartitionOffset{fields[0], int32(number), record.Offset(offset)}
		key := partition{o.Topic, o.Partition}
		if seen[key] {
			return "its partition was there before"
		}
		seen[key] = true
		offsets = append(offsets, o)
		return ""
	})
	if err != nil {
		return nil, err
	}
	return offsets, nil
}

// appendHead begins a checkpoint: a line with the version, and one with the number of the lines to come.
func appendHead(p []byte, lines int) []byte {
	p = append(p, "0\n"...)
	p = strconv.AppendInt(p, int64(lines), 10)
	return append(p, '\n')
}

// eachLine reads a checkpoint, and calls visit with the fields of each line after the head; visit says what is wrong with
// them. An empty file, as Kafka makes when it starts, has no lines.
func eachLine(name string, p []byte, fields int, visit func(fields []string) string) error {
	if len(p) == 0 {
		return nil
	}
	lines := strings.Split(strings.TrimSuffix(string(p), "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimSuffix(lines[i], "\r")
	}
	if version, err := strconv.ParseInt(lines[0], 10, 32); err != nil {
		return lineError(name, 1, lines[0], "it is no version")
	} else if version != 0 {
		return fmt.Errorf("%s: %w: %d", name, ErrVersion, version)
	}
	if len(lines) < 2 {
		return fmt.Errorf("%s: %w: it ends after line 1", name, ErrInvalid)
	}
	if count, err := strconv.ParseInt(lines[1], 10, 32); err != nil {
		return lineError(name, 2, lines[1], "it is no number of lines")
	} else if count != int64(len(lines)-2) {
		return lineError(name, 2, lines[1], fmt.Sprintf("%d lines follow", len(lines)-2))
	}
	for i, line := range lines[2:] {
		found := strings.Fields(line)
		if len(found) != fields {
			return lineError(name, i+3, line, fmt.Sprintf("it has %d fields, not %d", len(found), fields))
		}
		if wrong := visit(found); wrong != "" {
			return lineError(name, i+3, line, wrong)
		}
	}
	return nil
}

// lineShownBytes is how much of a bad line an error shows.
const lineShownBytes = 80

func lineError(name string, number int, line, wrong string) error {
	if len(line) > lineShownBytes {
		line = line[:lineShownBytes] + "…"
	}
	return fmt.Errorf("%s, line %d, %q: %w: %s", name, number, line, ErrInvalid, wrong)
}
