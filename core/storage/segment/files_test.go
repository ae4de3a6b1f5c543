package segment

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"barnabas/core/record"
)

// refused is a content that a decoder must not take, with a part of what it must say.
type refused struct{ content, want string }

func checkRefused(t *testing.T, decode func([]byte) error, cases []refused) {
	t.Helper()
	for _, c := range cases {
		err := decode([]byte(c.content))
		switch {
		case err == nil:
			t.Errorf("%q is taken", c.content)
		case !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrVersion):
			t.Errorf("%q: %v is of no known kind", c.content, err)
		case !strings.Contains(err.Error(), c.want):
			t.Errorf("%q: %v, want %s", c.content, err, c.want)
		}
	}
}

func TestDamagedLeaderEpochs(t *testing.T) {
	checkRefused(t, func(p []byte) error { _, err := DecodeEpochs(p); return err }, []refused{
		{"\n", `leader-epoch-checkpoint, line 1, ""`},
		{"x\n0\n", `line 1, "x": not in its format: it is no version`},
		{"1\n0\n", "version this broker does not read: 1"},
		{"0\n", "it ends after line 1"},
		{"0\nmany\n", `line 2, "many"`},
		{"0\n2\n0 0\n", `line 2, "2": not in its format: 1 lines follow`},
		{"0\n0\n0 0\n", `line 2, "0": not in its format: 1 lines follow`},
		{"0\n-1\n", `line 2, "-1"`},
		{"0\n1\n\n", `line 3, "": not in its format: it has 0 fields, not 2`},
		{"0\n1\n0 0 0\n", "it has 3 fields, not 2"},
		{"0\n1\nx 0\n", `line 3, "x 0": not in its format: its epoch`},
		{"0\n1\n2147483648 0\n", "its epoch"},
		{"0\n1\n-1 0\n", "do not ascend"},
		{"0\n1\n0 9223372036854775808\n", "its offset"},
		{"0\n1\n0 -5\n", "do not ascend"},
		{"0\n2\n3 5\n3 6\n", `line 4, "3 6": not in its format: epochs and offsets do not ascend from 3 5`},
		{"0\n2\n3 5\n4 5\n", `line 4, "4 5"`},
		{"0\n1\n" + strings.Repeat("x", 1000), `xxx…"`},
	})
}

func TestDamagedOffsets(t *testing.T) {
	decode := func(p []byte) error { _, err := DecodeOffsets(RecoveryPointFile, p); return err }
	checkRefused(t, decode, []refused{
		{"0\n1\na 0\n", `recovery-point-offset-checkpoint, line 3, "a 0": not in its format: it has 2 fields, not 3`},
		{"0\n1\na x 0\n", "its partition"},
		{"0\n1\na -1 0\n", "its partition"},
		{"0\n1\na 0 x\n", "its offset"},
		{"0\n1\na 0 -1\n", "its offset"},
		{"0\n1\na/b 0 1\n", "its topic"},
		{"0\n3\na 0 1\nb 0 1\na 0 1\n", `line 5, "a 0 1": not in its format: its partition was there before`},
	})
}

func TestCheckpointsThatKafkaTakes(t *testing.T) {
	for _, content := range []string{"", "0\n0\n", "0\n0", "0\r\n0\r\n"} {
		if got, err := DecodeEpochs([]byte(content)); err != nil || len(got) != 0 {
			t.Errorf("%q: %v %v", content, got, err)
		}
	}
	want := []EpochStart{{0, 0}, {2, 23000}}
	for _, content := range []string{"0\n2\n0 0\n2 23000", "0\r\n2\r\n0 0\r\n2 23000\r\n", "0\n2\n0  0\n2\t23000\n"} {
		if got, err := DecodeEpochs([]byte(content)); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v %v", content, got, err)
		}
	}
}

func TestCheckpointsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var epochs []EpochStart
		var offsets []PartitionOffset
		epoch, start := int32(-1), int64(-1)
		for i := range rapid.IntRange(0, 20).Draw(t, "lines") {
			epoch += rapid.Int32Range(1, 1<<26).Draw(t, "epoch")
			start += rapid.Int64Range(1, 1<<58).Draw(t, "start")
			epochs = append(epochs, EpochStart{record.LeaderEpoch(epoch), record.Offset(start)})
			topic := rapid.StringMatching(`[a-zA-Z0-9_-][a-zA-Z0-9._-]{0,20}`).Draw(t, "topic")
			offsets = append(offsets, PartitionOffset{topic, int32(i), record.Offset(start)})
		}
		if got, err := DecodeEpochs(EncodeEpochs(epochs)); err != nil || !slices.Equal(got, epochs) {
			t.Fatalf("%v %v, want %v", got, err, epochs)
		}
		if got, err := DecodeOffsets(LogStartFile, EncodeOffsets(offsets)); err != nil || !slices.Equal(got, offsets) {
			t.Fatalf("%v %v, want %v", got, err, offsets)
		}
	})
}

func TestDamagedPartitionMetadata(t *testing.T) {
	const id = "J8aAPcfLQt2bqs1JT_rMgQ"
	decode := func(p []byte) error { _, err := DecodePartitionMetadata(p); return err }
	checkRefused(t, decode, []refused{
		{"", `partition.metadata, line 1, ""`},
		{"version 0\ntopic_id: " + id, `line 1, "version 0"`},
		{"version: x\ntopic_id: " + id, `line 1, "version: x"`},
		{"version: -1\ntopic_id: " + id, "does not read: -1"},
		{"version: 0", "it ends after line 1"},
		{"version: 0\n" + id, `line 2`},
		{"version: 0\ntopic_id: " + id[1:], `line 2`},
		{"version: 0\ntopic_id: " + id + "A", `line 2`},
		{"version: 0\ntopic_id: " + id[:21] + "/", `line 2`},
		{"version: 0\ntopic_id: " + id[:21] + "\r", `line 2`},
		{"version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAA", `line 2`},
	})
	for _, content := range []string{"version: 0\ntopic_id: " + id + "\n", "version: 1\r\ntopic_id: " + id + "\r\nmore: 1\r\n"} {
		if got, err := DecodePartitionMetadata([]byte(content)); err != nil || encodeID(got) != id {
			t.Errorf("%q: %x %v", content, got, err)
		}
	}
}

func TestDamagedProducerSnapshots(t *testing.T) {
	whole := EncodeProducers([]ProducerState{
		{1000, 3, 7, 99, 4, 1_700_000_000_000, 2, 95},
		{ID: 1001, LastSequence: -1, LastOffset: -1, CoordinatorEpoch: -1, TxnFirstOffset: -1},
	})
	for n := range len(whole) {
		if got, err := DecodeProducers(whole[:n]); err == nil {
			t.Errorf("cut to %d bytes: %v", n, got)
		}
	}
	if got, err := DecodeProducers(append(slices.Clone(whole), 0)); err == nil {
		t.Errorf("a byte more: %v", got)
	}
	for bit := range 8 * len(whole) {
		p := slices.Clone(whole)
		p[bit/8] ^= 1 << (bit % 8)
		if got, err := DecodeProducers(p); err == nil {
			t.Errorf("bit %d flipped: %v", bit, got)
		}
	}
	// Checksummed, and yet wrong.
	sum := func(p []byte) string {
		sum := record.Checksum(p[6:])
		return string(append([]byte{0, 1, byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}, p[6:]...))
	}
	more, negative := slices.Clone(whole), slices.Clone(whole)
	more[9], negative[6] = 3, 0x80
	checkRefused(t, func(p []byte) error { _, err := DecodeProducers(p); return err }, []refused{
		{sum(more), "3 entries in 92 bytes"},
		{sum(negative), "entries in 92 bytes"},
		{sum(append(slices.Clone(whole), 0)), "2 entries in 93 bytes"},
		{"\x00\x02" + string(whole[2:]), "does not read: 2"},
		{"\x00\x00" + string(whole[2:]), "does not read: 0"},
		{string(whole[:9]), "9 bytes"},
		{string(whole[:2]) + "\x00\x00\x00\x00" + string(whole[6:]), "not 00000000 as it says"},
	})
}

func TestProducerSnapshotsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		producers := rapid.SliceOf(rapid.Custom(func(t *rapid.T) ProducerState {
			return ProducerState{
				rapid.Int64().Draw(t, "id"), rapid.Int16().Draw(t, "epoch"), rapid.Int32().Draw(t, "sequence"),
				record.Offset(rapid.Int64().Draw(t, "offset")), rapid.Int32().Draw(t, "delta"),
				rapid.Int64().Draw(t, "timestamp"), rapid.Int32().Draw(t, "coordinator"),
				record.Offset(rapid.Int64().Draw(t, "first")),
			}
		})).Draw(t, "producers")
		if got, err := DecodeProducers(EncodeProducers(producers)); err != nil || !slices.Equal(got, producers) {
			t.Fatalf("%v %v, want %v", got, err, producers)
		}
	})
}

func TestCleanShutdowns(t *testing.T) {
	for content, want := range map[string]int64{
		"": -1, `{"version":0,"brokerEpoch":123}`: 123, ` { "brokerEpoch" : 9223372036854775807 , "version" : 1 } ` + "\n": math.MaxInt64,
		`{"new":{"a":[1,"}",{}],"b":null},"brokerEpoch":-1}`: -1,
		`{"a":"\"}","brokerEpoch":5}`:                        5, `{"a":[[[[[[[[1]]]]]]]],"brokerEpoch":6}`: 6,
	} {
		if got, err := DecodeCleanShutdown([]byte(content)); err != nil || got != want {
			t.Errorf("%s: %d %v, want %d", content, got, err, want)
		}
	}
	checkRefused(t, func(p []byte) error { _, err := DecodeCleanShutdown(p); return err }, []refused{
		{" ", ".kafka_cleanshutdown: not in its format: no JSON object at byte 1"},
		{"{", "at byte 1"},
		{"[]", "at byte 0"},
		{"{}", `field "brokerEpoch" is "", no number`},
		{`{"brokerEpoch":1}x`, "at byte 17"},
		{`{"brokerEpoch":1,}`, "at byte 17"},
		{`{"brokerEpoch" 1}`, "at byte 15"},
		{`{"brokerEpoch":}`, "at byte 15"},
		{`{"brokerEpoch":1 "version":0}`, "at byte 17"},
		{`{,"brokerEpoch":1}`, "at byte 1"},
		{`{"brokerEpoch":"1"}`, "no number"},
		{`{"brokerEpoch":null}`, "no number"},
		{`{"brokerEpoch":1.5}`, "no number"},
		{`{"brokerEpoch":9223372036854775808}`, "no number"},
		{`{"brokerEpoch":1,"brokerEpoch":2}`, `field "brokerEpoch" is there twice`},
		{`{"broker\u0045poch":1}`, "at byte 19"},
		{`{"a":[1 2],"brokerEpoch":1}`, "at byte 8"},
		{`{"a":{"b"},"brokerEpoch":1}`, "at byte 9"},
		{`{"a":"\"`, "at byte 8"},
		{`{"a":[[[[[[[[[1]]]]]]]]],"brokerEpoch":6}`, "at byte 14"}, // deeper than anybody goes
	})
}

