package quorum_test

import (
	"slices"
	"strings"
	"testing"

	"barnabas/core/env"
	"barnabas/core/protocol"
	"barnabas/core/quorum"
	"barnabas/core/record"
	"barnabas/core/storage"
	"barnabas/core/task"
)

// control is a batch of one control record, at the offset.
func control(t *testing.T, base record.Offset, m protocol.Message) []byte {
	t.Helper()
	value, err := protocol.AppendControl(nil, m, 0)
	if err != nil {
		t.Fatal(err)
	}
	b := record.NewBuilder(nil, record.ControlBatch, 1)
	b.Append(0, protocol.AppendControlKey(nil, m.APIKey()), value)
	return b.Finish(base)
}

// snapshot is the file of a snapshot that holds one named record for each name.
func snapshot(t *testing.T, all ...string) []byte {
	t.Helper()
	p := control(t, 0, &protocol.SnapshotHeaderRecord{})
	next := record.Offset(1)
	for _, name := range all {
		value, err := protocol.AppendRecord(nil, named(name)[0])
		if err != nil {
			t.Fatal(err)
		}
		b := record.NewBuilder(nil, 0, 1)
		b.Append(0, nil, value)
		p = append(p, b.Finish(next)...)
		next++
	}
	return append(p, control(t, next, &protocol.SnapshotFooterRecord{})...)
}

// The newest snapshot that is whole comes first, and the log from its end on after it.
func TestAReplayBeginsWithTheNewestSnapshot(t *testing.T) {
	const five, nine = "00000000000000000005-0000000001.checkpoint", "00000000000000000009-0000000001.checkpoint"
	whole, torn := snapshot(t, "a", "b"), snapshot(t, "c")
	torn[len(torn)-3] ^= 1
	for _, c := range []struct {
		name    string
		files   map[string][]byte
		start   record.Offset // of the log, which holds nothing
		end     record.Offset // what is restored
		names   []string
		refused string
	}{
		{name: "no snapshot"},
		{name: "one", files: map[string][]byte{five: whole}, start: 5, end: 5, names: []string{"a", "b"}},
		{name: "two", files: map[string][]byte{five: torn, nine: whole}, start: 9, end: 9, names: []string{"a", "b"}},
		{name: "a damaged one before it", files: map[string][]byte{five: whole, nine: torn}, start: 5, end: 5, names: []string{"a", "b"}},
		{name: "damaged, and the log has everything", files: map[string][]byte{five: torn}},
		{name: "the log ends before it", files: map[string][]byte{five: whole}, start: 3, end: 5, names: []string{"a", "b"}},
		{name: "none", start: 5, refused: "no snapshot"},
		{name: "damaged", files: map[string][]byte{five: torn}, start: 5, refused: "damaged"},
		{name: "too old", files: map[string][]byte{five: whole}, start: 6, refused: "no snapshot"},
		{name: "cut off", files: map[string][]byte{five: whole[:len(whole)-len(control(t, 0, &protocol.SnapshotFooterRecord{}))]}, start: 5, refused: "footer"},
		{name: "being written", files: map[string][]byte{five + ".part": whole}, start: 5, refused: "no snapshot"},
		{name: "empty", files: map[string][]byte{five: nil}, start: 5, refused: "footer"},
	} {
		r := newRig(t, 7, storage.Fsync)
		r.mayRefuse = c.refused != ""
		r.before = func(t *task.Task, disk env.Disk, d *storage.Directory) {
			l := d.Create(protocol.MetadataTopicID(), 0, quorum.LogName)
			if c.start > 0 {
				l.Reset(c.start)
			}
			if _, err := disk.MakeFolder("data/" + quorum.LogName).Wait(t); err != nil {
				r.t.Fatal(err)
			}
			for name, p := range c.files {
				file, err := disk.Open("data/"+quorum.LogName+"/"+name, env.OpenNew).Wait(t)
				if err != nil {
					r.t.Fatal(err)
				}
				if len(p) > 0 {
					if _, err := file.WriteAt(p, 0).Wait(t); err != nil {
						r.t.Fatal(err)
					}
				}
				file.Close()
			}
		}
		r.restored = quorum.Snapshot{}
		r.start()
		if c.refused != "" {
			if r.refused == nil || !strings.Contains(r.refused.Error(), c.refused) {
				t.Errorf("%s: got %v, want %q", c.name, r.refused, c.refused)
			}
			continue
		}
		var batches [][]byte
		for _, batch := range r.restored.Batches {
			if h, err := record.Check(batch); err == nil && !h.Attributes.IsControl() {
				batches = append(batches, batch)
			}
		}
		if got := names(t, batches); r.restored.End != c.end || !slices.Equal(got, c.names) {
			t.Errorf("%s: restored %v up to %d, want %v up to %d", c.name, got, r.restored.End, c.names, c.end)
		}
		if h, err := record.Check(r.committed[0]); err != nil || h.BaseOffset != max(c.end, c.start) {
			t.Errorf("%s: the log goes on at %d", c.name, h.BaseOffset)
		}
	}
}
