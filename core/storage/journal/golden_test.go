package journal

import (
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"barnabas/core/task"
	"barnabas/sim/simdisk"
)

// The format is frozen: what these files hold is on disks. Write them anew (-update) only for a new format version.
var update = flag.Bool("update", false, "write golden files anew")

// field is a named run of bytes, as doc.go lists them.
type field struct {
	name  string
	bytes int
}

var segmentFields = []field{
	{"magic", 8},
	{"format", 2},
	{"reserved", 2},
	{"features", 4},
	{"number", 8},
	{"journal id", 16},
	{"directory id", 16},
	{"segment bytes", 8},
	{"crc", 4},
}

var commitFields = []field{
	{"magic", 4},
	{"header bytes", 2},
	{"flags", 2},
	{"journal id", 16},
	{"generation", 8},
	{"sequence", 8},
	{"segment", 8},
	{"position", 8},
	{"total bytes", 4},
	{"payload bytes", 4},
	{"table bytes", 4},
	{"previous table", 4},
	{"hash of the commit before", 8},
	{"known durable", 8},
	{"payload checksum", 4},
	{"table checksum", 4},
	{"previous table checksum", 4},
	{"reserved", 20},
	{"reserved", 4},
	{"crc", 4},
}

var entryFields = []field{
	{"kind", 1},
	{"flags", 1},
	{"body bytes", 2},
	{"log", 8},
	{"base", 8},
	{"end", 8},
	{"epoch", 4},
	{"payload position", 4},
	{"payload bytes", 4},
}

var checkpointFields = []field{
	{"magic", 8},
	{"format", 2},
	{"reserved", 2},
	{"features", 4},
	{"number", 8},
	{"oldest", 4},
	{"journal id", 16},
	{"directory id", 16},
	{"generation", 8},
	{"known durable", 8},
	{"sequence", 8},
	{"hash of that commit", 8},
	{"next segment", 4},
	{"next position", 4},
	{"state bytes", 4},
	{"crc", 4},
}

// dump writes bytes as annotated hexadecimal, a field a line.
func dump(p []byte, fields ...field) string {
	var text strings.Builder
	at := 0
	for _, f := range fields {
		if f.bytes < 0 {
			f.bytes = len(p) - at
		}
		for i := 0; i < f.bytes; i += 16 {
			line := p[at+i : at+min(i+16, f.bytes)]
			fmt.Fprintf(&text, "%6d  %-32x  %s\n", at+i, line, f.name)
		}
		at += f.bytes
	}
	return text.String()
}

// undump reads what dump wrote.
func undump(t testing.TB, text string) (p []byte) {
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) > 0 && words[0] != "#" {
			piece, err := hex.DecodeString(words[1])
			if err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			p = append(p, piece...)
		}
	}
	return p
}

func golden(t *testing.T, name, got string) string {
	t.Helper()
	file := "testdata/" + name + ".hex"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s: the frozen format changed. got\n%s\nwant\n%s", file, got, want)
	}
	return string(want)
}

// goldenEntries are one commit of every kind of entry, and a second one.
func goldenEntries() [][]Entry {
	return [][]Entry{{
		{Kind: Create, Flags: FlagRequired, Log: 1, Body: append([]byte{0: 0xaa, 15: 0xbb, 19: 7}, "orders-7"...)},
		{Kind: EpochStart, Flags: FlagRequired, Log: 1, End: 0, Epoch: 3},
		{Kind: Append, Flags: FlagRequired | FlagStartsSegment, Log: 1, Base: 0, End: 1, Epoch: 3},
	}, {
		{Kind: Truncate, Flags: FlagRequired, Log: 1, End: 0},
		{Kind: Reset, Flags: FlagRequired, Log: 1, End: 1 << 40},
		{Kind: StartMoved, Flags: FlagRequired, Log: 1, End: 1<<40 + 5},
		{Kind: Vote, Flags: FlagRequired, Body: []byte{9, 8, 7}},
		{Kind: BrokerEpoch, Flags: FlagRequired, Base: 77},
		{Kind: Drop, Flags: FlagRequired, Log: 1},
	}}
}

func writeGolden(t *testing.T) (segment, checkpoint []byte) {
	r := newRig(1, simdisk.Ordered, small)
	r.mustOpen()
	for _, entries := range goldenEntries() {
		r.step(func() {
			for _, e := range entries {
				var payload []byte
				if e.Kind == Append {
					payload = batch(0, 10)
				}
				r.journal.Append(e, payload, false)
			}
		})
		r.pass(time.Millisecond)
	}
	if err := r.close(); err != nil {
		t.Fatal(err)
	}
	segment, _ = r.machine.Bytes(firstSegment)
	checkpoint, _ = r.machine.Bytes("data/journal-0.checkpoint")
	return segment, checkpoint
}