func TestQuorumStates(t *testing.T) {
	directory := [16]byte{0x27, 0xc6, 0x80, 0x3d, 0xc7, 0xcb, 0x42, 0xdd, 0x9b, 0xaa, 0xcd, 0x49, 0x4f, 0xfa, 0xcc, 0x81}
	for content, want := range map[string]QuorumState{
		`{"leaderId":-1,"leaderEpoch":2,"votedId":1,"votedDirectoryId":"J8aAPcfLQt2bqs1JT_rMgQ","data_version":1}`: {-1, 2, 1, directory},
		`{"clusterId":"","leaderId":1,"leaderEpoch":2,"votedId":-1,"appliedOffset":0,"currentVoters":[{"voterId":1},{"voterId":2}],` +
			`"data_version":0}`: {1, 2, -1, [16]byte{}},
	} {
		if got, err := DecodeQuorumState([]byte(content)); err != nil || got != want {
			t.Errorf("%s: %+v %v, want %+v", content, got, err, want)
		}
	}
	checkRefused(t, func(p []byte) error { _, err := DecodeQuorumState(p); return err }, []refused{
		{"", "quorum-state: not in its format: no JSON object at byte 0"},
		{`{"leaderId":-1,"leaderEpoch":2,"votedId":1,"votedDirectoryId":"J8aAPcfLQt2bqs1JT_rMgQ"}`, `field "data_version"`},
		{`{"data_version":2}`, "does not read: 2"},
		{`{"data_version":-1}`, "does not read: -1"},
		{`{"data_version":1,"leaderId":-2}`, `field "leaderId" is -2`},
		{`{"data_version":1,"leaderId":2147483648}`, `field "leaderId"`},
		{`{"data_version":1,"leaderId":1,"leaderEpoch":-1}`, `field "leaderEpoch" is -1`},
		{`{"data_version":1,"leaderId":1,"leaderEpoch":1,"votedId":-2}`, `field "votedId" is -2`},
		{`{"data_version":1,"leaderId":1,"leaderEpoch":1,"votedId":1}`, `field "votedDirectoryId" is "", no id`},
		{`{"data_version":1,"leaderId":1,"leaderEpoch":1,"votedId":1,"votedDirectoryId":1}`, `field "votedDirectoryId"`},
		{`{"data_version":1,"leaderId":1,"leaderEpoch":1,"votedId":1,"votedDirectoryId":"J8aAPcfLQt2bqs1JT_rMg"}`, "no id"},
	})
	rapid.Check(t, func(t *rapid.T) {
		s := QuorumState{
			LeaderID: rapid.Int32Min(-1).Draw(t, "leader"), LeaderEpoch: record.LeaderEpoch(rapid.Int32Min(0).Draw(t, "epoch")),
			VotedID: rapid.Int32Min(-1).Draw(t, "voted"), VotedDirectory: [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "directory")),
		}
		if got, err := DecodeQuorumState(EncodeQuorumState(s)); err != nil || got != s {
			t.Fatalf("%+v %v, want %+v", got, err, s)
		}
	})
}

func TestMetaProperties(t *testing.T) {
	const id = "J8aAPcfLQt2bqs1JT_rMgQ"
	m, err := DecodeMetaProperties([]byte("! comment\n\nnode.id = 7\r\ncluster.id=a\\:b\\=c\\\\\nversion=2\nother=1\n"))
	if want := (MetaProperties{Version: 2, ClusterID: `a:b=c\`, NodeID: 7}); err != nil || m != want {
		t.Errorf("%+v %v, want %+v", m, err, want)
	}
	checkRefused(t, func(p []byte) error { _, err := DecodeMetaProperties(p); return err }, []refused{
		{"", `meta.properties: not in its format: version is "", no version`},
		{"version=x", `version is "x"`},
		{"version=0\nbroker.id=1\n", "does not read: 0"},
		{"version=1\ncluster.id=c\n", `node.id is ""`},
		{"version=1\ncluster.id=c\nnode.id=-1\n", `node.id is "-1"`},
		{"version=1\ncluster.id=c\nnode.id=2147483648\n", "node.id"},
		{"version=1\nnode.id=1\n", `cluster.id is ""`},
		{"version=1\ncluster.id=c\nnode.id=1\ndirectory.id=" + id[1:], "directory.id"},
		{"version=1\ncluster.id=c\nnode.id=1\nwhat", `line 4, "what": not in its format: it has no '='`},
		{"version=1\ncluster.id=c\\\nnode.id=1", `line 2`},
		{"version=1\ncluster.id=\\u0041\nnode.id=1", `line 2`},
	})
	rapid.Check(t, func(t *rapid.T) {
		m := MetaProperties{
			Version: rapid.IntRange(1, 9).Draw(t, "version"), ClusterID: rapid.StringMatching(`[ -~]*[!-~]`).Draw(t, "cluster"),
			NodeID: rapid.Int32Min(0).Draw(t, "node"), Directory: [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "directory")),
		}
		if got, err := DecodeMetaProperties(EncodeMetaProperties(m)); err != nil || got != m {
			t.Fatalf("%+v %v, want %+v", got, err, m)
		}
	})
}
