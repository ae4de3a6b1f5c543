package segment

import (
	"bytes"
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barnabas/core/record"
)

// kafkaFolderVariable names a log directory that Apache Kafka has written; the folder with ".running" after its name is
// a copy taken while it ran. .ci/kafka/make-folder makes both.
const kafkaFolderVariable = "BARNABAS_KAFKA_FOLDER"

// kafkaIntervalBytes is Kafka's default of index.interval.bytes.
const kafkaIntervalBytes = 4096

// TestAFolderOfKafka reads all that Kafka has written, holds it against the batches that Kafka has stored, and writes
// it again.
func TestAFolderOfKafka(t *testing.T) {
	root := os.Getenv(kafkaFolderVariable)
	if root == "" {
		t.Skip(kafkaFolderVariable + " names no folder")
	}
	var stopped, running kafkaFolder
	stopped.read(t, root)
	stopped.checkOffsets(t)
	running.read(t, root+".running")
	if stopped.equal < 8 || stopped.snapshots < 8 || running.zeros < 2 {
		t.Errorf("too little to look at: %+v, running: %+v", stopped, running)
	}
	t.Logf("stopped in order: %d segments, indexes of %d equal byte for byte, %d snapshots", stopped.segments, stopped.equal, stopped.snapshots)
	t.Logf("still running: %d segments, indexes of %d equal byte for byte, %d with zeros at the end", running.segments, running.equal, running.zeros)
}

// kafkaFolder counts what was looked at.
type kafkaFolder struct {
	root      string
	segments  int
	equal     int // segments whose indexes are what ours would be
	zeros     int // segments whose indexes had zeros at the end
	snapshots int
	ends      []PartitionOffset // of the partitions with records
}

// readFile returns a file's content.
func readFile(t *testing.T, parts ...string) []byte {
	t.Helper()
	p, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (k *kafkaFolder) read(t *testing.T, root string) {
	k.root = root
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			k.readPartition(t, e.Name())
			continue
		}
		content := readFile(t, root, e.Name())
		var again []byte
		switch e.Name() {
		case RecoveryPointFile, LogStartFile, HighWatermarkFile, "cleaner-offset-checkpoint":
			var offsets []PartitionOffset
			if offsets, err = DecodeOffsets(e.Name(), content); len(content) > 0 {
				again = EncodeOffsets(offsets)
			}
		case CleanShutdownFile:
			var epoch int64
			epoch, err = DecodeCleanShutdown(content)
			again = EncodeCleanShutdown(epoch)
		case MetaPropertiesFile:
			_, err = DecodeMetaProperties(content)
			again = content // lines in no order, and a date
		case ".lock", "bootstrap.checkpoint":
			again = content
		default:
			t.Errorf("%s: unknown", e.Name())
		}
		if err != nil || !bytes.Equal(again, content) {
			t.Errorf("%s: %v; written again\n%q\nwant\n%q", e.Name(), err, again, content)
		}
	}
}