// tableFields are the fields of a table.
func tableFields(entries []Entry, prefix string) (fields []field) {
	for _, e := range entries {
		for _, f := range entryFields {
			fields = append(fields, field{fmt.Sprintf("%sentry of kind %d: %s", prefix, e.Kind, f.name), f.bytes})
		}
		if len(e.Body) > 0 {
			fields = append(fields, field{fmt.Sprintf("%sentry of kind %d: body", prefix, e.Kind), len(e.Body)})
		}
	}
	return fields
}

func TestTheFormatOnDiskIsFrozen(t *testing.T) {
	segment, checkpoint := writeGolden(t)
	entries := goldenEntries()
	golden(t, "segment", dump(segment[:68], segmentFields...))
	golden(t, "checkpoint", dump(checkpoint[:checkpointHeaderBytes+4], append(slices.Clone(checkpointFields), field{"state of a new journal", 4})...))
	payload := field{"payload: a record batch", len(batch(0, 10))}
	first := append(append(append([]field(nil), commitFields...), payload), tableFields(entries[0], "")...)
	golden(t, "commit-1", dump(segment[4096:4096+sizeOf(first)], first...))
	second := append(append([]field(nil), commitFields...), tableFields(entries[1], "")...)
	second = append(second, tableFields(entries[0], "copy: ")...)
	golden(t, "commit-2", dump(segment[8192:8192+sizeOf(second)], second...))
	closing := append(append([]field(nil), commitFields...), tableFields(entries[1], "copy: ")...)
	golden(t, "commit-3-closing", dump(segment[12288:12288+sizeOf(closing)], closing...))
}

func sizeOf(fields []field) (n int) {
	for _, f := range fields {
		n += f.bytes
	}
	return n
}

// TestWhatWasFrozenIsRead builds a journal from the golden files alone and opens it.
func TestWhatWasFrozenIsRead(t *testing.T) {
	r := newRig(1, simdisk.Ordered, small)
	r.put(t, firstSegment, func() []byte {
		p := make([]byte, small.SegmentBytes)
		for name, at := range map[string]int{"segment": 0, "commit-1": 4096, "commit-2": 8192, "commit-3-closing": 12288} {
			text, err := os.ReadFile("testdata/" + name + ".hex")
			if err != nil {
				t.Fatal(err)
			}
			copy(p[at:], undump(t, string(text)))
		}
		return p
	}())
	text, err := os.ReadFile("testdata/checkpoint.hex")
	if err != nil {
		t.Fatal(err)
	}
	r.put(t, "data/journal-0.checkpoint", undump(t, string(text)))
	kinds := &kindsRead{}
	r.openWith(t, kinds)
	if got, want := fmt.Sprint(kinds.read), "[1 6 2 3 4 5 9 10 7]"; got != want {
		t.Errorf("entries of kinds %v, want %v", got, want)
	}
	if !kinds.finding.Clean || kinds.finding.Commits != 3 {
		t.Errorf("found %+v", kinds.finding)
	}
}

type kindsRead struct {
	read    []Kind
	finding Recovered
}

func (k *kindsRead) Entry(e Entry, _ Moment, _ Location, _ []byte) error {
	k.read = append(k.read, e.Kind)
	return nil
}

func (k *kindsRead) State([]byte) error        { return nil }
func (k *kindsRead) Unproven(Location) []Piece { return nil }

func (k *kindsRead) Carried(Piece, Location) {}

func (k *kindsRead) Snapshot(Moment, Location) ([][]byte, uint32)          { return nil, 1 }
func (k *kindsRead) Damaged(Entry, Moment, Location, []byte, string) error { return nil }

// put writes a file in a folder that may not be there yet.
func (r *rig) put(t *testing.T, path string, p []byte) {
	t.Helper()
	r.loop = r.node.Start()
	disk := r.machine.Disk(r.node.Life())
	r.tell(func(s *task.Task) { must(s, disk.MakeFolder("data")) })
	r.crash(simdisk.ProcessDeath)
	r.edit(path, func([]byte) []byte { return p })
}

func (r *rig) openWith(t *testing.T, k *kindsRead) {
	t.Helper()
	r.loop = r.node.Start()
	e := r.world(r.machine.Disk(r.node.Life()))
	r.tell(func(s *task.Task) {
		var err error
		if _, k.finding, err = Open(s, e, small, directory, k); err != nil {
			t.Error(err)
		}
	})
}

func TestAnUnknownEntryStopsRecoveryOnlyWhenRequired(t *testing.T) {
	for _, required := range []bool{true, false} {
		r := newRig(1, simdisk.Ordered, small)
		r.mustOpen()
		var s story
		r.step(func() {
			e := Entry{Kind: Carried + 1, Log: 1}
			if required {
				e.Flags = FlagRequired
			}
			r.journal.Append(e, nil, false)
			r.append(&s, 10)
		})
		r.pass(time.Millisecond)
		if err := r.close(); err != nil {
			t.Fatal(err)
		}
		err := r.open()
		if required && (err == nil || !strings.Contains(err.Error(), "newer version")) {
			t.Errorf("passed over: %v", err)
		}
		if !required && (err != nil || len(r.found.items) != 1) {
			t.Errorf("an entry that need not be known: %v, %d entries", err, len(r.found.items))
		}
	}
}
