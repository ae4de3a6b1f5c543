package record

import (
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write golden files anew")

// batchFields are the fields of a batch with one record, as Kafka's documentation lists them.
var batchFields = []struct {
	name  string
	bytes int
}{
	{"base offset", 8},
	{"batch length", 4},
	{"leader epoch", 4},
	{"magic", 1},
	{"CRC-32C", 4},
	{"attributes: transactional", 2},
	{"last offset delta", 4},
	{"base timestamp", 8},
	{"max timestamp", 8},
	{"producer id", 8},
	{"producer epoch", 2},
	{"base sequence", 4},
	{"records count", 4},
	{"first record: length 12, zigzag", 1},
	{"attributes", 1},
	{"timestamp delta 0", 1},
	{"offset delta 0", 1},
	{"key length 3", 1},
	{"key", 3},
	{"value length 3", 1},
	{"value", 3},
	{"header count", 1},
	{"second record: length 6", 1},
	{"attributes", 1},
	{"timestamp delta -5", 1},
	{"offset delta 1", 1},
	{"key null", 1},
	{"value of 0 bytes", 1},
	{"header count", 1},
}

func goldenBatch() []byte {
	b := NewBuilder(nil, 16, 5)
	b.SetProducer(1000, 3, 1<<31-1)
	b.Append(1_700_000_000_000, []byte("key"), []byte("val"))
	b.Append(1_699_999_999_995, nil, []byte{})
	return b.Finish(42)
}

func annotate(p []byte) string {
	var text strings.Builder
	at := 0
	for _, f := range batchFields {
		fmt.Fprintf(&text, "%4d  %-18x %s\n", at, p[at:at+f.bytes], f.name)
		at += f.bytes
	}
	if at != len(p) {
		fmt.Fprintf(&text, "%4d  %x more\n", at, p[at:])
	}
	return text.String()
}

func TestABatchLooksAsItAlwaysDid(t *testing.T) {
	const file = "testdata/batch.hex"
	got := annotate(goldenBatch())
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	var p []byte
	for line := range strings.Lines(string(want)) {
		piece, err := hex.DecodeString(strings.Fields(line)[1])
		if err != nil {
			t.Fatal(err)
		}
		p = append(p, piece...)
	}
	h, err := Check(p)
	if err != nil {
		t.Fatal(err)
	}
	wantHeader := Header{
		BaseOffset: 42, Length: 81, LeaderEpoch: 5, CRC: h.CRC, Attributes: 16, LastOffsetDelta: 1,
		BaseTimestamp: 1_700_000_000_000, MaxTimestamp: 1_700_000_000_000, ProducerID: 1000, ProducerEpoch: 3,
		BaseSequence: 1<<31 - 1, Count: 2,
	}
	if h != wantHeader {
		t.Errorf("got  %+v\nwant %+v", h, wantHeader)
	}
	if h.LastOffset() != 43 || h.EndOffset() != 44 || h.LastSequence() != 0 || !h.Attributes.IsTransactional() ||
		h.Attributes.IsControl() || h.Attributes.IsLogAppendTime() || h.Attributes.Codec() != 0 {
		t.Errorf("%+v", h)
	}
}
