package storage

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"barnabas/core/record"
	"barnabas/core/storage/journal"
	"barnabas/core/storage/segment"
)

// InspectedFile is a file to be looked at. Nothing is ever written to it.
type InspectedFile struct {
	Name   string // without its folder
	Folder string // the name of the folder, without those above it; "" if it is not known
	Bytes  io.ReaderAt
	Size   int64
	// Beside opens another file of the same folder. Errors: it is not there.
	Beside func(name string) (io.ReaderAt, int64, error)
}

// InspectOptions say how much to tell.
type InspectOptions struct {
	Entries bool // of commits
	Records bool // of batches
}

// Item is one thing found in a file, as a kind and what there is to say of it.
type Item struct {
	Kind   string
	Within bool   // it belongs to the item before it that is not within another
	Wrong  string // what is damaged; "": nothing
	Fields []Field
}

// Field is a name and a value: a number, a text, a truth value, or a protocol.Message.
type Field struct {
	Name  string
	Value any
}

// Inspected is the outcome of looking at a file.
type Inspected struct {
	What    string // the kind of file
	Damaged int    // how many of the items are damaged
}

// ErrUnknownFile says that neither name nor first bytes tell what a file is.
var ErrUnknownFile = errors.New("neither its name nor its first bytes are those of a file of a log directory")

// quarantineName begins the names of the files with damaged commits.
const quarantineName = "quarantine-commit-"

// smallFileBytes bounds the files that are read whole; indexes and checkpoints may be larger.
const (
	smallFileBytes = 16 << 20
	largeFileBytes = 256 << 20
)

// Inspect looks at any file of a log directory, alone, and tells visit what it holds, in order. Batches and commits are
// streamed: memory holds one of them at a time. Errors: ErrUnknownFile, the reader's, visit's; damage is no error.
func Inspect(file InspectedFile, o InspectOptions, visit func(Item) error) (Inspected, error) {
	in := &inspection{file: file, options: o, visit: visit}
	what, look, err := in.recognize()
	if err == nil {
		err = look()
	}
	return Inspected{what, in.damaged}, err
}

// inspection is one file on its way through Inspect.
type inspection struct {
	file    InspectedFile
	options InspectOptions
	visit   func(Item) error
	damaged int
}

// recognize tells by name, and else by the first bytes, what the file is and how to look at it.
func (in *inspection) recognize() (what string, look func() error, err error) {
	head := make([]byte, record.HeaderBytes)
	n, err := in.file.read(head, 0)
	if err != nil {
		return "", nil, err
	}
	name := in.file.Name
	_, isSegment := journal.SegmentNumber(name)
	switch {
	case isSegment || journal.IsSegment(head[:n]):
		return "journal segment", in.journalSegment, nil
	case name == journal.CheckpointName(0) || name == journal.CheckpointName(1) || journal.IsCheckpoint(head[:n]):
		return "journal checkpoint", in.journalCheckpoint, nil
	}
	if strings.HasPrefix(name, quarantineName) {
		return "quarantined commit", in.quarantined, nil
	}
	if f, ok := segment.ParseFileName(name); ok {
		switch f.Kind {
		case segment.Log:
			return "log segment", func() error { return in.logSegment(f.Offset) }, nil
		case segment.OffsetIndex:
			return "offset index", func() error { return in.offsetIndex(f.Offset) }, nil
		case segment.TimeIndex:
			return "time index", func() error { return in.timeIndex(f.Offset) }, nil
		case segment.ProducerSnapshot:
			return "producer snapshot", in.producers, nil
		case segment.TxnIndex:
		}
	}
	switch name {
	case segment.LeaderEpochFile:
		return "leader epochs", in.epochs, nil
	case segment.PartitionMetadataFile:
		return "partition metadata", in.partitionMetadata, nil
	case segment.MetaPropertiesFile:
		return "meta properties", in.metaProperties, nil
	case segment.QuorumStateFile:
		return "quorum state", in.quorumState, nil
	case segment.RecoveryPointFile, segment.LogStartFile, segment.HighWatermarkFile:
		return "offsets of partitions", in.offsets, nil
	case segment.CleanShutdownFile:
		return "clean shutdown", in.cleanShutdown, nil
	}
	if strings.HasSuffix(name, ".log") || n == len(head) && head[16] == 2 {
		if h, err := in.batchAt(0); err == nil {
			return "record batches", func() error { return in.logSegment(h.BaseOffset) }, nil
		}
	}
	return "", nil, ErrUnknownFile
}

// batchAt reads and checks the batch at the position.
func (in *inspection) batchAt(position int64) (record.Header, error) {
	w := window{file: in.file}
	return w.batch(position)
}

// tell hands an item on. wrong is "" or what is damaged.
func (in *inspection) tell(kind, wrong string, fields ...Field) error {
	return in.hand(Item{Kind: kind, Wrong: wrong, Fields: fields})
}

// within hands on an item that belongs to the one before it.
func (in *inspection) within(kind, wrong string, fields ...Field) error {
	return in.hand(Item{Kind: kind, Within: true, Wrong: wrong, Fields: fields})
}

func (in *inspection) hand(i Item) error {
	if i.Wrong != "" {
		in.damaged++
	}
	return in.visit(i)
}

// read fills p as far as the file goes, and says how far.
func (f *InspectedFile) read(p []byte, at int64) (int, error) {
	if at >= f.Size {
		return 0, nil
	}
	n, err := f.Bytes.ReadAt(p[:min(int64(len(p)), f.Size-at)], at)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// whole reads the file into memory. Errors: the reader's; it is larger than such a file can be.
func (f *InspectedFile) whole(most int64) ([]byte, error) {
	if f.Size > most {
		return nil, fmt.Errorf("%w: %d bytes", errTooLarge, f.Size)
	}
	p := make([]byte, f.Size)
	n, err := f.read(p, 0)
	return p[:n], err
}

// beside opens another file of the folder.
func (f *InspectedFile) beside(name string) (InspectedFile, error) {
	if f.Beside == nil {
		return InspectedFile{}, errors.New("no folder is known")
	}
	r, size, err := f.Beside(name)
	return InspectedFile{Name: name, Folder: f.Folder, Bytes: r, Size: size, Beside: f.Beside}, err
}