func (k *kafkaFolder) readPartition(t *testing.T, name string) {
	folder, err := ParseFolder(name)
	if err != nil || folder.String() != name {
		t.Errorf("%+v %v", folder, err)
	}
	if folder.State == Deleting {
		return // Kafka lets go of its files as they are
	}
	entries, err := os.ReadDir(filepath.Join(k.root, name))
	if err != nil {
		t.Fatal(err)
	}
	var batches []kafkaBatch // of the whole partition; file names sort as offsets do, and .log before .snapshot
	var snapshots []record.Offset
	for _, e := range entries {
		content := readFile(t, k.root, name, e.Name())
		var again []byte
		switch e.Name() {
		case LeaderEpochFile:
			var epochs []EpochStart
			epochs, err = DecodeEpochs(content)
			again = EncodeEpochs(epochs)
		case PartitionMetadataFile:
			var id [16]byte
			id, err = DecodePartitionMetadata(content)
			again = EncodePartitionMetadata(id)
		case QuorumStateFile:
			var state QuorumState
			state, err = DecodeQuorumState(content)
			again = EncodeQuorumState(state)
		default:
			again = content
			file, ok := ParseFileName(e.Name())
			switch {
			case !ok && strings.HasSuffix(e.Name(), ".checkpoint"): // of metadata: batches, like a .log
			case !ok || file.String() != e.Name():
				t.Errorf("%s/%s: unknown", name, e.Name())
			case file.Kind == Log:
				batches = append(batches, k.readSegment(t, name, file.Offset, content)...)
			case file.Kind == ProducerSnapshot:
				snapshots = append(snapshots, file.Offset)
			}
		}
		if err != nil || !bytes.Equal(again, content) {
			t.Errorf("%s/%s: %v; written again\n%q\nwant\n%q", name, e.Name(), err, again, content)
		}
	}
	for _, end := range snapshots {
		k.checkSnapshot(t, name, end, batches)
	}
	checkEpochs(t, name, readFile(t, k.root, name, LeaderEpochFile), batches)
	if len(batches) > 0 {
		k.ends = append(k.ends, PartitionOffset{folder.Topic, folder.Partition, batches[len(batches)-1].EndOffset()})
	}
}

type kafkaBatch struct {
	record.Header
	position uint32
}

func readBatches(t *testing.T, name string, log []byte) (batches []kafkaBatch) {
	for at := 0; at < len(log); {
		h, err := record.Check(log[at:])
		if err != nil {
			t.Fatalf("%s at %d: %v", name, at, err)
		}
		batches = append(batches, kafkaBatch{h, uint32(at)})
		at += h.Length
	}
	return batches
}

// readSegment checks the indexes of a segment, and returns its batches. Where Kafka was not started anew between two
// batches (it then leads in a new epoch), the indexes must be what ours are.
func (k *kafkaFolder) readSegment(t *testing.T, name string, base record.Offset, log []byte) []kafkaBatch {
	k.segments++
	batches := readBatches(t, name, log)
	file := func(kind Kind) []byte { return readFile(t, k.root, name, FileName{Offset: base, Kind: kind}.String()) }
	offsets, times := file(OffsetIndex), file(TimeIndex)
	_, err := os.Stat(filepath.Join(k.root, CleanShutdownFile))
	crashed := err != nil

	parse := ParseIndex
	if crashed {
		parse = ParseKafkaIndex
	}
	x, err := parse(base, kafkaIntervalBytes, offsets, times)
	if err != nil {
		t.Errorf("%s %d: %v", name, base, err)
		return batches
	}
	usedOffsets, usedTimes := x.Len()
	if len(offsets) > usedOffsets*entryBytes && len(times) > usedTimes*timeEntryBytes {
		k.zeros++
	}
	verifyIndex(t, name, &x, batches)

	ours := NewIndex(base, kafkaIntervalBytes)
	restarted := false
	for i, b := range batches {
		ours.Append(b.LastOffset(), b.position, b.MaxTimestamp)
		restarted = restarted || i > 0 && b.LeaderEpoch != batches[i-1].LeaderEpoch
	}
	if !crashed || usedTimes*timeEntryBytes == len(times) {
		ours.Seal()
	}
	if restarted {
		return batches
	}
	k.equal++
	if !bytes.Equal(ours.OffsetBytes(0), x.OffsetBytes(0)) {
		t.Errorf("%s %d: offset index\n%x\nours\n%x", name, base, x.OffsetBytes(0), ours.OffsetBytes(0))
	}
	if !bytes.Equal(ours.TimeBytes(0), x.TimeBytes(0)) {
		t.Errorf("%s %d: time index\n%x\nours\n%x", name, base, x.TimeBytes(0), ours.TimeBytes(0))
	}
	return batches
}

