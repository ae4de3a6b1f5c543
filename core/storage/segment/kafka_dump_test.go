package segment

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"barnabas/core/record"
)

// kafkaDumpVariable names a program that is Apache Kafka's kafka-dump-log. .ci/kafka/dump-log is one.
const kafkaDumpVariable = "BARNABAS_KAFKA_DUMP"

// written is a partition's folder that we have written: three closed segments of many batches, one of a single batch, and
// the active one, whose index is not closed.
type written struct {
	folder string
	bases  []record.Offset
}

const (
	writtenSegments = 5
	writtenInterval = 1000
)

func writePartition(t *testing.T) written {
	w := written{folder: filepath.Join(t.TempDir(), Folder{Topic: "ours"}.String())}
	if err := os.Mkdir(w.folder, 0o755); err != nil {
		t.Fatal(err)
	}
	offset, sequence := record.Offset(0), int32(0)
	producer := ProducerState{ID: 1000, CoordinatorEpoch: -1, TxnFirstOffset: -1}
	for n := range writtenSegments {
		base, x := offset, NewIndex(offset, writtenInterval)
		batches := 60
		if n == 3 {
			batches = 1
		}
		var log []byte
		for i := range batches {
			position := len(log)
			b := record.NewBuilder(log, 0, record.LeaderEpoch(n/2))
			b.SetProducer(1000, 0, sequence)
			records := 1 + i%4
			for r := range records {
				// Timestamps go up and down, within a batch and between batches.
				timestamp := 1_700_000_000_000 + int64(offset) + int64((i*7+r*3)%11)*1000
				b.Append(timestamp, []byte("key"), bytes.Repeat([]byte{'v'}, 10+(i*37)%400))
			}
			log = b.Finish(offset)
			h, err := record.Check(log[position:])
			if err != nil {
				t.Fatal(err)
			}
			x.Append(h.LastOffset(), uint32(position), h.MaxTimestamp)
			producer.LastSequence, producer.LastOffset = h.LastSequence(), h.LastOffset()
			producer.OffsetDelta, producer.Timestamp = h.LastOffsetDelta, h.MaxTimestamp
			offset, sequence = h.EndOffset(), h.LastSequence()+1
		}
		if n < writtenSegments-1 {
			x.Seal()
		}
		w.bases = append(w.bases, base)
		w.write(t, FileName{base, Log, InUse}, log)
		w.write(t, FileName{base, OffsetIndex, InUse}, x.OffsetBytes(0))
		w.write(t, FileName{base, TimeIndex, InUse}, x.TimeBytes(0))
		w.write(t, FileName{offset, ProducerSnapshot, InUse}, EncodeProducers([]ProducerState{producer}))
		if offsets, times := x.Len(); batches > 1 && (offsets < 10 || times < 5) {
			t.Fatalf("%d and %d entries are too few to look at", offsets, times)
		}
	}
	return w
}

