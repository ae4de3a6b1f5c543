package segment

import (
	"math"
	"strings"
	"testing"
)

func TestFileNames(t *testing.T) {
	cases := []struct {
		text string
		want FileName
	}{
		{"00000000000000000000.log", FileName{0, Log, InUse}},
		{"00000000000000009474.index", FileName{9474, OffsetIndex, InUse}},
		{"00000000000000009474.timeindex", FileName{9474, TimeIndex, InUse}},
		{"00000000000000009474.txnindex", FileName{9474, TxnIndex, InUse}},
		{"00000000000000053000.snapshot", FileName{53000, ProducerSnapshot, InUse}},
		{"00000000000000000012.log.deleted", FileName{12, Log, Deleted}},
		{"00000000000000000012.timeindex.cleaned", FileName{12, TimeIndex, Cleaned}},
		{"00000000000000000012.index.swap", FileName{12, OffsetIndex, Swap}},
		{"09223372036854775807.log", FileName{math.MaxInt64, Log, InUse}},
	}
	for _, c := range cases {
		if got, ok := ParseFileName(c.text); !ok || got != c.want {
			t.Errorf("%s: %+v %v, want %+v", c.text, got, ok, c.want)
		}
		if got := c.want.String(); got != c.text {
			t.Errorf("%+v is written %s, want %s", c.want, got, c.text)
		}
	}
	for _, text := range []string{
		"", "0.log", "00000000000000000000", "00000000000000000000.", "00000000000000000000.txt",
		"0000000000000000000x.log", "-0000000000000000001.log", "+0000000000000000001.log", "000000000000000000001.log",
		"09223372036854775808.log", "00000000000000000000.log.old", "00000000000000000000.log.swap.deleted",
		"00000000000000000000.logs", "00000000000000000000-0000000000.checkpoint", "leader-epoch-checkpoint",
	} {
		if got, ok := ParseFileName(text); ok {
			t.Errorf("%q is taken for %+v", text, got)
		}
	}
}

func TestFolders(t *testing.T) {
	const id = "0123456789abcdef0123456789abcdef"
	long := strings.Repeat("t", topicBytesMax)
	cases := []struct {
		text string
		want Folder
	}{
		{"plain-0", Folder{Topic: "plain"}},
		{"__cluster_metadata-0", Folder{Topic: "__cluster_metadata"}},
		{"a.b-c_D-2147483647", Folder{Topic: "a.b-c_D", Partition: math.MaxInt32}},
		{"a-delete-3", Folder{Topic: "a-delete", Partition: 3}},
		{"a.b-1." + id + "-delete", Folder{"a.b", 1, Deleting, id}},
		{"a-1." + id + "-stray", Folder{"a", 1, StrayPartition, id}},
		{"a-1." + id + "-future", Folder{"a", 1, FutureReplica, id}},
		{long + "-0", Folder{Topic: long}},
	}
	for _, c := range cases {
		if got, err := ParseFolder(c.text); err != nil || got != c.want {
			t.Errorf("%s: %+v %v, want %+v", c.text, got, err, c.want)
		}
		if got := c.want.String(); got != c.text {
			t.Errorf("%+v is written %s, want %s", c.want, got, c.text)
		}
	}
	for _, text := range []string{
		"", "plain", "-0", "plain-", "plain-x", "plain-+1", "plain-01", "plain-2147483648", "a b-0", ".-0", "..-0",
		long + "t-0", "ä-0", "a-1-delete", "a-1.-delete", "a." + id + "-delete", "a-1." + id + "-deleted", "a-x." + id + "-future",
		"a-1. -stray",
	} {
		if got, err := ParseFolder(text); err == nil {
			t.Errorf("%q is taken for %+v", text, got)
		}
	}
}

// File systems take 255 bytes for a name. Kafka shortens the topic of a folder that will only be removed.
func TestFoldersOfLongTopics(t *testing.T) {
	const id = "0123456789abcdef0123456789abcdef"
	topic := strings.Repeat("t", topicBytesMax)
	for _, state := range []FolderState{Deleting, StrayPartition} {
		name := Folder{topic, 10, state, id}.String()
		if len(name) != 255 || !strings.HasPrefix(name, "ttt") {
			t.Errorf("%s: %d bytes", name, len(name))
		}
		got, err := ParseFolder(name)
		if err != nil || got.Partition != 10 || got.State != state || got.ID != id || !strings.HasPrefix(topic, got.Topic) {
			t.Errorf("%+v %v", got, err)
		}
	}
	if got := (Folder{topic, 10, FutureReplica, id}).String(); !strings.HasPrefix(got, topic+"-10.") {
		t.Errorf("%s", got)
	}
}

func TestMetadataSnapshotsAreKnownByTheirNames(t *testing.T) {
	for name, want := range map[string]MetadataSnapshot{
		"00000000000000000000-0000000000.checkpoint": {},
		"00000000000000000173-0000000002.checkpoint": {173, 2},
		"09223372036854775807-2147483647.checkpoint": {1<<63 - 1, 1<<31 - 1},
	} {
		if got, ok := ParseMetadataSnapshot(name); !ok || got != want || got.String() != name {
			t.Errorf("%s: %+v, %t", name, got, ok)
		}
	}
	for _, name := range []string{
		"bootstrap.checkpoint", "00000000000000000173-0000000002.checkpoint.part", "00000000000000000173-0000000002.checkpoint.deleted",
		"00000000000000000173.checkpoint", "0000000000000000173-00000000002.checkpoint", "00000000000000000173-4294967296.checkpoint",
		"99999999999999999999-0000000000.checkpoint", "00000000000000000173_0000000002.checkpoint", "-0000000000000000173-0000000002.checkpoint",
	} {
		if got, ok := ParseMetadataSnapshot(name); ok {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
