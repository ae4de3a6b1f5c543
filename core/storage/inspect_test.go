package storage

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"barnabas/core/protocol"
	"barnabas/core/record"
	"barnabas/core/storage/segment"
	"barnabas/core/task"
	"barnabas/sim/simdisk"
)

// told is an outcome of Inspect, its items as text.
type told struct {
	Inspected
	items []string
	err   error
}

// inspect looks at a file of a folder that holds no more than these.
func inspect(folder, name string, files map[string][]byte, o InspectOptions) (got told) {
	open := func(name string) (io.ReaderAt, int64, error) {
		p, ok := files[name]
		if !ok {
			return nil, 0, errors.New("not there")
		}
		return bytes.NewReader(p), int64(len(p)), nil
	}
	r, size, _ := open(name)
	got.Inspected, got.err = Inspect(InspectedFile{name, folder, r, size, open}, o, func(i Item) error {
		text := i.Kind
		for _, f := range i.Fields {
			text += fmt.Sprintf(" %s=%v", f.Name, f.Value)
		}
		if i.Wrong != "" {
			text += " WRONG " + i.Wrong
		}
		got.items = append(got.items, text)
		return nil
	})
	return got
}

func (got told) String() string { return strings.Join(got.items, "\n") }

const (
	logName   = "00000000000000000100.log"
	indexName = "00000000000000000100.index"
	timesName = "00000000000000000100.timeindex"
)

// indexedFiles are a segment of count batches of two records, from offset 100 on, and its indexes.
func indexedFiles(count int) map[string][]byte {
	x := segment.NewIndex(100, 300)
	var p []byte
	for i := range count {
		b := made(record.Offset(100+2*i), 2, 7, strings.Repeat("value", 20))
		h := head(b)
		x.Append(h.LastOffset(), uint32(len(p)), h.MaxTimestamp)
		p = append(p, b...)
	}
	x.Seal()
	return map[string][]byte{logName: p, indexName: x.OffsetBytes(0), timesName: x.TimeBytes(0)}
}

// quiet tells nobody.
type quiet struct{}

func (quiet) Say(string) {}
func (quiet) Fail(error) {}

// openQuietly opens the directory, and has story told in the same step.
func (r *rig) openQuietly(story func(*task.Task, *Directory)) (d *Directory) {
	e := r.begin()
	e.Talk = quiet{}
	r.tell(func(t *task.Task) {
		var err error
		if d, err = Open(t, e, r.options); err != nil {
			panic(err)
		}
		story(t, d)
	})
	return d
}

func TestInspectASegment(t *testing.T) {
	files := indexedFiles(6)
	size := len(files[logName]) / 6
	got := inspect("t-0", logName, files, InspectOptions{Records: true})
	if got.err != nil || got.Damaged != 0 || got.What != "log segment" || len(got.items) != 18 {
		t.Fatalf("%v\n%v", got.err, got)
	}
	if want := fmt.Sprintf("batch base=102 last=103 position=%d bytes=%d epoch=7 records=2 codec=none", size, size); !strings.HasPrefix(got.items[3], want) {
		t.Errorf("%s\nwant %s", got.items[3], want)
	}
	if want := "record offset=103 timestamp=103 key=null value=valuevalue"; !strings.HasPrefix(got.items[5], want) {
		t.Errorf("%s\nwant %s", got.items[5], want)
	}
	files[logName] = append(files[logName], make([]byte, 1000)...) // filled up to whole blocks
	got = inspect("t-0", logName, files, InspectOptions{})
	if want := fmt.Sprintf("zeros position=%d bytes=1000", 6*size); got.Damaged != 0 || got.items[6] != want {
		t.Errorf("%v", got)
	}
}