func (w written) write(t *testing.T, name FileName, content []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(w.folder, name.String()), content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func (w written) files(kinds ...Kind) (names []string) {
	for i, base := range w.bases {
		for _, kind := range kinds {
			name := FileName{base, kind, InUse}
			if kind == ProducerSnapshot && i == 0 { // it is of the end of the segment before
				continue
			}
			names = append(names, filepath.Join(w.folder, name.String()))
		}
	}
	return names
}

// dump runs the program on files.
func dump(t *testing.T, files []string, flags ...string) (output, complaints string, err error) {
	t.Helper()
	var out, bad bytes.Buffer
	command := exec.Command(os.Getenv(kafkaDumpVariable), append(flags, "--files", strings.Join(files, ","))...)
	command.Stdout, command.Stderr = &out, &bad
	err = command.Run()
	return out.String(), bad.String(), err
}

// alwaysSaid: with --deep-iteration the program takes each file for the continuation of offset −1.
var alwaysSaid = regexp.MustCompile(`(?m)^Non-consecutive offsets in .*\n  -1 is followed by \d+\n`)

func TestKafkaReadsOurFiles(t *testing.T) {
	if os.Getenv(kafkaDumpVariable) == "" {
		t.Skip(kafkaDumpVariable + " names no program")
	}
	w := writePartition(t)
	all := w.files(Log, OffsetIndex, TimeIndex, ProducerSnapshot)
	for _, c := range []struct {
		name, flag string
		said       string // what the output must have
		times      int
	}{
		{"plainly", "--print-data-log", "\n| offset: ", 4*150 + 1},
		{"in depth", "--deep-iteration", "\n| offset: ", 4*150 + 1},
		{"sanity of indexes", "--index-sanity-check", " passed sanity check.", 4 + 5},
		{"indexes against batches", "--verify-index-only", "Dumping ", len(all)},
	} {
		output, complaints, err := dump(t, all, c.flag)
		complaints = alwaysSaid.ReplaceAllString(complaints, "")
		if err != nil || complaints != "" {
			t.Errorf("%s: %v\n%s", c.name, err, complaints)
		}
		for _, bad := range []string{"isvalid: false", "invalid bytes"} {
			if strings.Contains(output, bad) {
				t.Errorf("%s: says %q", c.name, bad)
			}
		}
		if got := strings.Count(output, c.said); got != c.times {
			t.Errorf("%s: says %q %d times, want %d", c.name, c.said, got, c.times)
		}
		if got := strings.Count(output, "producerId: 1000 producerEpoch: 0 coordinatorEpoch: -1"); got != writtenSegments-1 {
			t.Errorf("%s: %d producers of snapshots, want %d", c.name, got, writtenSegments-1)
		}
	}
}

// damage is what a test does to a file, and a part of what the program then says.
type damage struct {
	name string
	kind Kind
	do   func(p []byte) []byte
	want string
}

// add changes the number of 32 bits at a place.
func add(p []byte, at, change int) []byte {
	binary.BigEndian.PutUint32(p[at:], binary.BigEndian.Uint32(p[at:])+uint32(change))
	return p
}

func cutByte(p []byte) []byte { return p[:len(p)-1] }

func flip(p []byte, at int) []byte {
	p[at] ^= 1
	return p
}

// damaged writes a partition with the damage, and returns the path of the damaged file.
func damaged(t *testing.T, d damage) string {
	w := writePartition(t)
	files := w.files(d.kind)
	file := files[len(files)-3] // of a closed segment of many batches
	if err := os.WriteFile(file, d.do(readFile(t, file)), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestKafkaNoticesDamage shows that the silence above means something, and records what the program looks at.
func TestKafkaNoticesDamage(t *testing.T) {
	if os.Getenv(kafkaDumpVariable) == "" {
		t.Skip(kafkaDumpVariable + " names no program")
	}
	reported := []damage{
		{"an offset entry for another offset", OffsetIndex, func(p []byte) []byte { return add(p, 8*5, -1) }, "Mismatches in :"},
		{"a time entry with another timestamp", TimeIndex, func(p []byte) []byte { return add(p, 12*2+4, -1) }, "Found timestamp mismatch in :"},
		{"a time entry within a batch", TimeIndex, func(p []byte) []byte { return add(p, 12*2+8, -1) }, "indexed offsets are not found in :"},
		{"a snapshot with a flipped bit", ProducerSnapshot, func(p []byte) []byte { return flip(p, 20) }, "CRC is no longer valid"},
		{"a batch with a flipped bit", Log, func(p []byte) []byte { return flip(p, 100) }, "isvalid: false"},
		{"a batch that is cut", Log, cutByte, "invalid bytes"},
	}
	var files []string
	for _, d := range reported {
		files = append(files, damaged(t, d))
	}
	output, complaints, err := dump(t, files, "--verify-index-only")
	if err != nil {
		t.Error(err)
	}
	for i, d := range reported {
		want := d.want
		if strings.HasSuffix(want, ":") {
			want += files[i]
		}
		if !strings.Contains(output+complaints, want) {
			t.Errorf("%s: nothing of %q in\n%.2000s", d.name, want, complaints)
		}
	}
	for _, d := range []damage{ // these end the program
		{"zeros after the last time entry", TimeIndex, func(p []byte) []byte { return append(p, make([]byte, 120)...) }, "CorruptIndexException"},
		{"a time index cut within an entry", TimeIndex, cutByte, "CorruptIndexException"},
		{"an offset index cut within an entry", OffsetIndex, cutByte, "CorruptIndexException"},
	} {
		_, complaints, err := dump(t, []string{damaged(t, d)}, "--index-sanity-check")
		if err == nil || !strings.Contains(complaints, d.want) {
			t.Errorf("%s: %v, nothing of %q in\n%.500s", d.name, err, d.want, complaints)
		}
	}
}