// verifyIndex holds every entry against the batches.
func verifyIndex(t *testing.T, name string, x *Index, batches []kafkaBatch) {
	t.Helper()
	offsets, times := x.Len()
	for n := range offsets {
		e := x.Entry(n)
		i, ok := slices.BinarySearchFunc(batches, e.Position, func(b kafkaBatch, at uint32) int { return cmp.Compare(b.position, at) })
		if !ok {
			t.Errorf("%s: offset entry %d: no batch begins at %d", name, n, e.Position)
		} else if err := e.Verify(&batches[i].Header); err != nil {
			t.Errorf("%s: offset entry %d: %v", name, n, err)
		}
	}
	for n := range times {
		e := x.TimeEntry(n)
		i, _ := slices.BinarySearchFunc(batches, e.Last, func(b kafkaBatch, o record.Offset) int { return cmp.Compare(b.LastOffset(), o) })
		if i == len(batches) {
			t.Errorf("%s: time entry %d: no batch has offset %d", name, n, e.Last)
		} else if err := e.Verify(&batches[i].Header); err != nil {
			t.Errorf("%s: time entry %d: %v", name, n, err)
		}
	}
	if len(batches) > 0 {
		last := batches[len(batches)-1]
		if err := x.Within(last.EndOffset(), last.position+uint32(last.Length)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// checkSnapshot compares a snapshot with the last batch that each producer has below its end.
func (k *kafkaFolder) checkSnapshot(t *testing.T, name string, end record.Offset, batches []kafkaBatch) {
	k.snapshots++
	content := readFile(t, k.root, name, FileName{Offset: end, Kind: ProducerSnapshot}.String())
	got, err := DecodeProducers(content)
	if err != nil || !bytes.Equal(EncodeProducers(got), content) {
		t.Errorf("%s, snapshot at %d: %v; written again\n%x\nwant\n%x", name, end, err, EncodeProducers(got), content)
	}
	var want []ProducerState
	for _, b := range batches {
		if b.ProducerID == record.NoProducer || b.BaseOffset >= end {
			continue
		}
		s := ProducerState{
			b.ProducerID, b.ProducerEpoch, b.LastSequence(), b.LastOffset(), b.LastOffsetDelta, b.MaxTimestamp, -1, -1,
		}
		if i := slices.IndexFunc(want, func(o ProducerState) bool { return o.ID == s.ID }); i >= 0 {
			want[i] = s
		} else {
			want = append(want, s)
		}
	}
	byID := func(a, b ProducerState) int { return cmp.Compare(a.ID, b.ID) }
	slices.SortFunc(got, byID) // Kafka has them in no order
	slices.SortFunc(want, byID)
	if !slices.Equal(got, want) {
		t.Errorf("%s, snapshot at %d\n%+v\nwant, by the batches\n%+v", name, end, got, want)
	}
}

// checkEpochs: each batch is of the epoch that the file says leads at its offset.
func checkEpochs(t *testing.T, name string, content []byte, batches []kafkaBatch) {
	epochs, err := DecodeEpochs(content)
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	for _, b := range batches {
		epoch := record.LeaderEpoch(-1)
		for _, e := range epochs {
			if e.Start <= b.BaseOffset {
				epoch = e.Epoch
			}
		}
		if b.LeaderEpoch != epoch {
			t.Errorf("%s: the batch at %d is of epoch %d, not %d as the file says", name, b.BaseOffset, b.LeaderEpoch, epoch)
		}
	}
}

// checkOffsets: after a stop in order, all that there is has been flushed and is committed.
func (k *kafkaFolder) checkOffsets(t *testing.T) {
	for _, name := range []string{RecoveryPointFile, HighWatermarkFile} {
		offsets, err := DecodeOffsets(name, readFile(t, k.root, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, end := range k.ends {
			if !strings.HasPrefix(end.Topic, "__cluster") && !slices.Contains(offsets, end) {
				t.Errorf("%s has no %v: %v", name, end, offsets)
			}
		}
	}
}