// Every byte of a batch that is turned over is found, but for those of its epoch and offset that make a larger one: both are
// outside the checksum. The batches around it are told all the same.
func TestInspectFindsEveryFlip(t *testing.T) {
	files := indexedFiles(4)
	good := files[logName]
	size := len(good) / 4
	for at := range size {
		p := bytes.Clone(good)
		p[size+at] ^= 0x40
		files[logName] = p
		got := inspect("t-0", logName, files, InspectOptions{})
		outside := at < 8 || at >= 12 && at < 16
		if got.err != nil || got.Damaged == 0 || !outside && (got.Damaged != 1 || len(got.items) != 4) {
			t.Errorf("byte %d: %d damaged\n%v", at, got.Damaged, got)
		}
		if !outside && !strings.HasPrefix(got.items[1], fmt.Sprintf("damage position=%d bytes=%d expected=102 WRONG ", size, size)) {
			t.Errorf("byte %d: %v", at, got)
		}
	}
	for cut := 1; cut < size; cut++ {
		files[logName] = good[:len(good)-cut]
		if got := inspect("t-0", logName, files, InspectOptions{}); got.Damaged != 1 || len(got.items) != 4 {
			t.Errorf("cut by %d: %v", cut, got)
		}
	}
	files[logName] = append(bytes.Clone(good[size:]), good[:size]...)
	if got := inspect("t-0", logName, files, InspectOptions{}); got.Damaged != 1 || !strings.Contains(got.String(), "a batch says offset 100 where 108 belongs") {
		t.Errorf("a batch out of place: %v", got)
	}
}

// Batches larger than what is read at once are told, and searched for behind damage.
func TestInspectLargeBatches(t *testing.T) {
	one := made(100, 1, 0, strings.Repeat("a", windowBytes+1000))
	two := made(101, 1, 0, strings.Repeat("b", 3*windowBytes))
	p := append(bytes.Clone(one), two...)
	for at, damaged := range map[int]int{-1: 0, 61: 1, len(one) - 1: 1, 9: 1} {
		q := bytes.Clone(p)
		if at >= 0 {
			q[at] ^= 0x10
		}
		got := inspect("t-0", logName, map[string][]byte{logName: q}, InspectOptions{})
		if got.Damaged != damaged || len(got.items) != 2 || !strings.HasPrefix(got.items[1], fmt.Sprintf("batch base=101 last=101 position=%d", len(one))) {
			t.Errorf("byte %d: %d damaged of %d", at, got.Damaged, len(got.items))
		}
	}
}

func TestInspectIndexes(t *testing.T) {
	files := indexedFiles(6)
	for _, name := range []string{indexName, timesName} {
		got := inspect("t-0", name, files, InspectOptions{})
		if got.err != nil || got.Damaged != 0 || len(got.items) < 2 {
			t.Fatalf("%s: %v\n%v", name, got.err, got)
		}
		for at := range files[name] {
			bad := map[string][]byte{logName: files[logName], name: bytes.Clone(files[name])}
			bad[name][at] ^= 1
			if got := inspect("t-0", name, bad, InspectOptions{}); got.Damaged == 0 {
				t.Errorf("%s: byte %d may be anything\n%v", name, at, got)
			}
		}
		alone := inspect("t-0", name, map[string][]byte{name: files[name]}, InspectOptions{})
		if alone.Damaged != 0 || !strings.HasPrefix(alone.items[len(alone.items)-1], "verified entries=") {
			t.Errorf("%s: %v", name, alone)
		}
		if cut := inspect("t-0", name, map[string][]byte{name: files[name][1:]}, InspectOptions{}); cut.Damaged != 1 {
			t.Errorf("%s: %v", name, cut)
		}
	}
}

// The metadata log's records are decoded; one that can't be is damage, though its batch has a good checksum.
func TestInspectMetadata(t *testing.T) {
	topic := protocol.NewTopicRecord()
	topic.Name = "orders"
	value, err := protocol.AppendRecord(nil, protocol.Record{Message: topic})
	if err != nil {
		t.Fatal(err)
	}
	b := record.NewBuilder(nil, 0, 1)
	b.Append(1, nil, value)
	p := b.Finish(0)
	c := record.NewBuilder(nil, record.ControlBatch, 1)
	control, err := protocol.AppendControl(nil, protocol.NewLeaderChangeMessage(), 0)
	if err != nil {
		t.Fatal(err)
	}
	c.Append(2, protocol.AppendControlKey(nil, 2), control)
	p = append(p, c.Finish(1)...)
	const name = "00000000000000000000.log"
	got := inspect(metadataFolder, name, map[string][]byte{name: p}, InspectOptions{Records: true})
	for i, want := range []string{1: "metadata=TopicRecord version=0 value=&{orders", 3: "control=LeaderChangeMessage value=&{0"} {
		if got.Damaged != 0 || len(got.items) != 4 || !strings.Contains(got.items[i], want) {
			t.Errorf("nothing is like %s in\n%v", want, got)
		}
	}
	b = record.NewBuilder(nil, 0, 1)
	b.Append(1, nil, append(value, 0))
	p = b.Finish(0)
	for folder, damaged := range map[string]int{metadataFolder: 1, "t-0": 0} {
		if got := inspect(folder, name, map[string][]byte{name: p}, InspectOptions{}); got.Damaged != damaged {
			t.Errorf("%s: %v", folder, got)
		}
	}
}

func TestInspectSmallFiles(t *testing.T) {
	snapshot := segment.EncodeProducers([]segment.ProducerState{{ID: 5, Epoch: 1, LastSequence: 9, LastOffset: 30, TxnFirstOffset: -1}})
	for _, c := range []struct{ name, text, want string }{
		{"00000000000000000031.snapshot", string(snapshot), "producer id=5 epoch=1 last sequence=9 last=30"},
		{"leader-epoch-checkpoint", "0\n2\n1 0\n4 17\n", "epoch epoch=1 start=0\nepoch epoch=4 start=17"},
		{"partition.metadata", "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ", "topic id=AAAAAAAAAAAAAAAAAAAAAQ"},
		{"meta.properties", "version=2\ncluster.id=c\nnode.id=3\n", "properties version=2 cluster=c node=3"},
		{"quorum-state", string(segment.EncodeQuorumState(segment.QuorumState{LeaderID: 1, LeaderEpoch: 8, VotedID: -1})), "quorum leader=1 epoch=8 voted=-1"},
		{"log-start-offset-checkpoint", "0\n1\nt 2 40\n", "partition topic=t partition=2 offset=40"},
		{".kafka_cleanshutdown", `{"version":0,"brokerEpoch":12}`, "shutdown broker epoch=12"},
	} {
		got := inspect("t-0", c.name, map[string][]byte{c.name: []byte(c.text)}, InspectOptions{})
		if got.err != nil || got.Damaged != 0 || !strings.HasPrefix(got.String(), c.want) {
			t.Errorf("%s: %v\n%v", c.name, got.err, got)
		}
		got = inspect("t-0", c.name, map[string][]byte{c.name: []byte("x" + c.text[1:])}, InspectOptions{})
		if got.err != nil || got.Damaged != 1 {
			t.Errorf("%s, damaged: %v\n%v", c.name, got.err, got)
		}
	}
	if got := inspect("t-0", "note", map[string][]byte{"note": []byte("hello")}, InspectOptions{}); !errors.Is(got.err, ErrUnknownFile) {
		t.Errorf("%v", got.err)
	}
	if got := inspect("t-0", "saved", map[string][]byte{"saved": made(3, 1, 0, "v")}, InspectOptions{}); got.err != nil || got.Damaged != 0 {
		t.Errorf("batches under another name: %v\n%v", got.err, got)
	}
}

// A checkpoint tells all of its state, and the segments beside it are told with what it knows.
func TestInspectADirectory(t *testing.T) {
	r := newRig(1, simdisk.PosixMin)
	d := r.openQuietly(func(*task.Task, *Directory) {})
	l := d.Create(topic, 3, "t-3")
	for i := range 40 {
		r.step(func() { lead(l, produced(9, 0, int32(2*i), 2), 1) })
		r.pass(time.Millisecond)
	}
	r.step(func() {
		l.doubted(4, 6, "for the test")
		l.Settle(70)
	})
	r.tell(func(t *task.Task) {
		if err := d.Close(t); err != nil {
			panic(err)
		}
	})
	r.crash(simdisk.ProcessDeath)
	files := make(map[string][]byte)
	for _, name := range []string{"journal-0.checkpoint", "journal-1.checkpoint", "journal-0000000001.segment", "journal-0000000002.segment", "journal-0000000003.segment", "journal-0000000004.segment"} {
		files[name], _ = r.machine.Bytes("data/" + name)
	}
	for _, name := range []string{"journal-0.checkpoint", "journal-1.checkpoint"} {
		got := inspect("data", name, files, InspectOptions{})
		for _, want := range []string{
			"header number=", "state last log=1 broker epoch=-1 durability=fsync quorum state=0 logs=1 wastes=0",
			"log number=1 name=t-3 topic=cAAAAAAAAAAAAAAAAAAAAQ start=0 end=80", "epoch epoch=1 start=0", "doubt base=4 last=5",
			"segment base=0 end=80", "producer id=9 epoch=0 first sequence=68 last sequence=69", "row base=70 last=71 epoch=1 bytes=77",
		} {
			if got.err != nil || got.Damaged > 0 || !strings.Contains(got.String(), want) {
				t.Errorf("%s: %v; nothing is like %s in\n%v", name, got.err, want, got)
			}
		}
	}
	all := ""
	for number := range 4 {
		got := inspect("data", fmt.Sprintf("journal-%010d.segment", number+1), files, InspectOptions{Entries: true})
		if got.err != nil || got.Damaged > 0 {
			t.Errorf("segment %d: %v\n%v", number+1, got.err, got)
		}
		all += got.String()
	}
	for _, want := range []string{
		"entry kind=create log=1 name=t-3", "entry kind=append log=1 base=0 last=1 epoch=1", "begins segment=true",
		"entry kind=doubt log=1 base=4 last=5", "entry kind=setting durability=fsync", "flags=closing",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("nothing is like %s in\n%v", want, all)
		}
	}
	// A commit at the end of a segment that the next one does not go on from is missing.
	first := files["journal-0000000001.segment"]
	last := bytes.LastIndex(first[:len(first)-1], []byte("JCMT"))
	first[last+1] ^= 1
	if got := inspect("data", "journal-0000000001.segment", files, InspectOptions{}); got.Damaged != 1 {
		t.Errorf("the last commit of a segment may be anything\n%v", got)
	}
}

// The report has what the directory has, and Examine finds damage in files that redo did not touch.
func TestReportAndExamine(t *testing.T) {
	r := newRig(1, simdisk.PosixMin)
	d := r.openQuietly(func(*task.Task, *Directory) {})
	l := d.Create(topic, 3, "t-3")
	c := defaultConfig()
	c.SegmentBytes = 600
	l.Configure(c)
	for range 40 {
		r.step(func() { lead(l, made(0, 2, 0, "value"), 1) })
		r.pass(time.Millisecond)
	}
	r.tell(func(t *task.Task) {
		if err := d.Close(t); err != nil {
			panic(err)
		}
	})
	r.crash(simdisk.ProcessDeath)
	examined := func() (report Report, batches, size int64) {
		r.openQuietly(func(t *task.Task, d *Directory) {
			var err error
			if batches, size, err = d.Examine(t); err != nil {
				panic(err)
			}
			report = d.Report()
		})
		r.crash(simdisk.ProcessDeath)
		return report, batches, size
	}
	report, batches, size := examined()
	got := report.Logs[0]
	if got.Name != "t-3" || got.Start != 0 || got.End != 80 || got.Unfilled != 0 || len(got.Doubts) > 0 || batches != 40 || size != got.Bytes {
		t.Fatalf("%d batches, %d bytes, %+v", batches, size, report)
	}
	total := int64(0)
	for i, s := range got.Segments {
		p, _ := r.machine.Bytes("data/t-3/" + s.Name)
		if last := i == len(got.Segments)-1; s.Sealed == last || s.Sealed && len(p) != int(s.Bytes) || s.Filled != s.Bytes || len(p) < int(s.Filled) {
			t.Errorf("%+v, the file has %d bytes", s, len(p))
		}
		total += int64(s.Bytes)
	}
	if total != got.Bytes || len(got.Segments) < 3 {
		t.Errorf("%+v", got)
	}
	path := "data/t-3/" + got.Segments[1].Name
	r.begin()
	r.tell(func(t *task.Task) {
		file, _ := r.machine.Disk(r.node.Life()).Open(path, 0).Wait(t)
		p, _ := r.machine.Bytes(path)
		_, _ = file.WriteAt([]byte{p[70] ^ 1}, 70).Wait(t)
	})
	r.crash(simdisk.ProcessDeath)
	report, batches, _ = examined()
	base := got.Segments[1].Base
	if doubts := report.Logs[0].Doubts; batches != 39 || len(doubts) != 1 || doubts[0].Base != base || doubts[0].Last != base+1 || !strings.Contains(doubts[0].Why, path) {
		t.Errorf("%d batches, %+v", batches, report.Logs[0].Doubts)
	}
}
